"""Who holds the host rights, and to whom the platform passes them on.

When the host's client drops, a co-host becomes host, else a signed-in colleague, else
(by older reports) anybody: that can be a young person.
"""

from __future__ import annotations

from integrations.rehearsal.rooms import Connection, Instance, Meeting, Role


def role_on_entry(meeting: Meeting, instance: Instance, joining: Connection) -> Role:
    """The meeting's own host is host; an alternative one is host or co-host."""
    if not joining.signed_in or not meeting.may_host(joining.person):
        return Role.ATTENDEE
    if joining.person.key == meeting.host.key:
        return Role.HOST
    return Role.CO_HOST if instance.host() else Role.HOST


def role_when_host_returns(meeting: Meeting, former: Connection) -> Role:
    """What becomes of whoever held the host rights meanwhile."""
    if former.signed_in and meeting.may_host(former.person):
        return Role.CO_HOST
    return Role.ATTENDEE


def heir(instance: Instance, *, anyone: bool) -> Connection | None:
    """Who becomes host now that there is none; the longest in the room first."""
    people = [each for each in instance.inside() if not each.phone]
    for candidate in people:
        if candidate.role is Role.CO_HOST:
            return candidate
    for candidate in people:
        if candidate.signed_in:
            return candidate
    return people[0] if anyone and people else None
