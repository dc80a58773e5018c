"""Checklist packs: one policy as data. Reading the file is the caller's.

A pack is TOML (``checklists/*.toml``): a ``[pack]`` table and one ``[[items]]`` per item.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from app.core.facts import MeetingFacts
from app.core.policy import Weight
from app.core.readiness_items import CHECKS

FIXED = frozenset({"end_for_all", "emergency_contacts"})
"""The live guard (guidance E1) and the emergency line (B3): in every pack, always
blocking, never excepted. No organisation may loosen these two."""


class Kind(StrEnum):
    """Who finds out: the bot, or a worker who ticks."""

    AUTO = "auto"
    TICK = "tick"


class BadPack(Exception):
    """The pack cannot be used; ``faults`` are plain sentences, all of them at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(" ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class PackItem:
    """One line of the checklist, in a worker's words.

    ``clause`` is an id of the guidance reference or of an invariant; ``mend`` a field of
    MeetingFacts the platform's settings can put right, "" for none; ``how`` the same in
    words. ``exception``: blocking, but a named exception is allowed (guidance S2).
    """

    id: str
    clause: str
    kind: Kind
    weight: Weight
    text: str
    how: str
    mend: str = ""
    exception: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One source policy. ``issued`` and ``updated`` are dates as the source gives them.

    ``review_on`` past never blocks a session; the page shows it (guidance, head).
    """

    id: str
    title: str
    source: str
    nation: str
    issued: str
    updated: str = ""
    review_on: date | None = None
    items: tuple[PackItem, ...]

    def item(self, item_id: str) -> PackItem | None:
        """The item of that id, or None."""
        return next((i for i in self.items if i.id == item_id), None)


def parse_pack(text: str) -> Pack:
    """Read a pack; raises :class:`BadPack` with every fault found."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadPack([f"The pack is not TOML: {error}."]) from error
    head, rows = data.get("pack"), data.get("items")
    if not isinstance(head, dict) or not isinstance(rows, list):
        raise BadPack(["A pack needs a [pack] table and [[items]]."])
    if not all(isinstance(row, dict) for row in rows):
        raise BadPack(["Each item of a pack is a table: [[items]]."])
    faults = [*_head_faults(head), *_list_faults(rows)]
    for number, row in enumerate(rows, 1):
        name = f"Item {row.get('id') or number}"
        faults += [f"{name}: {fault}" for fault in _item_faults(row)]
    if faults:
        raise BadPack(faults)
    return Pack(**head, items=tuple(_item(row) for row in rows))


def _item(row: Mapping[str, Any]) -> PackItem:
    typed = {"kind": Kind(row["kind"]), "weight": Weight(row["weight"])}
    return PackItem(**{**row, **typed})


_MAY_MEND = frozenset(one.name for one in fields(MeetingFacts))
_HEAD_TEXTS = {"id", "title", "source", "nation", "issued"}
_ITEM_TEXTS = {"id", "clause", "kind", "weight", "text", "how"}


def _text_faults(
    row: Mapping[str, Any], needed: set[str], more: set[str]
) -> Iterator[str]:
    for key in sorted(needed):
        if not isinstance(row.get(key), str) or not row[key].strip():
            yield f"{key} is missing."
    for key in sorted(set(row) - needed - more):
        yield f"{key} is not a word of a pack."


def _head_faults(head: Mapping[str, Any]) -> Iterator[str]:
    yield from _text_faults(head, _HEAD_TEXTS, {"updated", "review_on"})
    if not isinstance(head.get("updated", ""), str):
        yield "updated has to be text."
    review = head.get("review_on")
    if review is not None and type(review) is not date:
        yield "review_on has to be a date such as 2027-09-30."


def _list_faults(rows: list[Mapping[str, Any]]) -> Iterator[str]:
    ids = [str(row.get("id")) for row in rows]
    for twice in sorted({i for i in ids if ids.count(i) > 1}):
        yield f"{twice} is listed twice."
    for missing in sorted(FIXED - set(ids)):
        yield f"{missing} is missing: no pack may leave it out."


def _item_faults(row: Mapping[str, Any]) -> Iterator[str]:
    yield from _text_faults(row, _ITEM_TEXTS, {"mend", "exception"})
    if row.get("kind") not in list(Kind):
        yield "kind is auto or tick."
    elif (row["kind"] == Kind.AUTO) != (row.get("id") in CHECKS):
        yield "kind is auto for what the bot can check, and tick for all else."
    if row.get("weight") not in list(Weight):
        yield "weight is block, warn or inform."
    if row.get("mend", "") not in _MAY_MEND | {""}:
        yield "mend is not a setting that can be read."
    if not isinstance(row.get("exception", False), bool):
        yield "exception is true or false."
