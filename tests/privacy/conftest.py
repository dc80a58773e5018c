"""A store with an evening in which something lies in every sealed column."""

import pytest

from app.store.database import Store
from tests.privacy.everything import fill
from tests.store.conftest import Evening, image, plan, server, store

__all__ = ["image", "server", "store"]


@pytest.fixture
def planned(store: Store) -> Evening:
    """The Tuesday group, and nothing happened yet."""
    with store.unit() as db:
        return plan(db, store)


@pytest.fixture
def full(store: Store, planned: Evening) -> Evening:
    """After an evening that left a trace in every place."""
    with store.unit() as db:
        fill(db, store, planned)
    return planned
