"""The table of concerns: the most sensitive thing here, so nearly all of it is sealed.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class ConcernRow(SQLModel, table=True):
    """A draft of a concern, or one that was raised; the safeguarding lead reads it."""

    __tablename__ = "concerns"

    id: str = Field(primary_key=True)
    state: str = Field(default="draft", index=True)
    reporter_id: str = Field(index=True)
    about_worker: str = ""
    session_id: str = ""
    body_sealed: bytes = sealed(null=False)
    started_at: datetime = moment()
    saved_at: datetime = moment()
    raised_at: datetime | None = moment(null=True)
    taken_at: datetime | None = moment(null=True)
    taken_by: str = ""
