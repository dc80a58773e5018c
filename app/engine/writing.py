"""A change of the store as data: it can be repeated, put into a file and read back.

What makes it harmless to repeat is the store's: facts have a ``ref``, an action one row
for its episode, and an action that is finished moves no more (I12).
"""

import base64
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from app.core import codec, wire
from app.core.actions import ACTIONS, Action
from app.core.events import MeetingRef
from app.core.fold import Fact
from app.core.policy import Mode
from app.core.presses import ActionState
from app.crypto import CannotDecrypt
from app.engine.sessions import OpenAction
from app.store import log, queue, rooms
from app.store.database import Store

MARK = "$"

Step = tuple[str, Mapping[str, Any]]


class Unusable(ValueError):
    """Bytes that are no change this version understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """Facts, and steps on the other tables, for one session.

    ``if_moved``: the first step moves an action; when that is finished already, nothing
    of the rest is written.
    """

    session_id: str
    entries: tuple[log.Entry, ...] = ()
    steps: tuple[Step, ...] = ()
    if_moved: bool = False

    @property
    def refs(self) -> Sequence[str]:
        """The references of its facts, in their order."""
        return [entry.ref for entry in self.entries]

    def write(self, db: Connection, store: Store) -> bool:
        """Do it; False when ``if_moved`` held it back."""
        for number, (name, given) in enumerate(self.steps):
            done = STEPS[name](db, store, given)
            if self.if_moved and number == 0 and not done:
                return False
        log.add(db, list(self.entries))
        return True

    def facts(self, store: Store) -> Iterator[Fact]:
        """The facts again; one whose personal half does not open comes without it."""
        for entry in self.entries:
            private = None
            if entry.fields_sealed is not None:
                place = f"log_personal:fields:{entry.ref}"
                try:
                    private = orjson.loads(store.open(entry.fields_sealed, place))
                except (CannotDecrypt, ValueError):
                    private = None
            yield wire.load(entry.kind, orjson.loads(entry.public), private)

    def take_up(self, actions: dict[str, OpenAction]) -> None:
        """Let its steps on actions count in memory, for a store that lacks them still."""
        for name, given in self.steps:
            if name == "want":
                actions[given["action"].key] = _wanted(given)
            elif name == "move":
                _move(actions, given)

    def dump(self) -> bytes:
        """As bytes."""
        whole = {
            "session_id": self.session_id,
            "entries": [entry._asdict() for entry in self.entries],
            "steps": [[name, given] for name, given in self.steps],
            "if_moved": self.if_moved,
        }
        return orjson.dumps(_pack(whole))

    @classmethod
    def load(cls, data: bytes) -> "Writing":
        """From :meth:`dump`. Raises Unusable."""
        try:
            whole = _unpack(orjson.loads(data))
            steps = tuple((name, given) for name, given in whole["steps"])
            found = cls(
                session_id=whole["session_id"],
                entries=tuple(log.Entry(**entry) for entry in whole["entries"]),
                steps=steps,
                if_moved=whole["if_moved"],
            )
            unknown = {name for name, _ in steps} - STEPS.keys()
            unknown |= {entry.kind for entry in found.entries} - wire.KINDS.keys()
        except (KeyError, TypeError, ValueError) as problem:
            raise Unusable(type(problem).__name__) from problem
        if unknown:
            raise Unusable(f"Of a newer version: {sorted(unknown)}")
        return found


def move(action_id: str, values: Mapping[str, Any]) -> Step:
    """An open action changes."""
    return ("move", {"action_id": action_id, "values": dict(values)})


def want(one: OpenAction, session_id: str, at: datetime) -> Step:
    """A new action."""
    given = {"session_id": session_id, "action": one.action, "action_id": one.id}
    return ("want", {**given, "mode": one.mode, "at": at, "state": one.state})


def _wanted(given: Mapping[str, Any]) -> OpenAction:
    told = given["state"] == ActionState.SENT
    return OpenAction(
        id=given["action_id"],
        action=given["action"],
        mode=given["mode"],
        state=given["state"],
        route="person" if told else "",
        tries=0,
        next_at=None if told else given["at"],
        sent_at=given["at"] if told else None,
    )


def _move(actions: dict[str, OpenAction], given: Mapping[str, Any]) -> None:
    for key, one in list(actions.items()):
        if one.id != given["action_id"]:
            continue
        for name in ("state", "route", "tries", "next_at", "sent_at", "problem"):
            if name in given["values"]:
                setattr(one, name, given["values"][name])
        if one.state not in queue.OPEN:
            del actions[key]


def _want(db: Connection, store: Store, given: Mapping[str, Any]) -> bool:
    return queue.want(
        db,
        store,
        given["session_id"],
        given["action"],
        action_id=given["action_id"],
        mode=Mode(given["mode"]),
        at=given["at"],
        state=ActionState(given["state"]),
    )


def _revive(db: Connection, _store: Store, given: Mapping[str, Any]) -> None:
    state = ActionState(given["state"])
    queue.revive(
        db, given["session_id"], given["key"], given["mode"], given["at"], state
    )


STEPS: Mapping[str, Callable[[Connection, Store, Mapping[str, Any]], Any]] = {
    "alarm": lambda db, _store, given: queue.raise_alarm(db, **given),
    "deadline": lambda db, _store, given: queue.set_deadline(db, **given),
    "link": lambda db, _store, given: rooms.set_link_state(db, **given),
    "look": lambda db, _store, given: log.look(db, **given),
    "move": lambda db, _store, given: queue.move(
        db, given["action_id"], queue.OPEN, **given["values"]
    ),
    "revive": _revive,
    "want": _want,
}


def _pack(value: Any) -> Any:
    """JSON knows no times, bytes or actions: each bears a mark."""
    if isinstance(value, datetime):
        return {MARK: "time", "is": value.isoformat()}
    if isinstance(value, bytes):
        return {MARK: "bytes", "is": base64.b64encode(value).decode()}
    if isinstance(value, Action):
        return {MARK: "action", "kind": value.kind, "is": codec.encode(value)}
    if isinstance(value, MeetingRef):
        return {MARK: "meeting", "is": codec.encode(value)}
    if isinstance(value, Mapping):
        return {name: _pack(one) for name, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [_pack(one) for one in value]
    return value


def _unpack(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpack(one) for one in value]
    if not isinstance(value, dict):
        return value
    if MARK not in value:
        return {name: _unpack(one) for name, one in value.items()}
    kind, held = value[MARK], value["is"]
    if kind == "time":
        return datetime.fromisoformat(held)
    if kind == "bytes":
        return base64.b64decode(held)
    if kind == "meeting":
        return codec.decode(MeetingRef, held)
    return codec.decode(ACTIONS[value["kind"]], held)
