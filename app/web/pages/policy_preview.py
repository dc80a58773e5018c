"""The preview of another policy: past sessions are replayed in a thread, with progress.

It lives in this process only and holds no more than what its author typed and what was
found; a restart forgets it, and nothing is lost but the looking.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.core.policy import Policy
from app.crypto import new_token
from app.store import log as store_log
from app.store import plans, policies, sessions
from app.store.sessions import SessionPlan
from app.web.house import House
from app.web.pages import (
    policy_form,
    policy_page,
    policy_replay,
    policy_safety,
    policy_told,
)
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.policy_replay import Past
from app.web.pages.policy_told import Replayed
from app.web.pages.visit import Visit

log = structlog.get_logger("chaperone")

MOST_SESSIONS = 20
MOST_KEPT = 20
PATIENCE = 1.0
NOT_CARRIED = ("csrf", "key", "form", "reason", "less_safe", "preview_id")


@dataclass
class Preview:
    """``done`` of ``total`` sessions; ``form``: what its author typed, to go on with."""

    by: str
    form: Mapping[str, str]
    changes: Mapping[str, Any]
    version: int
    total: int = 0
    done: int = 0
    found: list[Replayed] = field(default_factory=list)
    skipped: int = 0
    over: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None


class Previews:
    """The newest previews of this process. One is worked at a time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Preview] = OrderedDict()
        self._turn = asyncio.Lock()

    def get(self, preview_id: str, by: str) -> Preview | None:
        """Somebody's own preview, None when it is gone or another's."""
        found = self._kept.get(preview_id)
        return found if found is not None and found.by == by else None

    def forget(self) -> None:
        """Previews hold names of past sessions: somebody was erased."""
        for preview in self._kept.values():
            if preview.task is not None:
                preview.task.cancel()
        self._kept.clear()

    def start(self, house: House, preview: Preview) -> str:
        """Begin; returns the id to look at it by."""
        preview_id = new_token()
        self._kept[preview_id] = preview
        while len(self._kept) > MOST_KEPT:
            _, old = self._kept.popitem(last=False)
            if old.task is not None:
                old.task.cancel()
        preview.task = asyncio.create_task(self._work(house, preview))
        return preview_id

    async def _work(self, house: House, preview: Preview) -> None:
        try:
            async with self._turn:
                await _replay(house, preview)
        finally:
            preview.over.set()


async def _replay(house: House, preview: Preview) -> None:
    now = house.clock.now()
    ids: list[str] = await house.store.read(
        lambda db: policies.past(db, now, MOST_SESSIONS)
    )
    preview.total = len(ids)
    for session_id in ids:
        try:
            replayed = await _one(house, preview, session_id)
        except Exception as problem:  # noqa: BLE001 - one old session must not hide the rest
            log.error("not replayed", session=session_id, why=type(problem).__name__)
            preview.skipped += 1
        else:
            if replayed.changes:
                preview.found.append(replayed)
        preview.done += 1


async def _one(house: House, preview: Preview, session_id: str) -> Replayed:
    plan, names, facts, before = await house.store.read(
        lambda db: _stored(db, house, session_id)
    )
    after = policies.merged(preview.changes, plan.policy, preview.version + 1)
    past = Past(
        session_id=session_id,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        facts=facts,
        names=names,
    )
    changes = await asyncio.to_thread(
        policy_replay.compare, past, before, after, house.pack
    )
    return Replayed(plan, names, changes)


def _stored(
    db: Connection, house: House, session_id: str
) -> tuple[SessionPlan, dict[str, str], Sequence[store_log.Logged], Policy]:
    store = house.store
    plan = sessions.get(db, store, session_id)
    bound = store_log.meetings_of(db, session_id)
    return (
        plan,
        plans.names_of(db, store, session_id),
        store_log.of_session(
            store, db, session_id, bound, unreadable=lambda _seq: None
        ),
        policies.policy_for(db, None, plan.policy),
    )


def _previews(visit: Visit) -> Previews:
    state = visit.request.app.state
    if not hasattr(state, "previews"):
        state.previews = Previews()
        visit.house.on_erased.append(state.previews.forget)
    previews: Previews = state.previews
    return previews


# --- the pages ------------------------------------------------------------------------


async def start(visit: Visit) -> Response:
    """``POST /settings/policy/preview``."""
    house = visit.house
    changes = policy_form.read(visit.form, house.pack)
    now_so: policies.Version = await visit.read(
        lambda db: policies.newest(db, house.store)
    )
    before = policy_form.policy(now_so.changes, now_so.number)
    if policy_form.policy(changes, now_so.number) == before:
        sentence = "Nothing is different from the policy in force."
        raise Refusal({"": sentence}, policy_form.FORM)
    preview = Preview(visit.person_id, dict(visit.form), changes, now_so.number)
    preview_id = _previews(visit).start(house, preview)
    return visit.go(f"/settings/policy/preview/{preview_id}")


async def page(visit: Visit) -> Response:
    """``GET /settings/policy/preview/{preview_id}``: waits a moment, then says how far."""
    return await _show(visit, visit.request.path_params["preview_id"])


async def back(visit: Visit) -> Response:
    """Saving was refused: the preview again, or the policy where somebody was faster."""
    preview_id = visit.form.get("preview_id", "")
    known = _previews(visit).get(preview_id, visit.person_id)
    refused = visit.refusal.faults if visit.refusal is not None else {}
    if known is None or "" in refused:
        return await policy_page.page(visit)
    return await _show(visit, preview_id)


async def _show(visit: Visit, preview_id: str) -> Response:
    preview = _previews(visit).get(preview_id, visit.person_id)
    if preview is None:
        sentence = (
            "That preview is gone. Open the policy page and press the button anew."
        )
        raise BadForm(404, sentence)
    # What is quick is shown at once, also without scripts.
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await preview.over.wait()
    stored: list[policies.Version] = await visit.read(
        lambda db: policies.listed(db, visit.house.store)
    )
    base = next(one for one in stored if one.number == preview.version)
    before = policy_form.policy(base.changes, base.number)
    after = policy_form.policy(preview.changes, base.number)
    sees = visit.may("SEE_ALL_SESSIONS")
    return await visit.show(
        "office_preview.html",
        preview=preview,
        preview_id=preview_id,
        differences=policy_form.differences(before, after, visit.house.pack),
        less_safe=policy_safety.less_safe(before, after, visit.house.pack),
        counts=policy_told.counts(preview.found),
        ended=policy_told.ended(preview.found),
        sessions=[policy_told.told(one) for one in preview.found] if sees else [],
        sees=sees,
        hidden={
            **{
                name: text
                for name, text in preview.form.items()
                if name not in NOT_CARRIED
            },
            "preview_id": preview_id,
        },
        reason=preview.form.get("reason", ""),
        longest=policies.LONGEST_REASON,
    )
