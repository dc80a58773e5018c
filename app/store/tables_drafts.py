"""The table of what somebody has typed and not saved yet.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class DraftRow(SQLModel, table=True):
    """One person's unsaved form of one session; nobody else is shown its words."""

    __tablename__ = "drafts"

    session_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True, index=True)
    form: str = Field(primary_key=True)
    fields_sealed: bytes = sealed(null=False)
    saved_at: datetime = moment(index=True)
