"""Promises about what the bot wrote and said, compared with the World's truth."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.core.actions import EndCause
from app.core.attendance import attendance
from app.core.attendance_line import Part
from app.core.presses import ActionState
from app.core.session import ActionFact, GroupSession
from app.rehearse.plan import Planned
from app.rehearse.stage import Stage
from integrations.rehearsal.play import Played
from integrations.rehearsal.promises import (
    JUDGED_BY_THE_WORLD,
    Finding,
    attendance_faults,
    counted,
    judge,
)
from integrations.rehearsal.scene import Promise


@dataclass
class Evening:
    """What there is to judge: the service's own words and the World's."""

    stage: Stage
    planned: Planned
    played: Played
    session: GroupSession
    verdict: str
    record: dict[str, Any]
    rung: list[dict[str, Any]]

    def facts(self, kind: str) -> list[ActionFact]:
        """The actions of one kind."""
        return [f for f in self.session.actions.values() if f.kind == kind]


def judged(promise: Promise, evening: Evening) -> Finding:
    """Whether a promise was kept, with the fact that shows it."""
    if promise.check in JUDGED_BY_THE_WORLD:
        return judge(promise, evening.played)
    return _OURS[promise.check](evening, promise.arguments)


def _readiness(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    said = f"Before the session the checklist said: {evening.verdict}."
    return Finding(evening.verdict == fields["verdict"], said)


def _attendance(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    now = evening.stage.clock.now()
    reported = {}
    for line in attendance(evening.session, now):
        key = evening.planned.key_of(line.person_id)
        if line.part is Part.BOT or not line.spans:
            continue
        spans = [(s.start, s.end or now) for s in line.spans if s.start is not None]
        reported[key or _shown(evening, line.shown)] = spans
    truth = evening.played.world.attendance(evening.planned.meeting_id)
    within = timedelta(seconds=float(fields["within"]))
    faults = attendance_faults(truth, reported, within)
    good = f"The register equals the room, for {len(truth)} people, to the second."
    return Finding(not faults, " ".join(faults) or good)


def _shown(evening: Evening, names: tuple[str, ...]) -> str:
    cast = evening.played.scene.cast
    return next((k for k, p in cast.items() if p.name in names), str(names))


def _record(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    confirmed = evening.session.attendance_confirmed
    kept = confirmed is not None and bool(evening.record)
    version = confirmed[2] if confirmed is not None else 0
    said = f"The record is confirmed and frozen as version {version}."
    return Finding(kept, said if kept else "There is no confirmed record.")


_ALARMS = {
    "host": "entry.host_rights",
    "copied name": "entry.copied_name",
    "nobody came": "arrival.nobody_came",
}


def _alarm(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    kind = str(fields["kind"])
    found = [f for f in evening.facts("alert_staff") if f.key.startswith(_ALARMS[kind])]
    about = str(fields.get("about", ""))
    name = evening.played.scene.cast[about].name if about else "the session"
    rang = [r for r in evening.rung if any(f.key in r["key"] for f in found)]
    said = (
        f"Alarm “{kind}” about {name}: raised {counted(len(found))}, "
        f"rang on the phones {counted(len(rang))}."
    )
    return Finding(bool(found), said)


def _asked(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    wanted = str(fields["what"]).lower()
    words = [f.reason.lower() for f in evening.facts("ask_worker")]
    words += [str(r["text"]).lower() for r in evening.rung]
    kept = any(wanted in text for text in words)
    said = f"A worker was {'' if kept else 'not '}asked: “{fields['what']}?”"
    return Finding(kept, said)


def _rules_sent(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    posts = evening.facts("post_ground_rules")
    session, reached, clients = evening.session, set(), set()
    # Asked for is not given: only what a worker says was talked through counts (I6).
    given = [post for post in posts if post.state is ActionState.CONFIRMED]
    told = {key for post in given for key in post.details}
    for instance in session.instances.values():
        for connection in instance.connections.values():
            link = session.links.get(connection.registrant_id)
            if link is None or not connection.whereabouts(instance.closed_at).stays:
                continue
            clients.add(link.person_id)
            if connection.key in told:
                reached.add(link.person_id)
    said = (
        f"The ground rules were asked for {counted(len(posts))}, and "
        f"{len(reached)} of {len(clients)} young people heard them, late joiners too."
    )
    return Finding(bool(posts) and reached == clients, said)


def _ladder(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    person = evening.planned.people[str(fields["about"])]
    kinds = {
        "send_reminder": "remind",
        "send_warning": "warn",
        "remove_participant": "remove",
    }
    steps = [
        kinds[f.kind]
        for f in evening.session.actions.values()
        if f.person_id == person and f.kind in kinds and f.key.startswith("ladder.")
    ]
    said = f"Steps on record: {', '.join(steps) or 'none'}."
    return Finding(steps == list(fields["steps"]), said)


def _follow_up(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    person = evening.planned.people[str(fields["about"])]
    found = [f for f in evening.facts("start_follow_up") if f.person_id == person]
    said = f"Welfare follow-ups for {fields['about']}: {len(found)}."
    return Finding(bool(found), said)


def _clear(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    ends = [
        f
        for f in evening.facts("end_meeting")
        if f.cause == EndCause.NEVER_ALONE and f.state is ActionState.CONFIRMED
    ]
    if not ends or ends[0].sent_at is None:
        return Finding(False, "No safety clear is on record.")
    one = ends[0]
    said = (
        f"On record: wanted {one.wanted_at:%H:%M:%S}, sent {one.sent_at:%H:%M:%S}, "
        f"proved {one.confirmed_at:%H:%M:%S}. {one.proof}"
    )
    return Finding(one.confirmed_at is not None, said)


def _closing(evening: Evening, fields: Mapping[str, Any]) -> Finding:
    receipt = evening.record.get("closing") or {}
    last_client = receipt.get("last_client_out")
    last_worker = receipt.get("last_worker_out")
    kept = bool(last_client and last_worker and last_client <= last_worker)
    said = (
        f"Last client out {_clock(last_client)}, last worker out {_clock(last_worker)}."
    )
    return Finding(kept, said)


def _clock(at: str | None) -> str:
    return f"{datetime.fromisoformat(at):%H:%M:%S}" if at else "not known"


_OURS: dict[str, Callable[[Evening, Mapping[str, Any]], Finding]] = {
    "readiness": _readiness,
    "attendance_matches": _attendance,
    "record_written": _record,
    "alarm_raised": _alarm,
    "asked": _asked,
    "rules_sent": _rules_sent,
    "ladder_recorded": _ladder,
    "follow_up_open": _follow_up,
    "clear_recorded": _clear,
    "closing_receipt": _closing,
}
