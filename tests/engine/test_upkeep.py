"""What has been kept long enough goes, not a moment earlier; the rest stays (I24)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import Connection, func, select

from app.clock import ManualClock
from app.core.events import MeetingEvent, MeetingRef, ParticipantJoined
from app.crypto import Keyring
from app.engine.alarms import Alarms
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.engine.upkeep import Upkeep, register
from app.store import access_rows, drafts, log, retention, rooms
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from app.store.tables import (
    DeliveryRow,
    LastSeenRow,
    LogPersonalRow,
    LogRow,
    QuarantineRow,
    SessionRow,
    SignInLinkRow,
    WebSessionRow,
)
from app.store.tables_drafts import DraftRow
from integrations.base import Delivery
from tests.engine.room import MEETING, fill

pytestmark = pytest.mark.anyio
TICK = timedelta(microseconds=1)
ROOM = MeetingRef(platform="zoom", meeting_id=MEETING, instance="uuid-1")
ELSEWHERE = MeetingRef(platform="zoom", meeting_id="99", instance="uuid-9")


@dataclass
class Office:
    """The store after an evening, and the job that tidies it."""

    clock: ManualClock
    store: Store
    engine: Engine
    upkeep: Upkeep
    session_id: str
    anna: str

    async def left(self, after: timedelta, table: type) -> int:
        """How many rows are there once the job ran so long from now."""
        self.clock.advance(after)
        await self.upkeep.forget()
        return self.count(table)

    def count(self, table: type) -> int:
        with self.store.unit() as db:
            return int(db.scalar(select(func.count()).select_from(table)) or 0)

    def do(self, work: Callable[[Connection], None]) -> None:
        with self.store.unit() as db:
            work(db)

    def bind(self, meeting: MeetingRef) -> None:
        """From now on this meeting is the session's."""
        now = self.clock.now()
        bound = rooms.BoundMeeting(
            platform="zoom",
            meeting_id=meeting.meeting_id,
            session_id=self.session_id,
            join_url="https://zoom.example/j/1",
            opens_at=now,
            closes_at=now + timedelta(hours=2),
            bound_at=now,
        )
        self.do(lambda db: rooms.bind(db, self.store, bound))
        self.do(self.engine.intake.load)

    async def hear(self, ref: str, meeting: MeetingRef) -> None:
        """Ben joins that meeting, says the platform."""
        event: MeetingEvent = ParticipantJoined(
            meeting=meeting, at=self.clock.now(), uuid="U-ben", name="Ben"
        )
        delivery = Delivery(
            dedupe_key=ref, event_type="joined", meeting=meeting, events=(event,)
        )
        await self.engine.intake.accept_delivery(
            "zoom", delivery, b'{"name": "Ben"}', self.clock.now()
        )


@pytest.fixture
def office(clock: ManualClock) -> Iterator[Office]:
    database = open_engine("sqlite://")
    migrate(database)
    store = Store(database, Keyring([b"k" * 32]), InlineDoor(database))
    people, session_id = fill(store, clock.now())
    numbers = iter(range(10**6))
    footing = Footing(store, clock, {}, lambda: f"id-{next(numbers)}")
    engine = Engine(footing, Alarms(footing, {}))
    upkeep = register(footing, engine)
    made = Office(clock, store, engine, upkeep, session_id, people["anna"])
    made.bind(ROOM)
    yield made
    store.close()


async def test_raw_messages_last_14_days_and_their_traces_21(office: Office) -> None:
    def bodies() -> int:
        with office.store.unit() as db:
            query = select(func.count()).select_from(DeliveryRow)
            kept = query.where(DeliveryRow.body_sealed.is_not(None))  # type: ignore[union-attr]
            return int(db.scalar(kept) or 0)

    await office.hear("first", ROOM)
    await office.left(timedelta(days=14), DeliveryRow)
    assert bodies() == 1
    await office.left(TICK, DeliveryRow)
    assert bodies() == 0
    await office.hear("second", ROOM)

    assert await office.left(timedelta(days=7) - TICK, DeliveryRow) == 2
    assert await office.left(TICK, DeliveryRow) == 1


async def test_the_last_sign_of_a_platform_is_never_forgotten(office: Office) -> None:
    heard_at = office.clock.now()
    await office.hear("only", ROOM)

    assert await office.left(timedelta(days=400), DeliveryRow) == 1
    with office.store.unit() as db:
        assert log.last_delivery(db, "zoom") == heard_at


async def test_what_nobody_saved_is_kept_for_30_days(office: Office) -> None:
    typed = drafts.Draft(
        session_id=office.session_id,
        person_id=office.anna,
        form="notes",
        fields={"text": "Half a"},
    )
    office.do(lambda db: drafts.keep(db, office.store, typed, 100, office.clock.now()))

    assert await office.left(timedelta(days=30), DraftRow) == 1
    assert await office.left(TICK, DraftRow) == 0


