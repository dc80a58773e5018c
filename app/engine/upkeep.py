"""Jobs that come back: settings checks, lost webhooks, reports, forgetting."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from app.clock import SteadyClock
from app.core.events import MeetingRef, Source
from app.core.reconcile import ReportRow, reconcile
from app.core.session import GroupSession, Instance
from app.engine.checks import due_checks
from app.engine.footing import Footing
from app.engine.intake import Intake
from app.engine.loop import Engine
from app.privacy import retention as long_terms
from app.store import access_rows, drafts, log, retention
from integrations.base import BadWebhook, PermanentFailure, PlatformFailure, ReportLine

# Assurance §11.2; docs/data-inventory.md has the whole table with the reasons.
BODIES_KEPT = timedelta(days=14)
DELIVERIES_KEPT = BODIES_KEPT + timedelta(days=7)
REFUSED_KEPT = timedelta(days=14)
UNBOUND_KEPT = timedelta(days=14)
LOOKS_KEPT = timedelta(days=7)
ADDRESSES_KEPT = timedelta(hours=24)
DRAFTS_KEPT = timedelta(days=30)
FORGET_EVERY = timedelta(hours=1)
STEP_MATTERS = timedelta(seconds=2)
CLOCK_SET = (
    "The clock of Chaperone's machine was set while a session is live. Deadlines are "
    "kept by another clock; nothing is late."
)
LOOK_AT_CLOCK = "Look at the machine's time server before the next session."
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
        for session_id, held in list(self._engine.sessions.all().items()):
            ours = self._footing.leases.holds(session_id)
            if ours and held.bound and needs_check(held.session, now):
                with self._alone("settings not read", session_id):
                    await self._engine.check_now(session_id)

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
        if delivery.answer is not None:
            return
        told = tuple(replace(e, source=Source.CATCH_UP) for e in delivery.events)
        again = replace(delivery, events=told)
        await intake.accept_delivery(platform, again, body, now)

    async def reports(self) -> None:
        """Close gaps in the attendance from the platform's own report; delete nothing."""
        now = self._footing.clock.now()
        for session_id, held in list(self._engine.sessions.all().items()):
            if not self._footing.leases.holds(session_id):
                continue
            for instance in list(held.session.instances.values()):
                if self._report_due(instance, now):
                    with self._alone("no report", session_id):
                        await self._report(held.session, instance)

    @contextmanager
    def _alone(self, what: str, session_id: str) -> Iterator[None]:
        """What goes wrong with one session must not keep the others waiting."""
        try:
            yield
        except Exception as problem:  # noqa: BLE001 - told; the next round tries again
            self._footing.log.error(what, session=session_id, why=repr(problem)[:200])

    async def follow_clock(self) -> None:
        """A step of the wall clock counts only while no deadline does (I19)."""
        clock = self._footing.clock
        if not isinstance(clock, SteadyClock) or abs(clock.step()) <= STEP_MATTERS:
            return
        step = f"{clock.step().total_seconds():.0f}"
        if self._engine.guards():
            self._footing.log.error("wall clock was set", seconds=step)
            await self._engine.alarms.cry("clock", CLOCK_SET, LOOK_AT_CLOCK)
            return
        self._footing.log.warning("following the wall clock", seconds=step)
        clock.follow()
        await self._engine.clock_followed()

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
        ref = instance.ref
        made_up = not ref.is_named
        try:
            # Of an occurrence that no webhook named, only the latest can be asked for.
            lines = await platform.attendance_report(
                replace(ref, instance="") if made_up else ref
            )
        except PermanentFailure as failure:
            self._reported.add(instance.ref)
            self._footing.log.warning("no attendance report", why=str(failure))
            return
        except PlatformFailure:
            return
        self._reported.add(instance.ref)
        rows = [_row(ref, line) for line in lines if not made_up or _in(instance, line)]
        facts = reconcile(session, rows)
        if facts:
            await self._engine.intake.accept_facts(facts)
            self._engine.wake(session.session_id)

    async def forget(self) -> None:
        """Erase whatever has been kept long enough (I24)."""
        now, store = self._footing.clock.now(), self._footing.store

        def work(db: Connection) -> None:
            log.forget_bodies(db, now - BODIES_KEPT)
            retention.forget_deliveries(db, now - DELIVERIES_KEPT)
            retention.forget_refused(db, now - REFUSED_KEPT)
            retention.forget_looks(db, now - LOOKS_KEPT)
            retention.forget_addresses(db, now - ADDRESSES_KEPT)
            drafts.forget_old(db, now - DRAFTS_KEPT)
            access_rows.forget_old(db, now)

        await store.write(work)
        refs = await store.read(lambda db: retention.unbound(db, now - UNBOUND_KEPT))
        for part in retention.parts(refs):
            await store.write(partial(retention.forget_unbound, refs=part))
        for term in await store.read(lambda db: long_terms.due_by(db, now)):
            await store.write(partial(long_terms.carry_out, store=store, term=term))
            self._footing.log.info("kept long enough", kind=term.kind, id=term.id)


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


def _in(instance: Instance, line: ReportLine) -> bool:
    """Whether the line may be about this instance."""
    opened, closed = instance.opened_at, instance.closed_at
    if opened is None or closed is None:
        return False
    return line.joined_at < closed and line.left_at > opened


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
    engine.add_job("clock", timedelta(seconds=30), upkeep.follow_clock)
    engine.add_job("counts", timedelta(seconds=30), engine.intake.write_refusals)
    engine.add_job("settings", timedelta(seconds=15), upkeep.settings)
    engine.add_job("catch_up", timedelta(minutes=5), upkeep.catch_up, once=True)
    engine.add_job("reports", timedelta(minutes=2), upkeep.reports)
    engine.add_job("forget", FORGET_EVERY, upkeep.forget, once=True)
    return upkeep
