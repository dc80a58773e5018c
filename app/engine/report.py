"""How the engine is, for /readyz, /metrics and the administrator."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from app.engine.contract import EngineStatus
from app.engine.leases import Leases
from app.engine.sessions import Held
from app.store import log, queue
from app.store.database import Store

CONTACTS_NEEDED = 2


async def status_of(
    store: Store,
    platforms: Iterable[str],
    held: Iterable[Held],
    leases: Leases,
    *,
    awake: bool,
    problems: Sequence[str] = (),
) -> EngineStatus:
    """Counts and times, no names; ``problems`` the engine knows of itself."""
    known = tuple(platforms)

    def work(db: Connection) -> tuple[int, int, Mapping[str, int], dict[str, Any]]:
        seen = {name: log.last_delivery(db, name) for name in known}
        counts = {name: count for name, (count, _) in log.counted(db).items()}
        return queue.confirmed_contacts(db), len(queue.open_alarms(db)), counts, seen

    contacts, alarms, counts, seen = await store.read(work)
    sessions = list(held)
    return EngineStatus(
        awake=awake,
        live_sessions=sum(any(one.session.live()) for one in sessions),
        waiting_actions=sum(len(one.actions) for one in sessions),
        unacknowledged_alarms=alarms,
        contacts_confirmed=contacts,
        last_webhook_at=seen,
        counters=counts,
        problems=(*_problems(contacts), *problems),
        shards=leases.shards,
        processes=leases.processes,
        refused_writes=leases.refused,
    )


def _problems(contacts: int) -> tuple[str, ...]:
    if contacts >= CONTACTS_NEEDED:
        return ()
    return (
        f"{contacts} of {CONTACTS_NEEDED} alarm contacts are confirmed. Until two are, "
        "nobody outside the page hears an alarm for certain.",
    )
