"""The tables of data protection: what must not be deleted yet, and who was erased."""

from datetime import date, datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class HoldRow(SQLModel, table=True):
    """A legal hold on a person or a session: nothing of them is deleted while it lasts."""

    __tablename__ = "holds"

    id: str = Field(primary_key=True)
    subject: str
    subject_id: str = Field(index=True)
    reason_sealed: bytes = sealed(null=False)
    placed_by: str
    placed_at: datetime = moment()
    review_on: date
    lifted_at: datetime | None = moment(null=True)
    lifted_by: str = ""


class ErasureRow(SQLModel, table=True):
    """The certificate of an erasure, by id and counts; done again after a restore (I24)."""

    __tablename__ = "erasures"

    person_id: str = Field(primary_key=True)
    erased_at: datetime = moment(index=True)
    by: str
    counts: dict[str, int] = Field(sa_column=Column(JSON, nullable=False), default={})
