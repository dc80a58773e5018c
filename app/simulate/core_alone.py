"""The core alone: fold and decide over an evening's events, without store or platform.

What it plays is the scenario's room, told as the facts that the platform's webhooks would
become; what it asks is the pure guard's promise: an end is wanted at the deadline, and
never while a worker is there.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.core import events as e
from app.core.decide import decide
from app.core.facts import Hands
from app.core.fold import apply
from app.core.plan import InvitedClient, Plan, Role, WorkerSlot
from app.core.policy import Policy
from app.core.presses import HandsProbed, LinkIssued, MeetingBound, SessionPlanned
from app.core.session import GroupSession
from app.simulate.cast import WORKERS
from app.simulate.scenario import Scenario, Step

LATEST = timedelta(seconds=1)


@dataclass
class CoreEvening:
    """One evening of the core. `wanted`: when ends were wanted, `broken`: sentences."""

    scenario: Scenario
    session: GroupSession = field(default_factory=lambda: GroupSession("core"))
    inside: dict[str, str] = field(default_factory=dict)
    number: int = 0
    facts: int = 0
    decisions: int = 0
    wake_at: datetime | None = None
    wanted: list[datetime] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    alone_since: datetime | None = None
    alone_anew: datetime | None = None
    """The same, as if every emptying of the room were a new beginning."""
    emptied_at: datetime | None = None
    worker_at: datetime | None = None
    """The last moment a worker was there."""
    worker_ever: bool = False
    guarded: bool = False
    open: bool = False

    def __post_init__(self) -> None:
        self.ref = e.MeetingRef(
            platform="zoom", meeting_id="81000000019", instance="one"
        )

    def _fold(self, fact: Any, at: datetime) -> None:
        self.facts += 1
        apply(self.session, fact)
        self.session.position += 1

    def play(self) -> "CoreEvening":
        """From the plan to the end."""
        scenario, begins = self.scenario, self.scenario.begins
        self._plan(begins)
        for step in scenario.steps:
            at = begins + timedelta(seconds=step.at)
            self._until(at)
            self._do(step, at)
            self._ask(at)
        self._until(begins + timedelta(seconds=scenario.ends_at))
        return self

    def _plan(self, at: datetime) -> None:
        scenario = self.scenario
        self.session.policy = Policy(
            grace=timedelta(seconds=scenario.grace),
            grace_first_worker=timedelta(seconds=scenario.grace_first_worker),
        )
        plan = Plan(
            session_id="core",
            group_id="group",
            platform="zoom",
            starts_at=at,
            ends_at=at + timedelta(hours=1),
            workers=tuple(
                WorkerSlot(
                    person_id=who,
                    role=Role.LEAD if who == scenario.lead else Role.SUPPORT,
                    platform_user_id=WORKERS[who].zoom_user_id,
                )
                for who in scenario.workers
            ),
            clients=tuple(InvitedClient(person_id=who) for who in scenario.clients),
        )
        self._fold(SessionPlanned(at=at, plan=plan), at)
        bound = MeetingBound(
            at=at,
            platform="zoom",
            meeting_id=self.ref.meeting_id,
            opens_at=at - timedelta(hours=1),
            closes_at=at + timedelta(hours=4),
        )
        self._fold(bound, at)
        self._fold(
            HandsProbed(at=at, hands=Hands(live_roster=True, end_for_all=True)), at
        )
        for who in (*scenario.clients, *scenario.workers):
            link = LinkIssued(
                at=at,
                person_id=who,
                registrant_id=f"reg-{who}",
                meeting_id=self.ref.meeting_id,
            )
            self._fold(link, at)

    def _do(self, step: Step, at: datetime) -> None:
        who = step.who
        if step.do == "arrive" and who in (
            *self.scenario.clients,
            *self.scenario.workers,
        ):
            if not self.open:
                self.open = True
                self._fold(e.MeetingStarted(meeting=self.ref, at=at, heard_at=at), at)
            if who not in self.inside:
                self.number += 1
                self.inside[who] = f"U-{self.number}"
                self._fold(e.ParticipantJoined(**self._seat(who, at)), at)
        elif step.do in ("leave", "drop") and who in self.inside:
            self._fold(e.ParticipantLeft(**self._seat(who, at)), at)
            del self.inside[who]
        self._truth(at)

    def _seat(self, who: str, at: datetime) -> dict[str, Any]:
        account = WORKERS[who].zoom_user_id if who in WORKERS else ""
        return {
            "meeting": self.ref,
            "at": at,
            "heard_at": at,
            "uuid": self.inside[who],
            "user_id": self.inside[who],
            "registrant_id": "" if account else f"reg-{who}",
            "platform_user_id": account,
            "name": who,
        }

    def _truth(self, at: datetime) -> None:
        workers = self.inside.keys() & {*self.scenario.workers}
        if workers or self.guarded:
            self.worker_at = at
        self.guarded = bool(workers)
        self.worker_ever = self.worker_ever or bool(workers)
        if workers:
            self.alone_since = self.emptied_at = None
        elif not self.inside:
            self.emptied_at = self.emptied_at or at
        else:
            # Who goes out and comes back in has no second grace.
            grace = timedelta(seconds=self.scenario.grace)
            if self.emptied_at is not None and at - self.emptied_at > grace:
                self.alone_since = None
            if self.alone_since is None or self.emptied_at is not None:
                self.alone_anew = at
            self.alone_since = self.alone_since or at
            self.emptied_at = None

    def _until(self, moment: datetime) -> None:
        """Wake at the core's own deadlines up to that moment."""
        for _ in range(200):
            if self.wake_at is None or self.wake_at > moment:
                return
            self._ask(self.wake_at)
        self.broken.append("The core asks to be woken again and again.")
        self.wake_at = None

    def _ask(self, now: datetime) -> None:
        self.decisions += 1
        decision = decide(self.session, now)
        later = [at for at in (decision.wake_at,) if at is not None and at > now]
        self.wake_at = min(later, default=None)
        for action in decision.actions:
            if action.kind == "end_meeting":
                self._end(now)

    def _end(self, now: datetime) -> None:
        """An end is wanted: at the right time? Then the room is over."""
        if not self.open:
            return
        self.wanted.append(now)
        due, early = self._due(self.alone_anew), self._due(self.alone_since)
        if due is not None and self.worker_ever and self.worker_at is not None:
            # Never before the grace since the last worker (I3).
            early = self.worker_at + timedelta(seconds=self.scenario.grace)
        if due is None or early is None or not early <= now <= due + LATEST:
            self.broken.append(f"An end was wanted at {now:%H:%M:%S}, due {due}.")
        for who in list(self.inside):
            self._fold(e.ParticipantLeft(**self._seat(who, now)), now)
        self._fold(e.MeetingEnded(meeting=self.ref, at=now, heard_at=now), now)
        self.inside.clear()
        self.alone_since = self.emptied_at = None
        self.open = self.worker_ever = False
        self.number += 1
        self.ref = e.MeetingRef(
            platform="zoom",
            meeting_id=self.ref.meeting_id,
            instance=f"no {self.number}",
        )

    def _due(self, since: datetime | None) -> datetime | None:
        if since is None:
            return None
        scenario = self.scenario
        if self.worker_ever:
            return since + timedelta(seconds=scenario.grace)
        # Nobody looks into this room: two intervals without a worker have to pass.
        unseen = 2 * self.session.policy.poll_calm.total_seconds()
        first = max(30.0, scenario.grace_first_worker, unseen)
        return since + timedelta(seconds=first)
