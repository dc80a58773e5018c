"""Turn frozen dataclasses into JSON-ready dictionaries and back, by their type hints.

A field declared with ``personal()`` is kept apart, so that the store can encrypt and
erase it while the pseudonymous rest of the log stays (DESIGN §5, line 13).
"""

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum
from functools import cache
from operator import attrgetter
from typing import Any, Union, get_args, get_origin, get_type_hints

Json = Any


def personal(default: Any = "") -> Any:
    """Declare a dataclass field that names or describes a person."""
    return field(default=default, metadata={"personal": True})


@dataclass(frozen=True, slots=True)
class _Coder:
    encode: Callable[[Any], Json]
    decode: Callable[[Json], Any]


def _same(value: Any) -> Any:
    return value


def _write_time(moment: datetime) -> str:
    return _aware(moment).isoformat()


def _read_time(text: str) -> datetime:
    return _aware(datetime.fromisoformat(text))


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a time without a zone is not a moment")
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def _tuple_coder(item: _Coder) -> _Coder:
    return _Coder(
        lambda value: [item.encode(v) for v in value],
        lambda value: tuple(item.decode(v) for v in value),
    )


def _mapping_coder(item: _Coder) -> _Coder:
    return _Coder(
        lambda value: {str(k): item.encode(v) for k, v in value.items()},
        lambda value: {k: item.decode(v) for k, v in value.items()},
    )


def _optional_coder(item: _Coder) -> _Coder:
    return _Coder(
        lambda value: None if value is None else item.encode(value),
        lambda value: None if value is None else item.decode(value),
    )


def _enum_coder(cls: type[Enum]) -> _Coder:
    if issubclass(cls, IntEnum):
        return _Coder(lambda value: value.name, lambda value: cls[value])
    return _Coder(lambda value: value.value, cls)


def _dataclass_coder(cls: Any) -> _Coder:
    return _Coder(encode, lambda value: decode(cls, value))


@cache
def _coder(hint: Any) -> _Coder:
    origin = get_origin(hint)
    if origin is tuple:
        return _tuple_coder(_coder(get_args(hint)[0]))
    if origin in (Mapping, dict) or (
        isinstance(origin, type) and issubclass(origin, Mapping)
    ):
        return _mapping_coder(_coder(get_args(hint)[1]))
    if origin in (Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not types.NoneType]
        if len(inner) == 1:
            return _optional_coder(_coder(inner[0]))
        return _Coder(_same, _same)
    if hint is datetime:
        return _Coder(_write_time, _read_time)
    if hint is date:
        return _Coder(lambda v: v.isoformat(), date.fromisoformat)
    if hint is timedelta:
        return _Coder(lambda v: v.total_seconds(), lambda v: timedelta(seconds=v))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_coder(hint)
    if is_dataclass(hint):
        return _dataclass_coder(hint)
    return _Coder(_same, _same)


@dataclass(frozen=True, slots=True)
class _Shape:
    """``values``: the fields of one instance, the public ones first."""

    public: tuple[tuple[str, _Coder, Any], ...]
    personal: tuple[tuple[str, _Coder, Any], ...]
    values: Callable[[Any], tuple[Any, ...]]


def _default(one: "dataclasses.Field[Any]") -> Any:
    if one.default is not dataclasses.MISSING:
        return one.default
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return dataclasses.MISSING


@cache
def _shape(cls: Any) -> _Shape:
    hints = get_type_hints(cls)
    rows = [
        (one.name, _coder(hints[one.name]), _default(one), one.metadata)
        for one in fields(cls)
        if one.init
    ]
    public = tuple((n, c, d) for n, c, d, m in rows if not m.get("personal"))
    personal = tuple((n, c, d) for n, c, d, m in rows if m.get("personal"))
    return _Shape(public, personal, _getter([n for n, _, _ in (*public, *personal)]))


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda value: tuple(getattr(value, name) for name in names)


@cache
def _holds_personal(kind: Any) -> bool:
    plain = not is_dataclass(kind)
    return not plain and bool(_shape(kind).personal)


def encode(value: Any) -> dict[str, Json]:
    """Return every field of a dataclass, nested ones included, as JSON-ready values."""
    return merge(*split(value))


def merge(
    public: Mapping[str, Json], private: Mapping[str, Json] | None
) -> dict[str, Json]:
    """Put the two halves of :func:`split` together again."""
    whole = dict(public)
    for name, value in (private or {}).items():
        here = whole.get(name)
        both = isinstance(here, dict) and isinstance(value, dict)
        whole[name] = {**whole[name], **value} if both else value
    return whole


def split(value: Any) -> tuple[dict[str, Json], dict[str, Json]]:
    """Return (pseudonymous fields, personal fields); fields at their default are left out."""
    cls: Any = type(value)
    shape = _shape(cls)
    public: dict[str, Json] = {}
    private: dict[str, Json] = {}
    values = shape.values(value)
    for (name, coder, default), here in zip(shape.public, values, strict=False):
        if here is default or here == default:
            continue
        kind: Any = type(here)
        if kind is str:
            public[name] = here
        elif _holds_personal(kind):
            public[name], private[name] = split(here)
        else:
            public[name] = coder.encode(here)
    rest = values[len(shape.public) :]
    for (name, coder, default), here in zip(shape.personal, rest, strict=True):
        if here is not default and here != default:
            private[name] = coder.encode(here)
    return public, private


def decode(cls: Any, data: Mapping[str, Json]) -> Any:
    """Build ``cls`` from a dictionary made by :func:`encode`; unknown keys are ignored.

    Raises TypeError when a required field is absent.
    """
    shape = _shape(cls)
    given = {
        name: coder.decode(data[name])
        for name, coder, _ in (*shape.public, *shape.personal)
        if name in data
    }
    return cls(**given)
