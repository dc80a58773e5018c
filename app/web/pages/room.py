"""The live page: the room, what the bot does, and the big buttons."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.rules.closing import cleared_at, may_resume
from app.core.rules.ground_rules import receipts
from app.core.safety_times import debrief
from app.core.session import GroupSession
from app.store import queue
from app.web.pages import doings, drafts, follow_ups
from app.web.pages.roomview import room_view
from app.web.pages.visit import Visit

BY_HAND = (
    "Look into the call yourself and count: is a worker in every room with young people?",
    "If no worker is in the call, join now. If you cannot, end it for everyone or telephone "
    "a worker who can.",
    "Watch the waiting room yourself and let in only who is on the list.",
)


async def page(visit: Visit) -> Response:
    """``GET /sessions/{id}/live``; ``?part=main`` gives the part that changes."""
    part = visit.request.query_params.get("part") == "main"
    template = "live_main.html" if part else "live.html"
    known = _known(visit, await _words(visit)) | follow_ups.known(visit)
    draft = await drafts.mine(visit, "debrief")
    return await visit.show(template, **known, draft=draft)


async def _words(visit: Visit) -> dict[str, str]:
    """What has to be said for the actions that are open, by their key."""
    store = visit.house.store

    def look(db: Connection) -> dict[str, str]:
        rows = queue.open_actions(db, visit.session_id)
        return {row.key: doings.words_of(queue.read_action(store, row)) for row in rows}

    found: dict[str, str] = await visit.read(look)
    return found


def _known(visit: Visit, words: dict[str, str]) -> dict[str, Any]:
    session, me = visit.here, visit.person_id
    view = room_view(session, me, visit.now)

    def hint(press: str) -> str:
        return visit.house.engine.press_hint(visit.session_id, press)

    alarms = doings.alarms(session)
    asks = doings.asks(session, hint, words)
    return {
        "view": view,
        "alarms": alarms,
        "asks": asks,
        "doings": doings.doings(session),
        "talk": debrief(session, visit.now),
        "blind_since": doings.blind_since(session),
        "by_hand": BY_HAND,
        "where": _where(session, hint),
        "weak": session.hands.live_roster is False,
        "live": any(True for _ in session.live()),
        "needed": session.policy.workers_needed,
        "rules": session.plan.ground_rules if session.plan is not None else None,
        "clients": _clients(visit, session),
        "had_rules": len(receipts(session)),
        "may_resume": may_resume(session, visit.now),
        "cleared_at": cleared_at(session),
        "in_roster": session.worker_slot(me) is not None,
        "is_lead": session.lead_id == me,
        "lead": visit.name(session.lead_id) if session.lead_id else "nobody",
        "says": _says(len(alarms), len(asks), view.workers),
    }


def _where(session: GroupSession, hint: Callable[[str], str]) -> dict[str, str]:
    """Where a worker presses what there are no hands for; "" where there are.

    What is not known yet counts as missing: better a place too many than none.
    """
    hands = session.hands
    without = {
        "private_message": True,  # no platform lets anybody but a person write to one
        "remove": hands.remove_one is False,
        "hold": not hands.hold_one,
        "admit": not hands.admit_one,
        "post_rules": not hands.room_chat,
        "end_meeting": True,  # the last resort is said, whatever hands there are
    }
    return {press: hint(press) * missing for press, missing in without.items()}


def _clients(visit: Visit, session: GroupSession) -> list[tuple[str, str]]:
    plan = session.plan
    ids = [client.person_id for client in plan.clients] if plan is not None else []
    return sorted(((i, visit.name(i)) for i in ids), key=lambda row: row[1].casefold())


def _says(alarms: int, asks: int, workers: int) -> str:
    """Read out when it changes: short, and without names."""
    parts = [f"Workers in the room: {workers}."]
    if alarms:
        parts.insert(0, f"Alarms nobody has taken: {alarms}.")
    if asks:
        parts.append(f"Requests to you: {asks}.")
    return " ".join(parts)
