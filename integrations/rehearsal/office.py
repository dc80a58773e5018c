"""What is done before people meet: meetings, their settings, personal links."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from integrations.rehearsal.bookkeeping import Bookkeeping
from integrations.rehearsal.people import Person
from integrations.rehearsal.rooms import Json, Kind, Meeting, Refused, Registrant
from integrations.rehearsal.settings import (
    api_meeting_settings,
    changed,
    merged,
    safe_user_settings,
)

MAX_REGISTRANTS = 4_999


class Office(Bookkeeping):
    """Meetings, settings and registrants; every change is told to the listeners."""

    user_settings: dict[str, Json]

    def add_person(self, person: Person) -> Person:
        """Let somebody exist; people of the account get safe user settings."""
        self.people[person.key] = person
        if person.in_account:
            self.user_settings.setdefault(person.zoom_user_id, safe_user_settings())
        return person

    def user(self, name: str) -> Person | None:
        """The account's user with this id or e-mail address."""
        for person in self.people.values():
            if person.in_account and name in (person.zoom_user_id, person.email):
                return person
        return None

    def meeting(self, meeting_id: int) -> Meeting:
        """Raises `Refused` for a meeting that does not exist (any more)."""
        meeting = self.meetings.get(meeting_id)
        if meeting is None or meeting.deleted:
            raise Refused(f"Meeting does not exist: {meeting_id}.")
        return meeting

    def create_meeting(
        self,
        host: str,
        topic: str = "Tuesday group",
        *,
        start_at: datetime | None = None,
        duration: timedelta = timedelta(hours=1),
        timezone: str = "Europe/London",
        settings: Json | None = None,
        type: int = 2,
        agenda: str = "",
        source: str = "web_portal",
    ) -> Meeting:
        """Plan a meeting of `host` (a person's key) and return it."""
        meeting = Meeting(
            id=self._next_meeting_id(),
            uuid=self.new_uuid(),
            host=self.people[host],
            topic=topic,
            type=type,
            start_at=start_at or self.now,
            duration=duration,
            timezone=timezone,
            created_at=self.now,
            settings=merged(api_meeting_settings(), settings or {}),
            password=self.new_token()[:6],
            agenda=agenda,
            creation_source=source,
        )
        chat = meeting.settings["continuous_meeting_chat"]
        if chat.get("enable"):
            chat["channel_id"] = self.new_token()
        self.meetings[meeting.id] = meeting
        self.tell(f"The meeting “{topic}” is planned.", meeting, host)
        self.happen(Kind.MEETING_CREATED, meeting, operator=meeting.host)
        return meeting

    def _next_meeting_id(self) -> int:
        """Another World has other numbers, as the platform never gives one twice."""
        return 81_000_000_019 + 1_009 * len(self.meetings) + 1_000_003 * self.seed

    def delete_meeting(self, meeting_id: int, by: str = "") -> None:
        meeting = self.meeting(meeting_id)
        if meeting.live:
            raise Refused("The meeting is running.")
        meeting.deleted = True
        self.tell("The meeting is deleted.", meeting)
        self.happen(Kind.MEETING_DELETED, meeting, operator=self._operator(meeting, by))

    def change_settings(self, meeting_id: int, patch: Json, by: str = "") -> None:
        """Somebody changes the meeting's settings, in the portal or by API."""
        meeting = self.meeting(meeting_id)
        before = meeting.settings
        meeting.settings = merged(before, patch)
        new, old = changed(before, meeting.settings)
        if new:
            self.tell(f"Settings change: {_in_words(new)}.", meeting, by)
            self._updated(meeting, by, {"settings": new}, {"settings": old})

    def change_meeting(self, meeting_id: int, by: str = "", **fields: Any) -> None:
        """Change topic, agenda, start_at, duration or timezone."""
        meeting = self.meeting(meeting_id)
        old = {name: getattr(meeting, name) for name in fields}
        new = {name: value for name, value in fields.items() if old[name] != value}
        for name, value in new.items():
            setattr(meeting, name, value)
        if new:
            self._updated(meeting, by, new, {name: old[name] for name in new})

    def _updated(self, meeting: Meeting, by: str, new: Json, old: Json) -> None:
        operator = self._operator(meeting, by)
        self.happen(Kind.MEETING_UPDATED, meeting, operator=operator, new=new, old=old)

    def _operator(self, meeting: Meeting, by: str) -> Person:
        return self.people[by] if by else meeting.host

    def change_user_settings(self, key: str, patch: Json) -> None:
        """Change the settings of one of the account's users (a person's key)."""
        user_id = self.people[key].zoom_user_id
        self.user_settings[user_id] = merged(self.user_settings[user_id], patch)

    def register(
        self,
        meeting_id: int,
        first_name: str,
        email: str,
        *,
        last_name: str = "",
        approve: bool = False,
    ) -> Registrant:
        """Ask for, or get, a personal link. The same address gets the same one."""
        meeting = self.meeting(meeting_id)
        if not meeting.needs_registration:
            raise Refused("Registration has not been enabled for this meeting.")
        for known in meeting.registrants.values():
            if known.email.casefold() == email.casefold():
                return known
        if len(meeting.registrants) >= MAX_REGISTRANTS:
            raise Refused("The maximum number of registrants has been reached.")
        automatic = approve or meeting.settings["approval_type"] == 0
        registrant = Registrant(
            id=self.new_token(),
            first_name=first_name,
            last_name=last_name,
            email=email,
            status="approved" if automatic else "pending",
            token=self.new_token(),
            pin=self.draw_number(100_000, 999_999),
            created_at=self.now,
        )
        meeting.registrants[registrant.id] = registrant
        self.happen(Kind.REGISTERED, meeting, registrant=registrant)
        return registrant

    def set_registration(
        self, meeting_id: int, registrant_id: str, status: str, by: str = ""
    ) -> None:
        """Set a registrant to approved, cancelled or denied; closes no connection."""
        meeting = self.meeting(meeting_id)
        registrant = meeting.registrants.get(registrant_id)
        if registrant is None:
            raise Refused("Registrant does not exist.")
        registrant.status_changes.append(self.now)
        if registrant.status == status:
            return
        registrant.status = status
        kind = {
            "approved": Kind.REGISTRATION_APPROVED,
            "cancelled": Kind.REGISTRATION_CANCELLED,
            "denied": Kind.REGISTRATION_DENIED,
        }[status]
        self.tell(f"The personal link of {registrant.first_name} is {status}.", meeting)
        operator = self._operator(meeting, by)
        self.happen(kind, meeting, registrant=registrant, operator=operator)

    def delete_registrant(self, meeting_id: int, registrant_id: str) -> None:
        meeting = self.meeting(meeting_id)
        if registrant_id not in meeting.registrants:
            raise Refused("Registrant does not exist.")
        self.set_registration(meeting_id, registrant_id, "cancelled")
        del meeting.registrants[registrant_id]


def _in_words(new: Json) -> str:
    words = {True: "on", False: "off"}
    return ", ".join(
        f"{key.replace('_', ' ')} {words.get(value, value) if isinstance(value, bool) else value}"
        for key, value in new.items()
    )
