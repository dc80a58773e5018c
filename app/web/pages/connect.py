"""Connect a meeting platform: its own steps, a test of each permission, its webhooks.

Every word about a platform comes from its integration through PLATFORMS; nothing here
knows one by name (DESIGN §5, line 18).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection
from starlette.responses import Response

from app.store import log as store_log
from app.web.pages.forms import BadForm
from app.web.pages.visit import Visit
from app.web.words import Tag
from integrations import PLATFORMS, PlatformEntry
from integrations.base import (
    Guide,
    GuideStep,
    PermanentFailure,
    PlatformFailure,
    Proof,
    ProofState,
)

log = structlog.get_logger("chaperone")

SILENT_AFTER = timedelta(days=7)
ON = Tag("good", "✓", "Switched on")
OFF = Tag("wait", "●", "Not connected")
HEARD = Tag("good", "✓", "Yes")
NEVER = Tag("bad", "✕", "No")
LONG_AGO = Tag("wait", "●", "Not for a while")
UNBELIEVED = Tag("bad", "✕", "Only with a wrong secret")
PROOFS = {
    ProofState.TRIED: Tag("good", "✓", "Tried, works"),
    ProofState.GIVEN: Tag("good", "✓", "Given"),
    ProofState.MISSING: Tag("bad", "✕", "Not given"),
    ProofState.FAILED: Tag("bad", "✕", "Tried, refused"),
}
LEFT_OUT = Tag("wait", "●", "Left out")


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting a step gives; its value is never shown."""

    name: str
    is_set: bool


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the guide, and whether its settings are there."""

    guide: GuideStep
    settings: list[Setting]


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Whether events came in: ``last_at`` is the newest one that was believed."""

    tag: Tag
    last_at: datetime | None
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Tested:
    """What the test found. ``trouble``: why there was no test at all."""

    proofs: Sequence[tuple[Proof, Tag]] = ()
    trouble: str = ""
    fix: str = ""

    @property
    def works(self) -> bool:
        """Whether everything that is needed is there."""
        needed = [proof for proof, _ in self.proofs if not proof.optional]
        return bool(needed) and all(proof.holds for proof in needed)


async def listed(visit: Visit) -> Response:
    """``GET /settings/platforms``."""
    rows = [
        (entry, ON if entry.name in visit.house.platforms else OFF)
        for entry in PLATFORMS.values()
    ]
    return await visit.show("office_platforms.html", rows=rows)


async def page(visit: Visit) -> Response:
    """``GET /settings/platforms/{platform}``."""
    return await _show(visit, None)


async def test(visit: Visit) -> Response:
    """``POST /settings/platforms/{platform}/test``: asks the platform, changes nothing."""
    entry = _entry(visit)
    guide = _guide(visit, entry)
    if guide is None:
        raise BadForm(404, "There is no such page.")
    tested = await _prove(guide)
    log.info(
        "platform tested", platform=entry.name, by=visit.person_id, works=tested.works
    )
    return await _show(visit, tested)


async def _prove(guide: Guide) -> Tested:
    try:
        proofs = await guide.prove()
    except PlatformFailure as failure:
        fix = "Try again in a moment."
        if isinstance(failure, PermanentFailure):
            fix = failure.fix or "Compare the settings with the platform's page."
        return Tested(trouble=str(failure), fix=fix)
    except ValueError as fault:
        fix = "Set what the steps above name, and restart the service."
        return Tested(trouble=f"The settings cannot be used: {fault}.", fix=fix)
    return Tested([(proof, _tag(proof)) for proof in proofs])


def _tag(proof: Proof) -> Tag:
    if proof.optional and proof.state is ProofState.MISSING:
        return LEFT_OUT
    return PROOFS[proof.state]


async def _show(visit: Visit, tested: Tested | None) -> Response:
    entry = _entry(visit)
    guide = _guide(visit, entry)
    steps = guide.steps(visit.house.settings.base_url) if guide is not None else ()
    webhooks: Webhooks = await visit.read(lambda db: _heard(db, visit, entry, guide))
    return await visit.show(
        "office_connect.html",
        entry=entry,
        is_on=entry.name in visit.house.platforms,
        guided=guide is not None,
        steps=[Step(step, _settings(visit, step)) for step in steps],
        webhooks=webhooks,
        tested=tested,
    )


def _entry(visit: Visit) -> PlatformEntry:
    entry = PLATFORMS.get(visit.request.path_params["platform"])
    if entry is None:
        raise BadForm(404, "There is no such page.")
    return entry


def _guide(visit: Visit, entry: PlatformEntry) -> Guide | None:
    if entry.guide is None:
        return None
    return entry.guide(visit.house.settings, visit.house.clock, None)


def _settings(visit: Visit, step: GuideStep) -> list[Setting]:
    known = visit.house.settings
    return [
        Setting(f"CHAPERONE_{field.upper()}", getattr(known, field, None) is not None)
        for field in step.settings
    ]


def _heard(
    db: Connection, visit: Visit, entry: PlatformEntry, guide: Guide | None
) -> Webhooks:
    last = store_log.last_delivery(db, entry.name)
    if last is not None and visit.now - last <= SILENT_AFTER:
        return Webhooks(HEARD, last)
    silent = guide.silent() if guide is not None else ""
    if last is not None:
        return Webhooks(LONG_AGO, last, silent)
    if f"refused:{entry.name}:sig_wrong" in store_log.counted(db):
        return Webhooks(UNBELIEVED, None, guide.unbelieved() if guide else "")
    return Webhooks(NEVER, None, silent)