async def test_what_was_refused_leaves_a_hash_for_14_days(office: Office) -> None:
    now = office.clock.now()
    office.do(lambda db: log.refuse(db, "hash", "zoom", "another account", now))

    assert await office.left(timedelta(days=14), QuarantineRow) == 1
    assert await office.left(TICK, QuarantineRow) == 0


async def test_the_last_look_at_a_room_lasts_7_days(office: Office) -> None:
    """Also when the platform failed at the end: what happened last counts."""
    seen_at = office.clock.now()
    failed_at = seen_at + timedelta(hours=1)

    def looks(db: Connection) -> None:
        log.look(db, ELSEWHERE, proof_at=seen_at, failing_since=None, seen=[])
        log.look(db, ROOM, proof_at=seen_at, failing_since=failed_at, seen=["U-ben"])

    office.do(looks)

    assert await office.left(timedelta(days=7), LastSeenRow) == 2
    assert await office.left(TICK, LastSeenRow) == 1
    assert await office.left(timedelta(hours=1) - TICK, LastSeenRow) == 1
    assert await office.left(TICK, LastSeenRow) == 0


async def test_ways_into_a_session_die_a_day_after_it(office: Office) -> None:
    link = rooms.PersonalLink(
        session_id=office.session_id,
        person_id="person-ben",
        registrant_id="reg-ben",
        url="https://zoom.example/w/ben",
        created_at=office.clock.now(),
    )
    office.do(lambda db: rooms.keep_link(db, office.store, link))

    def ways() -> tuple[str, str]:
        with office.store.unit() as db:
            [own] = rooms.links_of(db, office.store, office.session_id)
            [room] = rooms.meetings_of(db, office.store, office.session_id)
            return own.url, room.join_url

    # It is 18:50; the session ends at 20:00.
    await office.left(timedelta(hours=25, minutes=10), LogRow)
    assert ways() == ("https://zoom.example/w/ben", "https://zoom.example/j/1")
    await office.left(TICK, LogRow)
    assert ways() == ("", "")


async def test_sign_in_links_and_browsers_go_when_they_open_nothing(
    office: Office,
) -> None:
    now = office.clock.now()

    def enter(db: Connection) -> None:
        access_rows.make_sign_in_link(db, office.store, office.anna, "worker", now)
        access_rows.open_web_session(db, office.store, office.anna, "worker", now)

    office.do(enter)

    assert await office.left(access_rows.LINK_LASTS - TICK, SignInLinkRow) == 1
    assert await office.left(TICK, SignInLinkRow) == 0
    rest = access_rows.ABSOLUTE - access_rows.LINK_LASTS
    assert await office.left(rest - TICK, WebSessionRow) == 1
    assert await office.left(TICK, WebSessionRow) == 0


async def test_meetings_that_are_no_session_of_ours_are_forgotten(
    office: Office,
) -> None:
    await office.hear("ours", ROOM)
    await office.hear("theirs", ELSEWHERE)

    assert await office.left(timedelta(days=14), LogRow) == 2
    assert await office.left(TICK, LogRow) == 1
    with office.store.unit() as db:
        assert list(db.scalars(select(log.log.c.ref))) == ["ours.0"]
    assert office.count(LogPersonalRow) == 1


async def test_a_meeting_bound_on_its_last_day_stays(office: Office) -> None:
    await office.hear("theirs", ELSEWHERE)
    office.clock.advance(timedelta(days=13))
    office.bind(ELSEWHERE)

    assert await office.left(timedelta(days=2), LogRow) == 1


async def test_a_meeting_bound_while_the_job_runs_stays(office: Office) -> None:
    await office.hear("theirs", ELSEWHERE)
    office.clock.advance(timedelta(days=15))
    with office.store.unit() as db:
        refs = retention.unbound(db, office.clock.now())
    office.bind(ELSEWHERE)
    office.do(lambda db: retention.forget_unbound(db, refs))

    assert refs == ["theirs.0"]
    assert office.count(LogRow) == 1


async def test_many_old_facts_go_in_portions(office: Office) -> None:
    for number in range(501):
        await office.hear(f"theirs-{number}", ELSEWHERE)

    assert await office.left(timedelta(days=15), LogRow) == 0


async def test_after_six_years_the_evening_itself_goes(office: Office) -> None:
    """20:00 is its end; the long terms have tests of their own (tests/privacy)."""
    await office.hear("ours", ROOM)
    six_years = timedelta(days=6 * 365 + 2, hours=1, minutes=10)

    assert await office.left(six_years, LogRow) == 1
    assert await office.left(TICK, LogRow) == 0
    assert office.count(SessionRow) == 0


async def test_the_job_runs_by_itself_within_the_hour(office: Office) -> None:
    now = office.clock.now()
    long_ago = now - timedelta(days=30)
    office.do(lambda db: log.refuse(db, "hash", "zoom", "another account", long_ago))
    await office.engine.step()
    assert office.count(QuarantineRow) == 1

    office.clock.advance(timedelta(hours=1))
    await office.engine.step()
    assert office.count(QuarantineRow) == 0
    await office.engine.stop()
