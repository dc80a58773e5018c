"""Many rows in few statements: nothing is lost, doubled or stored in another form."""

from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from app.store import log
from app.store.bulk import SIZES, insert_once, insert_rows
from tests.store.conftest import NOW


def rows(count: int, prefix: str = "ref") -> list[dict[str, Any]]:
    return [
        {
            "ref": f"{prefix}-{number}",
            "platform": "zoom",
            "event_type": "meeting.started",
            "meeting_id": "1",
            "received_at": NOW,
            "body_sealed": b"sealed" if number % 2 else None,
            "late": bool(number % 3),
        }
        for number in range(count)
    ]


def stored(db: Connection) -> list[dict[str, Any]]:
    found = db.execute(select(log.deliveries).order_by(log.deliveries.c.received_at))
    return [dict(row._mapping) for row in found]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 63, 64, 65, 129])
def test_every_row_arrives_as_it_was(db: Connection, count: int) -> None:
    insert_rows(db, log.deliveries, rows(count))
    by_ref = {row["ref"]: row for row in stored(db)}
    assert by_ref == {row["ref"]: row for row in rows(count)}


def test_rows_stand_in_the_form_the_usual_insert_gives_them(db: Connection) -> None:
    insert_rows(db, log.deliveries, rows(2, "many"))
    db.execute(insert_once(db, log.deliveries), rows(2, "usual"))
    found = db.execute(
        text(
            "SELECT platform, received_at, body_sealed, late FROM deliveries ORDER BY ref"
        )
    ).fetchall()
    many, usual = found[:2], found[2:]
    assert [tuple(row) for row in many] == [tuple(row) for row in usual]


def test_what_is_there_stays_as_it_is(db: Connection) -> None:
    insert_rows(db, log.deliveries, rows(3))
    changed = [{**row, "platform": "other"} for row in rows(5)]
    insert_rows(db, log.deliveries, [*changed, *changed])
    platforms = {row["ref"]: row["platform"] for row in stored(db)}
    assert platforms == {
        "ref-0": "zoom",
        "ref-1": "zoom",
        "ref-2": "zoom",
        "ref-3": "other",
        "ref-4": "other",
    }


def test_a_column_left_out_is_a_mistake_of_ours(db: Connection) -> None:
    [short] = rows(1)
    del short["late"]
    with pytest.raises(ValueError, match="late"):
        insert_rows(db, log.deliveries, [short])


def test_the_largest_statement_stays_below_the_driver_s_limit() -> None:
    widest = max(
        len(table.columns) for table in (log.log, log.deliveries, log.personal)
    )
    assert widest * max(SIZES) <= 999
