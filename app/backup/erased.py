"""Who was erased, kept apart from the backups: ids and times (assurance I24).

A backup from before an erasure still holds that person. So each backup adds to one list
beside them, and a restore erases everybody on it again before the service opens. The
list is marked with a digest under the field keys: nobody can add a name to it, and so
have somebody erased, who cannot write into the store as well.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from sqlalchemy import Connection, inspect, text

from app.backup.folder import UNFINISHED, put_in_place
from app.crypto import Keyring

NAME = "erased.json"
TABLE = "erasures"
KEPT = timedelta(days=2 * 366)  # as long as the certificates, docs/data-inventory.md
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PURPOSE = "list of the erased"


class BadList(Exception):
    """The list cannot be believed. A sentence."""


@dataclass(frozen=True, slots=True)
class Erased:
    """``people``: id -> microseconds since 1970. ``as_of``: nobody is missing up to then."""

    as_of: datetime
    people: Mapping[str, int]


def in_store(db: Connection) -> dict[str, int]:
    """Whom this database knows to be erased; empty where it has no such table."""
    if not inspect(db).has_table(TABLE):
        return {}
    rows = db.execute(text("SELECT person_id, erased_at FROM erasures"))
    return {row.person_id: row.erased_at for row in rows}


def read(folder: Path, keys: Keyring) -> Erased | None:
    """The list in this folder, None if there is none. Raises BadList, OSError."""
    try:
        said = orjson.loads((folder / NAME).read_bytes())
        found = Erased(
            datetime.fromisoformat(said["as_of"]),
            {str(who): int(at) for who, at in said["people"].items()},
        )
        marked = said["mark"] in keys.digests(_PURPOSE, _text(found))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadList(_SAYS) from problem
    if not marked:
        raise BadList(_SAYS)
    return found


_SAYS = (
    f"The list of erased people ({NAME}) was changed, is damaged, or was written with "
    "another CHAPERONE_SECRET_KEY."
)


def add(folder: Path, keys: Keyring, people: Mapping[str, int], now: datetime) -> None:
    """Add to the list in this folder; nobody leaves it for two years.

    Raises BadList, OSError.
    """
    before = read(folder, keys)
    oldest = (now - KEPT - _EPOCH) // timedelta(microseconds=1)
    whole = {**people, **(before.people if before else {})}
    found = Erased(now, {who: at for who, at in sorted(whole.items()) if at >= oldest})
    said = {
        "as_of": now.isoformat(),
        "people": found.people,
        "mark": keys.digest(_PURPOSE, _text(found)),
    }
    path = folder / f"{UNFINISHED}{NAME}"
    path.touch(mode=0o600)
    with path.open("wb") as file:
        file.write(orjson.dumps(said) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    put_in_place(path, folder / NAME)


def _text(found: Erased) -> str:
    return found.as_of.isoformat() + orjson.dumps(dict(found.people)).decode()
