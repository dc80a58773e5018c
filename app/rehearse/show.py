"""What a newcomer reads in the terminal. Every line says who it comes from."""

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
STATES = {
    ActionState.WANTED: "wants",
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
    for item in card["items"]:
        mark = MARKS.get(item["result"], "!!  " if item["stops"] else "?   ")
        print(f"  {mark}{item['clause']:<7} {item['text']}  ({item['evidence']})")
    print()
    print("Timeline   (room = the truth in the simulated Zoom, bot = Chaperone)")
    print("           (PROVED = the room shows it; Zoom's answer alone is no proof)")


class Teller:
    """Prints what happens while it happens."""

    def __init__(self, stage: Stage, planned: Planned, world: World) -> None:
        self._stage = stage
        self._planned = planned
        self._world = world
        self._told = 0
        self._seen: set[tuple[str, str]] = set()

    async def run(self) -> None:
        """Look a few times a second until cancelled."""
        real = SystemClock()
        while True:
            await self.tell()
            await real.sleep(0.2)

    async def tell(self) -> None:
        """Print what is new, in order of time."""
        lines = [
            (told.at, f"room  {plain(told.sentence)}")
            for told in self._world.history[self._told :]
        ]
        self._told = len(self._world.history)
        session_id = self._planned.session_id
        session = await self._stage.service.engine.state(session_id)
        for fact in session.actions.values():
            if (fact.key, fact.state) in self._seen or _is_noise(fact):
                continue
            name = session.names.get(fact.person_id, "")
            about = f" ({plain(name)})" if name else ""
            sending = (fact.key, ActionState.SENT)
            lines.extend(
                (each.moved_at, f"bot   {sentence(each, about)}")
                for each in steps(fact, sending in self._seen)
            )
            self._seen.update({(fact.key, fact.state), sending})
        for at, line in sorted(lines, key=lambda each: each[0]):
            print(f"  {at:%H:%M:%S}  {line}")


def steps(fact: ActionFact, was_sent: bool) -> list[ActionFact]:
    """This step, after the sending where that fell between two looks.

    ``was_sent``: whether the sending was told already.
    """
    if was_sent or fact.sent_at is None or fact.state is ActionState.SENT:
        return [fact]
    sending = replace(
        fact, state=ActionState.SENT, moved_at=fact.sent_at, problem="", proof=""
    )
    return [fact] if _is_noise(sending) else [sending, fact]


def _is_noise(fact: ActionFact) -> bool:
    """What a newcomer need not read: looks, and steps on the way to a proof."""
    if fact.kind == "read_room":
        return True
    passing = (ActionState.WANTED, ActionState.WITHDRAWN)
    quiet = ("alert_staff", "ask_worker", "post_ground_rules", "tell_waiting_room")
    if fact.kind in (*quiet, "change_link") and fact.state in passing:
        return True
    return fact.kind == "change_link" and (
        fact.state is ActionState.SENT and not fact.problem
    )


def sentence(fact: ActionFact, about: str) -> str:
    """What the bot did in a newcomer's words; ``about`` is "" or a name in brackets."""
    kind = KINDS.get(fact.kind, fact.kind.replace("_", " "))
    if fact.kind == "alert_staff" and fact.state is ActionState.SENT:
        return f"{fact.cause.upper()} ALARM{about}: {fact.reason}"
    if fact.kind == "ask_worker" and fact.state is ActionState.SENT:
        return f"asks a worker{about}: {fact.reason}"
    if fact.route == "person" and fact.state is ActionState.SENT:
        return f"asks a worker for {kind}{about}: {fact.reason}"
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
        print("Every promise was kept. Times are UTC.")
        return
    print(f"{len(broken)} promise(s) broke:")
    for sentence in broken:
        print(f"  {sentence}")


def sign_in(link: str) -> None:
    """The way into the pages."""
    print()
    print("The service is still running. Open this link once to look at the pages:")
    print(f"  {link}")
    print("Ctrl-C ends it.")
