"""The tables. Everything that names or describes a person is sealed or keyed.

A column ending in ``_sealed`` holds a value of :class:`app.crypto.Keyring`, bound to
``table:column:row``. Times are whole microseconds since 1970 UTC, so that both stores
sort and compare them alike. How long each table's rows are kept stands in
docs/data-inventory.md; a test compares the two.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, LargeBinary, Text
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


def ticks_of(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _TICK


def moment_of(ticks: int) -> datetime:
    """The aware UTC datetime again."""
    return _EPOCH + ticks * _TICK


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime, stored as microseconds since 1970."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else ticks_of(value)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else moment_of(value)


def _moment(*, index: bool = False, null: bool = False) -> Any:
    return Field(sa_column=Column(Moment, index=index, nullable=null), default=None)


def _sealed(*, null: bool = True) -> Any:
    return Field(sa_column=Column(LargeBinary, nullable=null), default=None)


# --- the log ----------------------------------------------------------------------


class LogRow(SQLModel, table=True):
    """One fact. ``ref`` makes it unique (dedupe key of a webhook, or our own id)."""

    __tablename__ = "log"
    __table_args__ = (Index("log_meeting", "platform", "meeting_id", "seq"),)

    seq: int | None = Field(
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        default=None,
    )
    ref: str = Field(unique=True)
    session_id: str | None = Field(default=None, index=True)
    platform: str = ""
    meeting_id: str = ""
    instance: str = ""
    kind: str
    source: str
    at: datetime = _moment()
    heard_at: datetime = _moment()
    public: str = Field(sa_column=Column(Text, nullable=False))


class LogPersonalRow(SQLModel, table=True):
    """The erasable half of a fact: names, addresses, free text."""

    __tablename__ = "log_personal"

    ref: str = Field(primary_key=True)
    heard_at: datetime = _moment(index=True)
    fields_sealed: bytes = _sealed(null=False)


class DeliveryRow(SQLModel, table=True):
    """A webhook as it came, byte for byte, for 14 days; no body for an unknown meeting."""

    __tablename__ = "deliveries"

    ref: str = Field(primary_key=True)
    platform: str
    event_type: str
    meeting_id: str = ""
    received_at: datetime = _moment(index=True)
    body_sealed: bytes | None = _sealed()
    late: bool = False


class QuarantineRow(SQLModel, table=True):
    """A hash of what was refused or belonged to another account. Never the content."""

    __tablename__ = "quarantine"

    ref: str = Field(primary_key=True)
    platform: str
    why: str
    received_at: datetime = _moment(index=True)


class CounterRow(SQLModel, table=True):
    """How often something was seen, for the administrator: new event types and the like."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = _moment()


class LastSeenRow(SQLModel, table=True):
    """The last complete look at an instance: one row, overwritten (DESIGN §5, line 3)."""

    __tablename__ = "last_seen"

    platform: str = Field(primary_key=True)
    meeting_id: str = Field(primary_key=True)
    instance: str = Field(primary_key=True)
    proof_at: datetime | None = _moment(null=True)
    failing_since: datetime | None = _moment(null=True)
    seen: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])


# --- actions, deadlines, alarms ---------------------------------------------------


class ActionRow(SQLModel, table=True):
    """An action and where it stands; the queue the dispatcher works from."""

    __tablename__ = "actions"
    __table_args__ = (
        Index("actions_once", "session_id", "key", unique=True),
        Index("actions_due", "state", "next_at"),
    )

    id: str = Field(primary_key=True)
    session_id: str
    key: str
    kind: str
    rank: int = 0
    mode: str = "act"
    body: str = Field(sa_column=Column(Text, nullable=False))
    body_sealed: bytes | None = _sealed()
    state: str = "wanted"
    route: str = ""
    tries: int = 0
    wanted_at: datetime = _moment()
    sent_at: datetime | None = _moment(null=True)
    last_sent_at: datetime | None = _moment(null=True)
    confirmed_at: datetime | None = _moment(null=True)
    next_at: datetime | None = _moment(null=True)
    not_after: datetime | None = _moment(null=True)
    problem: str = ""
    proof: str = ""
    position: int = 0


class DeadlineRow(SQLModel, table=True):
    """When ``decide`` must be asked again for a session, whatever happens."""

    __tablename__ = "deadlines"

    session_id: str = Field(primary_key=True)
    at: datetime = _moment(index=True)
    why: str = ""


class PeriodicRow(SQLModel, table=True):
    """When a periodic job last ran to its end."""

    __tablename__ = "periodic"

    name: str = Field(primary_key=True)
    last_at: datetime = _moment()


class ContactRow(SQLModel, table=True):
    """An alarm contact. Counts only once ``confirmed_at`` is set."""

    __tablename__ = "contacts"

    id: str = Field(primary_key=True)
    channel: str
    address_sealed: bytes = _sealed(null=False)
    secret_sealed: bytes | None = _sealed()
    label: str = ""
    created_at: datetime = _moment()
    confirmed_at: datetime | None = _moment(null=True)
    code_digest: str = ""


class AlarmRow(SQLModel, table=True):
    """An alarm that leaves the page, repeated until a named person takes it (I9)."""

    __tablename__ = "alarms"

    id: str = Field(primary_key=True)
    session_id: str | None = Field(default=None, index=True)
    key: str = Field(unique=True)
    level: str
    audience: str
    text: str
    what_to_do: str = ""
    raised_at: datetime = _moment()
    acknowledged_at: datetime | None = _moment(null=True)
    acknowledged_by: str = ""
    ended_at: datetime | None = _moment(null=True)


