"""A platform whose truth the test owns, and an evening with the engine on top of it.

``Room`` is the truth; ``RoomPlatform`` is what the engine may call. Every call is
remembered; a test can make calls fail, lie, or have no effect.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

from app.clock import ManualClock
from app.core.actions import (
    Action,
    ChangeLink,
    EndMeeting,
    RemoveParticipant,
    TellWaitingRoom,
)
from app.core.events import (
    MeetingEnded,
    MeetingEvent,
    MeetingRef,
    MeetingStarted,
    ParticipantJoined,
    ParticipantLeft,
    Seat,
)
from app.core.facts import Hands, MeetingFacts
from app.core.plan import HEADINGS, GroundRule, Plan
from app.core.session import GroupSession
from app.crypto import Keyring
from app.engine.alarms import Alarms, Letter
from app.engine.footing import Footing
from app.engine.loop import Engine
from app.store import contacts, groups, people, sessions
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from integrations.base import (
    CreatedMeeting,
    Delivery,
    IssuedLink,
    Mended,
    PlatformFailure,
    ReportLine,
    RosterEntry,
    RosterRead,
    Scopes,
    StatusRead,
    TemporaryFailure,
)
from tests.core.builders import ALL_HANDS, SAFE

MEETING = "81000000019"


@dataclass
class Room:
    """Who is really there. ``failing`` raises from every call; ``ghost`` acts on nothing."""

    instance: str = "uuid-1"
    started: bool = False
    inside: dict[str, Seat] = field(default_factory=dict)
    failing: PlatformFailure | None = None
    ghost: bool = False
    cannot: dict[str, PlatformFailure] = field(default_factory=dict)


class RoomPlatform:
    """A meeting platform over a :class:`Room`."""

    name = "zoom"
    title = "Room"

    def __init__(self, room: Room, clock: ManualClock) -> None:
        self.room = room
        self.clock = clock
        self.calls: list[str] = []
        self.hands = ALL_HANDS
        self.facts: MeetingFacts = SAFE
        self.performed: list[Action] = []
        self.on_perform: Callable[[Action], None] = lambda _action: None
        self.report: tuple[ReportLine, ...] = ()
        self.reported: list[MeetingRef] = []
        self.missed: tuple[bytes, ...] = ()
        self.names_occurrences = True
        self.status_name = ""

    def _call(self, what: str) -> None:
        self.calls.append(what)
        if self.room.failing is not None:
            raise self.room.failing
        if what in self.room.cannot:
            raise self.room.cannot[what]

    def verify(
        self, headers: Sequence[tuple[bytes, bytes]], body: bytes, now: datetime
    ) -> bool:
        return False

    def parse(self, body: bytes, now: datetime, *, late: bool = False) -> Delivery:
        raise AssertionError("webhooks come in as deliveries here")

    def routes(self, action: Action, hands: Hands) -> tuple[str, ...]:
        by_api = (EndMeeting, RemoveParticipant, ChangeLink, TellWaitingRoom)
        if isinstance(action, by_api):
            return ("api", "person")
        return ("person",)

    def press_hint(self, press: str) -> str:
        return f"Press {press}."

    async def perform(self, action: Action) -> str:
        self._call(action.kind)
        self.performed.append(action)
        self.on_perform(action)
        if self.room.ghost:
            return "heard"
        if isinstance(action, EndMeeting):
            self.room.started = False
            self.room.inside.clear()
        if isinstance(action, RemoveParticipant):
            self.room.inside.pop(action.uuid, None)
        return "heard"

    async def read_status(self, meeting: MeetingRef) -> StatusRead:
        self._call("status")
        return StatusRead(
            read_at=self.clock.now(),
            started=self.room.started,
            instance=self.status_name
            or (self.room.instance if self.names_occurrences else ""),
            another=self.room.started and self._is_another(meeting),
        )

    def _is_another(self, meeting: MeetingRef) -> bool:
        known = ("", self.room.instance, self.status_name)
        return meeting.is_named and meeting.instance not in known

    async def read_roster(self, meeting: MeetingRef) -> RosterRead:
        self._call("roster")
        if self._is_another(meeting):
            raise TemporaryFailure("The list does not show this meeting.")
        entries = tuple(RosterEntry(seat=seat) for seat in self.room.inside.values())
        return RosterRead(started_at=self.clock.now(), entries=entries)

    async def read_facts(self, meeting_id: str) -> MeetingFacts:
        self._call("facts")
        return self.facts

    async def mend(self, meeting_id: str, wishes: Sequence[str]) -> Mended:
        self._call("mend")
        return Mended(done=tuple(wishes), facts=self.facts)

    async def probe(self, meeting_id: str) -> Hands:
        self._call("probe")
        return self.hands

    async def create_meeting(self, plan: Plan, marker: str) -> CreatedMeeting:
        self._call("create")
        return CreatedMeeting(meeting_id=MEETING, join_url="https://zoom.example/j/1")

    async def issue_link(self, meeting_id: str, alias: str, label: str) -> IssuedLink:
        self._call("link")
        key = label.split()[0].lower()
        return IssuedLink(registrant_id=f"reg-{key}", join_url=f"https://x/{key}")

    async def change_link(
        self, meeting_id: str, registrant_id: str, alias: str, state: str
    ) -> None:
        self._call("change_link")

    async def attendance_report(self, meeting: MeetingRef) -> tuple[ReportLine, ...]:
        self._call("report")
        self.reported.append(meeting)
        return self.report

    async def missed_webhooks(self, since: datetime) -> tuple[bytes, ...]:
        return self.missed

    async def live_meetings(self) -> tuple[MeetingRef, ...]:
        return ()

    async def check_scopes(self) -> Scopes:
        return Scopes(granted=(), missing=())

    async def close(self) -> None:
        return


def seat(name: str) -> Seat:
    """Anna and Sam come by account, everybody else by link; Eve by neither."""
    known = {
        "anna": Seat(
            uuid="U-anna", user_id="1", platform_user_id="zoom-anna", name="Anna"
        ),
        "sam": Seat(uuid="U-sam", user_id="2", platform_user_id="zoom-sam", name="Sam"),
        "eve": Seat(uuid="U-eve", user_id="9", name="Eve"),
    }
    made = Seat(
        uuid=f"U-{name}", user_id=f"id-{name}", registrant_id=f"reg-{name}", name=name
    )
    return known.get(name, made)


@dataclass
class Evening:
    """The Tuesday group with the engine running on a clock the test owns."""

    clock: ManualClock
    store: Store
    room: Room
    platform: RoomPlatform
    engine: Engine
    session_id: str
    people: dict[str, str]
    letters: list[Letter]
    footing: Footing
    webhooks: bool = True
    number: int = 0

    @property
    def ref(self) -> MeetingRef:
        return MeetingRef(
            platform="zoom", meeting_id=MEETING, instance=self.room.instance
        )

    async def tell(self, cls: Any, name: str = "", **more: Any) -> None:
        """Deliver a webhook about the room, if webhooks work."""
        if not self.webhooks:
            return
        self.number += 1
        fields: dict[str, Any] = {"meeting": self.ref, "at": self.clock.now()}
        if name:
            one = seat(name)
            fields |= {
                k: getattr(one, k)
                for k in (
                    "uuid",
                    "user_id",
                    "registrant_id",
                    "platform_user_id",
                    "name",
                )
            }
        event: MeetingEvent = cls(**{**fields, **more})
        delivery = Delivery(
            dedupe_key=f"webhook-{self.number}",
            event_type=cls.__name__,
            meeting=self.ref,
            events=(event,),
        )
        now = self.clock.now()
        await self.engine.intake.accept_delivery("zoom", delivery, b"{}", now)

    async def join(self, *names: str) -> None:
        """These people are in the room now."""
        if not self.room.started:
            self.room.started = True
            await self.tell(MeetingStarted)
        for name in names:
            one = seat(name)
            self.room.inside[one.uuid] = one
            await self.tell(ParticipantJoined, name)
        await self.engine.step()

    async def leave(self, *names: str) -> None:
        """These people are gone now."""
        for name in names:
            self.room.inside.pop(seat(name).uuid, None)
            await self.tell(ParticipantLeft, name)
        await self.engine.step()

    async def reopen(self, instance: str, *names: str) -> None:
        """The call is over, and the same meeting is opened again as another occurrence."""
        self.room.inside.clear()
        self.room.instance = instance
        await self.join(*names)

    async def ended(self) -> None:
        """The platform says the meeting is over."""
        await self.tell(MeetingEnded)
        await self.engine.step()

    async def wait(self, seconds: float) -> None:
        """Let time pass, second by second, with everything that falls due in it."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while self.clock.now() < until:
            left = until - self.clock.now()
            self.clock.advance(min(left, timedelta(seconds=1)))
            await self.engine.step()

    async def state(self) -> GroupSession:
        """The session as the engine sees it."""
        return await self.engine.state(self.session_id)

    def count(self, kind: str) -> int:
        """How often the platform was asked to do this."""
        return sum(call == kind for call in self.platform.calls)


