"""Dataclasses to JSON-ready dictionaries and back; what names a person stays apart."""

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

import pytest

from app.core import codec


class Colour(StrEnum):
    RED = "red"


class Loudness(IntEnum):
    LOUD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    number: int
    words: str = codec.personal()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    at: datetime
    day: date = date(2026, 11, 17)
    length: timedelta = timedelta(0)
    colour: Colour = Colour.RED
    loudness: Loudness | None = None
    inner: Inner | None = None
    many: tuple[Loudness, ...] = ()
    by_name: dict[str, timedelta] = field(default_factory=dict)
    note: str = codec.personal()


NOON = datetime(2026, 11, 17, 12, 30, 15, 250_000, tzinfo=UTC)
WHOLE = Outer(
    at=NOON,
    day=date(2027, 1, 1),
    length=timedelta(seconds=90),
    loudness=Loudness.LOUD,
    inner=Inner(number=7, words="Ben said so"),
    many=(Loudness.LOUD,),
    by_name={"grace": timedelta(seconds=0.5)},
    note="Chloe was upset",
)


def test_every_kind_of_field_comes_back_as_it_was() -> None:
    stored = json.loads(json.dumps(codec.encode(WHOLE)))
    assert codec.decode(Outer, stored) == WHOLE


def test_the_two_halves_are_as_the_store_keeps_them() -> None:
    assert codec.split(WHOLE) == (
        {
            "at": "2026-11-17T12:30:15.250000+00:00",
            "day": "2027-01-01",
            "length": 90.0,
            "loudness": "LOUD",
            "inner": {"number": 7},
            "many": ["LOUD"],
            "by_name": {"grace": 0.5},
        },
        {"inner": {"words": "Ben said so"}, "note": "Chloe was upset"},
    )


def test_without_its_personal_half_it_can_still_be_read() -> None:
    public, _ = codec.split(WHOLE)
    read = codec.decode(Outer, codec.merge(public, None))
    assert (read.at, read.note, read.inner) == (NOON, "", Inner(number=7))


def test_fields_at_their_default_are_left_out() -> None:
    assert codec.split(Outer(at=NOON)) == ({"at": NOON.isoformat()}, {})


def test_fields_of_a_newer_version_are_passed_over() -> None:
    stored = {"at": NOON.isoformat(), "mood": "good"}
    assert codec.decode(Outer, stored) == Outer(at=NOON)


def test_a_required_field_must_be_there() -> None:
    with pytest.raises(TypeError):
        codec.decode(Outer, {})


def test_moments_are_kept_in_utc_whatever_zone_they_came_in() -> None:
    in_paris = NOON.astimezone(timezone(timedelta(hours=1)))
    stored = codec.encode(Outer(at=in_paris))
    assert stored == {"at": NOON.isoformat()}
    assert codec.decode(Outer, {"at": in_paris.isoformat()}).at.tzinfo is UTC


def test_a_time_without_a_zone_is_refused() -> None:
    local = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        codec.encode(Outer(at=local))
    with pytest.raises(ValueError, match="zone"):
        codec.decode(Outer, {"at": local.isoformat()})
