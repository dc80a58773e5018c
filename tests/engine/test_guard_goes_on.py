"""Nothing that breaks beside it stops the guard: clocks, hung or odd platforms, rules,
damaged rows, crowds, a store that cannot even be read (I19, I20, D08, W34)."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from app.clock import ManualClock, SteadyClock
from app.core.actions import Wish
from app.core.events import MeetingStarted, ParticipantJoined
from app.core.presses import ActionState, AlarmAcknowledged
from app.core.rules import RULES, Rule
from app.core.session import GroupSession
from app.engine.alarms import Alarms, Letter
from app.engine.commits import MOST_BYTES, MOST_WAITING, Overloaded
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.engine.upkeep import register
from app.store.database import InlineDoor, Store, Work
from integrations.base import Delivery, RosterRead, TemporaryFailure
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio


class Machine(SteadyClock):
    """A machine whose wall clock somebody sets."""

    def __init__(self, wall: ManualClock) -> None:
        super().__init__(wall)
        self.wall = wall

    def advance(self, delta: timedelta) -> None:
        self.wall.advance(delta)


class MoodyDoor(InlineDoor):
    """A store that fails, or waits, when it is told to."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.engine)
        self.reads_fail = self.writes_fail = False
        self.waits: asyncio.Event | None = None

    async def write(self, work: Work) -> Any:
        if self.waits is not None:
            await self.waits.wait()
        self._fail(self.writes_fail)
        return await super().write(work)

    async def read(self, work: Work) -> Any:
        self._fail(self.reads_fail)
        return await super().read(work)

    @staticmethod
    def _fail(failing: bool) -> None:
        if failing:
            raise OperationalError("", {}, Exception("disk I/O error"))


def restart(
    tonight: Evening,
    *,
    rules: Sequence[tuple[str, Rule]] = RULES,
    new_id: Callable[[], str] | None = None,
) -> None:
    """A new process: only what is committed is left."""
    numbers = iter(range(10**6, 10**9))

    async def keep(letter: Letter, _now: object) -> None:
        tonight.letters.append(letter)

    footing = Footing(
        tonight.store,
        tonight.clock,
        {"zoom": tonight.platform},
        new_id or (lambda: f"id-{next(numbers)}"),
        rules=rules,
    )
    tonight.engine = Engine(footing, Alarms(footing, {"webhook": keep, "mail": keep}))
    register(footing, tonight.engine)


@contextmanager
def moody(tonight: Evening) -> Iterator[MoodyDoor]:
    """The evening's store with moods."""
    door = tonight.store.door = MoodyDoor(tonight.store)
    yield door
    door.reads_fail = door.writes_fail = False


async def ended_after(tonight: Evening, at_most: int) -> int:
    """Whole seconds until the room is really empty."""
    for second in range(at_most + 1):
        if not tonight.room.started:
            return second
        await tonight.wait(1)
    raise AssertionError(f"still running after {at_most} s")


# --- clocks -----------------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, -1])
async def test_setting_the_wall_clock_moves_no_deadline(
    clock: ManualClock, hours: int
) -> None:
    machine: Any = Machine(clock)
    async with evening(machine) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(30)
        clock.step_wall_clock(timedelta(hours=hours))

        assert await ended_after(tonight, 30) == 30


async def test_the_wall_clock_is_followed_when_no_room_is_open(
    clock: ManualClock,
) -> None:
    machine: Any = Machine(clock)
    async with evening(machine) as tonight:
        restart(tonight)
        await tonight.join("anna", "sam", "ben")
        clock.step_wall_clock(timedelta(hours=-1))
        await tonight.wait(60)
        assert machine.step() == timedelta(hours=-1)
        assert [one.key for one in tonight.letters if one.key == "clock"]

        tonight.room.started = False
        tonight.room.inside.clear()
        await tonight.ended()
        await tonight.wait(60)
        assert machine.step() == timedelta(0)


async def test_a_clock_set_back_while_down_gives_no_second_grace(
    clock: ManualClock,
) -> None:
    async with evening(Machine(clock)) as tonight:  # type: ignore[arg-type]
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(30)
        clock.step_wall_clock(timedelta(hours=-1))
        again: Any = Machine(clock)
        tonight.clock = tonight.platform.clock = again
        restart(tonight)

        # What is lost is the time since the last look at the room, at most.
        assert await ended_after(tonight, 36) <= 36


