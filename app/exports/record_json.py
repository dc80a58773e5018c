"""The whole record as JSON, in the published shape of ``record.schema.json``.

Every field is always there. Times are RFC 3339 in UTC, lengths seconds.
"""

import json
import types
from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from app.core.record_parts import Record

FORMAT = "chaperone.record/1"
MANY = "chaperone.records/1"


def record_json(record: Record) -> bytes:
    """UTF-8 without a byte order mark (RFC 8259), two spaces deep, one record."""
    # Half a surrogate pair, as a cut name may hold, is no UTF-8.
    return f"{_text(record, indent=2)}\n".encode(errors="replace")


def records_json(records: Iterable[Record]) -> bytes:
    """Several records in one object: ``{"format": ..., "records": [...]}``."""
    listed = ",\n".join(_text(one, indent=1) for one in records)
    return f'{{"format": "{MANY}", "records": [\n{listed}\n]}}\n'.encode(
        errors="replace"
    )


def _text(record: Record, indent: int) -> str:
    body = {"format": FORMAT, "standing": record.standing, **_plain(record)}
    return json.dumps(body, ensure_ascii=False, indent=indent)


def read_record(content: bytes) -> Record:
    """The record that :func:`record_json` wrote. Raises ValueError for anything else."""
    try:
        record: Record = _read(Record, json.loads(content))
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError("This is no record.") from problem
    return record


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return get_type_hints(cls)


def _read(hint: Any, value: Any) -> Any:
    origin = get_origin(hint)
    if origin is tuple:
        return tuple(_read(get_args(hint)[0], one) for one in value)
    if origin in (Union, types.UnionType):
        [inner] = [one for one in get_args(hint) if one is not types.NoneType]
        return None if value is None else _read(inner, value)
    if is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        known = {one.name for one in fields(hint)} & set(value)
        return hint(**{name: _read(hints[name], value[name]) for name in known})
    if hint is datetime:
        return datetime.fromisoformat(value)
    if hint is timedelta:
        return timedelta(seconds=value)
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return hint[value.upper()]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value


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
