"""The register, drafted from events: look, correct with a reason, confirm (guidance E3)."""

from dataclasses import dataclass
from datetime import datetime

from starlette.responses import Response

from app.core.attendance import Flag, Line, Part, attendance
from app.core.names import display
from app.core.presses import AttendanceAmended
from app.web import frozen
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit
from app.web.words import ROLES, length

PARTS = {
    Part.WORKER: "Worker",
    Part.CLIENT: "Client",
    Part.UNKNOWN: "Not on the list",
    Part.BOT: "Recorder or note-taker",
}
FLAGS: tuple[Flag, ...] = tuple(Flag)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line as the page shows it; ``number`` names it in ids of the page."""

    number: int
    line: str
    name: str
    shown: tuple[str, ...]
    part: str
    came: str
    joined_at: datetime | None
    left_at: datetime | None
    present: str
    flags: tuple[str, ...]
    how: str
    corrections: tuple[tuple[str, str, str], ...]
    can_name: bool


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/attendance``."""
    lines = attendance(visit.here, visit.now)
    confirmed = visit.here.attendance_confirmed
    return await visit.show(
        "attendance.html",
        rows=[_row(visit, n, line) for n, line in enumerate(lines, 1)],
        confirmed=confirmed,
        confirmed_by=visit.name(confirmed[1]) if confirmed is not None else "",
        changed_since=_changed_since(visit),
        live=any(True for _ in visit.here.live()),
        people=_people(visit),
    )


def _row(visit: Visit, number: int, line: Line) -> Row:
    typed = tuple(display(name) for name in line.shown)
    name = (
        visit.name(line.person_id) if line.person_id else (typed or ("(no name)",))[-1]
    )
    there = line.joined_at is not None or bool(line.stays)
    return Row(
        number=number,
        line=line.line,
        name=name,
        shown=tuple(t for t in typed if t.casefold() != name.casefold()),
        part=PARTS[line.part],
        came=ROLES[line.role] if line.role is not None else "",
        joined_at=line.joined_at,
        left_at=line.left_at,
        present=length(line.present) if there else "not there",
        flags=tuple(str(flag) for flag in FLAGS if flag in line.flags),
        how=line.matched_by,
        corrections=tuple(
            (visit.name(a.by), visit.zone.when(a.at, visit.now), a.reason)
            for a in line.amendments
        ),
        can_name=not line.person_id or line.line.startswith("connection:"),
    )


def _people(visit: Visit) -> list[tuple[str, str]]:
    plan = visit.planned
    ids = [*(w.person_id for w in plan.workers), *plan.clients]
    return sorted(((i, visit.name(i)) for i in ids), key=lambda r: r[1].casefold())


def _changed_since(visit: Visit) -> bool:
    confirmed = visit.here.attendance_confirmed
    if confirmed is None:
        return False
    return any(amended.at > confirmed[0] for amended in visit.here.amendments)


# --- what is pressed --------------------------------------------------------------


async def amend(visit: Visit) -> Response:
    """Lay a correction on top of a line; what events said stays."""
    form = visit.form.get("form", "")
    wanted = visit.text("line", 400)
    line = next(
        (one for one in attendance(visit.here, visit.now) if one.line == wanted), None
    )
    if line is None:
        raise Refusal({"": "That line is not in the table any more."}, form)
    joined = _moment(visit, "joined", line.joined_at)
    left = _moment(visit, "left", line.left_at)
    person, reason = visit.text("person", 80), visit.text("reason")
    faults: dict[str, str] = {}
    if person and person not in dict(_people(visit)):
        faults["person"] = "Choose somebody from the list of this session."
    start, end = joined or line.joined_at, left or line.left_at
    if start is not None and end is not None and end < start:
        faults["left"] = "The leaving lies before the coming."
    if not (joined or left or person):
        faults["joined"] = "Change at least one of the times, or say who it was."
    if not any(c.isalnum() for c in reason):
        faults["reason"] = "Write why this is corrected."
    if faults:
        raise Refusal(faults, form)
    await visit.press(
        AttendanceAmended(
            at=visit.now,
            by=visit.person_id,
            line=line.line,
            joined_at=joined,
            left_at=left,
            person_id=person,
            reason=reason,
        )
    )
    return visit.go(f"/sessions/{visit.session_id}/attendance")


def _moment(visit: Visit, name: str, before: datetime | None) -> datetime | None:
    """The time entered, None when it is empty or as it was. Raises Refusal."""
    text = visit.text(name, 40)
    if not text or text == visit.zone.field(before):
        return None
    try:
        at = visit.zone.entered(text)
    except (ValueError, OverflowError) as error:
        fault = {name: "Enter a date and a time, such as 2026-11-17T19:04."}
        raise Refusal(fault, visit.form.get("form", "")) from error
    plan = visit.planned
    if not abs(at - plan.starts_at).days < 2:
        fault = {name: "That is not near this session."}
        raise Refusal(fault, visit.form.get("form", ""))
    if at > visit.now:
        fault = {name: "That time has not come yet."}
        raise Refusal(fault, visit.form.get("form", ""))
    return at


async def confirm(visit: Visit) -> Response:
    """Confirm the table: the record is frozen with it."""
    if any(True for _ in visit.here.live()):
        raise Refusal({"": "The call still runs. Confirm when it is over."}, "confirm")
    await frozen.freeze(visit.house, visit.session_id, visit.person_id, visit.now)
    return visit.go(f"/sessions/{visit.session_id}/record")
