"""The log and what lies beside it: once, in order, and the erasable half apart."""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from app.core.events import MeetingRef, MeetingStarted, ParticipantJoined
from app.core.fold import Fact
from app.core.presses import DebriefEnded
from app.store import log, rooms
from app.store.database import Store
from app.store.recent import Recent
from tests.store.conftest import NOW

REF = MeetingRef(platform="zoom", meeting_id="81000000019", instance="uuid-1")
OTHER = MeetingRef(platform="zoom", meeting_id="82000000028", instance="uuid-2")
OURS = [("zoom", "81000000019")]
SECOND = timedelta(seconds=1)
STARTED = MeetingStarted(meeting=REF, at=NOW, heard_at=NOW)
EVE = "<script>=1+1\u0000é"


def joined(name: str, after: int = 0) -> ParticipantJoined:
    at = NOW + after * SECOND
    return ParticipantJoined(
        meeting=REF, at=at, heard_at=at, uuid=f"U-{name}", name=name
    )


def add(db: Connection, store: Store, *facts: Fact, **more: Any) -> None:
    log.add(
        db,
        [
            log.entry(store, fact, f"{type(fact).__name__}-{number}", NOW, **more)
            for number, fact in enumerate(facts)
        ],
    )


def read(db: Connection, store: Store, **more: Any) -> list[Fact]:
    return [one.fact for one in log.of_session(store, db, "session-1", OURS, **more)]


def test_facts_come_back_in_the_order_they_came(db: Connection, store: Store) -> None:
    late, early = joined("ben", after=9), joined(EVE, after=1)
    add(db, store, STARTED, late, early)

    assert read(db, store) == [STARTED, late, early]


def test_a_fact_told_again_changes_nothing(db: Connection, store: Store) -> None:
    """Alone, and in a crowd of which some are new; for both stores' ways (I12)."""
    crowd = [joined(f"client-{number}") for number in range(70)]
    add(db, store, *crowd[:1])
    add(db, store, *crowd[:1])
    add(db, store, *crowd[:30])
    before = log.position(db, "session-1", OURS)
    add(db, store, *crowd)
    add(db, store, *crowd)

    assert read(db, store) == crowd
    assert read(db, store, after=before) == crowd[30:]
    assert log.position(db, "session-1", OURS) > before


def test_a_session_reads_its_own_facts_and_its_meetings(
    db: Connection, store: Store
) -> None:
    elsewhere = MeetingStarted(meeting=OTHER, at=NOW, heard_at=NOW)
    debrief = DebriefEnded(at=NOW, by="anna")
    add(db, store, STARTED, elsewhere)
    add(db, store, debrief, session_id="session-1")

    assert read(db, store) == [STARTED, debrief]
    assert log.position(db, "session-2", []) == 0


def test_only_what_is_new_is_looked_at(db: Connection, store: Store) -> None:
    """Or each decision takes longer than the one before (SQLite's words for its ways)."""
    add(db, store, STARTED)
    add(db, store, DebriefEnded(at=NOW, by="anna"), session_id="session-1")
    assert log.position(db, "session-1", OURS, after=1) == 2
    assert log.position(db, "session-1", OURS, after=2) == 2
    if db.dialect.name != "sqlite":
        return
    asked = log._asked["sqlite", "position", len(OURS)]
    assert asked.names is not None
    given = tuple("x" for _name in asked.names)
    told = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked.words}", given)
    ways = "\n".join(row[3] for row in told)
    assert "log_session (session_id=? AND seq>?)" in ways
    assert "log_meeting (platform=? AND meeting_id=? AND seq>?)" in ways
    assert "SCAN log" not in ways


def test_who_is_forgotten_leaves_the_fact(db: Connection, store: Store) -> None:
    add(db, store, joined("ben"), joined("chloe"))
    log.forget_names(db, ["ParticipantJoined-0"])

    names = [(fact.uuid, fact.name) for fact in read(db, store)]  # type: ignore[union-attr]
    assert names == [("U-ben", ""), ("U-chloe", "chloe")]


def test_the_last_look_is_one_row(db: Connection, store: Store) -> None:
    log.look(db, REF, proof_at=NOW, failing_since=None, seen=["U-ben"])
    later = NOW + SECOND
    log.look(db, REF, proof_at=NOW, failing_since=later, seen=["U-ben", "U-\u0000"])

    row = log.last_seen_of(db, REF)
    assert (row.proof_at, row.failing_since, row.seen) == (
        NOW,
        later,
        ["U-ben", "U-\u0000"],
    )
    assert log.last_seen_of(db, OTHER) is None
    assert log.last_sign(db) == later


