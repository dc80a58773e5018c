"""People from a spreadsheet: read line by line, every fault with its line, all or none."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from app.store import consents, people
from app.store.consents import Consent
from app.store.database import Store
from app.store.people import Person
from app.store.refusals import Refused

COLUMNS: Mapping[str, str] = {
    "kind": "client or worker; left out, a client",
    "name": "the name people call them: needed",
    "register_name": "the name on the register, if it is another",
    "reference": "your own number; the same one twice is refused",
    "age_years": "age in years",
    "email": "mail address",
    "phone": "telephone",
    "known_to": "the name of the worker who knows this client",
    "contact": "parent or carer: name, telephone",
    "referrer": "who referred them",
    "emergency_note": "what a worker must know to send help",
    "high_risk": "yes or no",
    "risk_reviewed_on": "day of the last risk review",
    "consent_on": "day consent to take part was given",
    "consent_giver": ", ".join(consents.GIVERS),
    "consent_by": "their name",
    "consent_method": ", ".join(consents.METHODS),
    "platform_user_id": "a worker's account at the platform",
}
MOST_LINES = 1_000
_YES = {"yes": True, "y": True, "1": True, "true": True}
_NO = {"": False, "no": False, "n": False, "0": False, "false": False}
_TEXTS = (
    "name",
    "register_name",
    "reference",
    "email",
    "phone",
    "contact",
    "referrer",
    "emergency_note",
    "platform_user_id",
)
_LOST = "A letter here was lost. Save the file as “CSV UTF-8” and bring it in again."


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and in which line of the list (1 is the first line)."""

    line: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One person of the list; ``note`` is for whoever looks, and stops nothing."""

    line: int
    person: Person
    known_to: str
    consent: Consent | None
    note: str = ""


@dataclass(slots=True)
class Sheet:
    """A list as it was read. Nothing may be entered while there are faults."""

    entries: list[Entry] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read(db: Connection, store: Store, text: str, now: datetime) -> Sheet:
    """Read a list and compare it with who is there. Stores nothing."""
    sheet = Sheet()
    lines = _lines(text.lstrip("\ufeff"), sheet)
    heads = next(lines, None)
    if heads is None:
        return sheet
    names = [_head(cell) for cell in heads[1]]
    for unknown in sorted({n for n in names if n not in COLUMNS}):
        shown = unknown or "(empty)"
        told = f"There is no column of this name here: {shown[:60]}."
        sheet.faults.append(Fault(heads[0], shown[:60], told))
    for twice in sorted({n for n in names if names.count(n) > 1}):
        sheet.faults.append(Fault(heads[0], twice, "This column is there twice."))
    if "name" not in names:
        told = "The first line must name the columns; “name” is missing."
        sheet.faults.append(Fault(heads[0], "name", told))
    if sheet.faults:
        return sheet
    for line, cells in lines:
        if line > MOST_LINES + 1:
            told = f"A list has at most {MOST_LINES} people. Bring it in in parts."
            sheet.faults.append(Fault(line, "", told))
            break
        _entry(sheet, line, names, cells, now)
    if not sheet.entries and not sheet.faults:
        told = "There is nobody below the first line."
        sheet.faults.append(Fault(heads[0], "", told))
    _compare(db, store, sheet)
    return sheet


def enter(
    db: Connection, store: Store, sheet: Sheet, by: str, now: datetime
) -> list[str]:
    """Enter everybody of a list without faults; ids in its order. Raises Refused.

    In one transaction of the caller: a fault in one line leaves nobody entered.
    """
    if sheet.faults:
        raise Refused({"text": "The list has faults."})
    ids: list[str] = []
    known = _workers(db, store)
    # Workers first: a client of the same list may be known to them.
    for entry in sorted(sheet.entries, key=lambda e: e.person.kind != "worker"):
        fields = {
            name: getattr(entry.person, name)
            for name in Person.__dataclass_fields__
            if name != "known_to"
        }
        try:
            person = Person(**fields, known_to=known.get(entry.known_to.casefold(), ""))
            made = people.add(db, store, person, now)
            if made.kind == "worker":
                known[made.name.casefold()] = made.id
            if entry.consent is not None:
                given = {
                    name: getattr(entry.consent, name)
                    for name in Consent.__dataclass_fields__
                }
                given |= {"person_id": made.id, "entered_by": by}
                consents.add(db, store, Consent(**given), now)
        except Refused as refused:
            told = " ".join(refused.faults.values())
            raise Refused({"text": f"Line {entry.line}: {told}"}) from None
        ids.append(made.id)
    return ids


# --- reading ----------------------------------------------------------------------


def _lines(text: str, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    # Cells copied from a spreadsheet come with tabs; Excel in many languages with ;.
    mark = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            if any(cell.strip() for cell in cells):
                yield line, [cell.strip() for cell in cells]
    except csv.Error:
        told = "From here on the list cannot be read: a quotation mark is not closed."
        sheet.faults.append(Fault(before + 1, "", told))


def _head(cell: str) -> str:
    return "_".join(cell.strip().casefold().replace("-", " ").split())


def _entry(
    sheet: Sheet, line: int, names: Sequence[str], cells: Sequence[str], now: datetime
) -> None:
    faults: dict[str, str] = {}
    if len(cells) > len(names) and any(cells[len(names) :]):
        faults["name"] = "This line has more cells than the first line has columns."
    row = dict.fromkeys(COLUMNS, "") | {
        name: _text(cell) for name, cell in zip(names, cells, strict=False)
    }
    for name, cell in row.items():
        if "\ufffd" in cell:
            faults[name] = _LOST
    kind = row["kind"].casefold() or "client"
    entered: dict[str, Any] = {name: row[name] for name in _TEXTS}
    entered["age_years"] = _number(row["age_years"], faults)
    entered["risk_reviewed_on"] = _day("risk_reviewed_on", row, faults)
    entered["high_risk"] = _yes("high_risk", row, faults)
    consent = _consent(row, faults, now)
    person = Person(kind=kind, **entered)
    faults |= _person_faults(person, now.date())
    if consent is not None and kind != "client":
        faults.setdefault("consent_on", "Only a client consents to take part.")
    sheet.faults += [Fault(line, name, told) for name, told in faults.items()]
    sheet.entries.append(Entry(line, person, row["known_to"], consent))


def _person_faults(person: Person, today: date) -> dict[str, str]:
    """What people.add would refuse, said while there is still time to mend the list."""
    faults: dict[str, str] = {}
    for name in _TEXTS:
        several = name in ("contact", "referrer", "emergency_note")
        longest = people.LONGEST_TEXT if several else people.LONGEST_LINE
        longest = people.LONGEST_NAME if name in ("name", "register_name") else longest
        text = {name: getattr(person, name)}
        faults |= people.text_faults(text, longest, lines=several)
    if person.kind not in people.KINDS:
        faults["kind"] = "Write client or worker."
    if not people.has_letters(person.name):
        faults["name"] = "Enter the name people call them."
    if person.age_years is not None and person.age_years > 120:
        faults["age_years"] = "Enter an age from 0 to 120, or leave it out."
    if person.risk_reviewed_on is not None and person.risk_reviewed_on > today:
        faults["risk_reviewed_on"] = "A review cannot lie in the future."
    return faults


def _text(cell: str) -> str:
    """Without the apostrophe our own export puts before what a spreadsheet would run."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in tuple("=+-@") else cell