# --- platforms --------------------------------------------------------------------


async def hangs(*_given: Any) -> Any:
    await asyncio.Event().wait()


async def raises(*_given: Any) -> Any:
    raise ValueError("a mistake of ours, or a new field of theirs")


async def says_nothing(*_given: Any) -> Any:
    return None


async def says_nonsense(*_given: Any) -> Any:
    return RosterRead(started_at=None, entries=(None,))  # type: ignore[arg-type]


@pytest.mark.parametrize("odd", [hangs, raises, says_nothing, says_nonsense])
async def test_a_look_that_goes_wrong_holds_no_end_back(
    clock: ManualClock, odd: Any
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        state = await tonight.state()
        state.policy = replace(state.policy, call_deadline=timedelta(seconds=0.05))
        tonight.platform.read_roster = odd  # type: ignore[method-assign]
        tonight.platform.read_status = odd  # type: ignore[method-assign]

        assert await ended_after(tonight, 61) <= 61


@pytest.mark.parametrize("odd", [hangs, raises])
async def test_an_end_that_goes_wrong_is_tried_again(
    clock: ManualClock, odd: Any
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        state = await tonight.state()
        state.policy = replace(state.policy, call_deadline=timedelta(seconds=-0.95))
        works, tonight.platform.perform = tonight.platform.perform, odd  # type: ignore[method-assign]
        await tonight.wait(61)
        assert tonight.room.started
        [end] = [a for a in state.actions.values() if a.kind == "end_meeting"]
        assert end.problem
        tonight.platform.perform = works  # type: ignore[method-assign]

        assert await ended_after(tonight, 10) <= 10


async def test_a_platform_that_cannot_name_its_hands_is_tried_all_the_same(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")

        def no_routes(*_given: Any) -> Any:
            raise KeyError("hands")

        tonight.platform.routes = no_routes  # type: ignore[assignment]

        assert await ended_after(tonight, 60) == 60


async def test_an_end_that_was_not_true_is_found_out(clock: ManualClock) -> None:
    """meeting.ended came, and the room runs on (W25)."""
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.ended()
        assert list((await tonight.state()).live()) == []
        await tonight.wait(100)

        [instance] = (await tonight.state()).live()
        assert instance.ref == tonight.ref


# --- rules ------------------------------------------------------------------------


def instead(name: str, rule: Rule) -> list[tuple[str, Rule]]:
    return [(n, rule if n == name else r) for n, r in RULES]


async def test_a_rule_that_breaks_takes_no_end_back(clock: ManualClock) -> None:
    broken = False
    guard = dict(RULES)["never_alone.guard"]

    def moody_guard(session: GroupSession, now: Any) -> Iterator[Wish]:
        if broken:
            raise ZeroDivisionError
        yield from guard(session, now)

    async with evening(clock) as tonight:
        restart(tonight, rules=instead("never_alone.guard", moody_guard))
        await tonight.join("anna", "ben")
        tonight.room.ghost = True  # heard, and not done
        await tonight.leave("anna")
        await tonight.wait(61)
        broken = True
        await tonight.wait(15)  # longer than an end may be on its way
        tonight.room.ghost = False

        assert await ended_after(tonight, 10) <= 10
        assert any("rule.broken" in one.key for one in tonight.letters)


async def test_what_is_wanted_again_is_done_again(clock: ManualClock) -> None:
    """An end was sent without effect, not wanted for a moment, and is wanted again."""
    blinks = False
    guard = dict(RULES)["never_alone.guard"]

    def blinking_guard(session: GroupSession, now: Any) -> Iterator[Wish]:
        if not blinks:
            yield from guard(session, now)

    async with evening(clock) as tonight:
        restart(tonight, rules=instead("never_alone.guard", blinking_guard))
        await tonight.join("anna", "ben")
        tonight.room.ghost = True
        await tonight.leave("anna")
        await tonight.wait(61)
        blinks = True
        await tonight.wait(20)
        state = await tonight.state()
        [end] = [a for a in state.actions.values() if a.kind == "end_meeting"]
        assert end.state is ActionState.WITHDRAWN
        blinks = tonight.room.ghost = False

        assert await ended_after(tonight, 10) <= 10


async def test_a_mistake_in_a_turn_is_told_and_the_turn_comes_back(
    clock: ManualClock,
) -> None:
    """A KeyError of ours was once taken for a session that does not exist."""
    mistaken = False
    numbers = iter(range(10**7, 10**8))

    def new_id() -> str:
        if mistaken and next(numbers) % 2:
            raise KeyError("mistake")
        return f"id-{next(numbers)}"

    async with evening(clock) as tonight:
        restart(tonight, new_id=new_id)
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(50)
        mistaken = True
        await tonight.wait(15)
        mistaken = False

        assert await ended_after(tonight, 5) <= 5
        assert any(one.key.startswith("turn:") for one in tonight.letters)


# --- the store --------------------------------------------------------------------


async def test_with_a_store_that_does_nothing_at_all_the_room_is_ended(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.wait(5)
        with moody(tonight) as door:
            door.reads_fail = door.writes_fail = True
            tonight.webhooks = False  # they would be answered 503
            await tonight.leave("anna")

            # G + N1: only the polls can know, and only memory keeps what they saw.
            assert await ended_after(tonight, 80) <= 80
        await tonight.wait(10)

        state = await tonight.state()
        [end] = [a for a in state.actions.values() if a.kind == "end_meeting"]
        assert end.state is ActionState.CONFIRMED
        assert "store" in {one.key for one in tonight.letters}


async def test_a_store_that_keeps_us_waiting_holds_no_end_back(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(59)
        with moody(tonight) as door:
            door.waits = asyncio.Event()
            begun = asyncio.get_running_loop().time()
            await tonight.wait(1)
            took = asyncio.get_running_loop().time() - begun

            assert not tonight.room.started
            assert took < 15  # N0 of the budget, in real seconds
            door.waits.set()
            door.waits = None


async def test_names_that_do_not_open_hide_nobody(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        with tonight.store.unit() as db:
            db.execute(text("UPDATE log_personal SET fields_sealed = x'00'"))
            db.execute(text("UPDATE actions SET body_sealed = x'00'"))
            db.execute(text("UPDATE people SET details_sealed = x'00'"))
        restart(tonight)
        await tonight.leave("anna")

        assert await ended_after(tonight, 61) <= 61


async def test_alarms_go_on_after_a_read_that_failed(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben", "chloe")
        await tonight.leave("anna", "sam")
        await tonight.join(
            "anna", "sam"
        )  # safe again; the alarm rings until it is taken
        await tonight.wait(55)
        rung = len(tonight.letters)
        with moody(tonight) as door:
            door.reads_fail = True
            await tonight.wait(10)
        await tonight.wait(10)

        again = [one for one in tonight.letters[rung:] if "never_alone" in one.key]
        assert len(again) >= 2


async def test_a_failing_store_does_not_make_a_phone_ring_all_the_time(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(1)
        rung = len(tonight.letters)
        tonight.room.ghost = True
        with moody(tonight) as door:
            door.writes_fail = True
            await tonight.wait(120)

        told = [(one.key, one.address) for one in tonight.letters[rung:]]
        assert max(told.count(one) for one in told) <= 3  # at once, and each minute


async def test_an_alarm_can_be_taken_after_a_restart(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        state = await tonight.state()
        [key] = [k for k in state.actions if k.startswith("never_alone.alert")]
        restart(tonight)
        await tonight.engine.step()
        taken = AlarmAcknowledged(at=clock.now(), by=tonight.people["sam"], key=key)
        await tonight.engine.accept_press(tonight.session_id, taken)
        await tonight.engine.step()

        assert (await tonight.state()).actions[key].state is ActionState.CONFIRMED


# --- crowds and bystanders --------------------------------------------------------


def webhook(tonight: Evening, number: int, event_type: str = "joined") -> Delivery:
    event = ParticipantJoined(
        meeting=tonight.ref, at=tonight.clock.now(), uuid=f"U-{number}", name="Ben"
    )
    return Delivery(
        dedupe_key=f"crowd-{number}",
        event_type=event_type,
        meeting=tonight.ref,
        events=(event,),
    )


def stored(tonight: Evening) -> set[str]:
    def work(db: Connection) -> set[str]:
        return {r.ref for r in db.execute(text("SELECT ref FROM deliveries"))}

    with tonight.store.unit() as db:
        return {ref for ref in work(db) if ref.startswith("crowd-")}


async def crowd(
    tonight: Evening, count: int, body: bytes = b"{}"
) -> list["asyncio.Task[None]"]:
    """Webhooks that come while one commit is under way."""
    intake, now = tonight.engine.intake, tonight.clock.now()
    tasks = [
        asyncio.ensure_future(
            intake.accept_delivery("zoom", webhook(tonight, number), body, now)
        )
        for number in range(count)
    ]
    for _ in range(3):
        await asyncio.wait(tasks, timeout=0)
    return tasks


async def test_a_crowd_is_kept_up_to_a_bound_and_refused_above(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.tell(MeetingStarted)
        with moody(tonight) as door:
            door.waits = asyncio.Event()
            [first] = await crowd(tonight, 1)  # in the commit; the others wait
            tasks = await crowd(tonight, MOST_WAITING + 2)
            door.waits.set()
            told = await asyncio.gather(*tasks, return_exceptions=True)

        await first
        refused = [n for n, one in enumerate(told) if isinstance(one, Overloaded)]
        assert refused == [MOST_WAITING, MOST_WAITING + 1]
        kept = {f"crowd-{number}" for number in range(MOST_WAITING)}
        assert stored(tonight) == kept

        [later] = await crowd(tonight, 1)  # and the bound is free again
        await later


async def test_large_bodies_fill_the_bound_sooner(clock: ManualClock) -> None:
    body = b"x" * (256 * 1024)
    fit = MOST_BYTES // len(body)
    async with evening(clock) as tonight:
        with moody(tonight) as door:
            door.waits = asyncio.Event()
            tasks = await crowd(tonight, fit + 1, body)
            door.waits.set()
            told = await asyncio.gather(*tasks, return_exceptions=True)

        assert [isinstance(one, Overloaded) for one in told] == [False] * fit + [True]
        assert len(stored(tonight)) == fit


async def test_one_webhook_that_cannot_be_stored_hurts_no_other(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        intake, now = tonight.engine.intake, clock.now()
        bad = webhook(tonight, 1, event_type="\ud800")
        told = await asyncio.gather(
            *(
                intake.accept_delivery("zoom", one, b"{}", now)
                for one in (webhook(tonight, 0), bad, webhook(tonight, 2))
            ),
            return_exceptions=True,
        )

        assert [one is None for one in told] == [True, False, True]
        assert stored(tonight) == {"crowd-0", "crowd-2"}


async def test_what_is_not_stored_is_not_acknowledged(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        with moody(tonight) as door:
            door.writes_fail = True
            [task] = await crowd(tonight, 1)
            with pytest.raises(OperationalError):
                await task
        assert stored(tonight) == set()

        [again] = await crowd(tonight, 1)
        await again
        assert stored(tonight) == {"crowd-0"}


async def test_a_page_that_reads_first_takes_no_news_from_another(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam")
        changes = tonight.engine.changes(tonight.session_id)
        before = await anext(changes)
        waiting = asyncio.ensure_future(anext(changes))
        await asyncio.wait({waiting}, timeout=0)
        await tonight.tell(MeetingStarted)  # news, and nothing to do about it
        await tonight.state()  # another page is quicker than the engine's own turn
        await tonight.engine.step()

        assert await asyncio.wait_for(waiting, 1) > before
        await tonight.engine.stop()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(anext(changes), 1)


async def test_two_presses_make_one_meeting(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        with tonight.store.unit() as db:
            db.execute(text("DELETE FROM meetings"))
            db.execute(text("DELETE FROM log"))
            db.execute(text("DELETE FROM links"))
        restart(tonight)
        made, links = tonight.count("create"), tonight.count("link")
        slow = tonight.platform.create_meeting

        async def create(*given: Any) -> Any:
            await asyncio.wait(
                {asyncio.ensure_future(asyncio.Event().wait())}, timeout=0
            )
            return await slow(*given)

        tonight.platform.create_meeting = create  # type: ignore[assignment]
        both = (tonight.engine.prepare(tonight.session_id) for _ in range(2))
        assert await asyncio.gather(*both) == [[], []]

        assert tonight.count("create") == made + 1
        assert tonight.count("link") == links + 2


async def test_a_stranger_id_leaves_nothing_behind(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        for number in range(50):
            with pytest.raises(KeyError):
                await tonight.engine.state(f"nobody-{number}")

        assert tonight.engine.sessions._loading == {}


async def test_an_unreachable_platform_does_not_stop_the_service(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.room.failing = TemporaryFailure("No answer.")
        restart(tonight)
        await tonight.engine.step()

        assert (await tonight.engine.status()).awake
