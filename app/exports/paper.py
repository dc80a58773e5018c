"""A record as a paper to read: headings, facts, tables and paragraphs.

PDF and DOCX say the same because both are made from this. All of it is plain text: what
somebody typed is never markup (N09, N14, N15).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.core.record_parts import AttendanceRow, LadderEntry, Record
from app.exports.attendance_csv import status

_ILLEGAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)
KEEP_SAFE = "This paper names people: keep it safe."


@dataclass(frozen=True, slots=True)
class Facts:
    """Pairs of what and how."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under heads; ``widths`` are shares of the line. The first cell heads its row."""

    caption: str
    heads: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs, as somebody wrote them."""

    paragraphs: tuple[str, ...]


Block = Facts | Table | Prose


@dataclass(frozen=True, slots=True)
class Section:
    """A heading of level 1 or deeper, and what stands under it."""

    level: int
    title: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """The whole: ``title`` names it, ``foot`` stands on each page; ``at`` is aware UTC."""

    title: str
    foot: str
    at: datetime
    sections: tuple[Section, ...]


def legible(text: str) -> str:
    """Without control characters, direction marks and half surrogates; lines stay."""
    return _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def line(text: str) -> str:
    """The same on one line."""
    return " ".join(legible(text).split())


def session_paper(record: Record) -> Paper:
    """The record of one session, with everything that happened."""
    clock = Clock(record)
    return Paper(
        title=f"Session record: {_title(record)}, {clock.day(_starts(record))}",
        foot=f"{line(record.session_id)}; {line(record.standing)}. {KEEP_SAFE}",
        at=record.written_at,
        sections=tuple(_sections(record, 1, with_timeline=True)),
    )


def term_paper(records: Sequence[Record]) -> Paper:
    """Several sessions: a table of them all, then each. What happened minute by minute
    is in the paper of the single session."""
    rows = tuple(
        (
            Clock(one).day(_starts(one)),
            _title(one),
            str(_came(one, "client")),
            str(_came(one, "worker")),
            line(one.standing),
        )
        for one in records
    )
    listing = Table(
        "The sessions in this paper",
        ("Day", "Session", "Clients", "Workers", "Standing"),
        (4, 5, 2, 2, 5),
        rows,
    )
    sections = [Section(1, "Sessions", (listing,))]
    for one in records:
        head = f"{_title(one)}, {Clock(one).day(_starts(one))}"
        sections.append(Section(1, head))
        sections += _sections(one, 2, with_timeline=False)
    first, last = records[0], records[-1]
    span = f"{Clock(first).day(_starts(first))} to {Clock(last).day(_starts(last))}"
    return Paper(
        title=f"Session records: {span}",
        foot=f"{len(records)} sessions. {KEEP_SAFE}",
        at=max(one.written_at for one in records),
        sections=tuple(sections),
    )


# --- times ------------------------------------------------------------------------


class Clock:
    """Times in the zone the session was planned in; UTC where that is not known."""

    def __init__(self, record: Record) -> None:
        name = record.plan.zone if record.plan is not None else "UTC"
        try:
            self._zone = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            name, self._zone = "UTC", ZoneInfo("UTC")
        self.name = name

    def day(self, at: datetime) -> str:
        """``Tuesday 17 November 2026``."""
        local = at.astimezone(self._zone)
        return f"{local:%A} {local.day} {local:%B %Y}"

    def time(self, at: datetime | None) -> str:
        """``19:04:10``; "" for no time."""
        return "" if at is None else f"{at.astimezone(self._zone):%H:%M:%S}"

    def minute(self, at: datetime) -> str:
        """``19:04``."""
        return f"{at.astimezone(self._zone):%H:%M}"


def spell(length: timedelta) -> str:
    """``45 s``, ``3 min 20 s``."""
    minutes, seconds = divmod(round(abs(length.total_seconds())), 60)
    if not minutes:
        return f"{seconds} s"
    return f"{minutes} min {seconds} s" if seconds else f"{minutes} min"


def _starts(record: Record) -> datetime:
    return record.plan.starts_at if record.plan is not None else record.written_at


def _title(record: Record) -> str:
    title = line(record.plan.title) if record.plan is not None else ""
    return title or "Group session"


# --- the sections of one session ----------------------------------------------------


def _sections(record: Record, level: int, *, with_timeline: bool) -> Iterator[Section]:
    clock, names = Clock(record), _names(record)
    yield Section(level, "The session", (Facts(tuple(_plan(record, clock))),))
    safe = Facts(tuple(_safety(record, clock)))
    yield Section(level, "Was everybody kept safe?", (safe,))
    yield Section(level, "Who was there", (_attendance(record, clock),))
    if record.ladder:
        told = _ladder(record, clock)
        yield Section(level, "Reminders, warnings, removals", (told,))
    yield Section(level, "Notes", tuple(_notes(record, clock)))
    if record.follow_ups:
        yield Section(level, "Follow-up", (_follow_ups(record, clock, names),))
    if record.checklist is not None and record.checklist.items:
        yield Section(level, "Checklist before the session", (_checklist(record),))
    if with_timeline and record.timeline:
        rows = tuple(
            (clock.time(e.at), _with_names(line(e.text), names), line(e.proof))
            for e in record.timeline
        )
        happened = Table("In order of time", ("At", "What", "Proof"), (2, 7, 4), rows)
        yield Section(level, "What happened", (happened,))


def _plan(record: Record, clock: Clock) -> Iterator[tuple[str, str]]:
    yield "Standing", line(record.standing)
    plan = record.plan
    if plan is not None:
        yield "Day", clock.day(plan.starts_at)
        planned = f"{clock.minute(plan.starts_at)} to {clock.minute(plan.ends_at)}"
        yield "Planned", f"{planned} ({clock.name})"
        yield "Purpose", line(plan.purpose) or "not written"
        yield "Platform", line(plan.platform)
    yield "Clients there", f"{_came(record, 'client')} of {_expected(record)} expected"
    yield "Workers there", str(_came(record, "worker"))


def _came(record: Record, part: str) -> int:
    return sum(r.part == part and r.joined_at is not None for r in record.attendance)


def _expected(record: Record) -> int:
    return sum(r.part == "client" and r.expected for r in record.attendance)


def _safety(record: Record, clock: Clock) -> Iterator[tuple[str, str]]:
    closing, safety = record.closing, record.safety
    yield "Last client out", clock.time(closing.last_client_out) or "not known"
    yield "Last worker out", clock.time(closing.last_worker_out) or "not known"
    if closing.gap is not None:
        left = closing.gap < timedelta(0)
        what = "A client was left behind for" if left else "Workers stayed on for"
        yield what, spell(closing.gap)
    enough = spell(safety.time_with_enough_workers)
    yield f"Time with {safety.workers_needed} workers", enough
    for gap in safety.worker_gaps:
        span = f"{clock.time(gap.start)} to {clock.time(gap.end)}"
        yield "Too few workers", f"{span} (fewest there: {gap.workers})"
    for clear in safety.clears:
        proof = line(clear.proof) or "not proved"
        yield "Ended for safety", f"{clock.time(clear.fired_at)}. {proof}"
    for blind in safety.blind:
        end = clock.time(blind.end) or "not back"
        yield "Could not see the room", f"{clock.time(blind.start)} to {end}"
    if record.debrief.skipped:
        yield "Debrief", f"skipped: {line(record.debrief.reason)}"
    elif record.debrief.length is not None:
        yield "Debrief", spell(record.debrief.length)
    for word, said in (
        ("Went well", record.debrief.went_well),
        ("To do differently", record.debrief.change),
        ("How the workers are", record.debrief.staff),
    ):
        if said:
            yield word, line(said)


def _attendance(record: Record, clock: Clock) -> Table:
    return Table(
        "From what the platform reported, with corrections",
        ("Who", "Part", "Status", "Came", "Left", "Minutes", "Noted"),
        (5, 3, 3, 3, 3, 3, 5),
        tuple(_row(row, clock) for row in record.attendance),
    )


def _row(row: AttendanceRow, clock: Clock) -> tuple[str, ...]:
    word = status(row)
    noted = [flag for flag in row.flags if flag != word]
    noted += [f"{line(a.by.name)}: {line(a.reason)}" for a in row.amendments]
    return (
        line(row.person.name) or line(row.person.id),
        line(row.role or row.part),
        word,
        clock.time(row.joined_at),
        clock.time(row.left_at),
        str(row.minutes),
        ", ".join(noted),
    )


def _ladder(record: Record, clock: Clock) -> Table:
    return Table(
        "Each step, who pressed it and what proved it",
        ("At", "Step", "Who", "Why", "Pressed by", "Proof"),
        (3, 2, 3, 5, 3, 4),
        tuple(_step(entry, clock) for entry in record.ladder),
    )


def _step(entry: LadderEntry, clock: Clock) -> tuple[str, ...]:
    proof = line(entry.proof) if entry.confirmed_at is not None else "not proved"
    if entry.undone_by is not None:
        proof += f"; undone by {line(entry.undone_by.name)}"
    return (
        clock.time(entry.at),
        line(entry.step),
        line(entry.person.name),
        line(entry.rule_text or entry.reason) or "not written yet",
        line(entry.by.name),
        proof,
    )


def _notes(record: Record, clock: Clock) -> Iterator[Block]:
    text = legible(record.notes_text).strip()
    if not text:
        yield Prose(("No notes are on file.",))
        return
    signed = record.notes
    if signed is not None:
        by = f" by {line(signed.by.name)}" if signed.by is not None else ""
        at = f", {clock.day(signed.at)} {clock.time(signed.at)}" if signed.at else ""
        yield Prose((f"Version {signed.version}{by}{at}.",))
    yield Prose(tuple(part.strip() for part in text.split("\n") if part.strip()))


def _follow_ups(record: Record, clock: Clock, names: Mapping[str, str]) -> Table:
    return Table(
        "Tasks that came out of this session",
        ("What", "Who", "Due", "Done"),
        (5, 4, 4, 5),
        tuple(
            (
                _with_names(line(one.what), names),
                line(one.person.name),
                clock.time(one.due_at),
                f"{clock.time(one.done_at)} by {line(one.done_by.name)}"
                if one.done_by is not None
                else clock.time(one.done_at) or "open",
            )
            for one in record.follow_ups
        ),
    )


def _checklist(record: Record) -> Table:
    facts = record.checklist
    assert facts is not None  # noqa: S101 - asked by the caller
    rows = []
    for item in facts.items:
        excepted = ""
        if item.excepted_by is not None:
            excepted = f"{line(item.excepted_by.name)}: {line(item.excepted_why)}"
        name = line(item.item).replace("_", " ")
        evidence = line(item.evidence)
        rows.append((name, line(item.clause), line(item.result), evidence, excepted))
    return Table(
        f"Verdict: {line(facts.verdict)}",
        ("Item", "Clause", "Result", "Evidence", "Exception"),
        (4, 2, 2, 5, 4),
        tuple(rows),
    )


def _names(record: Record) -> dict[str, str]:
    people = [row.person for row in record.attendance]
    people += [one.by for one in record.ladder]
    return {p.id: line(p.name) for p in people if p.id and p.name}


def _with_names(text: str, names: Mapping[str, str]) -> str:
    if not names:
        return text
    ids = "|".join(re.escape(i) for i in sorted(names, key=len, reverse=True))
    return re.sub(rf"(?<![\w-])(?:{ids})(?![\w-])", lambda m: names[m[0]], text)
