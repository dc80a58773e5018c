"""Two machines on one database: one acts, the other takes over, nothing is done twice (I18).

The real engine twice, a real PostgreSQL, and a clock for each machine's leases that the
test stops or moves.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text

from app.clock import SystemClock
from app.core.presses import ActionState
from app.store import people, queue
from app.store.database import Work
from tests.many.conftest import LASTS, Machine, Two

pytestmark = pytest.mark.anyio

OVER = LASTS.total_seconds()


async def alone(two: Two, seconds: float = 59) -> None:
    """Anna has left Ben a minute ago, all but a second; A was in charge."""
    tonight = two.evening
    await tonight.join("anna", "ben")
    await tonight.leave("anna")
    await tonight.wait(seconds)
    assert tonight.count("end_meeting") == 0


async def end_of(two: Two) -> Any:
    [end] = [
        fact
        for fact in (await two.b.engine.state(two.evening.session_id)).actions.values()
        if fact.kind == "end_meeting"
    ]
    return end


async def test_the_other_takes_over_at_the_original_time(two: Two) -> None:
    await alone(two, 50)
    await two.give_all_to(two.b)  # A was killed
    tonight = two.evening
    tonight.engine = two.b.engine

    await tonight.wait(9)
    assert tonight.count("end_meeting") == 0
    await tonight.wait(1)
    assert tonight.count("end_meeting") == 1
    await tonight.ended()
    assert (await end_of(two)).state is ActionState.CONFIRMED


async def test_a_paused_machine_that_goes_on_is_refused_by_the_store(two: Two) -> None:
    """Its clock stood still with it, so it believes in its leases: the fence does not."""
    await alone(two)
    await two.give_all_to(two.b)
    two.evening.clock.advance(timedelta(seconds=1))

    await two.a.engine.step()

    assert two.evening.count("end_meeting") == 0
    assert two.a.leases.refused > 0
    with two.a.store.engine.connect() as db:
        owners = db.execute(text("SELECT id FROM actions WHERE kind = 'end_meeting'"))
        assert owners.all() == []

    await two.b.engine.step()
    assert two.evening.count("end_meeting") == 1
    await two.a.turn()
    assert two.evening.count("end_meeting") == 1


async def test_a_frozen_process_that_goes_on_asks_nobody_anything(two: Two) -> None:
    """SIGSTOP past its lease: the clock went on, and tells it before any call."""
    await alone(two)
    await two.give_all_to(two.b)
    two.evening.clock.advance(timedelta(seconds=1))
    two.a.passes(OVER)
    before = list(two.evening.platform.calls)

    await two.a.engine.step()

    assert two.evening.platform.calls == before
    assert two.a.leases.refused == 0


@pytest.mark.parametrize(("passes", "calls"), [(OVER - 0.1, 1), (OVER, 0)])
async def test_frozen_between_writing_down_and_sending(
    two: Two, passes: float, calls: int
) -> None:
    """The last look at the clock is after the commit and before the request."""
    await alone(two)
    two.evening.clock.advance(timedelta(seconds=1))
    write = two.a.door.write

    async def freezes(work: Work) -> Any:
        done = await write(work)
        with two.a.store.engine.connect() as db:
            sent = db.execute(
                text("SELECT 1 FROM actions WHERE kind='end_meeting' AND state='sent'")
            ).first()
        if sent is not None and two.a.still.monotonic() == 0:
            two.a.passes(passes)
        return done

    two.a.door.write = freezes  # type: ignore[method-assign]
    await two.a.engine.step()

    assert two.evening.count("end_meeting") == calls


async def test_what_was_begun_under_an_older_claim_is_refused(two: Two) -> None:
    """A lost its lease and got it back: what hung meanwhile knows less than B did."""
    await alone(two)
    held = await two.a.engine.sessions.held(two.evening.session_id)
    await two.give_all_to(two.b)
    await two.give_all_to(two.a)
    two.evening.clock.advance(timedelta(seconds=1))

    await two.a.engine.step()

    anew = await two.a.engine.sessions.held(two.evening.session_id)
    assert anew is not held
    assert (held.fence, anew.fence) == (1, 3)
    assert two.evening.count("end_meeting") == 1


# --- news ----------------------------------------------------------------------------


async def test_a_webhook_that_came_to_the_other_is_found_without_being_told(
    two: Two,
) -> None:
    """No word was sent at all: the log is looked at each second."""
    await two.give_all_to(two.b)
    tonight = two.evening
    await tonight.join("anna", "ben")  # all to A
    await tonight.leave("anna")
    assert two.b.engine.next_at() is not None

    await two.b.turn()
    tonight.engine, two.evening.engine = two.b.engine, two.b.engine
    await tonight.wait(59)
    assert tonight.count("end_meeting") == 0
    await tonight.wait(1)
    assert tonight.count("end_meeting") == 1


async def test_a_meeting_bound_at_one_is_known_at_the_other(two: Two) -> None:
    await two.b.engine.bind(
        two.evening.session_id, "84000000019", "anna", watch_only=True
    )
    key = ("zoom", "84000000019")
    assert key not in two.a.engine.intake.bound

    await two.a.turn()

    assert two.a.engine.intake.bound[key] == {two.evening.session_id}


async def test_a_page_at_one_shows_what_the_other_decides(two: Two) -> None:
    await two.give_all_to(two.b)
    await two.a.together.take_turn()
    versions = two.a.engine.changes(two.evening.session_id)
    first = await anext(versions)
    following = asyncio.ensure_future(anext(versions))
    tonight = two.evening
    tonight.engine = two.b.engine
    await tonight.join("anna", "ben")
    await tonight.clock.sleep(0)
    assert not following.done()

    await two.a.together.take_turn()

    assert await following > first
    shown = await two.a.engine.state(tonight.session_id)
    owners = await two.b.engine.state(tonight.session_id)
    [here], [there] = shown.instances.values(), owners.instances.values()
    assert here.connections.keys() == there.connections.keys()

    await tonight.wait(40)
    shown = await two.a.engine.state(tonight.session_id)
    [here] = shown.instances.values()
    assert here.proof_at == there.proof_at is not None


async def test_a_name_erased_at_one_leaves_the_memory_of_the_other(two: Two) -> None:
    tonight, other = two.evening, two.b
    ben = tonight.people["ben"]
    before = await other.engine.state(tonight.session_id)
    assert before.names[ben] == "Ben"
    with two.a.store.unit() as db:
        people.erase(db, ben, tonight.clock.now())

    other.together.hear("forget", tonight.session_id)

    async with asyncio.timeout(10):
        while (await other.engine.state(tonight.session_id)).names.get(ben):
            await SystemClock().sleep(0)


# --- work that is done once --------------------------------------------------------------


async def test_letters_and_periodic_work_are_done_by_one(two: Two) -> None:
    done: list[str] = []
    for machine in (two.a, two.b):

        async def job(name: str = machine.name) -> None:
            done.append(name)

        machine.engine.add_job("once", timedelta(hours=1), job, once=True)
        machine.engine.add_job("each", timedelta(hours=1), job)
    two.evening.clock.advance(timedelta(hours=1))
    await two.a.turn()
    await two.b.turn()
    assert done == ["a", "a", "b"]

    await alarm(two.b, two.evening.clock.now())
    await two.b.engine.alarms_stored()
    await two.b.turn()
    assert told(two.a) == told(two.b) == 0
    two.a.together.hear("letters", "")
    await two.a.turn()
    assert told(two.a) == 2

    await two.give_all_to(two.b)
    two.a.passes(OVER)
    two.evening.clock.advance(timedelta(hours=1))
    done.clear()
    await two.b.turn()
    await two.a.engine.step()
    assert done == ["b", "b", "a"]
    assert (told(two.a), told(two.b)) == (2, 2)


def told(machine: Machine) -> int:
    """How many letters about the disk it sent."""
    return sum(letter.key == "disk" for letter in machine.letters)


async def alarm(machine: Machine, now: Any) -> None:
    def work(db: Connection) -> None:
        queue.raise_alarm(
            db,
            alarm_id="alarm-1",
            session_id=None,
            key="disk",
            level="red",
            audience="administrator",
            text="The disk is full.",
            what_to_do="Make room.",
            at=now,
            send=True,
        )

    await machine.store.write(work)


# --- a store that fails -------------------------------------------------------------------


async def fails(machine: Machine, seconds: float) -> None:
    """Its store fails for so long, and it is awake all the time."""
    machine.door.writes_fail = machine.door.reads_fail = True
    for _second in range(int(seconds)):
        with pytest.raises(Exception, match="disk I/O error"):
            await machine.together.take_turn()
        machine.passes(1)


async def test_who_cannot_reach_the_store_goes_on_guarding(two: Two) -> None:
    """Its leases are over by then; nobody may be alone because a database is away (I20)."""
    await alone(two, 50)
    (await two.a.engine.sessions.held(two.evening.session_id)).busy.add("a look")
    await two.a.together.take_turn()  # it knows that there is another
    await fails(two.a, OVER + 5)
    said = two.evening.count("tell_waiting_room")

    await two.evening.wait(10)

    assert two.evening.count("end_meeting") == 1
    # Words wait: the other may say them as well.
    assert two.evening.count("tell_waiting_room") == said


async def test_who_slept_meanwhile_does_not(two: Two) -> None:
    await alone(two, 50)
    await fails(two.a, 5)
    two.a.passes(OVER + 1)

    await two.evening.wait(10)

    assert two.evening.count("end_meeting") == 0


async def test_what_happened_without_the_store_is_told_by_who_is_no_longer_in_charge(
    two: Two,
) -> None:
    await alone(two, 50)
    await fails(two.a, 5)
    await two.evening.wait(10)
    assert two.evening.count("end_meeting") == 1
    assert two.a.engine.spool.owes(two.evening.session_id)
    await two.give_all_to(two.b)

    two.a.door.writes_fail = two.a.door.reads_fail = False
    await two.evening.wait(2)
    await two.a.together.take_turn()

    assert not two.a.engine.spool.owes(two.evening.session_id)
    end = await end_of(two)
    assert end.sent_at is not None
    assert two.evening.count("end_meeting") == 1


async def test_a_clean_stop_gives_everything_back_at_once(two: Two) -> None:
    await two.a.engine.stop()

    await two.b.turn()

    assert two.b.leases.shards == 64
    assert two.b.leases.has_house()
    assert (await two.b.engine.status()).processes == 1
