"""The cast and the room the rehearsal's own tests play in."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from app.clock import ManualClock
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import Connection, Meeting
from integrations.rehearsal.settings import merged, safe_meeting_settings
from integrations.rehearsal.truth import workers
from integrations.rehearsal.world import World

ANNA = Person(
    "anna", "Anna Price", "anna.price@charity.example", "VVebVXiW0M4XZMR_7WRPmw", True
)
SAM = Person(
    "sam", "Sam Okoro", "sam.okoro@charity.example", "6W4C2OR_KnwDvlEXs-0XXA", True
)
BEN = Person("ben", "Ben", "ben@family.example", phone="447700900123")
CHLOE = Person("chloe", "Chloe", "chloe@family.example", phone="447700900456")
DEV = Person("dev", "Dev", "dev@family.example")
EVE = Person("eve", "=1+1", "eve@elsewhere.example")
NOTES = Person("notes", "Notetaker", recorder=True)
CAST = (ANNA, SAM, BEN, CHLOE, DEV, EVE, NOTES)
IS_WORKER = workers("anna", "sam")


@dataclass
class Stage:
    """A World with one planned meeting; Anna hosts, Sam may host instead."""

    clock: ManualClock
    account: Account = field(default_factory=Account)
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.clock, self.account, seed=7)
        for person in CAST:
            self.world.add_person(person)
        wish = {"alternative_hosts": SAM.email, **self.settings}
        self.meeting: Meeting = self.world.create_meeting(
            "anna",
            start_at=self.clock.now() + timedelta(minutes=10),
            settings=merged(safe_meeting_settings(), wish),
        )
        self.id = self.meeting.id
        self.links = {
            person.key: self.meeting.link_of(
                self.world.register(self.id, person.name, person.email, approve=True)
            )
            for person in (BEN, CHLOE, DEV)
            if self.meeting.needs_registration
        }

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))
        self.world.catch_up()

    def come(self, who: str) -> Connection:
        """A client comes by personal link, is let in when they wait, a second later."""
        found = self.world.arrive(self.id, who, link=self.links[who])
        assert found is not None
        if not found.is_in_room:
            self.world.admit(self.id, found)
        return found

    def open(self, *clients: str) -> Connection:
        """Anna starts, clients are let in."""
        anna = self.world.start_meeting(self.id)
        for key in clients:
            self.come(key)
        return anna

    def alone(self) -> list[tuple[float, str]]:
        """(seconds, room) of every unsafe interval."""
        return [
            (each.seconds, each.room)
            for each in self.world.alone_intervals(self.id, IS_WORKER)
        ]

    def inside(self) -> list[str]:
        return [each.person.key for each in self.world.in_room(self.id)]

    def told(self) -> list[str]:
        return [each.sentence for each in self.world.history]
