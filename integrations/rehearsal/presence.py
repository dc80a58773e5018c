"""What the platform does when somebody comes or goes. `World` holds the verbs."""

from __future__ import annotations

from datetime import datetime

from integrations.rehearsal.door import Ticket, must_wait
from integrations.rehearsal.hosting import (
    heir,
    role_on_entry,
    role_when_host_returns,
)
from integrations.rehearsal.office import Office
from integrations.rehearsal.rooms import (
    MAIN,
    WAITING_ROOM,
    Connection,
    Instance,
    Kind,
    Meeting,
    Refused,
    Role,
)

# The free text the platform puts behind a person's name; markup included.
LEAVE_REASONS = {
    "left": "{name} left the meeting.",
    "disconnected": (
        "{name} got disconnected from the meeting.<br>Reason: Network connection error."
    ),
    "ended": "{name} left the meeting.<br>Reason: Host ended the meeting.",
    "removed": "{name} left the meeting.<br>Reason: Removed by host.",
    "removed from waiting room": (
        "{name} left the meeting.<br>Reason: Removed by host from waiting room."
    ),
    "left waiting room": "{name} left the meeting.<br>Reason: Leave waiting room.",
}

ROOM_WORDS = {MAIN: "the room", WAITING_ROOM: "the waiting room"}


