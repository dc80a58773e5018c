"""Meetings and personal links: kept sealed, the latest counts."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, text

from app.store import rooms
from app.store.database import Store
from tests.store.conftest import NOW

MEETING = rooms.BoundMeeting(
    platform="zoom",
    meeting_id="81000000019",
    session_id="session-1",
    join_url="https://zoom.example/j/81000000019?pwd=secret",
    opens_at=NOW,
    closes_at=NOW + timedelta(hours=2),
    bound_at=NOW,
)
LINK = rooms.PersonalLink(
    session_id="session-1",
    person_id="ben",
    registrant_id="reg-ben",
    platform="zoom",
    meeting_id="81000000019",
    alias="a1@links.example",
    url="https://zoom.example/w/81000000019?tk=secret",
    created_at=NOW,
)


def test_a_meeting_bound_again_is_the_same_meeting(
    db: Connection, store: Store
) -> None:
    rooms.bind(db, store, MEETING)
    later = replace(MEETING, closes_at=NOW + timedelta(hours=3))
    rooms.bind(db, store, replace(later, join_url=""))

    assert rooms.meetings_of(db, store, "session-1") == [later]


def test_a_person_has_one_link(db: Connection, store: Store) -> None:
    rooms.keep_link(db, store, replace(LINK, registrant_id="reg-old"))
    rooms.keep_link(db, store, LINK)

    assert rooms.links_of(db, store, "session-1") == [LINK]
    assert rooms.link_of(db, store, "session-1", "ben") == LINK
    assert rooms.link_of(db, store, "session-1", "eve") is None


def test_a_link_is_suspended(db: Connection, store: Store) -> None:
    rooms.keep_link(db, store, LINK)
    rooms.set_link_state(db, "session-1", ["reg-ben"], "suspended")

    assert rooms.link_of(db, store, "session-1", "ben") == replace(
        LINK, state="suspended"
    )


def test_no_link_lies_open(db: Connection, store: Store) -> None:
    rooms.bind(db, store, MEETING)
    rooms.keep_link(db, store, LINK)

    assert "secret" not in repr(db.execute(text("SELECT * FROM links, meetings")).all())
