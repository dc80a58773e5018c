"""How long it takes to be back: docs/restore.md has the figure measured here."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.backup.make import make
from app.backup.restore import Order, restore
from app.backup_key import new_pair, private_key, public_key
from app.bench.seed import bench_rooms, plant
from app.clock import SystemClock
from app.core.presses import LinkIssued
from app.crypto import new_token
from app.store import log
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from tests.backup.conftest import FROM_EITHER, KEYS

pytestmark = pytest.mark.long

SESSIONS, FACTS = 200, 100_000
BACK_WITHIN = timedelta(minutes=30)
BODY = b"{" + b"x" * 900 + b"}"


def deliveries(store: Store, count: int, now: object) -> Iterator[dict[str, object]]:
    for _ in range(count):
        ref = new_token()
        yield {
            "ref": ref,
            "platform": "zoom",
            "event_type": "meeting.participant_joined",
            "meeting_id": "81",
            "received_at": now,
            "body_sealed": store.seal(BODY, f"deliveries:body:{ref}"),
            "late": False,
        }


@FROM_EITHER
def test_back_within_half_an_hour(address: str, tmp_path: Path) -> None:
    clock, pair = SystemClock(), new_pair()
    engine = open_engine(address)
    migrate(engine)
    store, now = Store(engine, KEYS, InlineDoor(engine)), clock.now()
    plant(store, bench_rooms(SESSIONS), now, policy={}, live_roster=True)
    with store.unit() as db:
        db.execute(log.deliveries.insert(), list(deliveries(store, FACTS, now)))
        fact = LinkIssued(at=now, person_id="b", registrant_id="r", meeting_id="81")
        log.add(db, [log.entry(store, fact, new_token(), now) for _ in range(FACTS)])
    store.close()
    made = make(make_url(address), KEYS, tmp_path / "b", public_key(pair.public), clock)
    target = make_url(f"sqlite:///{tmp_path / 'back.db'}")
    order = Order(made.path, private_key(pair.private), target, KEYS, now)
    if not address.startswith("sqlite"):
        order = Order(made.path, order.key, make_url(address), KEYS, now, replace=True)
    begun = clock.monotonic()
    done = restore(order)
    took = timedelta(seconds=clock.monotonic() - begun)
    print(  # noqa: T201 - the figure is what it is for
        f"\n{address.split(':')[0]}: {done.rows:,} rows, {made.size / 1e6:.0f} MB; "
        f"written in {made.took.total_seconds():.1f} s, tried out in "
        f"{made.trial.total_seconds():.1f} s, restored in {took.total_seconds():.1f} s"
    )
    assert took < BACK_WITHIN
