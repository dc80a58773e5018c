"""The table of invitations: how far each person's has come. No words, no addresses.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.store.columns import moment


class InvitationRow(SQLModel, table=True):
    """One person's invitation to one session; the latest, with the link it carried."""

    __tablename__ = "invitations"

    session_id: str = Field(primary_key=True)
    person_id: str = Field(primary_key=True)
    channel: str
    state: str
    registrant_id: str = ""
    plan_version: int = 0
    at: datetime = moment()
    by: str
    problem: str = ""
