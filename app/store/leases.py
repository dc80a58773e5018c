"""Who is in charge of what while several processes serve one PostgreSQL.

Sessions fall into 64 shards. A process claims a shard for a few seconds at a time and
renews it; the *fence* of a shard grows by one with each claim, and every transaction that
writes a decision looks at it (:func:`check`). PostgreSQL lets one writing transaction in
at a time (:mod:`app.store.on_postgresql`), so whoever checks sees every claim before.
Times are the database's: clocks of machines may differ.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from zlib import crc32

from sqlalchemy import Connection, text

from app.store.bulk import insert_once
from app.store.tables import LeaseRow

leases = LeaseRow.__table__  # type: ignore[attr-defined]

SHARDS = 64
NAMES = tuple(f"shard-{number:02}" for number in range(SHARDS))
HOUSE = "house"
"""The lease of whoever does the work that is done once: letters, forgetting, backups."""

_PROCESS = "process:"
_NOW = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
_OLD = timedelta(hours=1)


def shard_of(session_id: str) -> str:
    """The name of this session's shard; the same in every process and version."""
    return NAMES[crc32(session_id.encode()) % SHARDS]


class LeaseLost(Exception):
    """Another process is, or may be, in charge: nothing was written or sent.

    ``refused``: the store says so; else it is only likely.
    """

    def __init__(self, name: str, fence: int, *, refused: bool = False) -> None:
        super().__init__(f"{name} is not held under {fence} any more")
        self.refused = refused
        self.name = name
        self.fence = fence


@dataclass(frozen=True, slots=True)
class Turn:
    """What a process holds, by name with its fence, and how many processes there are.

    ``given_up``: how many shards it gave to others just now.
    """

    held: Mapping[str, int] = field(default_factory=dict)
    processes: int = 1
    given_up: int = 0


def take_turn(
    db: Connection, process: str, lasts: timedelta, busy: Collection[str] = ()
) -> Turn:
    """Renew what is held, give up what is more than a fair share, claim what is free.

    ``busy``: shards that are given up last. In a writing transaction.
    """
    until = {"me": process, "lasts": lasts // timedelta(microseconds=1)}
    held = _renew(db, process, until)
    processes, free = counted(db)
    share = -(-SHARDS // max(1, processes))
    surplus = sorted(held.keys() - {HOUSE}, key=lambda name: name in busy)
    surplus = surplus[: max(0, len(surplus) - share)]
    if surplus:
        _free(db, process, surplus)
        held = {name: fence for name, fence in held.items() if name not in surplus}
    elif free:
        mine = len(held.keys() - {HOUSE})
        held |= _claim(db, until, "name LIKE 'shard-%'", share - mine)
    if HOUSE not in held:
        held |= _claim(db, until, f"name = '{HOUSE}'", 1)
    return Turn(held, processes, len(surplus))


def give_back(db: Connection, process: str) -> None:
    """A clean stop: others may claim everything at once."""
    db.execute(
        text("DELETE FROM leases WHERE name = :name"), {"name": _PROCESS + process}
    )
    db.execute(
        text("UPDATE leases SET owner = '', expires_at = 0 WHERE owner = :me"),
        {"me": process},
    )


def check(db: Connection, name: str, process: str, fence: int) -> None:
    """Raises LeaseLost when this claim is not the newest. In a writing transaction."""
    found = db.execute(
        text("SELECT 1 FROM leases WHERE name = :name AND owner = :me AND fence = :f"),
        {"name": name, "me": process, "f": fence},
    ).first()
    if found is None:
        raise LeaseLost(name, fence, refused=True)


def counted(db: Connection) -> tuple[int, int]:
    """How many processes are alive, and how many of the shards nobody holds."""
    row = db.execute(
        text(
            "SELECT count(*) FILTER (WHERE process AND holds) AS processes,"  # noqa: S608
            " count(*) FILTER (WHERE shard AND NOT holds) AS free FROM"
            f" (SELECT name LIKE '{_PROCESS}%' AS process, name LIKE 'shard-%' AS shard,"
            f" coalesce(expires_at, 0) > {_NOW} AS holds FROM leases) AS now"
        )
    ).one()
    return int(row.processes), int(row.free)


def _renew(db: Connection, process: str, until: dict[str, object]) -> dict[str, int]:
    rows = db.execute(
        text(
            f"UPDATE leases SET expires_at = {_NOW} + :lasts WHERE owner = :me"  # noqa: S608
            " RETURNING name, fence"
        ),
        until,
    )
    held = {row.name: row.fence for row in rows}
    if held.pop(_PROCESS + process, None) is None:
        _arrive(db, process, until)
    return held


def _arrive(db: Connection, process: str, until: dict[str, object]) -> None:
    empty = {"owner": "", "fence": 0, "expires_at": None}
    db.execute(insert_once(db, leases), [{"name": n} | empty for n in (*NAMES, HOUSE)])
    db.execute(
        text(
            "INSERT INTO leases (name, owner, fence, expires_at)"  # noqa: S608
            f" VALUES (:name, :me, 0, {_NOW} + :lasts)"
        ),
        {"name": _PROCESS + process, **until},
    )
    db.execute(
        text(
            f"DELETE FROM leases WHERE name LIKE '{_PROCESS}%'"  # noqa: S608
            f" AND expires_at < {_NOW} - {_OLD // timedelta(microseconds=1)}"
        )
    )


def _free(db: Connection, process: str, names: Sequence[str]) -> None:
    db.execute(
        text(
            "UPDATE leases SET owner = '', expires_at = 0"
            " WHERE owner = :me AND name = ANY(:names)"
        ),
        {"me": process, "names": list(names)},
    )


def _claim(
    db: Connection, until: dict[str, object], which: str, most: int
) -> dict[str, int]:
    if most <= 0:
        return {}
    rows = db.execute(
        text(
            f"UPDATE leases SET owner = :me, fence = fence + 1,"  # noqa: S608
            f" expires_at = {_NOW} + :lasts WHERE name IN (SELECT name FROM leases"
            f" WHERE {which} AND coalesce(expires_at, 0) <= {_NOW}"
            " ORDER BY random() LIMIT :most FOR UPDATE SKIP LOCKED)"
            " RETURNING name, fence"
        ),
        {**until, "most": most},
    )
    return {row.name: row.fence for row in rows}
