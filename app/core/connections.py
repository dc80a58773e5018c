"""One connection in one meeting: what the platform calls it, and its marks."""

from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.core.stays import (
    STALE_ROSTER,
    Mark,
    MarkKind,
    Stay,
    Whereabouts,
    walk,
)

__all__ = [
    "STALE_ROSTER",
    "Connection",
    "Mark",
    "MarkKind",
    "Stay",
    "Whereabouts",
]

_RIGHTS = ("host", "co-host")


@dataclass(slots=True)
class Connection:
    """``registrant_id``, ``platform_user_id``, ``email`` and ``phone``: as told first, by
    event time, so that nothing heard later changes who somebody is.

    ``told_roles`` were reported by an event, ``seen_roles`` read from a roster.
    ``proved_at`` is the last roster read that showed it; kept outside the log (one
    ``last_seen`` row), so it only ever sharpens what the marks say.
    """

    key: str
    uuid: str = ""
    user_ids: set[str] = field(default_factory=set)
    registrant_id: str = ""
    platform_user_id: str = ""
    name: str = ""
    names: dict[datetime, str] = field(default_factory=dict)
    email: str = ""
    phone: str = ""
    by_phone: bool = False
    told_roles: dict[datetime, str] = field(default_factory=dict)
    seen_roles: dict[datetime, str] = field(default_factory=dict)
    bound_to: str = ""
    proved_at: datetime | None = None
    marks: list[Mark] = field(default_factory=list)
    _told: dict[str, tuple[datetime, str]] = field(default_factory=dict, repr=False)
    _bound_at: datetime | None = field(default=None, repr=False)
    _where: Whereabouts | None = field(default=None, repr=False)
    _ended_at: datetime | None = field(default=None, repr=False)

    def add(self, mark: Mark) -> None:
        """Insert a mark in time order; the same mark twice changes nothing."""
        place = bisect_left(self.marks, mark)
        if place < len(self.marks) and self.marks[place] == mark:
            self.marks[place] = self.marks[place].joined_with(mark)
        else:
            insort(self.marks, mark)
        self._where = None

    def whereabouts(self, ended_at: datetime | None = None) -> Whereabouts:
        """Where the connection is now, given the end of its instance if there is one."""
        if self._where is None or self._ended_at != ended_at:
            self._ended_at = ended_at
            marks = self.marks
            if ended_at is not None:
                marks = sorted([*marks, Mark(ended_at, MarkKind.ENDED, cause="ended")])
            self._where = walk(marks)
        return self._where

    @property
    def roles(self) -> Mapping[datetime, str]:
        """Its role from each moment on: ``host``, ``co-host`` or ``attendee``.

        A live list that says "attendee" also for co-hosts takes no role away but host's.
        """
        if not self.seen_roles:
            return self.told_roles
        found: dict[datetime, str] = {}
        role = ""
        for at in sorted({*self.told_roles, *self.seen_roles}):
            seen = self.seen_roles.get(at, "")
            if at in self.told_roles:
                role = self.told_roles[at]
            elif seen == "host" or role != "co-host":
                role = seen
            found[at] = role
        return found

    @property
    def role(self) -> str:
        """The latest role: ``host``, ``co-host``, ``attendee`` or "" for not told."""
        roles = self.roles
        return roles[max(roles)] if roles else ""

    @property
    def user_id(self) -> str:
        """One of its seat numbers, the same one each time."""
        return max(self.user_ids, default="")

    @property
    def first_at(self) -> datetime | None:
        """The time of its first mark."""
        return self.marks[0].at if self.marks else None

    # --- what is told of it: the order of hearing never matters ----------------------

    def tell(self, at: datetime, what: str, value: str) -> None:
        """Learn an id or a contact; what was told first by event time stays."""
        told = self._told.get(what)
        if value and (told is None or (at, value) < told):
            self._told[what] = (at, value)
            setattr(self, what, value)

    def rename(self, at: datetime, name: str) -> None:
        """The name shown at that moment."""
        if name:
            self.names[at] = max(self.names.get(at, ""), name)
            self.name = self.names[max(self.names)]

    def give_role(self, at: datetime, role: str, *, seen: bool = False) -> None:
        """The role at that moment; of two at one moment the one with more rights."""
        roles = self.seen_roles if seen else self.told_roles
        if role:
            roles[at] = min(roles.get(at, role), role, key=_by_rights)

    def bind(self, at: datetime, key: str) -> None:
        """The connection that this telephone leg belongs to; the latest word counts."""
        self.by_phone = True
        if self._bound_at is None or (at, key) > (self._bound_at, self.bound_to):
            self._bound_at, self.bound_to = at, key

    def absorb(self, other: "Connection") -> None:
        """Take over everything of another connection that turned out to be this one."""
        self.uuid = self.uuid or other.uuid
        self.user_ids |= other.user_ids
        for what in _LEARNT:
            if what in other._told:
                self.tell(other._told[what][0], what, other._told[what][1])
            elif not getattr(self, what):
                setattr(self, what, getattr(other, what))
        for at, name in other.names.items():
            self.rename(at, name)
        for at, role in other.told_roles.items():
            self.give_role(at, role)
        for at, role in other.seen_roles.items():
            self.give_role(at, role, seen=True)
        self.by_phone = self.by_phone or other.by_phone
        if other._bound_at is not None:
            self.bind(other._bound_at, other.bound_to)
        if other.proved_at is not None:
            self.proved_at = max(self.proved_at or other.proved_at, other.proved_at)
        for mark in other.marks:
            self.add(mark)


_LEARNT = ("registrant_id", "platform_user_id", "email", "phone")


def _by_rights(role: str) -> tuple[int, str]:
    return (_RIGHTS.index(role) if role in _RIGHTS else len(_RIGHTS), role)