def _people(db: Any, store: Store, now: datetime) -> dict[str, str]:
    ids: dict[str, str] = {}
    for name in ("Anna", "Sam"):
        person = people.Person(
            kind="worker",
            name=name,
            email=f"{name.lower()}@charity.example",
            platform_user_id=f"zoom-{name.lower()}",
        )
        ids[name.lower()] = people.add(db, store, person, now).id
    for name in ("Ben", "Chloe", "Dev"):
        person = people.Person(
            kind="client",
            name=name,
            contact="A parent",
            referrer="The school",
            known_to=ids["anna"],
            consent_to_take_part=True,
            age_years=15,
        )
        ids[name.lower()] = people.add(db, store, person, now).id
        if name != "Dev":
            talk = people.Talk(
                client_id=ids[name.lower()],
                worker_id=ids["anna"],
                held_on=date(2026, 11, 3),
            )
            people.add_talk(db, store, talk, now)
    return ids


def fill(store: Store, now: datetime) -> tuple[dict[str, str], str]:
    """The Tuesday group in the tables; Dev has had no one-to-one."""
    with store.unit() as db:
        ids = _people(db, store, now)
        group = groups.add(
            db, store, groups.Group(name="Tuesday group", leads=(ids["anna"],)), now
        ).id
        rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
        groups.agree_rules(db, store, group, rules, ids["anna"], now)
        times = sessions.times(
            datetime.fromisoformat("2026-11-17T19:00"),
            datetime.fromisoformat("2026-11-17T20:00"),
            "Europe/London",
            now,
        )
        plan = sessions.add(
            db,
            store,
            {
                **times,
                "group_id": group,
                "platform": "zoom",
                "title": "Worries at school",
                "purpose": "Talking about worries",
                "workers": (
                    sessions.Rostered(person_id=ids["anna"], role="lead"),
                    sessions.Rostered(person_id=ids["sam"], role="support"),
                ),
                "clients": (ids["ben"], ids["chloe"], ids["dev"]),
            },
            ("zoom",),
            now,
        )
        for number in range(2):
            contact = contacts.Contact(
                channel="webhook",
                address=f"https://alarm{number}.example/",
                label=f"Contact {number}",
                secret="whsec_c2VjcmV0",
            )
            made, code = contacts.add(db, store, contact, now)
            contacts.confirm(db, store, made, code, now)
    return ids, plan.id