def test_counters_add_up(db: Connection, store: Store) -> None:
    log.count(db, "unknown:zoom:new", NOW)
    log.count(db, "unknown:zoom:new", NOW + SECOND, by=2)

    assert log.counted(db) == {"unknown:zoom:new": (3, NOW + SECOND)}


def test_a_webhook_is_kept_once_and_its_body_erased_in_time(
    db: Connection, store: Store
) -> None:
    came = log.delivered(
        log.entry(store, STARTED, "key-1.0", NOW),
        "key-1",
        "meeting.started",
        b"\x00sealed\xff",
        late=False,
    )
    log.add(db, [came])
    log.add(db, [came._replace(late=True, heard_at=came.heard_at + 1)])

    stored = db.execute(log.deliveries.select()).mappings().all()
    assert [dict(one) for one in stored] == [
        {
            "ref": "key-1",
            "platform": "zoom",
            "event_type": "meeting.started",
            "meeting_id": "81000000019",
            "received_at": NOW,
            "body_sealed": b"\x00sealed\xff",
            "late": False,
        }
    ]
    assert log.forget_bodies(db, NOW) == 0
    assert log.forget_bodies(db, NOW + SECOND) == 1
    assert log.last_delivery(db, "zoom") == NOW
    log.refuse(db, "hash", "zoom", "another account", NOW)
    log.refuse(db, "hash", "zoom", "another account", NOW)
    assert db.execute(log.quarantine.select()).one().ref == "hash"


def test_a_meeting_knows_its_sessions(db: Connection, store: Store) -> None:
    bound = rooms.BoundMeeting(
        platform="zoom",
        meeting_id="81000000019",
        session_id="session-1",
        join_url="",
        opens_at=NOW,
        closes_at=NOW + SECOND,
        bound_at=NOW,
    )
    rooms.bind(db, store, bound)

    assert log.sessions_of(db, *OURS[0]) == ["session-1"]
    assert log.meetings_of(db, "session-1") == OURS
    assert log.sessions_bound_after(db, NOW) == ["session-1"]
    assert log.sessions_bound_after(db, NOW + SECOND) == []


def test_names_that_were_erased_do_not_come_back_with_a_repeat(
    db: Connection, store: Store
) -> None:
    add(db, store, joined("ben"))
    log.forget_names(db, ["ParticipantJoined-0"])
    add(db, store, joined("ben"))

    assert [fact.name for fact in read(db, store)] == [""]  # type: ignore[union-attr]


def test_facts_just_stored_are_taken_once_and_only_as_the_log_has_them(
    db: Connection, store: Store
) -> None:
    ben, chloe = joined("ben"), joined("chloe", after=1)
    add(db, store, STARTED, ben, chloe)
    refs = ["MeetingStarted-0", "ParticipantJoined-1", "ParticipantJoined-2"]
    recent = Recent()
    for ref, fact in zip(refs, (STARTED, ben, chloe), strict=True):
        recent.keep(ref, fact)
    recent.keep("never stored", joined("eve"))

    taken = log.of_session(store, db, "session-1", OURS, recent=recent)
    again = log.of_session(store, db, "session-1", OURS, recent=recent)

    assert [one.fact for one in taken] == [STARTED, ben, chloe]
    assert taken[0].fact is STARTED
    assert again == taken == log.of_session(store, db, "session-1", OURS)
    assert "never stored" in recent


def test_one_that_is_not_at_hand_is_read_with_all_others(
    db: Connection, store: Store
) -> None:
    ben, chloe = joined("ben"), joined("chloe", after=1)
    add(db, store, ben, chloe)
    recent = Recent()
    recent.keep("ParticipantJoined-1", joined("somebody else"))

    assert read(db, store, recent=recent) == [ben, chloe]


def test_of_one_that_came_twice_before_a_commit_the_first_is_kept() -> None:
    """As the log does, so that memory and log say the same (I12)."""
    recent = Recent()
    recent.keep("ref", joined("ben"))
    recent.keep("ref", joined("ben", after=9))

    assert recent.take("ref") == joined("ben")


def test_the_oldest_are_forgotten_first() -> None:
    recent = Recent(most=2)
    for number in range(3):
        recent.keep(str(number), joined(str(number)))

    assert [recent.take(str(number)) for number in range(3)] == [
        None,
        joined("1"),
        joined("2"),
    ]
    assert recent.take("1") is None
