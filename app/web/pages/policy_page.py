"""The policy: each number with its meaning, and every version with who, when and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.core.names import display
from app.core.policy import Policy
from app.core.presses import SessionPlanned
from app.store import people, policies
from app.store.policies import KINDS, Version
from app.store.refusals import Refused, Stale
from app.web.pages import policy_form, policy_parts, policy_safety
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.policy_fields import SHIPPED
from app.web.pages.policy_form import FORM, Difference
from app.web.pages.visit import Visit
from app.web.words import DOES

LESS_SAFE = "less_safe"

log = structlog.get_logger("chaperone")


@dataclass(frozen=True, slots=True)
class Kept:
    """A version as it is listed. ``differences``: from the one before it."""

    version: Version
    name: str
    differences: list[Difference]


async def page(visit: Visit) -> Response:
    """``GET /settings/policy``."""
    store, pack = visit.house.store, visit.house.pack

    def look(db: Connection) -> tuple[list[Version], dict[str, str]]:
        found = policies.listed(db, store)
        return found, people.named(db, store, [one.by for one in found if one.by])

    found, names = await visit.read(look)
    current = policy_form.policy(found[0].changes, found[0].number)
    return await visit.show(
        "office_policy.html",
        current=current,
        values=(values := policy_form.values(current, pack)),
        shipped=SHIPPED,
        shipped_values=policy_form.values(SHIPPED, pack),
        mode_names=[name for name in values if name.startswith("mode_")],
        weight_names=[name for name in values if name.startswith("weight_")],
        less_safe=_less_safe_again(visit, current),
        parts=policy_parts.PARTS,
        kinds=[(kind, DOES[kind]) for kind in KINDS],
        modes=[(str(mode), words) for mode, words in policy_form.MODES],
        weights=[(str(weight), words) for weight, words in policy_form.WEIGHTS],
        lines=policy_form.lines(pack),
        as_the_checklist=policy_form.AS_THE_CHECKLIST,
        versions=_kept(visit, found, names),
        longest=policies.LONGEST_REASON,
        saved="saved" in visit.request.query_params,
    )


def _less_safe_again(visit: Visit, current: Policy) -> list[str]:
    """What the change that was refused for it makes less safe."""
    if visit.refusal is None or LESS_SAFE not in visit.refusal.faults:
        return []
    pack = visit.house.pack
    wanted = policy_form.policy(policy_form.read(visit.form, pack), current.version)
    return policy_safety.less_safe(current, wanted, pack)


def _kept(visit: Visit, found: list[Version], names: dict[str, str]) -> list[Kept]:
    kept = []
    for one, before in pairwise(found):
        told = policy_form.differences(
            policy_form.policy(before.changes, before.number),
            policy_form.policy(one.changes, one.number),
            visit.house.pack,
        )
        kept.append(Kept(one, display(names.get(one.by, "") or one.by), list(told)))
    return kept


async def keep(visit: Visit) -> Response:
    """``POST /settings/policy``: a new version for every session that has not begun."""
    store = visit.house.store
    seen = visit.form.get("version", "")
    if not (seen.isdecimal() and len(seen) < 7):
        raise BadForm(400, "The form is not whole. Open the page again.")
    changes = policy_form.read(visit.form, visit.house.pack)
    reason = visit.form.get("reason", "").strip()
    await _know_what_is_less_safe(visit, changes, int(seen))
    try:
        number: int = await store.write(
            lambda db: policies.keep(
                db,
                store,
                changes,
                reason=reason,
                by=visit.person_id,
                now=visit.now,
                on_version=int(seen),
            )
        )
    except Stale as stale:
        sentence = (
            f"Somebody made version {stale.now_version} meanwhile. What you typed is "
            "still here. Compare it with theirs, at the end of the page, and save again."
        )
        raise Refusal({"": sentence}, FORM) from stale
    except Refused as refused:
        raise Refusal(refused.faults, FORM) from refused
    log.warning("policy changed", by=visit.person_id, version=number)
    await _tell_sessions(visit)
    return visit.go("/settings/policy?saved=1")


async def _know_what_is_less_safe(
    visit: Visit, changes: Mapping[str, Any], seen: int
) -> None:
    """Nothing becomes less safe that nobody has read. Raises Refusal."""
    if visit.form.get(LESS_SAFE) == "1":
        return
    store, pack = visit.house.store, visit.house.pack
    now_so: Version = await visit.read(lambda db: policies.newest(db, store))
    if now_so.number != seen:
        return  # Somebody was faster; that is said first.
    before = policy_form.policy(now_so.changes, now_so.number)
    wanted = policy_form.policy(changes, now_so.number)
    if policy_safety.less_safe(before, wanted, pack):
        sentence = "This makes sessions less safe: read how, and tick that you want it."
        raise Refusal({LESS_SAFE: sentence}, FORM)


async def _tell_sessions(visit: Visit) -> None:
    """Sessions to come take the policy with their plan; their log says when and by whom."""
    engine = visit.house.engine
    found: list[str] = await visit.read(lambda db: policies.not_begun(db, visit.now))
    for session_id in found:
        plan = (await engine.state(session_id)).plan
        if plan is not None:
            again = SessionPlanned(at=visit.now, by=visit.person_id, plan=plan)
            await engine.accept_press(session_id, again)
