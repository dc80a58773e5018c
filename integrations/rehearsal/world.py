"""The World: the truth of who is in which room, through the platform's eye.

A scene or a test lets people come and go with the verbs below; the server beside it
tells the bot about it in the platform's own protocol; the questions at the end are
the only judge of what the bot then claims. One World is one platform account.
"""

from __future__ import annotations

from datetime import timedelta

from app.clock import Clock
from integrations.rehearsal import truth
from integrations.rehearsal.door import (
    ACCOUNT,
    LINK,
    PHONE,
    Ticket,
    check_instance,
    check_ticket,
    opens_without_host,
)
from integrations.rehearsal.moderation import Moderation
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import (
    WAITING_ROOM,
    AtTheDoor,
    Connection,
    Json,
    Kind,
    Meeting,
    Refused,
)


class World(Moderation):
    """`who` is a person's key (their newest live connection) or a connection."""

    def __init__(
        self, clock: Clock, account: Account | None = None, seed: int = 0
    ) -> None:
        super().__init__(clock, account or Account(), seed)
        self.user_settings: dict[str, Json] = {}
        self.chat: list[tuple[str, str]] = []
        """(channel id, text) of every message posted to a chat channel."""

    # What people do ------------------------------------------------------------

    def start_meeting(self, meeting_id: int, who: str = "") -> Connection:
        """The host (or an alternative host) opens the meeting and is inside."""
        meeting = self.meeting(meeting_id)
        connection = self.arrive(meeting_id, who or meeting.host.key, via=ACCOUNT)
        if connection is None:
            raise Refused(f"{who} may not start this meeting")
        return connection

    def start_instant_meeting(self, who: str, topic: str = "") -> Meeting:
        """Somebody opens a meeting nobody planned (platform type 1)."""
        self.catch_up()
        person = self.people[who]
        name = topic or f"{person.name}'s meeting"
        zero = timedelta()
        meeting = self.create_meeting(
            who, name, type=1, duration=zero, timezone="", source="other"
        )
        self.start_meeting(meeting.id, who)
        return meeting

    def arrive(
        self,
        meeting_id: int,
        who: str,
        *,
        via: str = "",
        link: str = "",
        name: str = "",
    ) -> Connection | None:
        """Somebody comes, signed in, by personal link, plain link or telephone.

        `via` is `account`, `link`, `open` or `phone`; left out, it follows from `link`
        and the person. Returns the connection (waiting room or room), or None when
        they wait outside for a host. Raises `Refused` when the platform turns them
        away; both are in the history.
        """
        self.catch_up()
        meeting, person = self.meeting(meeting_id), self.people[who]
        way = via or (LINK if link else ACCOUNT if person.in_account else "open")
        try:
            return self._arrive(meeting, person, way, link, name)
        except Refused as refusal:
            self.tell(f"{person.name} is turned away: {refusal}.", meeting, who)
            raise

    def _arrive(
        self, meeting: Meeting, person: Person, via: str, link: str, name: str
    ) -> Connection | None:
        ticket = check_ticket(meeting, self.account, person, via, link)
        instance = meeting.live
        if instance is None:
            if not (via == ACCOUNT and meeting.may_host(person)):
                return self._arrive_before_host(meeting, ticket, link, name)
            return self._arrive_as_host(meeting, ticket, name)
        check_instance(meeting, instance, self.account, ticket)
        return self._enter(meeting, instance, ticket, name)

    def _arrive_as_host(
        self, meeting: Meeting, ticket: Ticket, name: str
    ) -> Connection:
        waiting, meeting.at_the_door = meeting.at_the_door, []
        instance = self._open_instance(meeting, ticket.person.key)
        connection = self._enter(meeting, instance, ticket, name)
        for each in waiting:
            self.arrive(
                meeting.id,
                each.person.key,
                via=each.via,
                link=each.link,
                name=each.name,
            )
        return connection

    def _arrive_before_host(
        self, meeting: Meeting, ticket: Ticket, link: str, name: str
    ) -> Connection | None:
        person = ticket.person
        if not opens_without_host(meeting):
            shown = name or person.name
            meeting.at_the_door.append(AtTheDoor(person, ticket.via, link, name))
            self.tell(f"{shown} waits for a host to come.", meeting, person.key)
            self.happen(
                Kind.CAME_BEFORE_HOST, meeting, name=shown, registrant=ticket.registrant
            )
            return None
        instance = self._open_instance(meeting, person.key)
        connection = self._enter(meeting, instance, ticket, name)
        self.happen(Kind.JOINED_BEFORE_HOST, meeting, instance, connection)
        return connection

    def give_up_waiting(self, meeting_id: int, who: str) -> None:
        """Somebody who waited outside for a host goes away."""
        self.catch_up()
        meeting = self.meeting(meeting_id)
        for each in [each for each in meeting.at_the_door if each.person.key == who]:
            meeting.at_the_door.remove(each)
            shown = each.name or each.person.name
            registrant = meeting.registrant_of(each.link) if each.link else None
            self.tell(f"{shown} no longer waits for a host.", meeting, who)
            self.happen(
                Kind.GAVE_UP_WAITING_FOR_HOST,
                meeting,
                name=shown,
                registrant=registrant,
            )

    def leave(
        self, meeting_id: int, who: str | Connection, reason: str = "left"
    ) -> None:
        """Somebody goes; `reason` is `left` or `disconnected`."""
        meeting, instance, connection = self._find(meeting_id, who)
        if connection.where == WAITING_ROOM:
            reason = "left waiting room"
        self._go(meeting, instance, connection, reason)

    def drop_silently(
        self,
        meeting_id: int,
        who: str | Connection,
        noticed_after: timedelta | None = None,
    ) -> None:
        """A client dies; the platform believes it present for 60 to 90 s more."""
        meeting, instance, connection = self._find(meeting_id, who)
        low, high = self.account.silence_noticed
        delay = noticed_after or timedelta(seconds=self.draw(low, high))
        connection.silent_since = self.now
        name, key = connection.name, connection.person.key
        self.tell(
            f"{name}'s line is dead; the platform does not know yet.", meeting, key
        )

        def notice() -> None:
            if connection.where:
                self._go(meeting, instance, connection, "disconnected")

        self.later(delay, notice)

    def rename(self, meeting_id: int, who: str | Connection, name: str) -> None:
        """A display name changes; the platform sends no event for it."""
        meeting, _, connection = self._find(meeting_id, who)
        self.tell(
            f"{connection.name} now calls themselves “{name}”.",
            meeting,
            connection.person.key,
        )
        connection.name = name

    def share_screen(
        self, meeting_id: int, who: str | Connection, on: bool = True
    ) -> None:
        meeting, instance, connection = self._find(meeting_id, who)
        word = "shares a screen" if on else "stops sharing"
        self.tell(f"{connection.name} {word}.", meeting, connection.person.key)
        kind = Kind.SHARING_STARTED if on else Kind.SHARING_ENDED
        self.happen(kind, meeting, instance, connection)

    def bind(
        self, meeting_id: int, caller: str | Connection, to: str | Connection
    ) -> None:
        """The telephone leg `caller` belongs to the person of the other connection."""
        meeting, instance, connection = self._find(meeting_id, caller)
        if not connection.phone:
            raise Refused(f"{connection.name} is not on a telephone")
        _, _, owner = self._find(meeting_id, to)
        connection.bound_to = owner
        connection.registrant_id = owner.registrant_id
        self.tell(f"The caller {connection.name} is {owner.name}.", meeting)
        self.happen(Kind.PHONE_BOUND, meeting, instance, connection)

    def phone_in(self, meeting_id: int, who: str) -> Connection | None:
        """A person calls from their telephone; no link, so nobody knows who it is."""
        return self.arrive(meeting_id, who, via=PHONE)

    # The oracle ------------------------------------------------------------------

    def in_room(self, meeting_id: int) -> list[Connection]:
        """Who is inside (main or breakout) by the platform's own roster."""
        self.catch_up()
        return truth.in_room(self.meeting(meeting_id))

    def alone_intervals(
        self, meeting_id: int, is_worker: truth.IsWorker
    ) -> list[truth.AloneInterval]:
        self.catch_up()
        return truth.alone_intervals(self.meeting(meeting_id), is_worker, self.now)

    def attendance(self, meeting_id: int) -> dict[str, list[truth.Presence]]:
        self.catch_up()
        return truth.attendance(self.meeting(meeting_id), self.now)
