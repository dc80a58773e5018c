"""The tables of the charity: people, groups, sessions, meetings, links, notes, records."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class PersonRow(SQLModel, table=True):
    """A worker or a client. Names and contacts are sealed JSON."""

    __tablename__ = "people"

    id: str = Field(primary_key=True)
    kind: str
    details_sealed: bytes | None = sealed()
    platform_user_id: str = ""
    shared_login: bool = False
    consent_to_take_part: bool = False
    recording_consent: bool = False
    high_risk: bool = False
    risk_reviewed_on: date | None = None
    has_contact: bool = False
    has_referrer: bool = False
    contacts_gone: bool = False
    known_to: str = ""
    age_years: int | None = None
    active: bool = True
    created_at: datetime = moment()
    updated_at: datetime = moment()


class OneToOneRow(SQLModel, table=True):
    """A dated talk between a worker and a client (guidance T9)."""

    __tablename__ = "one_to_ones"

    id: str = Field(primary_key=True)
    client_id: str = Field(index=True)
    worker_id: str
    held_on: date
    channel_sealed: bytes | None = sealed()
    outcome_sealed: bytes | None = sealed()
    created_at: datetime = moment()


class GroupRow(SQLModel, table=True):
    """A group of the charity and its agreed ground rules, versioned."""

    __tablename__ = "groups"

    id: str = Field(primary_key=True)
    name_sealed: bytes = sealed(null=False)
    under_18: bool = True
    rules_version: int = 0
    rules: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    leads: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    created_at: datetime = moment()


class GroundRulesRow(SQLModel, table=True):
    """Every version of a group's ground rules ever agreed; nothing is overwritten (T3)."""

    __tablename__ = "ground_rules"

    group_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    rules: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    made_with_sealed: bytes | None = sealed()
    adopted_at: datetime = moment()
    by: str = ""


class SessionRow(SQLModel, table=True):
    """A planned group session. Local date, time and zone are what was entered."""

    __tablename__ = "sessions"

    id: str = Field(primary_key=True)
    group_id: str = Field(index=True)
    platform: str
    texts_sealed: bytes | None = sealed()
    local_start: str
    local_end: str
    zone: str
    starts_at: datetime = moment(index=True)
    ends_at: datetime = moment(index=True)
    workers: list[dict[str, str]] = Field(
        sa_column=Column(JSON, nullable=False), default=[]
    )
    clients: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
    segments: int = 0
    risk_assessment: bool = False
    emergency_contacts: bool = False
    link_is_public: bool = False
    policy: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False), default={})
    marker: str = Field(default="", index=True)
    version: int = 1
    state: str = "planned"
    created_at: datetime = moment()
    closed_at: datetime | None = moment(null=True)


class MeetingRow(SQLModel, table=True):
    """A platform meeting that belongs to a session."""

    __tablename__ = "meetings"

    platform: str = Field(primary_key=True)
    meeting_id: str = Field(primary_key=True)
    session_id: str = Field(primary_key=True)
    instance: str = ""
    join_url_sealed: bytes | None = sealed()
    watch_only: bool = False
    opens_at: datetime = moment()
    closes_at: datetime = moment()
    bound_at: datetime = moment()


class LinkRow(SQLModel, table=True):
    """A personal link. The address is a secret and lies sealed."""

    __tablename__ = "links"

    session_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    registrant_id: str = Field(default="", index=True)
    platform: str = ""
    meeting_id: str = ""
    alias: str = ""
    url_sealed: bytes | None = sealed()
    state: str = "active"
    created_at: datetime = moment()


class NoteRow(SQLModel, table=True):
    """Session notes, one row per version; nothing is overwritten (I14)."""

    __tablename__ = "notes"

    session_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    author: str
    at: datetime = moment()
    text_sealed: bytes = sealed(null=False)


class RecordRow(SQLModel, table=True):
    """A confirmed record, frozen as its own row (DESIGN §5, line 13)."""

    __tablename__ = "records"

    session_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    at: datetime = moment()
    by: str
    digest: str
    record_sealed: bytes = sealed(null=False)
