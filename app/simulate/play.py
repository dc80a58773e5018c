"""Play one scenario from its planning to the end, in virtual time."""

import asyncio
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core.session import GroupSession
from app.engine.sessions import Sessions
from app.simulate import verbs
from app.simulate.ground import Ground
from app.simulate.loop import run_virtual
from app.simulate.scenario import Fault, Scenario, Step
from app.simulate.stage import Change, Stage
from integrations.rehearsal.rooms import Refused

PEOPLE_COME = 20.0
"""Nobody comes before: the bot plans the meeting and the links first."""


@dataclass
class Outcome:
    """What there is to judge after an evening: truth, store and calls."""

    stage: Stage
    session: GroupSession | None
    refolded: GroupSession | None
    now: datetime
    complaints: list[str] = field(default_factory=list)
    """What broke in the machinery itself: an exception nobody caught."""

    @property
    def scenario(self) -> Scenario:
        return self.stage.scenario

    def lines(self) -> list[str]:
        """The readable timeline: who, which room, what the bot did."""
        return [text for _, _, text in sorted(_lines(self.stage))]

    def trace(self) -> str:
        """A hash over everything that happened; the same for the same seed."""
        whole = hashlib.sha256()
        for line in self.lines():
            whole.update(line.encode())
        return whole.hexdigest()


def _lines(stage: Stage) -> Iterable[tuple[datetime, int, str]]:
    rows: list[tuple[datetime, str]] = list(stage.told)
    rows += [(each.at, f"  room      {each.sentence}") for each in stage.world.history]
    for sent in stage.server.sendings:
        fate = "lost" if sent.lost else f"{sent.status or 'no answer'}"
        retry = f" (repeat {sent.retry_num})" if sent.retry_num else ""
        forged = " forged" if sent.forged else ""
        rows.append((sent.at, f"  webhook   {sent.event}{retry}{forged}: {fate}"))
    for call in stage.server.calls:
        trouble = f" [{call.trouble}]" if call.trouble else ""
        rows.append(
            (call.at, f"  call      {call.method} {call.path}: {call.status}{trouble}")
        )
    for at, letter in stage.letters:
        rows.append(
            (at, f"  alarm     {letter.text} ({letter.level}, {letter.address})")
        )
    began = stage.began
    for number, (at, text) in enumerate(rows):
        passed = (at - began).total_seconds()
        yield at, number, f"{passed:9.3f} {text}"


def play(scenario: Scenario, ground: Ground, change: Change | None = None) -> Outcome:
    """One evening. Raises Stuck when the simulated service hangs or spins."""
    ground.lay()
    return run_virtual(_evening(scenario, ground, change))


async def _evening(
    scenario: Scenario, ground: Ground, change: Change | None
) -> Outcome:
    complaints: list[str] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, told: _complain(complaints, told))
    stage = Stage(scenario, ground)
    if change is not None:
        stage.change = change
    stage.session_id = ground.plan(scenario)
    try:
        await stage.begin_life()
        stage.around(stage.move_the_world())
        await _prepared(stage)
        await _time_goes_by(stage)
        session = await _seen(stage)
        anew = await _folded_anew(stage) if session is not None else None
        return Outcome(stage, session, anew, stage.clock.now(), complaints)
    finally:
        await stage.close()


def _complain(complaints: list[str], told: dict[str, Any]) -> None:
    problem = told.get("exception")
    if type(problem).__name__ != "Killed":
        whose = told.get("task") or told.get("future")
        complaints.append(f"{told.get('message')}: {problem!r} in {whose!r}"[:400])


async def _prepared(stage: Stage) -> None:
    """Before the evening: the safe meeting, everybody's link; nothing fails here."""
    if not stage.scenario.planned:
        return
    refused = await verbs.press(stage, "press prepare", stage.scenario.lead, {})
    if refused:
        stage.tell(f"not prepared: {refused}")
    stage.bound_at = stage.clock.now()
    [meeting] = stage.world.meetings.values()
    stage.meeting_id = meeting.id
    assert stage.life is not None  # noqa: S101
    session = await stage.life.run(stage.life.engine.state(stage.session_id))
    key_of = {person_id: key for key, person_id in stage.ground.people.items()}
    for link in session.links.values():
        registrant = meeting.registrants[link.registrant_id]
        stage.links[key_of[link.person_id]] = meeting.link_of(registrant)


async def _time_goes_by(stage: Stage) -> None:
    scenario = stage.scenario
    agenda: list[tuple[float, int, Step | Fault]] = []
    for number, step in enumerate(scenario.steps):
        agenda.append((step.at, number, step))
    for number, fault in enumerate(scenario.faults):
        if fault.code in ("F11", "F13"):
            agenda.append((fault.at, -number - 1, fault))
    for at, _, one in sorted(agenda, key=lambda each: each[:2]):
        await stage.clock.sleep(max(0.0, at - stage.passed))
        if isinstance(one, Step):
            await _do(stage, one)
        elif one.code == "F11":
            stage.around(stage.kill(one))
        else:
            _set_clock(stage, one)
    await stage.clock.sleep(max(0.0, scenario.heals_at - stage.passed))
    stage.tell("everything works again")
    stage.note_the_log()
    stage.server.courier.hurry(timedelta(seconds=30))
    stage.server.wake()
    await stage.clock.sleep(max(0.0, scenario.ends_at - stage.passed))


def _set_clock(stage: Stage, fault: Fault) -> None:
    if fault.kind == "drift":
        stage.wall.drift = fault.amount
    else:
        stage.wall.offset += timedelta(seconds=fault.amount)
    stage.struck[f"F13 {fault.kind}"] += 1
    stage.tell(f"the machine's clock is set {fault.kind} {fault.amount:g}")


async def _do(stage: Stage, step: Step) -> None:
    stage.world.catch_up()
    if step.do.startswith("press "):
        stage.around(_press(stage, step))
        return
    try:
        verbs.WORLD[step.do](stage, step.who, step.args)
    except Refused as refusal:
        stage.tell(f"{step.told()}: refused: {refusal}")


async def _press(stage: Stage, step: Step) -> None:
    refused = await verbs.press(stage, step.do, step.who, step.args)
    stage.tell(f"{step.told()}{': ' if refused else ''}{refused}")
    if step.do == "press bind" and not refused:
        stage.bound_at = stage.clock.now()


async def _seen(stage: Stage) -> GroupSession | None:
    life = stage.life
    if life is None or not life.awake:
        return None
    session: GroupSession = await life.run(life.engine.state(stage.session_id))
    return session


async def _folded_anew(stage: Stage) -> GroupSession:
    """The same session as a process would know it that has just begun."""
    assert stage.life is not None  # noqa: S101
    return (await Sessions(stage.life.footing).held(stage.session_id)).session