def _number(text: str, faults: dict[str, str]) -> int | None:
    if not text:
        return None
    if text.isascii() and text.isdecimal() and len(text) < 4:
        return int(text)
    faults["age_years"] = "Enter an age from 0 to 120, or leave it out."
    return None


def _day(name: str, row: Mapping[str, str], faults: dict[str, str]) -> date | None:
    text = row[name]
    if not text:
        return None
    found = day_of(text)
    if found is None:
        faults[name] = "Enter a day such as 2026-11-17 or 17/11/2026."
    return found


def _yes(name: str, row: Mapping[str, str], faults: dict[str, str]) -> bool:
    text = row[name].casefold()
    if text in _YES:
        return True
    if text not in _NO:
        faults[name] = "Write yes or no."
    return False


def _consent(
    row: Mapping[str, str], faults: dict[str, str], now: datetime
) -> Consent | None:
    parts = ("consent_on", "consent_giver", "consent_by", "consent_method")
    if not any(row[part] for part in parts):
        return None
    given_on = _day("consent_on", row, faults)
    if given_on is None:
        faults.setdefault("consent_on", "Enter the day consent was given.")
    consent = Consent(
        person_id="",
        scope="take_part",
        given_on=given_on or date.min,
        giver=_word(row["consent_giver"]),
        given_by=row["consent_by"],
        method=_word(row["consent_method"]),
    )
    words = {"giver": "consent_giver", "method": "consent_method"}
    words |= {"given_on": "consent_on", "given_by": "consent_by"}
    for name, told in consents.faults_of(consent, now.date()).items():
        column = words.get(name, name)
        faults.setdefault(column, f"{told.rstrip('.')}: {COLUMNS[column]}.")
    return consent


def _word(text: str) -> str:
    return "_".join(text.casefold().split())


def day_of(text: str) -> date | None:
    """``2026-11-17`` or ``17/11/2026``; None when it is neither or no such day is."""
    parts = text.split("/")
    if len(parts) == 3:
        text = "-".join((parts[2], parts[1].rjust(2, "0"), parts[0].rjust(2, "0")))
    try:
        return date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        return None


# --- comparing with who is there ----------------------------------------------------


def _workers(db: Connection, store: Store) -> dict[str, str]:
    """Name -> id of each worker whose name nobody else has; "" where two have it."""
    found: dict[str, str] = {}
    for one in people.listed(db, store, kind="worker", limit=10_000):
        name = one.name.casefold()
        found[name] = "" if name in found else one.id
    return found


def _compare(db: Connection, store: Store, sheet: Sheet) -> None:
    there = people.listed(db, store, active_only=False, limit=100_000)
    names = {one.name.casefold() for one in there}
    seen = {one.reference.casefold(): 0 for one in there if one.reference}
    known = _workers(db, store) | {
        e.person.name.casefold(): e.person.name
        for e in sheet.entries
        if e.person.kind == "worker"
    }
    for place, entry in enumerate(sheet.entries):
        reference = entry.person.reference.casefold()
        if reference and reference in seen:
            where = (
                f"line {seen[reference]}" if seen[reference] else "the list of people"
            )
            told = f"This reference is in {where} already."
            sheet.faults.append(Fault(entry.line, "reference", told))
        elif reference:
            seen[reference] = entry.line
        wanted = entry.known_to.casefold()
        if wanted and not known.get(wanted):
            told = "No worker has exactly this name, or two have."
            sheet.faults.append(Fault(entry.line, "known_to", told))
        note = "Somebody of this name is there already."
        if entry.person.name.casefold() in names:
            sheet.entries[place] = Entry(
                entry.line, entry.person, entry.known_to, entry.consent, note
            )
        names.add(entry.person.name.casefold())
    sheet.faults.sort(key=lambda fault: fault.line)
