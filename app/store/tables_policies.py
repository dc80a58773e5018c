"""The table of the organisation's policy: one row for each version of it.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class PolicyVersionRow(SQLModel, table=True):
    """What differs from the policy as shipped, since when, by whom and why."""

    __tablename__ = "policy_versions"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    changes: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    reason_sealed: bytes = sealed(null=False)
    made_at: datetime = moment(index=True)
    by: str
