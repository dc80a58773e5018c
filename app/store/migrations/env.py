"""Alembic's way in: always with a connection handed over by app.store.migrate."""

from alembic import context
from sqlmodel import SQLModel

import app.store.tables
import app.store.tables_accounts  # noqa: F401

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
