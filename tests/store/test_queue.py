"""What has still to happen: wanted once, moved from known states, never forgotten."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from app.core.actions import AlertStaff, Audience, EndCause, EndMeeting, Level
from app.core.events import MeetingRef
from app.core.policy import Mode
from app.core.presses import ActionState
from app.store import contacts, queue
from app.store.database import Store
from tests.store.conftest import NOW

REF = MeetingRef(platform="zoom", meeting_id="81000000019", instance="uuid-1")
MINUTE = timedelta(minutes=1)
END = EndMeeting(
    key="end:1",
    reason="No worker since 19:04.",
    clause="I1",
    meeting=REF,
    cause=EndCause.NEVER_ALONE,
    not_after=NOW + MINUTE,
)
ALERT = AlertStaff(
    key="alert:1",
    reason="Ben is alone.",
    clause="I1",
    level=Level.RED,
    audience=Audience.WORKERS,
)


def want(db: Connection, store: Store, action: Any, number: int, **more: Any) -> bool:
    return queue.want(
        db,
        store,
        "session-1",
        action,
        action_id=f"action-{number}",
        mode=Mode.ACT,
        at=NOW,
        **more,
    )


def states(db: Connection) -> dict[str, str]:
    return {row.id: row.state for row in db.execute(queue.actions.select())}


def test_an_action_is_wanted_once_and_reads_back(db: Connection, store: Store) -> None:
    assert want(db, store, ALERT, 1)
    assert want(db, store, END, 2)
    assert not want(db, store, END, 3)

    rows = queue.open_actions(db, "session-1")
    assert [queue.read_action(store, row) for row in rows] == [END, ALERT]
    assert rows[0].not_after == NOW + MINUTE
    assert queue.sessions_with_work(db) == ["session-1"]


def test_an_action_moves_only_from_the_state_it_is_in(
    db: Connection, store: Store
) -> None:
    want(db, store, END, 1)

    assert queue.move(db, "action-1", ["wanted"], state="sent", sent_at=NOW, tries=1)
    assert not queue.move(db, "action-1", ["wanted"], state="sent")
    assert not queue.move(db, "nobody", ["wanted"], state="sent")
    assert states(db) == {"action-1": "sent"}


def test_only_what_was_withdrawn_is_revived(db: Connection, store: Store) -> None:
    want(db, store, END, 1)
    want(db, store, ALERT, 2)
    queue.move(db, "action-1", ["wanted"], state="withdrawn", tries=3)
    queue.move(db, "action-2", ["wanted"], state="confirmed")
    for key in ("end:1", "alert:1"):
        queue.revive(db, "session-1", key, "act", NOW + MINUTE)

    assert states(db) == {"action-1": "wanted", "action-2": "confirmed"}
    [row] = queue.open_actions(db, "session-1")
    assert (row.tries, row.next_at) == (0, NOW + MINUTE)


def test_what_a_page_shows_is_told_by_being_stored(
    db: Connection, store: Store
) -> None:
    want(db, store, ALERT, 1, state=ActionState.SENT)

    [row] = queue.open_actions(db, "session-1")
    assert (row.state, row.route, row.sent_at, row.next_at) == (
        "sent",
        "person",
        NOW,
        None,
    )


def test_deadlines_are_one_for_each_session(db: Connection, store: Store) -> None:
    queue.set_deadline(db, "session-1", NOW + MINUTE, "grace")
    queue.set_deadline(db, "session-2", NOW, "roster")
    queue.set_deadline(db, "session-1", NOW + 2 * MINUTE, "grace")
    assert queue.all_deadlines(db) == [
        ("session-2", NOW),
        ("session-1", NOW + 2 * MINUTE),
    ]

    queue.set_deadline(db, "session-2", None, "")
    assert queue.deadline_of(db, "session-2") is None
    assert queue.deadline_of(db, "session-1") == NOW + 2 * MINUTE


def test_periodic_work_remembers_its_last_run(db: Connection, store: Store) -> None:
    assert queue.ran(db, "forget") is None
    queue.note_ran(db, "forget", NOW)
    queue.note_ran(db, "forget", NOW + MINUTE)
    assert queue.ran(db, "forget") == NOW + MINUTE


def two_contacts(db: Connection, store: Store) -> list[str]:
    """And a third who never entered the code."""
    made = []
    for number in range(3):
        entered = contacts.Contact(
            channel="mail", address=f"n{number}@charity.example", label=f"No {number}"
        )
        contact_id, code = contacts.add(db, store, entered, NOW)
        if number < 2:
            contacts.confirm(db, store, contact_id, code, NOW)
            made.append(contact_id)
    return made


def raise_alarm(db: Connection, at: datetime, number: int = 1) -> None:
    queue.raise_alarm(
        db,
        alarm_id=f"alarm-{number}",
        session_id="session-1",
        key="red:1",
        level="red",
        audience="workers",
        text="Ben is alone.",
        what_to_do="Go in.",
        at=at,
        send=True,
        persons=("anna",),
    )


def test_an_alarm_goes_to_each_confirmed_contact_until_it_is_taken(
    db: Connection, store: Store
) -> None:
    confirmed = two_contacts(db, store)
    raise_alarm(db, NOW)
    raise_alarm(db, NOW, number=2)  # the same episode

    assert queue.confirmed_contacts(db) == 2
    letters = queue.due_letters(db, NOW)
    assert {letter.contact_id for letter in letters} == {*confirmed, "person:anna"}
    assert {(letter.key, letter.text) for letter in letters} == {
        ("red:1", "Ben is alone.")
    }
    assert queue.next_letter_at(db) == NOW
    assert queue.due_letters(db, NOW - MINUTE) == []
    assert [alarm.id for alarm in queue.open_alarms(db, "session-1")] == ["alarm-1"]

    assert queue.acknowledge(db, "red:1", "anna", NOW)
    assert not queue.acknowledge(db, "red:1", "sam", NOW)
    assert queue.due_letters(db, NOW) == []
    assert queue.open_alarms(db) == []


def test_a_letter_waits_for_its_moment_and_no_longer_than_allowed(
    db: Connection, store: Store
) -> None:
    two_contacts(db, store)
    raise_alarm(db, NOW)
    for letter in queue.due_letters(db, NOW):
        queue.settle_letter(
            db, letter.id, next_at=NOW + 9 * MINUTE, sent_count=1, last_sent_at=NOW
        )
    assert queue.due_letters(db, NOW + 8 * MINUTE) == []

    queue.hurry_letters(db, NOW + MINUTE, at_most=8 * MINUTE)
    assert queue.next_letter_at(db) == NOW + 9 * MINUTE
    queue.hurry_letters(db, NOW, at_most=8 * MINUTE)
    assert queue.next_letter_at(db) == NOW