@cache
def _tables() -> bytes:
    """Every table and no row, made once: copying them is quicker than migrating again."""
    database = open_engine("sqlite://")
    migrate(database)
    connection = database.raw_connection()
    made: bytes = connection.driver_connection.serialize()  # type: ignore[union-attr]
    connection.close()
    database.dispose()
    return made


@asynccontextmanager
async def evening(
    clock: ManualClock, *, hands: Hands = ALL_HANDS, store: Store | None = None
) -> AsyncIterator[Evening]:
    """Everything prepared: meeting made, links issued, settings read."""
    made = store is None
    if store is None:
        database = open_engine("sqlite://")
        connection = database.raw_connection()
        connection.driver_connection.deserialize(_tables())  # type: ignore[union-attr]
        connection.close()
        store = Store(database, Keyring([b"k" * 32]), InlineDoor(database))
    ids, session_id = fill(store, clock.now())
    room = Room()
    platform = RoomPlatform(room, clock)
    platform.hands = hands
    letters: list[Letter] = []

    async def keep(letter: Letter, _now: datetime) -> None:
        letters.append(letter)

    numbers = iter(range(10**9))
    footing = Footing(
        store, clock, {"zoom": platform}, lambda: f"id-{next(numbers):06}"
    )
    engine = Engine(footing, Alarms(footing, {"webhook": keep, "mail": keep}))
    one = Evening(
        clock, store, room, platform, engine, session_id, ids, letters, footing
    )
    assert await engine.prepare(session_id, ids["anna"]) == []
    await engine.step()
    yield one
    await engine.stop()
    if made:
        store.close()
