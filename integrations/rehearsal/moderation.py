"""What a host or co-host does in the platform's own client."""

from __future__ import annotations

from integrations.rehearsal.presence import Presence
from integrations.rehearsal.rooms import (
    MAIN,
    WAITING_ROOM,
    Connection,
    Kind,
    Refused,
    Role,
)


class Moderation(Presence):
    """`who` is a person's key (their newest live connection) or a connection."""

    def admit(self, meeting_id: int, who: str | Connection) -> None:
        meeting, instance, connection = self._find(meeting_id, who)
        if connection.where != WAITING_ROOM:
            raise Refused(f"{connection.name} is not in the waiting room")
        self.tell(f"{connection.name} is let in.", meeting, connection.person.key)
        self.happen(Kind.ADMITTED, meeting, instance, connection)
        self._enter_room(meeting, instance, connection)
        self.happen(Kind.LEFT_WAITING_ROOM, meeting, instance, connection)

    def admit_everyone(self, meeting_id: int) -> None:
        live = self.meeting(meeting_id).live
        for connection in live.waiting() if live else []:
            self.admit(meeting_id, connection)

    def put_in_waiting_room(self, meeting_id: int, who: str | Connection) -> None:
        meeting, instance, connection = self._find(meeting_id, who)
        if connection.role is Role.HOST or connection.where == WAITING_ROOM:
            raise Refused(f"{connection.name} cannot be put in the waiting room")
        was, connection.role = connection.where, Role.ATTENDEE
        connection.move(WAITING_ROOM, self.now)
        self.tell(
            f"{connection.name} is put in the waiting room.",
            meeting,
            connection.person.key,
        )
        if was != MAIN:
            self.happen(Kind.LEFT_BREAKOUT, meeting, instance, connection, room=was)
        self.happen(Kind.PUT_IN_WAITING_ROOM, meeting, instance, connection)
        if not instance.inside():
            self._close_instance(meeting, instance)

    def remove(self, meeting_id: int, who: str | Connection) -> None:
        """Put somebody out; only the account's switch keeps them from coming back."""
        meeting, instance, connection = self._find(meeting_id, who)
        if connection.identity:
            instance.barred.add(connection.identity)
        waiting = connection.where == WAITING_ROOM
        reason = "removed from waiting room" if waiting else "removed"
        self._go(meeting, instance, connection, reason)

    def make_host(self, meeting_id: int, who: str | Connection) -> None:
        """The host rights are handed over; the former host becomes a co-host."""
        meeting, instance, connection = self._find(meeting_id, who)
        former = instance.host()
        if former is not None and former is not connection:
            self._set_role(meeting, instance, former, Role.CO_HOST)
        self._set_role(meeting, instance, connection, Role.HOST)

    def make_cohost(self, meeting_id: int, who: str | Connection) -> None:
        meeting, instance, connection = self._find(meeting_id, who)
        self._set_role(meeting, instance, connection, Role.CO_HOST)

    def take_rights(self, meeting_id: int, who: str | Connection) -> None:
        """A co-host becomes an ordinary participant again."""
        meeting, instance, connection = self._find(meeting_id, who)
        self._set_role(meeting, instance, connection, Role.ATTENDEE)

    def breakouts(self, meeting_id: int, rooms: dict[str, list[str]]) -> dict[str, str]:
        """Open breakout rooms (name to person keys); returns name to room id."""
        self.catch_up()
        instance = self._live(self.meeting(meeting_id))
        ids = {}
        for name, keys in rooms.items():
            room = ids[name] = self.new_uuid()
            instance.breakouts[room] = name
            for key in keys:
                self.move_to(meeting_id, key, room)
        return ids

    def move_to(self, meeting_id: int, who: str | Connection, room: str) -> None:
        """Move between the main room (`main`) and a breakout room (its id)."""
        meeting, instance, connection = self._find(meeting_id, who)
        was = connection.where
        if not connection.is_in_room or room not in {MAIN, *instance.breakouts}:
            raise Refused(f"{connection.name} cannot be moved there")
        connection.move(room, self.now)
        shown = instance.breakouts.get(room, "the main room")
        self.tell(
            f"{connection.name} is now in {shown}.", meeting, connection.person.key
        )
        if was != MAIN:
            self.happen(Kind.LEFT_BREAKOUT, meeting, instance, connection, room=was)
        if room != MAIN:
            connection.breakout_user_id = self.new_seat()
            self.happen(Kind.ENTERED_BREAKOUT, meeting, instance, connection, room=room)

    def close_breakouts(self, meeting_id: int) -> None:
        self.catch_up()
        instance = self._live(self.meeting(meeting_id))
        for connection in instance.inside():
            if connection.where != MAIN:
                self.move_to(meeting_id, connection, MAIN)
        instance.breakouts.clear()

    def start_recording(self, meeting_id: int) -> None:
        """Cloud recording; the platform sends nothing for a local one."""
        self.catch_up()
        meeting = self.meeting(meeting_id)
        instance = self._live(meeting)
        if instance.recording_since is None:
            instance.recording_since = self.now
            self.tell("A cloud recording starts.", meeting)
            self.happen(Kind.RECORDING_STARTED, meeting, instance, started=self.now)

    def stop_recording(self, meeting_id: int) -> None:
        self.catch_up()
        meeting = self.meeting(meeting_id)
        self._stop_recording(meeting, self._live(meeting))

    def start_streaming(self, meeting_id: int) -> None:
        """The room goes out on a public service."""
        self.catch_up()
        meeting = self.meeting(meeting_id)
        instance = self._live(meeting)
        instance.streaming_since = self.now
        self.tell("The room is streamed to the public.", meeting)
        self.happen(Kind.STREAMING_STARTED, meeting, instance, operator=meeting.host)

    def stop_streaming(self, meeting_id: int) -> None:
        self.catch_up()
        meeting = self.meeting(meeting_id)
        instance = self._live(meeting)
        if instance.streaming_since is None:
            raise Refused("The meeting is not streamed.")
        instance.streaming_since = None
        self.tell("The stream stops.", meeting)
        self.happen(Kind.STREAMING_STOPPED, meeting, instance, operator=meeting.host)

    def show_waiting_text(self, meeting_id: int, title: str, text: str) -> None:
        """What everybody at the door reads."""
        self.catch_up()
        meeting = self.meeting(meeting_id)
        self._live(meeting).waiting_text = (title, text)
        self.tell(f"The waiting room reads: “{title}”.", meeting)

    def end(self, meeting_id: int) -> None:
        """End for all. Raises `Refused` when nothing runs."""
        self.catch_up()
        meeting = self.meeting(meeting_id)
        self._close_instance(meeting, self._live(meeting))
