"""What a newcomer reads in the terminal. Every line says who it comes from."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from app.clock import SystemClock
from app.core.attendance import attendance
from app.core.names import plain
from app.core.presses import ActionState
from app.core.session import ActionFact
from app.rehearse.plan import Planned
from app.rehearse.stage import Stage
from app.rehearse.verdict import Evening
from integrations.rehearsal.promises import Finding
from integrations.rehearsal.scene import Scene
from integrations.rehearsal.world import World

WIDTH = 78
Line = tuple[datetime, str]
MARKS = {"ok": "ok  ", "ticked": "ok  ", "excepted": "exc "}
HANDS = {"api": " through Zoom"}
KINDS = {
    "tell_waiting_room": "words at the door",
    "change_link": "personal link",
    "post_ground_rules": "ground rules",
    "end_meeting": "end for everyone",
    "remove_participant": "remove",
    "start_follow_up": "a follow-up",
    "ask_worker": "what the worker was asked for",
    "send_reminder": "reminder",
    "send_warning": "warning",
}
ASKED = {
    "post_ground_rules": "asks a worker to give the ground rules",
    "start_follow_up": "opens a follow-up",
}
STATES = {
    ActionState.SENT: "sent",
    ActionState.CONFIRMED: "PROVED",
    ActionState.WITHDRAWN: "no longer needed",
    ActionState.REFUSED: "could not",
    ActionState.EXPIRED: "too late for",
}


def title(scene: Scene) -> None:
    """The headline of an evening."""
    print()
    print("=" * WIDTH)
    print(scene.title)
    print(scene.teaches)
    print("=" * WIDTH)


def readiness(card: dict[str, Any]) -> None:
    """The checklist before the session, as one card."""
    print()
    print(f"Checklist before the session: {card['verdict'].upper()}")
    print(
        "  (ok = in order, ? = not known or not ticked, which may be, !! = not ready)"
    )
    for item in card["items"]:
        mark = MARKS.get(item["result"], "!!  " if item["stops"] else "?   ")
        print(f"  {mark}{item['clause']:<7} {item['text']}  ({item['evidence']})")
    print()
    print("Timeline   (room = the truth in the simulated Zoom, bot = Chaperone)")
    print("           (sent = Zoom was asked; PROVED = the room shows that it is so)")
    print("           (all times are UTC; the evening runs in fast time)")


class Teller:
    """Prints what happens while it happens."""

    def __init__(self, stage: Stage, planned: Planned, world: World) -> None:
        self._stage = stage
        self._planned = planned
        self._world = world
        self._room_told = 0
        self._seen: set[tuple[str, ActionState]] = set()
        self._looked_at = stage.clock.now()

    async def run(self) -> None:
        """Look a few times a second until cancelled."""
        real = SystemClock()
        while True:
            looked_at = self._stage.clock.now()
            await self.tell(self._looked_at)
            self._looked_at = looked_at
            await real.sleep(0.2)

    async def tell(self, until: datetime | None = None) -> None:
        """Print what is new, in order of time, up to ``until`` if it is given.

        One look behind: what room and bot did till then is known for certain, so that a
        cause never stands below its effect.
        """
        session = await self._stage.service.engine.state(self._planned.session_id)
        lines = list(self._of_the_room(until))
        for fact in session.actions.values():
            name = session.names.get(fact.person_id, "")
            about = f" ({plain(name)})" if name else ""
            lines.extend(
                (each.moved_at, f"bot   {sentence(each, about)}")
                for each in self._new_steps(fact, until)
            )
        for line in in_order(lines):
            print(line)

    def _of_the_room(self, until: datetime | None) -> Iterator[Line]:
        for told in self._world.history[self._room_told :]:
            if until is not None and told.at > until:
                return
            self._room_told += 1
            yield told.at, f"room  {plain(told.sentence)}"

    def _new_steps(
        self, fact: ActionFact, until: datetime | None
    ) -> Iterator[ActionFact]:
        for step in steps(fact):
            mark = (step.key, step.state)
            if mark in self._seen or (until is not None and step.moved_at > until):
                continue
            self._seen.add(mark)
            yield step


def in_order(lines: Iterable[Line]) -> list[str]:
    """By time; of one moment the room first, then the bot; what is said twice, once."""
    ordered = sorted(lines, key=lambda each: (each[0], each[1].startswith("bot")))
    return list(dict.fromkeys(f"  {at:%H:%M:%S}  {line}" for at, line in ordered))


def steps(fact: ActionFact) -> list[ActionFact]:
    """What there is to tell of it: the sending, and what came of it."""
    found = [fact]
    if fact.sent_at is not None:
        problem = fact.problem if fact.state is ActionState.SENT else ""
        sending = replace(
            fact,
            state=ActionState.SENT,
            moved_at=fact.sent_at,
            problem=problem,
            proof="",
        )
        found = [sending] if fact.state is ActionState.SENT else [sending, fact]
    return [each for each in found if not _is_noise(each)]


def _is_noise(fact: ActionFact) -> bool:
    """What a newcomer need not read: looks, and steps on the way to a proof."""
    if fact.kind == "read_room" or fact.state is ActionState.WANTED:
        return True
    quiet = ("alert_staff", "ask_worker", "post_ground_rules", "tell_waiting_room")
    if fact.kind in (*quiet, "change_link") and fact.state is ActionState.WITHDRAWN:
        return True
    return fact.kind == "change_link" and (
        fact.state is ActionState.SENT and not fact.problem
    )


def sentence(fact: ActionFact, about: str) -> str:
    """What the bot did in a newcomer's words; ``about`` is "" or a name in brackets."""
    kind = KINDS.get(fact.kind, fact.kind.replace("_", " "))
    if fact.kind == "alert_staff" and fact.state is ActionState.SENT:
        if fact.cause.upper() == "INFO":
            return f"tells the workers{about}: {fact.reason}"
        return f"{fact.cause.upper()} ALARM{about}: {fact.reason}"
    if fact.kind == "ask_worker" and fact.state is ActionState.SENT:
        return f"asks a worker{about}: {fact.reason}"
    if fact.route == "person" and fact.state is ActionState.SENT:
        asked = ASKED.get(fact.kind, f"asks a worker for {kind}")
        return f"{asked}{about}: {fact.reason}"
    if fact.kind == "change_link" and fact.state is ActionState.CONFIRMED:
        return f"changed {kind}{about}: {fact.reason} {fact.proof}"
    if fact.state is ActionState.ESCALATED:
        return f"no worker has done it yet: {kind}{about}"
    if fact.kind == "start_follow_up" and fact.state is ActionState.CONFIRMED:
        return f"closed {kind}{about}: {fact.proof}"
    hands = HANDS.get(fact.route, "") if fact.state is ActionState.SENT else ""
    said = f"{STATES[fact.state]} {kind}{about}{hands}"
    if fact.state is ActionState.CONFIRMED:
        return f"{said}: {fact.proof}"
    why = fact.problem or fact.reason
    return f"{said}: {why}" if fact.state is not ActionState.WITHDRAWN else said


