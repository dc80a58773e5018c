"""The checklist of one session: go or no-go on one card, and the way to mend each line."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.checklist import Kind
from app.core.presses import ExceptionGiven, ItemTicked
from app.core.readiness import Item, readiness
from app.store import rooms
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.visit import Visit
from app.web.words import VERDICT, Tag, item_tag, named
from integrations.base import PlatformFailure

ADOPT = "adopt"
ORDER = {"bad": 0, "wait": 1, "calm": 2, "good": 3}


@dataclass(frozen=True, slots=True)
class Shown:
    """A line of the card as the page shows it."""

    item: Item
    tag: Tag
    evidence: str
    by: str
    reason: str
    can_tick: bool
    can_except: bool


@dataclass(frozen=True, slots=True)
class OwnLink:
    """A client's (or worker's) personal link; its address is not here."""

    person_id: str
    name: str
    state: str


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/checklist``."""
    card = readiness(visit.here, visit.house.pack, visit.now)
    shown = [_shown(visit, item) for item in card.items]
    return await visit.show(
        "checklist.html",
        card=card,
        verdict=VERDICT[card.verdict],
        open=sorted(
            (s for s in shown if s.tag.tone != "good"), key=lambda s: ORDER[s.tag.tone]
        ),
        done=[s for s in shown if s.tag.tone == "good"],
        stops=sum(s.item.stops for s in shown),
        links=await _links(visit),
        prepared=bool(visit.here.bindings),
        hands=visit.here.hands,
        probed=visit.here.hands_at,
    )


def _shown(visit: Visit, item: Item) -> Shown:
    by = item.exception or item.ticked
    return Shown(
        item=item,
        tag=item_tag(item),
        evidence=named(item.evidence, visit.here.names),
        by=visit.name(by.by) if by is not None else "",
        reason=item.exception.reason if item.exception is not None else "",
        can_tick=item.kind is Kind.TICK,
        can_except=item.may_except and item.stops,
    )


async def _links(visit: Visit) -> list[OwnLink]:
    found: list[rooms.PersonalLink] = await visit.read(
        lambda db: rooms.links_of(db, visit.house.store, visit.session_id)
    )
    links = [
        OwnLink(one.person_id, visit.name(one.person_id), one.state if one.url else "")
        for one in found
    ]
    return sorted(links, key=lambda link: link.name.casefold())


# --- what is pressed --------------------------------------------------------------


def _item(visit: Visit) -> Item:
    card = readiness(visit.here, visit.house.pack, visit.now)
    item = card.item(visit.text("item", 80))
    if item is None:
        raise BadForm(400, "There is no such line on this checklist.")
    return item


def _back(visit: Visit, item: str = "") -> Response:
    anchor = f"#item-{item}" if item else ""
    return visit.go(f"/sessions/{visit.session_id}/checklist{anchor}")


async def tick(visit: Visit) -> Response:
    """A worker attests what only a person can know, or takes it back."""
    item = _item(visit)
    if item.kind is not Kind.TICK:
        raise BadForm(400, "Chaperone finds this out by itself; it cannot be ticked.")
    ticked = visit.text("ticked", 5) != "no"
    press = ItemTicked(at=visit.now, by=visit.person_id, item=item.id, ticked=ticked)
    await visit.press(press)
    return _back(visit, item.id)


async def give_exception(visit: Visit) -> Response:
    """Go on without this line, by name and with a reason; or take that back."""
    item, form = _item(visit), visit.form.get("form", "")
    withdrawn = visit.text("withdrawn", 5) == "yes"
    reason = visit.text("reason")
    if not withdrawn and not item.may_except:
        raise Refusal({"reason": "No exception is possible from this line."}, form)
    if not withdrawn and not any(c.isalnum() for c in reason):
        raise Refusal({"reason": "Write the reason in a sentence."}, form)
    await visit.press(
        ExceptionGiven(
            at=visit.now,
            by=visit.person_id,
            item=item.id,
            withdrawn=withdrawn,
            reason="" if withdrawn else reason,
        )
    )
    return _back(visit, item.id)


async def mend(visit: Visit) -> Response:
    """Let the platform make one setting safe, and look again."""
    item, form = _item(visit), visit.form.get("form", "")
    if item.mend is None:
        raise BadForm(400, "Chaperone cannot mend this line by itself.")
    mended = await visit.house.engine.mend(visit.session_id, item.mend, visit.person_id)
    if item.mend in mended.refused:
        raise Refusal({"": f"{mended.refused[item.mend]} {item.how}"}, form)
    return _back(visit, item.id)


async def check_now(visit: Visit) -> Response:
    """Read settings and hands again."""
    _all_well(await visit.house.engine.check_now(visit.session_id), "check")
    return _back(visit)


async def prepare(visit: Visit) -> Response:
    """Make the safe meeting and everybody's own link."""
    made = await visit.house.engine.prepare(visit.session_id, visit.person_id)
    _all_well([named(text, visit.here.names) for text in made], "prepare")
    return _back(visit)


async def adopt(visit: Visit) -> Response:
    """A meeting that was made in the platform's own window is this session's."""
    if visit.here.bindings:
        raise BadForm(409, "This session has its meeting already.")
    number = "".join(visit.text("meeting", 40).split()).replace("-", "")
    if not number:
        raise Refusal({"meeting": "Enter the number of the meeting."}, ADOPT)
    try:
        await visit.house.engine.bind(visit.session_id, number, visit.person_id)
    except PlatformFailure as failure:
        said = f"{failure} {getattr(failure, 'fix', '')}".strip()
        raise Refusal({"meeting": said}, ADOPT) from None
    return _back(visit)


def _all_well(problems: Sequence[str], form: str) -> None:
    if problems:
        raise Refusal({"": " ".join(problems)}, form)


async def new_link(visit: Visit) -> Response:
    """Cancel a personal link and make another."""
    await visit.house.engine.rotate_link(
        visit.session_id, visit.text("person", 80), visit.person_id
    )
    return _back(visit)


async def reveal_link(visit: Visit) -> Response:
    """One person's link, to copy: shown on this answer only (a secret)."""
    person_id = visit.text("person", 80)

    def look(db: Connection) -> rooms.PersonalLink | None:
        return rooms.link_of(db, visit.house.store, visit.session_id, person_id)

    link = await visit.read(look)
    if link is None or not link.url:
        raise BadForm(404, "There is no link for this person yet.")
    return await visit.show("link.html", link=link, name=visit.name(person_id))
