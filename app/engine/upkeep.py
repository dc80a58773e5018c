"""Jobs that come back: settings checks, lost webhooks, reports, forgetting."""

from datetime import datetime, timedelta

from app.core.events import MeetingRef
from app.core.reconcile import ReportRow, reconcile
from app.core.session import GroupSession, Instance
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.loop import Engine
from app.engine.prepare import due_checks
from app.store import log
from integrations.base import BadWebhook, PermanentFailure, PlatformFailure, ReportLine

BODIES_KEPT = timedelta(days=14)
REPORT_FROM = timedelta(minutes=5)
REPORT_UNTIL = timedelta(hours=24)
CATCH_UP_BACK = timedelta(hours=2)


class Upkeep:
    """Registered with :meth:`Engine.add_job` by :func:`register`."""

    def __init__(self, footing: Footing, engine: Engine) -> None:
        self._footing = footing
        self._engine = engine
        self._reported: set[MeetingRef] = set()

    async def settings(self) -> None:
        """Read settings at T-24 h, T-30 min, T-0, after a change, every 5 min while live."""
        now = self._footing.clock.now()
        for held in list(self._engine.sessions.all().values()):
            if held.bound and needs_check(held.session, now):
                await self._engine.check_now(held.session.session_id)

    async def catch_up(self) -> None:
        """Fetch webhooks the platform could not deliver to us (zoom §3)."""
        since = self._footing.clock.now() - CATCH_UP_BACK
        for name, platform in self._footing.platforms.items():
            try:
                bodies = await platform.missed_webhooks(since)
            except PlatformFailure as failure:
                self._footing.log.info(
                    "no webhook log", platform=name, why=str(failure)
                )
                continue
            for body in bodies:
                await self._accept(self._engine.intake, name, body)

    async def _accept(self, intake: Intake, platform: str, body: bytes) -> None:
        now = self._footing.clock.now()
        try:
            delivery = self._footing.platforms[platform].parse(body, now, late=True)
        except BadWebhook as problem:
            self._footing.log.warning("log entry not usable", why=problem.counter)
            return
        if delivery.answer is None:
            await intake.accept_delivery(platform, delivery, body, now)

    async def reports(self) -> None:
        """Close gaps in the attendance from the platform's own report; delete nothing."""
        now = self._footing.clock.now()
        for held in list(self._engine.sessions.all().values()):
            for instance in list(held.session.instances.values()):
                if self._report_due(instance, now):
                    await self._report(held.session, instance)

    def _report_due(self, instance: Instance, now: datetime) -> bool:
        ended = instance.closed_at
        return (
            ended is not None
            and instance.ref not in self._reported
            and ended + REPORT_FROM <= now <= ended + REPORT_UNTIL
        )

    async def _report(self, session: GroupSession, instance: Instance) -> None:
        platform = self._footing.platforms.get(instance.ref.platform)
        if platform is None:
            return
        try:
            lines = await platform.attendance_report(instance.ref)
        except PermanentFailure as failure:
            self._reported.add(instance.ref)
            self._footing.log.warning("no attendance report", why=str(failure))
            return
        except PlatformFailure:
            return
        self._reported.add(instance.ref)
        rows = [_row(instance.ref, line) for line in lines]
        facts = reconcile(session, rows)
        if facts:
            await self._engine.intake.accept_facts(facts)
            self._engine.wake(session.session_id)

    async def forget(self) -> None:
        """Erase raw webhook bodies after 14 days."""
        before = self._footing.clock.now() - BODIES_KEPT
        await self._footing.store.write(lambda db: log.forget_bodies(db, before))


def needs_check(session: GroupSession, now: datetime) -> bool:
    """Whether the settings have to be read again now (DESIGN §5, line 3)."""
    plan, last = session.plan, session.facts_at
    if plan is None or session.closed is not None:
        return False
    if due_checks(plan, last, now):
        return True
    changed = session.meeting_changed_at
    if changed is not None and (last is None or changed > last):
        return True
    live = any(session.live())
    return live and (last is None or now - last >= session.policy.settings_every)


def _row(meeting: MeetingRef, line: ReportLine) -> ReportRow:
    return ReportRow(
        meeting=meeting,
        seat=line.seat,
        joined_at=line.joined_at,
        left_at=line.left_at,
        waiting=line.waiting,
        room=line.room,
    )


def register(footing: Footing, engine: Engine) -> Upkeep:
    """Hand the jobs to the engine."""
    upkeep = Upkeep(footing, engine)
    engine.add_job("settings", timedelta(seconds=15), upkeep.settings)
    engine.add_job("catch_up", timedelta(minutes=5), upkeep.catch_up)
    engine.add_job("reports", timedelta(minutes=2), upkeep.reports)
    engine.add_job("forget", timedelta(hours=6), upkeep.forget)
    return upkeep
