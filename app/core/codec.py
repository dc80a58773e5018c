"""Turn frozen dataclasses into JSON-ready dictionaries and back, by their type hints.

A field declared with ``personal()`` is kept apart, so that the store can encrypt and
erase it while the pseudonymous rest of the log stays (DESIGN §5, line 13).
"""

import dataclasses
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, IntEnum
from functools import cache
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
class _Field:
    name: str
    hint: Any
    coder: _Coder
    default: Any


@dataclass(frozen=True, slots=True)
class _Shape:
    public: tuple[_Field, ...]
    personal: tuple[_Field, ...]


def _default(one: "dataclasses.Field[Any]") -> Any:
    if one.default is not dataclasses.MISSING:
        return one.default
    if one.default_factory is not dataclasses.MISSING:
        return one.default_factory()
    return dataclasses.MISSING


@cache
def _shape(cls: Any) -> _Shape:
    hints = get_type_hints(cls)
    halves: tuple[list[_Field], list[_Field]] = ([], [])
    for one in fields(cls):
        if one.init:
            hint = hints[one.name]
            made = _Field(one.name, hint, _coder(hint), _default(one))
            halves[bool(one.metadata.get("personal"))].append(made)
    return _Shape(tuple(halves[False]), tuple(halves[True]))


@cache
def _holds_personal(kind: Any) -> bool:
    return bool(_shape(kind).personal)


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
    public: dict[str, Json] = {}
    private: dict[str, Json] = {}
    kind: Any = type(value)
    _splitter(kind)(value, public, private)
    return public, private


_Splitter = Callable[[Any, dict[str, Json], dict[str, Json]], None]


@cache
def _splitter(cls: Any) -> _Splitter:
    """The loop over the fields of ``cls`` written out, as dataclasses write ``__init__``.

    Every webhook waits for it (``chaperone bench --only intake``).
    """
    shape = _shape(cls)
    names: dict[str, Any] = {"part": _part}
    lines = ["def splitter(value, public, private):"]
    for half, found in (("public", shape.public), ("private", shape.personal)):
        for one in found:
            lines += _written_out(one, half, names)
    exec("\n    ".join([*lines, "return"]), names)  # noqa: S102 - our own field names
    splitter: _Splitter = names["splitter"]
    return splitter


def _written_out(one: _Field, half: str, names: dict[str, Any]) -> list[str]:
    name = one.name
    names |= {f"default_{name}": one.default, f"encode_{name}": one.coder.encode}
    put = f"{half}[{name!r}] = "
    if half == "public" and _may_be_nested(one.hint):
        put = f"part(here, {name!r}, encode_{name}, public, private)"
    elif one.hint is str:
        put += "here"
    elif one.hint is datetime:
        put += f"here.isoformat() if here.tzinfo is utc else encode_{name}(here)"
        names["utc"] = UTC
    else:
        put += f"encode_{name}(here)"
    lines = [f"here = value.{name}"]
    if one.default is not dataclasses.MISSING:
        lines.append(f"if here is not default_{name} and here != default_{name}: {put}")
    else:
        lines.append(put)
    return lines


def _may_be_nested(hint: Any) -> bool:
    """Whether a value may be a dataclass with a personal half of its own."""
    kinds = [kind for kind in get_args(hint) or (hint,) if kind is not types.NoneType]
    return any(not isinstance(kind, type) or is_dataclass(kind) for kind in kinds)


def _part(
    here: Any,
    name: str,
    encoder: Callable[[Any], Json],
    public: dict[str, Json],
    private: dict[str, Json],
) -> None:
    kind: Any = type(here)
    nested = is_dataclass(kind)
    if not nested:
        public[name] = encoder(here)
        return
    public[name], half = split(here)
    if _holds_personal(kind):
        private[name] = half


def decode(cls: Any, data: Mapping[str, Json]) -> Any:
    """Build ``cls`` from a dictionary made by :func:`encode`; unknown keys are ignored.

    Raises TypeError when a required field is absent.
    """
    shape = _shape(cls)
    given = {
        one.name: one.coder.decode(data[one.name])
        for one in (*shape.public, *shape.personal)
        if one.name in data
    }
    return cls(**given)
