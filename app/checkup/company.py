"""The processes that share a PostgreSQL: whether every session is in somebody's charge."""

from app.checkup.finding import Finding
from app.store import leases
from app.store.database import Store

NOBODY_RUNS = "No service runs on this database now."


async def processes(store: Store) -> list[Finding]:
    """Nothing to say on SQLite, which one process serves."""
    if store.engine.dialect.name == "sqlite":
        return []
    alive, unheld = await store.read(leases.counted)
    if not alive:
        return [Finding("processes", "ok", NOBODY_RUNS)]
    if unheld:
        return [
            Finding(
                "processes",
                "warn",
                f"{alive} serve this database; of {unheld} of {leases.SHARDS} shards of "
                "sessions none is in charge.",
                "Look again in ten seconds: a process may just have ended. If it stays "
                "so, look at their logs.",
            )
        ]
    told = f"{alive} share the sessions." if alive > 1 else "One has all sessions."
    return [Finding("processes", "ok", told)]
