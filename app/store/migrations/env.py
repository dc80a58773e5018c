"""Alembic's way in: always with a connection handed over by app.store.migrate."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel

import app.store.tables
import app.store.tables_accounts
import app.store.tables_concerns
import app.store.tables_dossiers
import app.store.tables_drafts
import app.store.tables_exports
import app.store.tables_invitations
import app.store.tables_policies
import app.store.tables_privacy  # noqa: F401
from app.store.columns import Moment


def _render(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write our own type by its bare name; everything else as alembic does."""
    return "Moment()" if kind == "type" and isinstance(thing, Moment) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,
    render_item=_render,
)
context.run_migrations()
