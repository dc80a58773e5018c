"""Every scene can be played, and the World catches every broken promise."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from app.clock import ManualClock
from integrations.rehearsal import scene as scenes
from integrations.rehearsal.play import VERBS, Played, Press, play
from integrations.rehearsal.promises import (
    JUDGED_BY_THE_RUNNER,
    JUDGED_BY_THE_WORLD,
    attendance_faults,
    judge,
)
from integrations.rehearsal.rooms import Refused
from integrations.rehearsal.scene import Promise, Scene, Step
from integrations.rehearsal.truth import Presence, workers
from integrations.rehearsal.world import World

EVENING = datetime(2026, 11, 17, 18, 55, tzinfo=UTC)


class HandBot:
    """A stand-in for the bot: the fewest hands that keep every promise.

    `asleep` names what it forgets to do.
    """

    def __init__(self, scene: Scene, world: World, asleep: str = "") -> None:
        self.scene = scene
        self.world = world
        self.asleep = asleep
        self.links: dict[str, str] = {}

    async def press(self, press: Press) -> None:
        about = str(press.arguments.get("about", ""))
        if press.what == "remove" and self.asleep != "remove":
            self.world.remove(press.meeting_id, about)
            self._set_link(press.meeting_id, about, "cancelled")
        elif press.what == "readmit":
            self._set_link(press.meeting_id, about, "approved")
        elif press.what == "resume":
            for key in self.scene.clients:
                self._set_link(press.meeting_id, key, "approved")
        elif press.what == "end":
            self.world.end(press.meeting_id)

    def _set_link(self, meeting_id: int, key: str, status: str) -> None:
        meeting = self.world.meeting(meeting_id)
        registrant = meeting.registrant_of(self.links.get(key, ""))
        if registrant is not None:
            self.world.set_registration(meeting_id, registrant.id, status)

    async def guard(self, clock: ManualClock) -> None:
        """Clear a room a minute after its last worker, and suspend the links."""
        is_worker = workers(*self.scene.workers)
        while True:
            await clock.sleep(1)
            for meeting in list(self.world.meetings.values()):
                unsafe = self.world.alone_intervals(meeting.id, is_worker)
                if self.asleep == "guard" or not meeting.live or not unsafe:
                    continue
                if unsafe[-1].end == self.world.now and unsafe[-1].seconds >= 60:
                    self.world.end(meeting.id)
                    for key in self.scene.clients:
                        self._set_link(meeting.id, key, "cancelled")


async def perform(name: str, asleep: str = "") -> Played:
    scene, clock = scenes.load(name), ManualClock(EVENING)
    world = scenes.world_of(scene, clock)
    bot = HandBot(scene, world, asleep)
    meeting_id = 0
    if scene.planned:
        meeting_id, bot.links = scenes.plan_without_bot(scene, world)
    done: list[Played] = []

    async def perform_steps() -> None:
        done.append(
            await play(
                scene, world, clock, bot.press, meeting_id=meeting_id, links=bot.links
            )
        )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(perform_steps)
        tasks.start_soon(bot.guard, clock)
        while not done:
            await clock.elapse(timedelta(seconds=30))
        tasks.cancel_scope.cancel()
    return done[0]


@pytest.mark.parametrize("name", scenes.names())
def test_a_scene_speaks_known_words(name: str) -> None:
    scene = scenes.load(name)
    assert scene.teaches.endswith(".")
    assert {step.verb for step in scene.steps if not step.is_press} <= VERBS.keys()
    assert {promise.check for promise in scene.promises} <= (
        JUDGED_BY_THE_WORLD.keys() | JUDGED_BY_THE_RUNNER.keys()
    )
    assert [step.at for step in scene.steps] == sorted(step.at for step in scene.steps)


@pytest.mark.anyio
@pytest.mark.parametrize("name", scenes.names())
async def test_a_scene_keeps_its_promises_with_careful_hands(name: str) -> None:
    played = await perform(name)
    findings = [
        judge(promise, played)
        for promise in played.scene.promises
        if promise.check in JUDGED_BY_THE_WORLD
    ]
    assert [each.sentence for each in findings if not each.kept] == []
    assert findings


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "asleep", "broken"),
    [
        (
            "lost_lead",
            "guard",
            "Longest time without a worker: 185.0 s (at most 75 s).",
        ),
        ("copied_name", "guard", "The meeting is still running."),
        ("unplanned", "guard", "The meeting is still running."),
        ("ladder", "remove", "Dev was not removed."),
    ],
)
async def test_a_sleeping_bot_is_found_out(name: str, asleep: str, broken: str) -> None:
    played = await perform(name, asleep)
    sentences = [
        judge(promise, played).sentence
        for promise in played.scene.promises
        if promise.check in JUDGED_BY_THE_WORLD
    ]
    assert broken in sentences


def settled(name: str, change: Callable[[World, int], None]) -> Played:
    """A meeting with everybody inside, then one change."""
    scene, clock = scenes.load(name), ManualClock(EVENING)
    world = scenes.world_of(scene, clock)
    meeting_id, links = scenes.plan_without_bot(scene, world)
    world.start_meeting(meeting_id)
    world.arrive(meeting_id, "sam")
    for key, link in links.items():
        world.arrive(meeting_id, key, link=link)
        world.admit(meeting_id, key)
    clock.advance(timedelta(seconds=100))
    change(world, meeting_id)
    return Played(scene, world, meeting_id, links, EVENING)


def nothing(world: World, meeting_id: int) -> None:
    return None


@pytest.mark.parametrize(
    ("check", "fields", "change", "kept"),
    [
        ("ended", {}, nothing, False),
        ("ended", {"is": False}, nothing, True),
        ("ended", {}, lambda world, meeting: world.end(meeting), True),
        ("opened_times", {"number": 1}, nothing, True),
        ("opened_times", {"number": 2}, nothing, False),
        ("never_in_room_longer_than", {"who": "dev", "seconds": 99.9}, nothing, False),
        ("never_in_room_longer_than", {"who": "dev", "seconds": 100}, nothing, True),
        ("in_room_at_least", {"who": "dev", "seconds": 100}, nothing, True),
        ("in_room_at_least", {"who": "dev", "seconds": 100.1}, nothing, False),
        ("nobody_removed", {}, nothing, True),
        ("nobody_removed", {}, lambda w, m: w.remove(m, "dev"), False),
        ("removed", {"who": "dev"}, lambda w, m: w.remove(m, "dev"), True),
        ("removed", {"who": "dev"}, lambda w, m: w.leave(m, "dev"), False),
        ("only_workers_host", {}, nothing, True),
        ("only_workers_host", {}, lambda w, m: w.make_cohost(m, "dev"), False),
        ("staff_last_out", {}, lambda w, m: w.end(m), True),
    ],
)
def test_each_promise_can_be_kept_and_broken(
    check: str,
    fields: dict[str, object],
    change: Callable[[World, int], None],
    kept: bool,
) -> None:
    assert judge(Promise(check, fields), settled("ladder", change)).kept is kept


def test_staff_who_leave_first_break_the_promise() -> None:
    def go(world: World, meeting_id: int) -> None:
        world.leave(meeting_id, "anna")
        world.leave(meeting_id, "sam")
        world.clock.advance(timedelta(seconds=1))  # type: ignore[attr-defined]

    assert not judge(Promise("staff_last_out"), settled("ladder", go)).kept


@pytest.mark.parametrize(("shift", "faults"), [(0.9, 0), (1.0, 0), (1.1, 1)])
def test_the_register_is_compared_to_the_second(shift: float, faults: int) -> None:
    end = EVENING + timedelta(minutes=9)
    truth = {"ben": [Presence(EVENING, end)]}
    said = {"ben": [(EVENING + timedelta(seconds=shift), end)]}
    found = attendance_faults(truth, said, timedelta(seconds=1))
    assert len(found) == faults


def test_a_missing_and_an_invented_line_are_named() -> None:
    end = EVENING + timedelta(minutes=9)
    assert attendance_faults(
        {"ben": [Presence(EVENING, end)]},
        {"eve": [(EVENING, end)]},
        timedelta(seconds=1),
    ) == [
        "ben was there once; the register has 0.",
        "eve was there 0 times; the register has 1.",
    ]


@pytest.mark.parametrize("name", ["cast", "nobody_wrote_this"])
def test_an_unknown_scene_is_named(name: str) -> None:
    with pytest.raises(KeyError, match="quiet_evening"):
        scenes.load(name)


@pytest.mark.anyio
async def test_a_step_that_goes_otherwise_is_a_surprise() -> None:
    ladder = scenes.load("ladder")
    arrive = Step(timedelta(), "arrive", "dev", refused=True)
    admit = Step(timedelta(seconds=1), "admit", "ben")
    scene = replace(ladder, steps=(arrive, admit))
    clock = ManualClock(EVENING)
    world = scenes.world_of(scene, clock)
    meeting_id, links = scenes.plan_without_bot(scene, world)
    world.start_meeting(meeting_id)
    done: list[Played] = []

    async def press(press: Press) -> None:
        raise AssertionError("nobody presses here")

    async def perform_steps() -> None:
        done.append(
            await play(scene, world, clock, press, meeting_id=meeting_id, links=links)
        )

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(perform_steps)
        await clock.elapse(timedelta(seconds=2))
    assert done[0].surprises == [
        "dev: “arrive” should have been refused and was not.",
        "ben: “admit” was refused: ben is not in this meeting.",
    ]


@pytest.mark.anyio
async def test_a_refused_press_ends_the_scene() -> None:
    scene, clock = scenes.load("ladder"), ManualClock(EVENING)
    world = scenes.world_of(scene, clock)
    meeting_id, links = scenes.plan_without_bot(scene, world)

    async def press(press: Press) -> None:
        raise RuntimeError(f"the page refused {press.what}")

    async def perform_steps() -> None:
        with pytest.raises(RuntimeError, match="the page refused speak_rules"):
            await play(scene, world, clock, press, meeting_id=meeting_id, links=links)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(perform_steps)
        await clock.elapse(timedelta(minutes=20))


def test_a_surprise_breaks_as_written() -> None:
    played = settled("ladder", nothing)
    played.surprises.append("Ben: “arrive” was refused: the link is cancelled.")
    found = judge(Promise("as_written"), played)
    assert (found.kept, found.sentence) == (False, played.surprises[0])


def test_the_world_cannot_judge_the_bots_words() -> None:
    with pytest.raises(KeyError):
        judge(Promise("record_written"), settled("ladder", nothing))


def test_people_of_a_scene_are_refused_like_anybody() -> None:
    scene = scenes.load("copied_name")
    world = scenes.world_of(scene, ManualClock(EVENING))
    meeting_id, _ = scenes.plan_without_bot(scene, world)
    world.start_meeting(meeting_id)
    with pytest.raises(Refused, match="registration is required"):
        world.arrive(meeting_id, "eve", via="open")


def test_every_press_has_the_words_of_its_button() -> None:
    assert scenes.BUTTONS.keys() == scenes.PRESSES.keys()
