"""Webhooks lost, the platform failing or lying, the process killed: the promise holds."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app.clock import ManualClock
from app.core.events import (
    MeetingRef,
    ParticipantJoined,
    ParticipantLeft,
    RegistrationChanged,
    UnreadableReceived,
)
from app.core.presses import ActionState, ClosingPressed
from app.crypto import Keyring
from app.engine.alarms import Alarms
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.store import log, queue
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from integrations.base import Delivery, PermanentFailure, TemporaryFailure
from tests.core.builders import ALL_HANDS
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio
WEBHOOKS_ONLY = replace(ALL_HANDS, live_roster=None)


async def until_ended(tonight: Evening, at_most: float) -> float:
    """Seconds until the room is really empty."""
    for second in range(int(at_most) + 1):
        if not tonight.room.started:
            return second
        await tonight.wait(1)
    raise AssertionError(f"still running after {at_most} s")


async def test_with_every_webhook_lost_the_polls_find_it(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.wait(30)
        tonight.webhooks = False
        await tonight.leave("anna")

        # G + N1 of the budget: 60 + 20.
        assert await until_ended(tonight, 80) <= 80


@pytest.mark.parametrize("passed", [1, 10, 20, 29])
async def test_workers_who_leave_at_once_are_missed_as_soon_as_a_list_must_know(
    clock: ManualClock, passed: float
) -> None:
    """For a minute a list may not know of a join; the next look must not come late."""
    async with evening(clock) as tonight:
        await tonight.join("dev")
        await tonight.wait(passed)
        await tonight.join("anna", "sam", "ben")
        tonight.webhooks = False
        await tonight.wait(0.5)
        await tonight.leave("anna", "sam")

        assert await until_ended(tonight, 80) <= 62


async def test_a_meeting_nobody_told_us_of_is_found(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        tonight.webhooks = False
        await tonight.join("anna", "ben")
        await tonight.wait(45)

        [instance] = (await tonight.state()).live()
        assert set(instance.connections) == {"U-anna", "U-ben"}


async def test_an_occurrence_without_a_name_is_watched_until_it_has_one(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.webhooks = False
        tonight.platform.names_occurrences = False
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(45)
        [made_up] = (await tonight.state()).live()
        assert made_up.ref.instance.startswith("unseen:")
        assert set(made_up.connections) == {"U-anna", "U-sam", "U-ben"}

        tonight.webhooks = True
        await tonight.join("chloe")
        await tonight.wait(31)

        [real] = (await tonight.state()).live()
        assert real.ref.instance == tonight.room.instance
        assert set(real.connections) == {"U-anna", "U-sam", "U-ben", "U-chloe"}
        assert tonight.count("end_meeting") == 0


async def test_news_of_the_plan_hides_no_meeting_that_runs(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        # Each link we make comes back as news, under the plan's own name.
        tonight.platform.status_name = "the-uuid-of-the-plan"
        await tonight.tell(
            RegistrationChanged,
            meeting=replace(tonight.ref, instance="the-uuid-of-the-plan"),
            registrant_id="reg-ben",
            status="approved",
        )
        tonight.webhooks = False
        await tonight.join("anna", "ben")
        await tonight.wait(45)
        [found] = (await tonight.state()).live()
        assert set(found.connections) == {"U-anna", "U-ben"}

        await tonight.leave("anna")
        assert await until_ended(tonight, 80) <= 80


async def test_the_name_of_the_plan_yields_to_the_one_webhooks_tell(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.webhooks = False
        tonight.platform.status_name = "the-uuid-of-the-plan"
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(45)
        [found] = (await tonight.state()).live()
        assert found.ref.instance == "the-uuid-of-the-plan"

        tonight.webhooks = True
        await tonight.join("chloe")
        await tonight.wait(31)

        [real] = (await tonight.state()).live()
        assert real.ref.instance == tonight.room.instance
        assert set(real.connections) == {"U-anna", "U-sam", "U-ben", "U-chloe"}
        assert tonight.count("end_meeting") == 0


async def test_a_status_with_a_strange_name_ends_nothing(clock: ManualClock) -> None:
    async with evening(clock, hands=WEBHOOKS_ONLY) as tonight:
        tonight.room.cannot["roster"] = PermanentFailure("No dashboard.", "Ask Zoom.")
        await tonight.join("anna", "sam", "ben")
        tonight.platform.status_name = "the-uuid-of-the-plan"
        await tonight.wait(61)

        [instance] = (await tonight.state()).live()
        assert instance.ref.instance == tonight.room.instance


async def test_a_list_that_answers_nothing_when_all_is_over(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        tonight.webhooks = False
        tonight.room.started = False
        tonight.room.inside.clear()
        tonight.room.cannot["roster"] = TemporaryFailure(
            "The list has no such meeting."
        )
        await tonight.wait(31)

        state = await tonight.state()
        assert list(state.live()) == []
        assert not any(k.startswith("sight.") for k in state.actions)


async def test_a_list_that_never_works_means_webhooks_only(
    clock: ManualClock,
) -> None:
    async with evening(clock, hands=WEBHOOKS_ONLY) as tonight:
        tonight.room.cannot["roster"] = TemporaryFailure("Not found.")
        await tonight.join("anna", "ben")
        await tonight.wait(25)

        state = await tonight.state()
        assert state.hands.live_roster is False
        assert not any(k.startswith("sight.") for k in state.actions)

        await tonight.leave("anna")
        assert await until_ended(tonight, 61) <= 61


async def test_an_outage_only_delays_the_end(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        tonight.room.failing = TemporaryFailure("Zoom answered 500.")
        await tonight.wait(180)
        assert tonight.room.started
        assert any("not ended the call" in one.text for one in tonight.letters)
        tonight.room.failing = None

        # M + 30 of the budget, counted from the end of the grace.
        assert await until_ended(tonight, 30) <= 30


async def test_an_answer_without_an_effect_is_a_failed_try(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        tonight.room.ghost = True
        await tonight.leave("anna")
        await tonight.wait(66)
        assert tonight.count("end_meeting") >= 2
        tonight.room.ghost = False

        assert await until_ended(tonight, 15) <= 15


async def test_workers_hear_within_30_seconds_that_we_are_blind(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        tonight.room.failing = TemporaryFailure("no answer")
        await tonight.wait(30)  # the next calm poll fails
        first_failed = clock.now()
        await tonight.wait(30)

        alerts = [
            f
            for f in (await tonight.state()).actions.values()
            if f.key.startswith("sight.blind:")
        ]
        assert len(alerts) == 1
        assert alerts[0].wanted_at - first_failed <= timedelta(seconds=30)

        tonight.room.failing = None
        await tonight.wait(31)
        [instance] = (await tonight.state()).live()
        assert list(instance.sight.values()) == ["lost", "regained"]


async def test_a_stranger_is_removed_and_proved_out(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.join("eve")
        assert tonight.count("remove_participant") == 1
        assert "U-eve" not in tonight.room.inside
        state = await tonight.state()
        [removal] = [
            f for f in state.actions.values() if f.kind == "remove_participant"
        ]
        assert (
            removal.state is ActionState.SENT
        )  # not "removed" before the room shows it

        await tonight.wait(6)

        state = await tonight.state()
        [removal] = [
            f for f in state.actions.values() if f.kind == "remove_participant"
        ]
        assert removal.state is ActionState.CONFIRMED
        assert "began afterwards" in removal.proof


async def test_without_a_hand_a_worker_is_asked(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        tonight.room.cannot["remove_participant"] = PermanentFailure(
            "Removal is not switched on.", "Ask Zoom."
        )
        await tonight.join("anna", "sam", "ben", "eve")
        await tonight.wait(1)

        [removal] = [
            f
            for f in (await tonight.state()).actions.values()
            if f.kind == "remove_participant"
        ]
        assert (removal.route, removal.state) == ("person", ActionState.SENT)

        await tonight.leave("eve")
        [removal] = [
            f
            for f in (await tonight.state()).actions.values()
            if f.kind == "remove_participant"
        ]
        assert removal.state is ActionState.CONFIRMED


async def test_a_worker_back_before_the_call_leaves_prevents_the_end(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        tonight.webhooks = False
        await tonight.wait(58)
        tonight.room.inside["U-anna2"] = tonight.room.inside["U-ben"]
        del tonight.room.inside["U-anna2"]
        await tonight.join("anna")  # only the room itself knows
        await tonight.wait(60)

        assert tonight.count("end_meeting") == 0


async def test_a_restart_keeps_the_original_deadline(clock: ManualClock) -> None:
    database = open_engine("sqlite://")
    migrate(database)
    store = Store(database, Keyring([b"k" * 32]), InlineDoor(database))
    async with evening(clock, store=store) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(40)
        # kill -9: only what is committed is left; down for 15 s
        clock.advance(timedelta(seconds=15))
        numbers = iter(range(10**6, 10**9))
        footing = Footing(
            store, clock, {"zoom": tonight.platform}, lambda: f"id-{next(numbers)}"
        )
        tonight.engine = Engine(footing, Alarms(footing, {}))
        await tonight.engine.step()
        await tonight.wait(4)
        assert tonight.count("end_meeting") == 0
        await tonight.wait(1)

        assert tonight.count("end_meeting") == 1
    store.close()


async def test_doubled_and_reordered_webhooks_change_nothing(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        left_at = clock.now() - timedelta(seconds=90)
        await tonight.tell(ParticipantLeft, "anna", at=left_at)
        await tonight.tell(ParticipantJoined, "anna", at=left_at)
        await tonight.wait(120)

        assert tonight.count("end_meeting") == 0
        [instance] = (await tonight.state()).live()
        assert instance.connections["U-anna"].whereabouts().room == "main"


async def test_a_red_alarm_is_repeated_until_somebody_takes_it(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(0)
        state = await tonight.state()
        key = next(k for k in state.actions if k.startswith("never_alone.alert"))

        def rings() -> int:
            return sum(
                key in one.key and "person" not in one.round_id
                for one in tonight.letters
            )

        first = rings()
        assert first >= 2  # two contacts, at once
        await tonight.wait(61)
        assert rings() > first

        from app.core.presses import AlarmAcknowledged

        await tonight.engine.accept_press(
            tonight.session_id,
            AlarmAcknowledged(at=clock.now(), by=tonight.people["anna"], key=key),
        )
        await tonight.engine.step()
        taken = rings()
        await tonight.wait(180)
        assert rings() == taken


async def test_an_alarm_survives_a_crash_before_it_was_sent(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.engine.alarms = Alarms(tonight.engine.alarms._footing, {})
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        due = await tonight.store.read(
            lambda db: queue.due_letters(db, clock.now() + timedelta(minutes=5))
        )

        assert {row.contact_id.split("-")[0] for row in due} >= {"contact"}


async def test_an_amber_alarm_for_the_administrator_leaves_the_page_once(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        await tonight.tell(UnreadableReceived, event_type="meeting.participant_joined")
        await tonight.engine.step()

        def told() -> list[str]:
            return [one.level for one in tonight.letters if "unreadable" in one.key]

        assert told() == ["amber", "amber"]  # two contacts
        await tonight.wait(300)
        assert told() == ["amber", "amber"]


async def test_news_about_no_room_in_particular_is_kept_told_and_looked_into(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        looks = tonight.count("roster")
        lost = Delivery(
            dedupe_key="lost", event_type="?", unreadable=True, look=True, meeting=None
        )
        await tonight.engine.intake.accept_delivery(
            "zoom", lost, b"signed bytes", clock.now()
        )
        await tonight.engine.step()

        assert tonight.count("roster") == looks + 1
        assert [one.level for one in tonight.letters if "unreadable" in one.key] == [
            "amber",
            "amber",
        ]
        with tonight.store.unit() as db:
            sealed = db.execute(
                select(log.deliveries.c.body_sealed).where(
                    log.deliveries.c.ref == "lost"
                )
            ).scalar()
        assert sealed is not None
        assert tonight.store.open(sealed, "deliveries:body:lost") == b"signed bytes"


async def test_no_link_is_made_after_the_goodbye(clock: ManualClock) -> None:
    async with evening(clock) as tonight:
        anna, ben = tonight.people["anna"], tonight.people["ben"]
        await tonight.join("anna", "sam")
        goodbye = ClosingPressed(at=clock.now(), by=anna)
        await tonight.engine.accept_press(tonight.session_id, goodbye)
        links = tonight.count("link")

        with pytest.raises(PermanentFailure, match="This session is over"):
            await tonight.engine.rotate_link(tonight.session_id, ben, anna)
        problems = await tonight.engine.prepare(tonight.session_id, anna)

        assert any("This session is over" in problem for problem in problems)
        assert tonight.count("link") == links


async def test_a_decision_that_took_too_long_to_write_is_taken_again(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "sam", "ben")
        write = tonight.store.door.write

        async def slow(work: Any) -> Any:
            done = await write(work)
            if not tonight.platform.performed and slow_now:
                clock.advance(timedelta(seconds=11))
                slow_now.clear()
            return done

        slow_now: set[str] = set()
        await tonight.leave("anna", "sam")
        await tonight.wait(59)
        tonight.store.door.write = slow  # type: ignore[method-assign]
        slow_now.add("now")
        clock.advance(timedelta(seconds=1))
        await tonight.engine.step()
        await tonight.wait(3)

        assert tonight.count("end_meeting") == 1


async def test_the_question_about_an_unplanned_meeting_is_taken_by_binding_it(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.room.started = True
        tonight.room.instance = "uuid-unplanned"
        other = MeetingRef(
            platform="zoom", meeting_id="82000000000", instance="uuid-unplanned"
        )
        joined = ParticipantJoined(
            meeting=other, at=clock.now(), uuid="U-anna", platform_user_id="zoom-anna"
        )
        delivery = Delivery(
            dedupe_key="unplanned",
            event_type="joined",
            meeting=other,
            events=(joined,),
        )
        await tonight.engine.intake.accept_delivery(
            "zoom", delivery, b"{}", clock.now()
        )
        await tonight.engine.step()
        assert (await tonight.engine.status()).unacknowledged_alarms == 1

        await tonight.engine.bind(
            tonight.session_id,
            "82000000000",
            tonight.people["anna"],
            instance="uuid-unplanned",
        )

        assert (await tonight.engine.status()).unacknowledged_alarms == 0


@pytest.mark.parametrize(("seconds", "sees"), [(58, False), (61, True)])
async def test_a_list_that_failed_for_a_moment_only_comes_back(
    clock: ManualClock, seconds: int, sees: bool
) -> None:
    """F7: else one bad minute would leave the whole evening with webhooks only (I1)."""
    async with evening(clock, hands=WEBHOOKS_ONLY) as tonight:
        tonight.room.cannot["roster"] = PermanentFailure("No list (403).")
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(31)
        assert (await tonight.state()).hands.live_roster is False
        del tonight.room.cannot["roster"]
        await tonight.wait(seconds)
        assert ((await tonight.state()).hands.live_roster is True) is sees


async def test_a_plan_without_a_list_is_asked_once_a_minute_and_no_more(
    clock: ManualClock,
) -> None:
    async with evening(clock, hands=WEBHOOKS_ONLY) as tonight:
        tonight.room.cannot["roster"] = PermanentFailure("No list in this plan.")
        await tonight.join("anna", "sam", "ben")
        await tonight.wait(20)
        before = tonight.count("roster")
        await tonight.wait(600)
        assert 8 <= tonight.count("roster") - before <= 10
        assert (await tonight.state()).hands.live_roster is False
