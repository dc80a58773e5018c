"""Who a connection is. Never by its display name."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.connections import Connection
from app.core.session import GroupSession, Instance


class Who(StrEnum):
    """What a connection counts as."""

    WORKER = "verified worker"
    CHALLENGED = "says worker, not proven"
    CLIENT = "invited client"
    DOUBTFUL = "invited client's link, person not sure"
    STRANGER = "stranger"
    PHONE = "phone caller"
    RECORDER = "recorder or note-taker"


@dataclass(frozen=True, slots=True)
class Standing:
    """Who a connection is and why we think so.

    ``person_id`` "" when nobody on the list. ``why`` is a short sentence for the page.
    ``looks_like``: person id of somebody whose name it copies (N01-N03), "" for none.
    ``verified_from``: from when a worker counts.
    """

    who: Who
    person_id: str = ""
    why: str = ""
    looks_like: str = ""
    verified_from: datetime | None = None

    @property
    def is_worker(self) -> bool:
        """Only a verified worker counts as a worker."""
        return self.who is Who.WORKER

    @property
    def at_risk(self) -> bool:
        """Whether a room holding this connection and no worker is unsafe."""
        return self.who not in (Who.WORKER, Who.RECORDER)


def standing(
    session: GroupSession, instance: Instance, connection: Connection
) -> Standing:
    """Say who a connection is, from link, account or a worker's word; never its name."""
    raise AssertionError("being written")
