"""The tables of what is on file about a person beside the list of people.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import date, datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class DossierRow(SQLModel, table=True):
    """Communication needs of a client; disclosure check and training of a worker."""

    __tablename__ = "dossiers"

    person_id: str = Field(primary_key=True)
    details_sealed: bytes = sealed(null=False)
    updated_at: datetime = moment()


class ConsentRow(SQLModel, table=True):
    """A consent for one purpose, and when it was taken back (guidance B6)."""

    __tablename__ = "consents"

    id: str = Field(primary_key=True)
    person_id: str = Field(index=True)
    scope: str
    given_on: date
    withdrawn_on: date | None = None
    details_sealed: bytes = sealed(null=False)
    entered_by: str
    created_at: datetime = moment()


class TalkPointsRow(SQLModel, table=True):
    """What a one-to-one covered, from a fixed list."""

    __tablename__ = "one_to_one_points"

    talk_id: str = Field(primary_key=True)
    client_id: str = Field(index=True)
    covered: list[str] = Field(sa_column=Column(JSON, nullable=False), default=[])
