"""The published JSON schema of a record, made from the record's own types.

``record.schema.json`` beside this file is the published text; a test keeps both equal.
"""

import types
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import Any, Union, get_args, get_origin, get_type_hints

from app.core.record_parts import Record
from app.exports.record_json import FORMAT

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SIMPLE: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    datetime: {"type": "string", "format": "date-time"},
    timedelta: {"type": "number", "description": "seconds"},
}


def record_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of what the JSON export writes."""
    kinds: dict[str, Any] = {}
    _object(Record, kinds)
    top = kinds.pop("Record")
    words = {"format": {"const": FORMAT}, "standing": dict(_SIMPLE[str])}
    top["properties"] = {**words, **top["properties"]}
    top["required"] = [*words, *top["required"]]
    return {
        "$schema": DIALECT,
        "$id": "urn:chaperone:record:1",
        "title": "Record of one group session",
        **top,
        "$defs": dict(sorted(kinds.items())),
    }


def _object(cls: type[Any], kinds: dict[str, Any]) -> dict[str, Any]:
    name = cls.__name__
    if name not in kinds:
        kinds[name] = {}
        hints = get_type_hints(cls)
        kinds[name] = {
            "type": "object",
            "description": " ".join((cls.__doc__ or "").split()),
            "properties": {f.name: _of(hints[f.name], kinds) for f in fields(cls)},
            "required": [f.name for f in fields(cls)],
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{name}"}


def _of(hint: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    if hint in _SIMPLE:
        return dict(_SIMPLE[hint])
    origin = get_origin(hint)
    if origin is tuple:
        return {"type": "array", "items": _of(get_args(hint)[0], kinds)}
    if origin in (Union, types.UnionType):
        arms = [a for a in get_args(hint) if a is not types.NoneType]
        return {"anyOf": [*(_of(arm, kinds) for arm in arms), {"type": "null"}]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [_word(hint)(member) for member in hint]}
    if is_dataclass(hint) and isinstance(hint, type):
        return _object(hint, kinds)
    raise TypeError(f"a record holds no {hint!r}")


def _word(cls: type[Enum]) -> Callable[[Any], str]:
    if issubclass(cls, IntEnum):
        return lambda member: str(member.name).lower()
    return lambda member: str(member.value)
