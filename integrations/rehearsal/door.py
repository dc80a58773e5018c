"""Who may come in, and where they land: the platform's rules at the door."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import (
    Instance,
    Json,
    Meeting,
    Refused,
    Registrant,
)

# The four ways in: signed in to the organisation's account, by personal link, by the
# plain meeting link, by telephone.
ACCOUNT, LINK, OPEN, PHONE = "account", "link", "open", "phone"


@dataclass(frozen=True, slots=True)
class Ticket:
    """How somebody proved the right to come in."""

    person: Person
    via: str
    registrant: Registrant | None = None

    @property
    def identity(self) -> str:
        if self.registrant:
            return self.registrant.id
        return self.person.zoom_user_id if self.via == ACCOUNT else ""


def check_ticket(
    meeting: Meeting, account: Account, person: Person, via: str, link: str
) -> Ticket:
    """Raises `Refused` with the platform's reason."""
    if via == LINK:
        registrant = meeting.registrant_of(link)
        if registrant is None:
            raise Refused("the personal link is not valid")
        if registrant.status != "approved":
            raise Refused(f"the personal link is {registrant.status}")
        return Ticket(person, via, registrant)
    if via == ACCOUNT and not person.in_account:
        raise Refused("not signed in to the organisation's account")
    exempt = via == ACCOUNT and (
        meeting.may_host(person) or not account.members_must_register
    )
    if meeting.needs_registration and via != PHONE and not exempt:
        raise Refused("registration is required")
    return Ticket(person, via)


def check_instance(
    meeting: Meeting, instance: Instance, account: Account, ticket: Ticket
) -> None:
    """Raises `Refused` for the removed and for a second device on one link."""
    if ticket.identity in instance.barred and not account.removed_may_rejoin:
        raise Refused("removed by the host and not allowed back")
    if ticket.registrant and not meeting.settings["allow_multiple_devices"]:
        for other in instance.connections:
            if other.where and other.registrant_id == ticket.registrant.id:
                raise Refused("this personal link is already in use on another device")


def opens_without_host(meeting: Meeting) -> bool:
    """Join before host, which a waiting room switches off."""
    return bool(
        meeting.settings["join_before_host"] and not meeting.settings["waiting_room"]
    )


def must_wait(meeting: Meeting, host_settings: Json, ticket: Ticket) -> bool:
    """Does this person go to the waiting room first?"""
    signed_in_host = ticket.via == ACCOUNT and meeting.may_host(ticket.person)
    if not meeting.settings["waiting_room"] or signed_in_host:
        return False
    who = _who_waits(meeting, host_settings)
    if who == "users_not_in_account":
        return ticket.via != ACCOUNT
    if who == "users_not_on_invite":
        return ticket.via != ACCOUNT and ticket.registrant is None
    return True


def _who_waits(meeting: Meeting, host_settings: Json) -> str:
    options = meeting.settings["waiting_room_options"]
    if options["mode"] == "custom":
        return str(options["who_goes_to_waiting_room"])
    security = host_settings["meeting_security"]["waiting_room_settings"]
    everyone = security["participants_to_place_in_waiting_room"] == 0
    return "everyone" if everyone else "users_not_in_account"
