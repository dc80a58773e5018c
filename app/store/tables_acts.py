"""The tables of what has to happen: actions, deadlines, alarms and who hears of them."""

from datetime import datetime

from sqlalchemy import BigInteger, Column, Index, Text
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


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
    body_sealed: bytes | None = sealed()
    state: str = "wanted"
    route: str = ""
    tries: int = 0
    wanted_at: datetime = moment()
    sent_at: datetime | None = moment(null=True)
    last_sent_at: datetime | None = moment(null=True)
    confirmed_at: datetime | None = moment(null=True)
    next_at: datetime | None = moment(null=True)
    not_after: datetime | None = moment(null=True)
    problem: str = ""
    proof: str = ""
    position: int = 0


class DeadlineRow(SQLModel, table=True):
    """When ``decide`` must be asked again for a session, whatever happens."""

    __tablename__ = "deadlines"

    session_id: str = Field(primary_key=True)
    at: datetime = moment(index=True)
    why: str = ""


class PeriodicRow(SQLModel, table=True):
    """When a periodic job last ran to its end."""

    __tablename__ = "periodic"

    name: str = Field(primary_key=True)
    last_at: datetime = moment()


class LeaseRow(SQLModel, table=True):
    """Which process is in charge of a shard of sessions, or of the work done once.

    ``fence`` grows by one with each claim. A row of a process itself says that it lives.
    """

    __tablename__ = "leases"

    name: str = Field(primary_key=True)
    owner: str = Field(default="", index=True)
    fence: int = Field(sa_column=Column(BigInteger, nullable=False), default=0)
    expires_at: datetime | None = moment(null=True)


class RememberedRow(SQLModel, table=True):
    """What the engine remembers from one process to the next: clocks, spooled records."""

    __tablename__ = "remembered"

    name: str = Field(primary_key=True)
    value: str = ""
    at: datetime = moment()


class ContactRow(SQLModel, table=True):
    """An alarm contact. Counts only once ``confirmed_at`` is set."""

    __tablename__ = "contacts"

    id: str = Field(primary_key=True)
    channel: str
    address_sealed: bytes = sealed(null=False)
    secret_sealed: bytes | None = sealed()
    label_sealed: bytes | None = sealed()
    created_at: datetime = moment()
    confirmed_at: datetime | None = moment(null=True)
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
    raised_at: datetime = moment()
    acknowledged_at: datetime | None = moment(null=True)
    acknowledged_by: str = ""
    ended_at: datetime | None = moment(null=True)


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
    next_at: datetime = moment()
    last_sent_at: datetime | None = moment(null=True)
    problem: str = ""
