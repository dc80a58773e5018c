"""The table of what other programs' columns are called.

The rules of :mod:`app.store.tables` hold here too.
"""

from datetime import datetime

from sqlmodel import Field, SQLModel

from app.store.columns import moment, sealed


class ExportLayoutRow(SQLModel, table=True):
    """How the charity's own database wants its attendance: columns and words. No person."""

    __tablename__ = "export_layouts"

    id: str = Field(primary_key=True)
    layout_sealed: bytes = sealed(null=False)
    updated_at: datetime = moment()
