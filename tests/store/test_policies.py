"""The organisation's policy, version by version: who, when, why, and for which sessions."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select

from app.core.policy import Mode, Policy, Weight
from app.store import plans, policies, sessions
from app.store.database import Store
from app.store.policies import Version, keep
from app.store.refusals import Refused, Stale
from tests.store.conftest import NOW, Evening


def made(db: Connection, store: Store, changes: dict[str, Any], **more: Any) -> int:
    given = {"reason": "The board asked.", "by": "person-ada", "now": NOW}
    on = policies.newest(db, store).number
    return keep(db, store, changes, **{**given, "on_version": on, **more})


def policy_of(db: Connection, store: Store, evening: Evening) -> Policy:
    return plans.policy_of(db, store, evening.session)


def start(db: Connection, store: Store, evening: Evening) -> Any:
    return sessions.get(db, store, evening.session).starts_at


def test_as_shipped_until_somebody_changes_it(
    db: Connection, store: Store, evening: Evening
) -> None:
    assert policy_of(db, store, evening) == Policy()
    assert policies.listed(db, store) == [Version(number=1, changes={})]


def test_a_change_counts_for_a_session_to_come(
    db: Connection, store: Store, evening: Evening
) -> None:
    changes = {
        "grace": 30.0,
        "modes": {"remove_participant": "ask"},
        "weights": {"waiting_room": "warn"},
    }
    assert made(db, store, changes) == 2

    assert policy_of(db, store, evening) == Policy(
        version=2,
        grace=timedelta(seconds=30),
        modes={"remove_participant": Mode.ASK},
        weights={"waiting_room": Weight.WARN},
    )
    kept = Version(
        number=2,
        changes=changes,
        by="person-ada",
        made_at=NOW,
        reason="The board asked.",
    )
    assert policies.listed(db, store) == [kept, Version(number=1, changes={})]
    sealed = db.execute(select(policies.versions.c.reason_sealed)).scalar_one()
    assert b"board" not in sealed


@pytest.mark.parametrize(
    ("after", "grace"), [(-1, 30), (0, 30), (1, 60)], ids=["before", "at", "after"]
)
def test_a_session_keeps_the_policy_it_began_with(
    db: Connection, store: Store, evening: Evening, after: int, grace: int
) -> None:
    at = start(db, store, evening) + timedelta(microseconds=after)
    made(db, store, {"grace": 30.0}, now=at)

    assert policy_of(db, store, evening).grace == timedelta(seconds=grace)


def test_what_one_session_does_differently_wins(
    db: Connection, store: Store, evening: Evening
) -> None:
    own = {"grace": 20, "modes": {"change_link": "watch"}}
    sessions.change(db, store, evening.session, {"policy": own}, ("zoom",))
    made(db, store, {"grace": 30.0, "modes": {"remove_participant": "ask"}})

    found = policy_of(db, store, evening)
    assert found.grace == timedelta(seconds=20)
    assert found.modes == {"remove_participant": Mode.ASK, "change_link": Mode.WATCH}


def test_two_who_change_it_at_once_do_not_overwrite_one_another(
    db: Connection, store: Store
) -> None:
    made(db, store, {"grace": 30.0}, on_version=1)
    with pytest.raises(Stale):
        made(db, store, {"grace": 20.0}, on_version=1)
    assert made(db, store, {"grace": 20.0}, on_version=2) == 3


@pytest.mark.parametrize("reason", ["", "   ", "\u200b", "a" * 501, "bell \x07"])
def test_no_change_without_a_reason(db: Connection, store: Store, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        made(db, store, {"grace": 30.0}, reason=reason)
    assert list(refused.value.faults) == ["reason"]


@pytest.mark.parametrize(
    "changes",
    [
        {"grace": 300.001},
        {"grace": -1},
        {"grace": "soon"},
        {"grace_first_worker": 29.0},
        {"late_after": -1.0},
        {"version": 7},
        {"nothing": 1},
        {"modes": {"alert_staff": "watch"}},
        {"modes": {"ask_worker": "watch"}},
        {"modes": {"read_room": "watch"}},
        {"modes": {"end_meeting": "off"}},
        {"modes": ["end_meeting"]},
        {"weights": {"end_for_all": "inform"}},
        {"weights": {"emergency_contacts": "warn"}},
        {},
        {"grace": 60.0},
    ],
)
def test_what_would_not_be_safe_or_says_nothing_is_refused(
    db: Connection, store: Store, changes: dict[str, Any]
) -> None:
    with pytest.raises(Refused):
        made(db, store, changes)
    assert policies.newest(db, store).number == 1


def test_going_back_to_what_was_shipped_is_a_version_too(
    db: Connection, store: Store, evening: Evening
) -> None:
    made(db, store, {"grace": 30.0})
    made(db, store, {}, reason="It was a mistake.")
    assert policy_of(db, store, evening) == Policy(version=3)


def test_sessions_to_come_and_sessions_past(
    db: Connection, store: Store, evening: Evening
) -> None:
    begins, hour = start(db, store, evening), timedelta(hours=3)
    assert policies.not_begun(db, begins - hour) == [evening.session]
    assert policies.not_begun(db, begins) == []
    assert policies.past(db, begins, 20) == []
    assert policies.past(db, begins + hour, 20) == [evening.session]
    assert policies.past(db, begins + hour, 0) == []
