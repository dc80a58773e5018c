"""Facts to and from the log: every kind both ways, no name outside the personal half."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import wire
from app.core.fold import Fact, apply
from app.core.session import GroupSession

KINDS_FILE = Path(__file__).with_name("kinds.txt")
CANARY = "canary "


def test_kinds_are_a_promise_to_every_database_in_the_field() -> None:
    """Add a line to kinds.txt for a new kind; never rename or take away one.

    After the kind come its personal fields, which are kept apart and can be erased.
    """
    promised = KINDS_FILE.read_text().splitlines()
    kinds = [" ".join((name, *personal(wire.KINDS[name]))) for name in wire.KINDS]
    assert sorted(kinds) == promised


def personal(kind: Any) -> list[str]:
    """The personal fields of a kind, also those one step down (``plan.title``)."""
    hints = get_type_hints(kind)
    found = []
    for one in fields(kind):
        hint = hints[one.name]
        if one.metadata.get("personal"):
            found.append(one.name)
        elif is_dataclass(hint):
            found += [f"{one.name}.{name}" for name in personal(hint)]
    return found


def test_a_kind_nobody_knows_is_said_to_be_unknown() -> None:
    with pytest.raises(KeyError):
        wire.load("ParticipantFlew", {}, {})


def marked(value: Any) -> Any:
    """The same value with a canary in every text that is declared personal."""
    changes: dict[str, Any] = {}
    for one in fields(value):
        here = getattr(value, one.name)
        if one.metadata.get("personal") and isinstance(here, str):
            changes[one.name] = f"{CANARY}{here}"
        elif isinstance(here, tuple):
            changes[one.name] = tuple(marked(h) if is_dataclass(h) else h for h in here)
        elif is_dataclass(here):
            changes[one.name] = marked(here)
    kept = {one.name: getattr(value, one.name) for one in fields(value) if one.init}
    return type(value)(**kept | changes)


# A platform's times are aware, and so are ours.
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))


@st.composite
def facts(draw: st.DrawFn) -> Any:
    kind = wire.KINDS[draw(st.sampled_from(sorted(wire.KINDS)))]
    every_field: dict[str, Any] = {one.name: ... for one in fields(kind)}
    return draw(st.builds(kind, **every_field))


@given(fact=facts())
def test_every_kind_comes_back_as_it_was_and_names_stay_apart(fact: Fact) -> None:
    told = marked(fact)
    kind, public, private = json.loads(json.dumps(wire.dump(told)))
    assert wire.load(kind, public, private) == told
    assert CANARY not in json.dumps(public)


@given(fact=facts())
def test_every_kind_can_be_read_and_folded_after_its_names_were_erased(
    fact: Fact,
) -> None:
    kind, public, _ = wire.dump(marked(fact))
    apply(GroupSession("session-1"), wire.load(kind, public, None))
