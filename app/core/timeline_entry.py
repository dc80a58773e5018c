"""One line of the timeline."""

from dataclasses import dataclass
from datetime import datetime

from app.core.actions import Level

ROOM, WORKER, BOT = "room", "worker", "bot"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``who_kind``: ``room``, ``worker`` or ``bot``; ``proof`` for the bot's acts."""

    at: datetime
    who_kind: str
    text: str
    level: Level = Level.INFO
    proof: str = ""
    key: str = ""
