"""What every request may use; handed in by the composition root."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from starlette.requests import Request

from app.clock import Clock
from app.config import Settings
from app.core.checklist import Pack
from app.engine.contract import EngineDoor
from app.engine.spool_file import SpoolFile
from app.store.database import Store
from app.web.counts import Counts
from app.web.letters import SendLetter
from app.web.password_work import PasswordWork
from app.web.pretending import Practice, Pretend
from app.web.tries import Tries
from integrations.oidc.provider import Provider

# Sends a contact their code: (contact id, code). Raises PlatformFailure.
SendCode = Callable[[str, str], Awaitable[None]]


class Backups(Protocol):
    """What /readyz and /metrics say of the backups. Both look at a disk."""

    def age(self) -> timedelta | None:
        """Of the newest good one; None without one."""

    def trouble(self) -> str | None:
        """A sentence when it is too old."""


class Disk(Protocol):
    """What the pages and /readyz say of the room left. Both look at a disk."""

    def trouble(self) -> str | None:
        """A sentence when too little is left."""

    def least(self) -> int:
        """Free bytes. Raises OSError."""


@dataclass(frozen=True, slots=True)
class House:
    """Settings, engine, store, clock, and what web itself remembers.

    ``platforms``: names of the platforms that are switched on. ``pack``: the checklist.
    ``send_code`` None: contacts cannot be confirmed from here. ``send_letter`` None: no
    mail server is set. ``provider`` None: nobody signs in with the organisation's accounts.
    ``backups`` None: none are made by this service. ``spool_file`` None: what the store
    does not take is kept in memory only. ``disk`` None: nobody looks at it.
    ``practice`` None: nobody can practise from here. ``pretend``: this is a practice, and
    nothing in it is real.
    ``on_erased``: what else forgets names it keeps in memory when somebody was erased.
    """

    settings: Settings
    engine: EngineDoor
    store: Store
    clock: Clock
    pack: Pack
    platforms: tuple[str, ...]
    send_code: SendCode | None
    tries: Tries
    send_letter: SendLetter | None = None
    provider: Provider | None = None
    backups: Backups | None = None
    spool_file: SpoolFile | None = None
    disk: Disk | None = None
    practice: Practice | None = None
    pretend: Pretend | None = None
    passwords: PasswordWork = field(default_factory=PasswordWork)
    counts: Counts = field(default_factory=Counts)
    token_used: dict[str, float] = field(default_factory=dict)
    on_erased: list[Callable[[], None]] = field(default_factory=list)


def house_of(request: Request) -> House:
    """The house this request is in."""
    house: House = request.app.state.house
    return house
