"""Which sessions: the filters that list, register, history and export have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from sqlalchemy import Connection

from app.core.names import display
from app.store import days, groups, standing
from app.store.sessions import SessionPlan
from app.store.standing import OnFile
from app.web.access import Permission, may
from app.web.pages.forms import Refusal
from app.web.pages.people import today
from app.web.pages.visit import Visit

FORM = "choice"
TERM = timedelta(days=120)
LONGEST = timedelta(days=800)
STATES: Mapping[str, str] = {
    "": "All",
    "confirmed": "Attendance confirmed",
    "open": "Not confirmed yet",
    "without_notes": "Without notes",
}
_FITS: Mapping[str, Callable[[OnFile], bool]] = {
    "": lambda _: True,
    "confirmed": lambda on_file: on_file.version > 0,
    "open": lambda on_file: on_file.version == 0,
    "without_notes": lambda on_file: on_file.notes == 0,
}


@dataclass(frozen=True, slots=True)
class Choice:
    """From ``first`` to ``last``, both included; ``group`` and ``state`` "" for all."""

    first: date
    last: date
    group: str = ""
    state: str = ""

    @property
    def query(self) -> str:
        """As it stands in an address."""
        given = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        given |= {"group": self.group} if self.group else {}
        return urlencode(given | ({"state": self.state} if self.state else {}))


@dataclass(frozen=True, slots=True)
class Chosen:
    """A session of the choice and what is on file of it."""

    plan: SessionPlan
    group: str
    on_file: OnFile


def choice_of(visit: Visit, given: Mapping[str, str]) -> Choice:
    """What was chosen; the last term where nothing was. Raises Refusal."""
    here = today(visit)
    faults: dict[str, str] = {}

    def day(name: str, otherwise: date) -> date:
        text = given.get(name, "")[:40].strip()
        try:
            return date.fromisoformat(text) if text else otherwise
        except ValueError:
            faults[name] = "Enter a day, such as 2026-09-01."
            return otherwise

    made = Choice(day("from", here - TERM), day("to", here))
    if not faults and made.last < made.first:
        faults["to"] = "The last day is before the first."
    elif not faults and made.last - made.first > LONGEST:
        faults["to"] = "Choose two years at most."
    state = given.get("state", "")
    if faults:
        raise Refusal(faults, FORM)
    return replace(
        made, group=given.get("group", "")[:80], state=state if state in STATES else ""
    )


def chosen(db: Connection, visit: Visit, choice: Choice) -> list[Chosen]:
    """The sessions of the choice that are in the visitor's reach, by start.

    Those they are rostered for and those of groups they lead; a safeguarding lead all.
    Cancelled ones and those still to come are left out.
    """
    store, me = visit.house.store, visit.person_id
    found = days.of_days(db, store, choice.first, choice.last, choice.group)
    known = {group.id: group for group in groups.listed(db, store, limit=1_000)}
    if not may(visit.visitor, Permission.SEE_ALL_SESSIONS):
        found = [
            plan
            for plan in found
            if any(w.person_id == me for w in plan.workers)
            or me in known[plan.group_id].leads
        ]
    held = [p for p in found if p.state != "cancelled" and p.starts_at <= visit.now]
    on_file = standing.on_file(db, [plan.id for plan in held])
    fits = _FITS[choice.state]
    return [
        Chosen(plan, display(known[plan.group_id].name), on_file[plan.id])
        for plan in held
        if fits(on_file[plan.id])
    ]


def group_choices(db: Connection, visit: Visit) -> list[tuple[str, str]]:
    """(id, name) of the groups one may choose from: those led, or all."""
    listed = groups.listed(db, visit.house.store, limit=1_000)
    every = may(visit.visitor, Permission.SEE_ALL_SESSIONS)
    found = [
        (group.id, display(group.name))
        for group in listed
        if every or visit.person_id in group.leads
    ]
    return sorted(found, key=lambda pair: pair[1].casefold())
