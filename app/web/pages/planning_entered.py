"""A plan as it was typed: timed parts, workers and their parts, invited clients, times."""

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from app.core.plan import Role
from app.core.series import MOST, Every, series
from app.store.imports import day_of
from app.store.sessions import Rostered, SessionPlan
from app.web.pages.entered import DAY, Fields, chosen, ticked
from app.web.pages.visit import HOME_ZONE, Visit

FORM = "plan"
_PART = re.compile(r"(\d{1,3}) ?(?:min|mins|minutes|m)?\b[\s:.,-]*(.*)")
REPEAT = f"Enter how many sessions, from 1 to {MOST}."
EVERY = {
    str(Every.WEEK): "every week",
    str(Every.FORTNIGHT): "every two weeks",
    str(Every.DAY): "every day",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the session: how many minutes, and what happens."""

    minutes: int
    what: str


def parts_of(text: str) -> list[Part] | str:
    """The parts, one on each line (``10 Welcome``); else what is wrong with them."""
    found = []
    lines = [line.strip() for line in text.split("\n")]
    for number, line in enumerate([line for line in lines if line], 1):
        match = _PART.fullmatch(line)
        if match is None or not match[2].strip() or int(match[1]) == 0:
            return f"Line {number}: begin with the minutes, such as “10 Welcome”."
        found.append(Part(int(match[1]), match[2].strip()))
    return found


def told(parts: list[Part]) -> str:
    """The parts as they are stored and shown."""
    return "\n".join(f"{part.minutes} min: {part.what}" for part in parts)


@dataclass(frozen=True, slots=True)
class Times:
    """When it is, as entered: local, without an offset."""

    starts: datetime
    ends: datetime
    zone: str
    hour: str


def times_of(fields: Fields) -> Times | None:
    """The times of the form; None when one of them is wrong (the fault is noted)."""
    day = fields.day("day", needed="Enter the day.")
    starts, ends = _clock(fields, "starts"), _clock(fields, "ends")
    zone, hour = fields.text("zone") or HOME_ZONE, fields.text("hour")
    if day is None or starts is None or ends is None:
        return None
    first = datetime.combine(day, starts)
    last = datetime.combine(day, ends)
    if last <= first and day < date.max:
        fields.faults["ends"] = "The end must be later than the start, on the same day."
        return None
    return Times(first, last, zone, hour)


def _clock(fields: Fields, name: str) -> time | None:
    text = fields.text(name).replace(".", ":")
    match = re.fullmatch(r"(\d{1,2}):(\d{2})(?::\d{2})?", text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        fields.faults[name] = "Enter a time such as 19:00."
        return None
    return time(int(match[1]), int(match[2]))


def plan_of(fields: Fields) -> dict[str, Any]:
    """The columns of the plan but its times; faults are noted in ``fields``."""
    visit = fields.visit
    parts = parts_of(fields.text("parts"))
    if isinstance(parts, str):
        fields.faults["parts"], parts = parts, []
    if not any(c.isalnum() for c in fields.text("purpose")):
        fields.faults["purpose"] = (
            "Say what the session is for; the invitation says it."
        )
    return {
        "platform": fields.text("platform"),
        "title": fields.text("title"),
        "purpose": fields.text("purpose"),
        "plan_text": told(parts),
        "segments": len(parts),
        "workers": workers_of(visit),
        "clients": tuple(chosen(visit, "client_")),
        "risk_assessment": ticked(visit, "risk_assessment"),
        "emergency_contacts": ticked(visit, "emergency_contacts"),
        "recording_reason": fields.text("recording_reason"),
    }


def too_long(fields: Fields, plan: dict[str, Any], times: Times) -> None:
    """Note when the parts take more time than there is."""
    parts = parts_of(plan["plan_text"])
    takes = sum(part.minutes for part in parts) if not isinstance(parts, str) else 0
    lasts = round((times.ends - times.starts) / timedelta(minutes=1))
    if takes > lasts:
        fields.faults["parts"] = (
            f"The parts take {takes} minutes; the session lasts {lasts}."
        )


def workers_of(visit: Visit) -> tuple[Rostered, ...]:
    """Who works and as what: the lead first."""
    order = {str(role): place for place, role in enumerate(Role)}
    found = [
        Rostered(person_id=name.removeprefix("worker_"), role=role)
        for name, role in visit.form.items()
        if name.startswith("worker_") and role
    ]
    return tuple(sorted(found, key=lambda w: order.get(w.role, 9)))


def series_of(fields: Fields, times: Times | None) -> list[Times]:
    """When each session is: one, or several single ones at the same time of day."""
    entered = fields.number("repeat", REPEAT)
    count = 1 if entered is None else entered
    every = fields.text("every") or Every.WEEK
    skip = _skipped(fields)
    if "repeat" not in fields.faults and not 1 <= count <= MOST:
        fields.faults["repeat"] = REPEAT
    if every not in EVERY:
        fields.faults["every"] = "Choose from what is listed."
    if times is None or {"repeat", "every", "skip"} & set(fields.faults):
        return []
    if count == 1:
        return [times]
    try:
        found = series(times.starts, Every(every), count, skip)
        lasts = times.ends - times.starts
        return [replace(times, starts=day, ends=day + lasts) for day in found]
    except OverflowError:
        fields.faults["day"] = "Enter a day within five years from now."
        return []


def _skipped(fields: Fields) -> list[date]:
    """Days on which there is no session: holidays and the like."""
    found = []
    for word in re.split(r"[\s,;]+", fields.text("skip")):
        day = day_of(word) if word else None
        if word and day is None:
            fields.faults["skip"] = f"“{word[:20]}” is no day. {DAY}"
        elif day is not None:
            found.append(day)
    return found


def typed_of(plan: SessionPlan, day: date) -> dict[str, Any]:
    """What stands in the form for a plan that is changed or copied."""
    return {
        "title": plan.title,
        "purpose": plan.purpose,
        "day": day.isoformat(),
        "starts": plan.local_start[11:16],
        "ends": plan.local_end[11:16],
        "zone": plan.zone,
        "platform": plan.platform,
        "parts": plan.plan_text.replace(" min: ", " "),
        "workers": {w.person_id: w.role for w in plan.workers},
        "clients": set(plan.clients),
        "risk_assessment": plan.risk_assessment,
        "emergency_contacts": plan.emergency_contacts,
        "recording_reason": plan.recording_reason,
    }
