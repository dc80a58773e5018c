"""The sessions in memory: each the fold of its log, brought up to date incrementally."""

import asyncio
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from app.core import fold
from app.core.actions import Action, Expect
from app.core.events import MeetingRef
from app.core.policy import Policy
from app.core.presses import ActionState, MeetingBound, SessionPlanned
from app.core.session import GroupSession, Instance
from app.crypto import CannotDecrypt
from app.engine.contract import UnknownSession
from app.engine.footing import Footing
from app.store import log, plans, queue
from app.store.refusals import Unknown

KEEP = 4096


@dataclass(slots=True)
class OpenAction:
    """A stored action that is not finished, and how far it has come."""

    id: str
    action: Action
    mode: str
    state: str
    route: str
    tries: int
    next_at: datetime | None
    sent_at: datetime | None
    problem: str = ""
    decided_at: float = 0.0
    last_sent_at: datetime | None = None

    @property
    def was_heard(self) -> bool:
        """Words the platform took: there is nothing left to do and nothing to see."""
        return (
            self.action.expect is Expect.ANSWER
            and self.route == "api"
            and self.state == ActionState.SENT
            and self.next_at is None
            and not self.problem
        )


@dataclass(slots=True)
class Held:
    """One session in memory. Changed only by who holds ``lock``.

    ``fence``: the claim under which it was loaded; 0 for a session of another process,
    and where there is one process only.
    """

    session: GroupSession
    actions: dict[str, OpenAction] = field(default_factory=dict)
    bound: tuple[tuple[str, str], ...] = ()
    deadline: datetime | None = None
    looked_at: dict[str, datetime] = field(default_factory=dict)
    listed_at: dict[str, datetime] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: set[str] = field(default_factory=set)
    preparing: asyncio.Lock = field(default_factory=asyncio.Lock)
    told_version: int = 0
    stale_actions: bool = False
    unsettled: bool = False
    fence: int = 0


@dataclass(slots=True)
class _News:
    """What a look into the store found that the state in memory lacks."""

    facts: list[log.Logged]
    anew: Held | None = None
    actions: dict[str, OpenAction] | None = None
    directory: tuple[dict[str, str], Policy] | None = None
    looks: dict[MeetingRef, Any] = field(default_factory=dict)


