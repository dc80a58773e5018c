"""The whole record as JSON, in the published shape of ``record.schema.json``.

Every field is always there. Times are RFC 3339 in UTC, lengths seconds.
"""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from typing import Any

from app.core.record_parts import Record

FORMAT = "chaperone.record/1"


def record_json(record: Record) -> bytes:
    """UTF-8 without a byte order mark (RFC 8259), two spaces deep, one record."""
    body = {"format": FORMAT, **_plain(record)}
    text = json.dumps(body, ensure_ascii=False, indent=2) + "\n"
    # Half a surrogate pair, as a cut name may hold, is no UTF-8.
    return text.encode(errors="replace")


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, IntEnum):
        return value.name.lower()
    return value.value if isinstance(value, Enum) else value
