"""What must be so after a scene, judged by the World alone.

`judge` answers one promise with the World's fact that shows it. Promises about what
the bot wrote or said are named in `JUDGED_BY_THE_RUNNER` and left to whoever plays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from integrations.rehearsal.play import Played
from integrations.rehearsal.rooms import Connection, Meeting, Role
from integrations.rehearsal.scene import Promise
from integrations.rehearsal.truth import Presence, workers

JUDGED_BY_THE_RUNNER = {
    "readiness": "the verdict before the session: `verdict`",
    "attendance_matches": "the record's register equals `attendance`: `within` seconds",
    "record_written": "the record exists and was confirmed",
    "alarm_raised": "workers were alarmed: `about` (a person's key) and `kind`",
    "asked": "workers were asked to do something: `what`",
    "rules_sent": "ground rules were posted or asked for, late joiners included",
    "ladder_recorded": "the steps taken, in order: `about`, `steps`",
    "follow_up_open": "a welfare follow-up exists: `about`",
    "clear_recorded": "the record holds the safety clear and its receipt",
    "closing_receipt": "last client out, last worker out, gap",
}


class Finding(NamedTuple):
    """`kept`, and the sentence with the World's fact."""

    kept: bool
    sentence: str


def counted(number: int) -> str:
    """How often: "once", "26 times"."""
    return "once" if number == 1 else f"{number} times"


def judge(promise: Promise, played: Played) -> Finding:
    """Raises KeyError for a promise the World cannot judge."""
    meeting = played.world.meeting(played.meeting_id)
    return JUDGED_BY_THE_WORLD[promise.check](played, meeting, promise.arguments)


def _never_alone(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    limit = float(fields["seconds"])
    unsafe = played.world.alone_intervals(meeting.id, workers(*played.scene.workers))
    longest = max((each.seconds for each in unsafe), default=0.0)
    said = f"Longest time without a worker: {longest:.1f} s (at most {limit:g} s)."
    return Finding(longest <= limit, said)


def _ended(played: Played, meeting: Meeting, fields: Mapping[str, Any]) -> Finding:
    wanted = bool(fields.get("is", True))
    over = meeting.live is None and bool(meeting.instances)
    said = "The meeting is over." if over else "The meeting is still running."
    return Finding(over is wanted, said)


def _instances(played: Played, meeting: Meeting, fields: Mapping[str, Any]) -> Finding:
    found, wanted = len(meeting.instances), int(fields["number"])
    return Finding(found == wanted, f"The meeting was opened {counted(found)}.")


def _staff_last_out(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    times = played.world.attendance(meeting.id)
    last = {key: spans[-1].end for key, spans in times.items()}
    staff = [at for key, at in last.items() if key in played.scene.workers]
    others = [at for key, at in last.items() if key not in played.scene.workers]
    if not staff or not others:
        return Finding(not others, "Workers and clients did not meet.")
    gap = (max(staff) - max(others)).total_seconds()
    return Finding(gap >= 0, f"The last worker left {gap:.1f} s after the last client.")


def _longest_stay(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    who, limit = str(fields["who"]), float(fields["seconds"])
    spans = played.world.attendance(meeting.id).get(who, [])
    longest = max(map(_seconds, spans), default=0.0)
    name = played.scene.cast[who].name
    said = f"{name} was in the room for {longest:.1f} s at a stretch (at most {limit:g} s)."
    return Finding(longest <= limit, said)


def _present_at_least(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    who, least = str(fields["who"]), float(fields["seconds"])
    spans = played.world.attendance(meeting.id).get(who, [])
    total = sum(map(_seconds, spans))
    name = played.scene.cast[who].name
    said = f"{name} was in the room for {total:.1f} s in all (at least {least:g} s)."
    return Finding(total >= least, said)


def _nobody_removed(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    names = [
        each.name for each in _everybody(meeting) if "Removed" in each.leave_reason
    ]
    said = f"Removed: {', '.join(names)}." if names else "Nobody was removed."
    return Finding(not names, said)


def _removed(played: Played, meeting: Meeting, fields: Mapping[str, Any]) -> Finding:
    who = str(fields["who"])
    found = any(
        "Removed" in each.leave_reason
        for each in _everybody(meeting)
        if each.person.key == who
    )
    name = played.scene.cast[who].name
    return Finding(found, f"{name} was {'' if found else 'not '}removed.")


def _host_is_worker(
    played: Played, meeting: Meeting, fields: Mapping[str, Any]
) -> Finding:
    powerful = [
        each.name
        for each in (meeting.live.inside() if meeting.live else [])
        if each.role is not Role.ATTENDEE
        and each.person.key not in played.scene.workers
    ]
    said = f"Host rights: {', '.join(powerful)}." if powerful else "Only workers host."
    return Finding(not powerful, said)


def _as_written(played: Played, meeting: Meeting, fields: Mapping[str, Any]) -> Finding:
    said = " ".join(played.surprises) or "Every step went as written."
    return Finding(not played.surprises, said)


def _everybody(meeting: Meeting) -> Iterable[Connection]:
    return (each for instance in meeting.instances for each in instance.connections)


def _seconds(span: Presence) -> float:
    return (span.end - span.start).total_seconds()


Judge = Callable[[Played, Meeting, Mapping[str, Any]], Finding]
JUDGED_BY_THE_WORLD: dict[str, Judge] = {
    "never_alone_longer_than": _never_alone,
    "ended": _ended,
    "opened_times": _instances,
    "staff_last_out": _staff_last_out,
    "never_in_room_longer_than": _longest_stay,
    "in_room_at_least": _present_at_least,
    "nobody_removed": _nobody_removed,
    "removed": _removed,
    "only_workers_host": _host_is_worker,
    "as_written": _as_written,
}


def attendance_faults(
    truth: Mapping[str, Sequence[Presence]],
    reported: Mapping[str, Sequence[tuple[datetime, datetime]]],
    within: timedelta,
) -> list[str]:
    """Sentences about every line of `reported` that differs from the truth by more
    than `within`, is missing, or is too many. Empty when the register is right."""
    faults = []
    for who in sorted({*truth, *reported}):
        real, said = list(truth.get(who, ())), sorted(reported.get(who, ()))
        if len(real) != len(said):
            faults.append(
                f"{who} was there {counted(len(real))}; the register has {len(said)}."
            )
            continue
        for span, (joined, left) in zip(real, said, strict=True):
            for word, true_at, said_at in (
                ("came", span.start, joined),
                ("went", span.end, left),
            ):
                if abs(said_at - true_at) > within:
                    faults.append(
                        f"{who} {word} at {true_at:%H:%M:%S};"
                        f" the register says {said_at:%H:%M:%S}."
                    )
    return faults
