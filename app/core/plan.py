"""The plan of a group session: what was decided before anybody joined.

Holds pseudonymous ids and facts only. Names live in the directory, texts in the store.
"""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.core.codec import personal


class Role(StrEnum):
    """A worker's part in one group session (guidance S3)."""

    LEAD = "lead"
    SUPPORT = "support"
    STANDBY = "standby"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSlot:
    """A rostered worker and how the platform will show them.

    ``platform_user_id`` is the directory or account id entered by a manager (guidance
    001.5). ``shared_login``: several people use that account, so it proves nobody until
    that person pressed "I am in" (DESIGN §5, line 17).
    """

    person_id: str
    role: Role
    platform_user_id: str = ""
    shared_login: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OneToOne:
    """A dated talk with a client before they join a group (guidance T9)."""

    worker_id: str
    held_on: date
    worker_leads_group: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitedClient:
    """A client on the list, with the gates an invitation has to pass."""

    person_id: str
    one_to_ones: tuple[OneToOne, ...] = ()
    consent_to_take_part: bool = False
    recording_consent: bool = False
    high_risk: bool = False
    risk_reviewed: bool = False
    has_contact: bool = False
    has_referrer: bool = False
    known_to: str = ""
    new_to_group: bool = False
    age_years: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRule:
    """One agreed rule under one of the four required headings (guidance T3)."""

    heading: str
    text: str


HEADINGS = ("confidentiality", "respect", "new members", "behaviour")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRules:
    """The group's own words, versioned."""

    version: int = 0
    rules: tuple[GroundRule, ...] = ()

    def text(self) -> str:
        """The rules as one message, numbered, in the agreed words."""
        return "\n".join(f"{n}. {r.text}" for n, r in enumerate(self.rules, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything decided about one group session, as of ``version``.

    ``starts_at`` / ``ends_at`` are aware UTC; ``zone`` is the IANA zone they were
    entered in. ``alarm_channels``: by how many ways the confirmed contacts are reached,
    0 when it was not counted. ``recording_*`` follow guidance 001.10 and T7.
    """

    session_id: str
    group_id: str
    platform: str
    starts_at: datetime
    ends_at: datetime
    zone: str = "Europe/London"
    version: int = 1
    title: str = personal()
    purpose: str = personal()
    segments: int = 0
    workers: tuple[WorkerSlot, ...] = ()
    clients: tuple[InvitedClient, ...] = ()
    ground_rules: GroundRules = GroundRules()
    under_18: bool = True
    risk_assessment: bool = False
    emergency_contacts: bool = False
    alarm_contacts_confirmed: int = 0
    alarm_channels: int = 0
    recording_reason: str = personal()
    link_is_public: bool = False

    def worker(self, person_id: str) -> WorkerSlot | None:
        """The slot of that worker, or None."""
        return next((w for w in self.workers if w.person_id == person_id), None)

    def client(self, person_id: str) -> InvitedClient | None:
        """The invitation of that client, or None."""
        return next((c for c in self.clients if c.person_id == person_id), None)

    @property
    def lead(self) -> WorkerSlot | None:
        """The planned lead worker, or None."""
        return next((w for w in self.workers if w.role is Role.LEAD), None)
