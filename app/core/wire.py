"""Facts to and from the log: one name per kind, both ways.

The stored ``kind`` is the class name; it is a promise to every database in the field, so
a class here is never renamed, only added.
"""

from typing import Any

from app.core import codec, events, presses
from app.core.fold import Fact

KINDS: dict[str, type[Any]] = {
    cls.__name__: cls
    for module in (events, presses)
    for cls in vars(module).values()
    if isinstance(cls, type)
    and issubclass(cls, (events.MeetingEvent, presses.SessionEvent))
    and cls not in (events.MeetingEvent, events.SeatEvent, presses.SessionEvent)
}


def dump(fact: Fact) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return (kind, pseudonymous fields, personal fields)."""
    public, private = codec.split(fact)
    return type(fact).__name__, public, private


def load(kind: str, public: dict[str, Any], private: dict[str, Any] | None) -> Fact:
    """Rebuild a fact; raises KeyError for a kind nobody knows."""
    fact: Fact = codec.decode(KINDS[kind], codec.merge(public, private))
    return fact