def attendance_table(evening: Evening) -> None:
    """Who was there, as the register will say."""
    now = evening.stage.clock.now()
    print()
    print("Attendance (drafted from events, to be confirmed by a worker)")
    print(f"  {'who':<16} {'part':<8} {'in':<9} {'out':<9} {'min':>4}  remarks")
    for line in attendance(evening.session, now):
        name = evening.session.names.get(line.person_id) or (
            line.shown[0] if line.shown else "(no name)"
        )
        remarks = ", ".join(sorted(flag.value for flag in line.flags))
        print(
            f"  {plain(name)[:16]:<16} {line.part.value:<8} {_clock(line.joined_at):<9} "
            f"{_clock(line.left_at):<9} {line.minutes:>4}  {remarks}"
        )


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S}" if at is not None else "-"


def files(paths: list[Path]) -> None:
    """Where the record was written."""
    print()
    print(f"The record was written to {' and '.join(str(p) for p in paths)}.")


def promises() -> None:
    """The headline of the judgement."""
    print()
    print("What was promised, and the fact that shows it")


def promise(finding: Finding) -> None:
    """One promise and its fact."""
    print(f"  {'kept  ' if finding.kept else 'BROKEN'}  {finding.sentence}")


def conclusion(broken: list[str]) -> None:
    """The last word."""
    print()
    if not broken:
        print("Every promise was kept.")
        return
    print(
        "One promise broke:" if len(broken) == 1 else f"{len(broken)} promises broke:"
    )
    for sentence in broken:
        print(f"  {sentence}")


def sign_in(link: str) -> None:
    """The way into the pages."""
    print()
    print("The service is still running. Open this link once to look at the pages:")
    print(f"  {link}")
    print("Ctrl-C ends it.")
