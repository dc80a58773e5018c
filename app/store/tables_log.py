"""The tables of what happened: the log, raw webhooks, last looks, counters."""

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Column, Index, Integer, Text, text
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed

_OF_A_SESSION = text("session_id IS NOT NULL")


class LogRow(SQLModel, table=True):
    """One fact. ``ref`` makes it unique (dedupe key of a webhook, or our own id)."""

    __tablename__ = "log"
    # What a platform reports belongs to no session by itself: nine rows of ten have none,
    # and each would be one more page to write.
    __table_args__ = (
        Index("log_meeting", "platform", "meeting_id", "seq"),
        Index(
            "log_session",
            "session_id",
            "seq",
            sqlite_where=_OF_A_SESSION,
            postgresql_where=_OF_A_SESSION,
        ),
    )

    seq: int | None = Field(
        sa_column=Column(
            BigInteger().with_variant(Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        default=None,
    )
    ref: str = Field(unique=True)
    session_id: str | None = Field(default=None)
    platform: str = ""
    meeting_id: str = ""
    instance: str = ""
    kind: str
    source: str
    at: datetime = moment()
    heard_at: datetime = moment()
    public: str = Field(sa_column=Column(Text, nullable=False))


class LogPersonalRow(SQLModel, table=True):
    """The erasable half of a fact: names, addresses, free text."""

    __tablename__ = "log_personal"

    ref: str = Field(primary_key=True)
    heard_at: datetime = moment(index=True)
    fields_sealed: bytes = sealed(null=False)


class DeliveryRow(SQLModel, table=True):
    """A webhook as it came, byte for byte, for 14 days; no body for an unknown meeting."""

    __tablename__ = "deliveries"

    ref: str = Field(primary_key=True)
    platform: str
    event_type: str
    meeting_id: str = ""
    received_at: datetime = moment(index=True)
    body_sealed: bytes | None = sealed()
    late: bool = False


class QuarantineRow(SQLModel, table=True):
    """A hash of what was refused or belonged to another account. Never the content."""

    __tablename__ = "quarantine"

    ref: str = Field(primary_key=True)
    platform: str
    why: str
    received_at: datetime = moment(index=True)


class CounterRow(SQLModel, table=True):
    """How often something was seen, for the administrator: new event types and the like."""

    __tablename__ = "counters"

    name: str = Field(primary_key=True)
    count: int = 0
    last_at: datetime = moment()


class LastSeenRow(SQLModel, table=True):
    """The last complete look at an instance: one row, overwritten (DESIGN §5, line 3)."""

    __tablename__ = "last_seen"

    platform: str = Field(primary_key=True)
    meeting_id: str = Field(primary_key=True)
    instance: str = Field(primary_key=True)
    proof_at: datetime | None = moment(null=True)
    failing_since: datetime | None = moment(null=True)
    seen: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
