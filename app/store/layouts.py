"""Layouts: how another program wants its attendance. Kept until somebody takes one away."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select

from app.store.database import Store
from app.store.ids import new_id
from app.store.people import text_faults
from app.store.refusals import Refused, Unknown
from app.store.tables_exports import ExportLayoutRow

layouts = ExportLayoutRow.__table__  # type: ignore[attr-defined]
LONGEST = 120


@dataclass(frozen=True, slots=True)
class Column:
    """``head`` is what it is called there; ``text`` what a ``fixed`` one always holds."""

    head: str
    field: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """``field``, ``who`` and ``days`` are keys of :mod:`app.exports.layouts`.

    ``words``: our word for who came -> theirs; ours where there is none.
    """

    id: str = ""
    name: str
    columns: tuple[Column, ...]
    who: str = "client"
    days: str = "%Y-%m-%d"
    words: Mapping[str, str] = field(default_factory=dict)


def listed(db: Connection, store: Store) -> list[Layout]:
    """All of them, by name."""
    found = [_layout(store, row) for row in db.execute(select(layouts))]
    return sorted(found, key=lambda one: one.name.casefold())


def get(db: Connection, store: Store, layout_id: str) -> Layout:
    """One of them. Raises Unknown."""
    row = db.execute(select(layouts).where(layouts.c.id == layout_id)).first()
    if row is None:
        raise Unknown("layout", layout_id)
    return _layout(store, row)


def save(db: Connection, store: Store, layout: Layout, now: datetime) -> Layout:
    """Keep a new one, or one with an id as it is now. Raises Refused, Unknown."""
    texts = {"name": layout.name}
    for number, column in enumerate(layout.columns):
        texts[f"head_{number}"], texts[f"text_{number}"] = column.head, column.text
    texts |= {f"word_{key}": text for key, text in layout.words.items()}
    faults = text_faults(texts, LONGEST)
    if faults:
        raise Refused(faults)
    if layout.id:
        get(db, store, layout.id)
    made = layout if layout.id else replace(layout, id=new_id("layout"))
    content = {key: value for key, value in asdict(made).items() if key != "id"}
    place = f"export_layouts:layout:{made.id}"
    values = {
        "layout_sealed": store.seal(orjson.dumps(content), place),
        "updated_at": now,
    }
    if layout.id:
        db.execute(layouts.update().where(layouts.c.id == made.id).values(values))
    else:
        db.execute(layouts.insert().values(id=made.id, **values))
    return made


def remove(db: Connection, layout_id: str) -> None:
    """Take it away. Raises Unknown."""
    if db.execute(layouts.delete().where(layouts.c.id == layout_id)).rowcount == 0:
        raise Unknown("layout", layout_id)


def _layout(store: Store, row: Any) -> Layout:
    content = store.open(row.layout_sealed, f"export_layouts:layout:{row.id}")
    given = orjson.loads(content)
    columns = tuple(Column(**column) for column in given.pop("columns"))
    return Layout(id=row.id, columns=columns, **given)