class Presence(Office):
    """Opening and closing instances, entering and leaving them, host rights."""

    def _open_instance(self, meeting: Meeting, by: str) -> Instance:
        instance = Instance(
            uuid=self.new_uuid(awkward=self.account.awkward_uuids), started_at=self.now
        )
        meeting.instances.append(instance)
        self.tell("The meeting starts.", meeting, by)
        self.happen(Kind.STARTED, meeting, instance)
        return instance

    def _close_instance(self, meeting: Meeting, instance: Instance) -> None:
        """Everybody is out at this moment; leave events come after `ended`."""
        leaving = [each for each in instance.connections if each.where]
        self._stop_recording(meeting, instance)
        instance.ended_at = self.now
        meeting.at_the_door.clear()
        self.tell("The meeting is over.", meeting)
        self.happen(Kind.ENDED, meeting, instance)
        for connection in leaving:
            was = connection.where
            connection.move("", self.now)
            connection.leave_reason = LEAVE_REASONS["ended"].format(
                name=connection.name
            )
            self.tell(
                f"{connection.name} is out: the meeting was ended.",
                meeting,
                connection.person.key,
            )
            if self.account.people_leave_one_by_one:
                self._tell_platform_left(meeting, instance, connection, was)

    def _enter(
        self, meeting: Meeting, instance: Instance, ticket: Ticket, name: str
    ) -> Connection:
        connection = self._seat(ticket, name)
        instance.connections.append(connection)
        host_settings = self.user_settings[meeting.host.zoom_user_id]
        if must_wait(meeting, host_settings, ticket):
            connection.move(WAITING_ROOM, self.now)
            self.tell(
                f"{connection.name} is in the waiting room.", meeting, ticket.person.key
            )
            self.happen(Kind.ENTERED_WAITING_ROOM, meeting, instance, connection)
        else:
            self._enter_room(meeting, instance, connection)
        return connection

    def _seat(self, ticket: Ticket, name: str) -> Connection:
        person, registrant = ticket.person, ticket.registrant
        signed_in = ticket.via == "account"
        written = registrant.first_name if registrant else person.name
        email = person.email if signed_in else (registrant.email if registrant else "")
        by_phone = ticket.via == "phone"
        return Connection(
            person=person,
            user_id=self.new_seat(),
            participant_uuid=self.new_participant_uuid(),
            name=name or (person.phone if by_phone else person.name or written),
            registrant_id=registrant.id if registrant else "",
            email=email,
            phone=person.phone if by_phone else "",
            signed_in=signed_in,
        )

    def _enter_room(
        self, meeting: Meeting, instance: Instance, connection: Connection
    ) -> None:
        role = role_on_entry(meeting, instance, connection)
        connection.move(MAIN, self.now)
        self.tell(f"{connection.name} is in the room.", meeting, connection.person.key)
        self.happen(Kind.JOINED, meeting, instance, connection)
        if role is Role.HOST:
            self._take_host(meeting, instance, connection)
        elif role is not connection.role:
            self._set_role(meeting, instance, connection, role)

    def _take_host(
        self, meeting: Meeting, instance: Instance, connection: Connection
    ) -> None:
        former = instance.host()
        if former is not None and former is not connection:
            role = role_when_host_returns(meeting, former)
            self._set_role(meeting, instance, former, role)
        if former is None and len(instance.inside()) == 1:
            connection.role = Role.HOST  # whoever opens the meeting: no event
            return
        self._set_role(meeting, instance, connection, Role.HOST)

    def _set_role(
        self, meeting: Meeting, instance: Instance, connection: Connection, role: Role
    ) -> None:
        old, connection.role = connection.role, role
        if old is role:
            return
        self.tell(
            f"{connection.name} is now {role.value}.", meeting, connection.person.key
        )
        self.happen(
            Kind.ROLE_CHANGED,
            meeting,
            instance,
            connection,
            old=old.value,
            new=role.value,
        )

    def _go(
        self,
        meeting: Meeting,
        instance: Instance,
        connection: Connection,
        reason: str,
        at: datetime | None = None,
    ) -> None:
        """One connection is out; the host rights pass on, an empty room closes."""
        was = connection.where
        was_host = connection.role is Role.HOST
        connection.move("", at or self.now)
        connection.leave_reason = LEAVE_REASONS[reason].format(name=connection.name)
        words = ROOM_WORDS.get(was, "the breakout room")
        self.tell(
            f"{connection.name} is out of {words} ({reason}).",
            meeting,
            connection.person.key,
        )
        self._tell_platform_left(meeting, instance, connection, was)
        if not instance.inside():
            self._close_instance(meeting, instance)
        elif was_host:
            self._pass_host_on(meeting, instance)

    def _tell_platform_left(
        self, meeting: Meeting, instance: Instance, connection: Connection, was: str
    ) -> None:
        if was == WAITING_ROOM:
            self.happen(Kind.LEFT_WAITING_ROOM, meeting, instance, connection)
            return
        if was != MAIN:
            self.happen(Kind.LEFT_BREAKOUT, meeting, instance, connection, room=was)
        self.happen(Kind.LEFT, meeting, instance, connection)

    def _pass_host_on(self, meeting: Meeting, instance: Instance) -> None:
        next_host = heir(instance, anyone=self.account.anyone_may_be_crowned)
        if next_host is not None:
            self._set_role(meeting, instance, next_host, Role.HOST)

    def _stop_recording(self, meeting: Meeting, instance: Instance) -> None:
        if instance.recording_since is None:
            return
        started, instance.recording_since = instance.recording_since, None
        self.tell("The recording stops.", meeting)
        self.happen(Kind.RECORDING_STOPPED, meeting, instance, started=started)

    def connection(self, meeting_id: int, who: str) -> Connection | None:
        """Somebody's newest live connection, waiting or inside."""
        self.catch_up()
        live = self.meeting(meeting_id).live
        mine = [
            each
            for each in (live.connections if live else [])
            if each.person.key == who and each.where
        ]
        return mine[-1] if mine else None

    def _live(self, meeting: Meeting) -> Instance:
        if meeting.live is None:
            raise Refused("The meeting is not running.")
        return meeting.live

    def _find(
        self, meeting_id: int, who: str | Connection
    ) -> tuple[Meeting, Instance, Connection]:
        self.catch_up()
        meeting = self.meeting(meeting_id)
        instance = self._live(meeting)
        found = self.connection(meeting_id, who) if isinstance(who, str) else who
        if found is None or not found.where:
            raise Refused(f"{who} is not in this meeting")
        return meeting, instance, found