class OutboxRow(SQLModel, table=True):
    """One alarm for one contact; sent at least once, marked sent only after an answer."""

    __tablename__ = "outbox"
    __table_args__ = (Index("outbox_due", "state", "next_at"),)

    id: str = Field(primary_key=True)
    alarm_id: str = Field(index=True)
    contact_id: str
    state: str = "due"
    tries: int = 0
    sent_count: int = 0
    next_at: datetime = _moment()
    last_sent_at: datetime | None = _moment(null=True)
    problem: str = ""


# --- people, groups, sessions -----------------------------------------------------


class PersonRow(SQLModel, table=True):
    """A worker or a client. Names and contacts are sealed JSON."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    kind: str
    details_sealed: bytes | None = _sealed()
    platform_user_id: str = ""
    shared_login: bool = False
    consent_to_take_part: bool = False
    recording_consent: bool = False
    high_risk: bool = False
    risk_reviewed_on: date | None = None
    has_contact: bool = False
    has_referrer: bool = False
    known_to: str = ""
    age_years: int | None = None
    active: bool = True
    created_at: datetime = _moment()
    updated_at: datetime = _moment()


class OneToOneRow(SQLModel, table=True):
    """A dated talk between a worker and a client (guidance T9)."""

    __tablename__ = "one_to_ones"

    id: str = Field(primary_key=True)
    client_id: str = Field(index=True)
    worker_id: str
    held_on: date
    channel: str = ""
    outcome_sealed: bytes | None = _sealed()
    created_at: datetime = _moment()


class GroupRow(SQLModel, table=True):
    """A group of the charity and its agreed ground rules, versioned."""

    __tablename__ = "groups"

    id: str = Field(primary_key=True)
    name: str
    under_18: bool = True
    rules_version: int = 0
    rules: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    leads: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    created_at: datetime = _moment()


class GroundRulesRow(SQLModel, table=True):
    """Every version of a group's ground rules ever agreed; nothing is overwritten (T3)."""

    __tablename__ = "ground_rules"

    group_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    rules: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    made_with: str = ""
    adopted_at: datetime = _moment()
    by: str = ""


class SessionRow(SQLModel, table=True):
    """A planned group session. Local date, time and zone are what was entered."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    group_id: str = Field(index=True)
    platform: str
    texts_sealed: bytes | None = _sealed()
    local_start: str
    local_end: str
    zone: str
    starts_at: datetime = _moment(index=True)
    ends_at: datetime = _moment(index=True)
    workers: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    clients: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    segments: int = 0
    risk_assessment: bool = False
    emergency_contacts: bool = False
    recording_reason: str = ""
    link_is_public: bool = False
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), default={})
    marker: str = Field(default="", index=True)
    version: int = 1
    state: str = "planned"
    created_at: datetime = _moment()
    closed_at: datetime | None = _moment(null=True)


class MeetingRow(SQLModel, table=True):
    """A platform meeting that belongs to a session."""

    __tablename__ = "meetings"

    platform: str = Field(primary_key=True)
    meeting_id: str = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    instance: str = ""
    join_url_sealed: bytes | None = _sealed()
    watch_only: bool = False
    opens_at: datetime = _moment()
    closes_at: datetime = _moment()
    bound_at: datetime = _moment()


class LinkRow(SQLModel, table=True):
    """A personal link. The address is a secret and lies sealed."""

    __tablename__ = "links"

    session_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    registrant_id: str = Field(default="", index=True)
    platform: str = ""
    meeting_id: str = ""
    alias: str = ""
    url_sealed: bytes | None = _sealed()
    state: str = "active"
    created_at: datetime = _moment()


class NoteRow(SQLModel, table=True):
    """Session notes, one row per version; nothing is overwritten (I14)."""

    __tablename__ = "notes"

    session_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    author: str
    at: datetime = _moment()
    text_sealed: bytes = _sealed(null=False)


class RecordRow(SQLModel, table=True):
    """A confirmed record, frozen as its own row (DESIGN §5, line 13)."""

    __tablename__ = "records"

    session_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime = _moment()
    by: str
    digest: str
    record_sealed: bytes = _sealed(null=False)


# --- access -----------------------------------------------------------------------


class TokenRow(SQLModel, table=True):
    """A bearer token of the JSON API; only its keyed digest is kept."""

    __tablename__ = "tokens"

    id: str = Field(primary_key=True)
    name: str
    digest: str = Field(unique=True)
    scopes: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    created_at: datetime = _moment()
    last_used_at: datetime | None = _moment(null=True)
    revoked_at: datetime | None = _moment(null=True)


class SignInLinkRow(SQLModel, table=True):
    """A single-use way in; only its keyed digest is kept."""

    __tablename__ = "sign_in_links"

    digest: str = Field(primary_key=True)
    person_id: str
    role: str
    created_at: datetime = _moment()
    expires_at: datetime = _moment()
    used_at: datetime | None = _moment(null=True)


class WebSessionRow(SQLModel, table=True):
    """A signed-in browser; only the keyed digest of its cookie is kept."""

    __tablename__ = "web_sessions"

    digest: str = Field(primary_key=True)
    person_id: str
    role: str
    csrf: str
    created_at: datetime = _moment()
    seen_at: datetime = _moment()
    expires_at: datetime = _moment(index=True)