class Sessions:
    """Loads, keeps and catches up. Names and policy come from the tables."""

    def __init__(self, footing: Footing) -> None:
        self._footing = footing
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._loading: dict[str, asyncio.Lock] = {}
        self.on_loaded: Callable[[Held], None] = lambda _held: None

    async def held(self, session_id: str) -> Held:
        """The session, loaded if need be. Raises UnknownSession."""
        found = self._held.get(session_id)
        if found is not None:
            self._held.move_to_end(session_id)
            return found
        lock = self._loading.setdefault(session_id, asyncio.Lock())
        try:
            async with lock:
                found = self._held.get(session_id)
                if found is None:
                    held = Held(GroupSession(session_id))
                    held.fence = self._footing.leases.fence_of(session_id) or 0
                    await self._footing.store.read(
                        lambda db: self._load(db, session_id, held)
                    )
                    self.on_loaded(held)
                    self._held[session_id] = found = held
                    self._drop_old()
        finally:
            self._loading.pop(session_id, None)
        return found

    async def held_under(self, session_id: str, fence: int) -> Held:
        """The session as it was read under this claim: another process may have been in
        charge of what was read before. Raises UnknownSession."""
        held = await self.held(session_id)
        if held.fence == fence:
            return held
        del self._held[session_id]
        anew = await self.held(session_id)
        anew.preparing, anew.told_version = held.preparing, held.told_version
        return anew

    def known(self, session_id: str) -> Held | None:
        """The session if it is in memory."""
        return self._held.get(session_id)

    def all(self) -> Mapping[str, Held]:
        """Every session in memory."""
        return self._held

    async def catch_up(self, held: Held) -> GroupSession:
        """Bring the fold up to the end of the log. The caller holds ``held.lock``.

        Reading happens in a thread; the state itself is only ever touched here, in the
        event loop, so that a page never sees it half-way.
        """
        news: _News = await self._footing.store.read(lambda db: self._read(db, held))
        return self._take(held, news)

    @staticmethod
    def twin(held: Held) -> Held:
        """A copy for one writing transaction: nothing done to it shows in the session.

        The open actions are the same objects; whoever has the twin only reads them.
        """
        # Our own bytes, a moment old; ten times as fast as copy.deepcopy.
        whole = pickle.dumps(replace(held.session, _memo={}))
        return Held(
            pickle.loads(whole),  # noqa: S301
            actions=dict(held.actions),
            bound=held.bound,
            deadline=held.deadline,
            busy=set(held.busy),
            stale_actions=held.stale_actions,
        )

    @staticmethod
    def moved_on(db: Connection, held: Held) -> bool:
        """Whether the log has something of this session that the fold lacks."""
        session, here = held.session, held.session.position
        return log.position(db, session.session_id, held.bound, after=here) > here

    def catch_up_in(self, db: Connection, twin: Held) -> GroupSession:
        """Bring a twin up to the end of the log, in the thread of that transaction."""
        return self._take(twin, self._read(db, twin))

    def _take(self, held: Held, news: _News) -> GroupSession:
        session = held.session
        if news.anew is not None:
            held.session, held.bound = news.anew.session, news.anew.bound
            self._take_actions(held, news.anew.actions)
            self._drop_proved(held)
            held.session.version = max(held.session.version, session.version) + 1
            return held.session
        for row in news.facts:
            self._apply(session, row)
            session.position = row.seq
        if news.actions is not None:
            self._take_actions(held, news.actions)
        self._drop_proved(held)
        if news.directory is not None:
            session.names, session.policy = news.directory
            session.version += 1
        for ref, seen in news.looks.items():
            self._take_look(session, session.instances[ref], seen)
        session.version += bool(news.looks)
        return session

    @staticmethod
    def _take_look(session: GroupSession, instance: Instance, seen: Any) -> None:
        """What the last look at this instance proved; None: there was none."""
        if seen is None:
            return
        if session.hands.live_roster is False:
            instance.checked_at = seen.proof_at
        else:
            instance.proof_at = seen.proof_at
        instance.failing_since = seen.failing_since
        for key in seen.seen:
            connection = instance.resolve(key)
            if connection is not None:
                connection.proved_at = seen.proof_at

    @staticmethod
    def _take_actions(held: Held, stored: Mapping[str, OpenAction]) -> None:
        """Rows that became open; one we hold already is under way and knows more."""
        known = {one.id: one for one in held.actions.values()}
        held.actions = held.actions | {
            key: known.get(one.id, one) for key, one in stored.items()
        }
        held.stale_actions = False

    @staticmethod
    def _drop_proved(held: Held) -> None:
        """What is proved stays proved, also if its row was read just before (I6)."""
        facts = held.session.actions
        for key in [*held.actions]:
            fact = facts.get(key)
            if fact is not None and fact.confirmed_at is not None:
                del held.actions[key]

    def _apply(self, session: GroupSession, row: log.Logged) -> None:
        """A fact that cannot be folded must not hide all that came after it (I20)."""
        try:
            fold.apply(session, row.fact)
        except Exception as problem:  # noqa: BLE001 - told; the rest still counts
            self._footing.log.error(
                "fact not folded", seq=row.seq, why=type(problem).__name__
            )

    async def as_of(self, session_id: str, when: datetime) -> GroupSession:
        """A fold of its own, of what was heard by then. Raises UnknownSession."""
        held = await self.held(session_id)
        session: GroupSession = await self._footing.store.read(
            lambda db: self._fold_until(db, held, when)
        )
        return session

    def _fold_until(self, db: Connection, held: Held, when: datetime) -> GroupSession:
        store, session_id = self._footing.store, held.session.session_id
        session = GroupSession(session_id)
        session.policy, session.names = held.session.policy, held.session.names
        rows = log.of_session(
            store, db, session_id, held.bound, unreadable=self._unreadable
        )
        for row in rows:
            if row.heard_at <= when:
                fold.apply(session, row.fact)
        return session

    def _read(self, db: Connection, held: Held) -> _News:
        store, session_id = self._footing.store, held.session.session_id
        news = _News(
            log.of_session(
                store,
                db,
                session_id,
                held.bound,
                after=held.session.position,
                unreadable=self._unreadable,
                recent=store.recent,
            )
        )
        if any(isinstance(row.fact, MeetingBound) for row in news.facts):
            # Facts of that meeting may lie before our position: fold everything anew.
            news.anew = Held(GroupSession(session_id))
            self._load(db, session_id, news.anew)
            return news
        if held.stale_actions:
            news.actions = self._open_actions(db, session_id)
        if any(isinstance(row.fact, SessionPlanned) for row in news.facts):
            news.directory = self._directory(db, session_id)
        if not self._footing.leases.holds(session_id):
            # Whoever is in charge looks at the rooms, and keeps what it saw in the store.
            news.looks = {
                ref: log.last_seen_of(db, ref)
                for ref, instance in held.session.instances.items()
                if instance.closed_at is None
            }
        return news

    def _directory(
        self, db: Connection, session_id: str
    ) -> tuple[dict[str, str], Policy]:
        """Names and policy; what does not open must not stop the guard (I20)."""
        store = self._footing.store
        try:
            return (
                plans.names_of(db, store, session_id),
                plans.policy_of(db, store, session_id),
            )
        except CannotDecrypt as problem:
            self._footing.log.error(
                "names not readable", session=session_id, why=str(problem)
            )
            return {}, Policy()

    def _load(self, db: Connection, session_id: str, held: Held) -> None:
        store = self._footing.store
        session = GroupSession(session_id)
        try:
            session.names, session.policy = self._directory(db, session_id)
        except Unknown:
            raise UnknownSession(session_id) from None
        held.bound = tuple(log.meetings_of(db, session_id))
        facts = log.of_session(
            store, db, session_id, held.bound, unreadable=self._unreadable
        )
        for logged in facts:
            if isinstance(logged.fact, MeetingBound):
                self._apply(session, logged)
        for logged in facts:
            if not isinstance(logged.fact, MeetingBound):
                self._apply(session, logged)
            session.position = max(session.position, logged.seq)
        for instance in session.instances.values():
            self._take_look(session, instance, log.last_seen_of(db, instance.ref))
        held.session = session
        held.actions = self._open_actions(db, session_id)
        held.stale_actions = False
        held.deadline = queue.deadline_of(db, session_id)
        session.version += 1

    def _open_actions(self, db: Connection, session_id: str) -> dict[str, OpenAction]:
        found: dict[str, OpenAction] = {}
        for one in queue.open_actions(db, session_id):
            try:
                action = queue.read_action(self._footing.store, one)
            except (CannotDecrypt, KeyError, TypeError, ValueError) as problem:
                self._footing.log.error(
                    "action not readable", action=one.id, why=type(problem).__name__
                )
                continue
            found[one.key] = OpenAction(
                one.id,
                action,
                one.mode,
                one.state,
                one.route,
                one.tries,
                one.next_at,
                one.sent_at,
                one.problem,
                last_sent_at=one.last_sent_at,
            )
        return found

    async def forget(self, session_ids: Iterable[str]) -> None:
        """Take these from the store anew, so that what was erased there is nowhere here.

        One that is not in memory stays out of it; one that is gone leaves it.
        """
        self._footing.store.recent.clear()
        for session_id in session_ids:
            loading = self._loading.get(session_id)
            if loading is not None:
                async with loading:
                    pass  # It may have been read before the erasure.
            held = self._held.get(session_id)
            if held is not None:
                async with held.lock:
                    await self._anew(held)

    async def _anew(self, held: Held) -> None:
        session_id = held.session.session_id
        anew = Held(GroupSession(session_id))
        try:
            await self._footing.store.read(lambda db: self._load(db, session_id, anew))
        except UnknownSession:
            self._held.pop(session_id, None)
            return
        self._take(held, _News(facts=[], anew=anew))
        for key, stored in anew.actions.items():
            held.actions[key].action = stored.action
        self.on_loaded(held)

    @staticmethod
    def forget_actions(held: Held) -> None:
        """Read the open actions again at the next catch-up."""
        held.stale_actions = True

    def _unreadable(self, seq: int) -> None:
        self._footing.log.error("log row of an unknown kind", seq=seq)

    def _drop_old(self) -> None:
        for session_id, held in list(self._held.items())[: len(self._held) - KEEP]:
            in_use = held.lock.locked() or held.busy or held.preparing.locked()
            if not in_use and not any(held.session.live()):
                del self._held[session_id]
