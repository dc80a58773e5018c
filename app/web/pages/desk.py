"""What the pages share: their templates, and the forms that were pressed already."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from secrets import token_urlsafe

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app import config
from app.web import words
from app.web.pages.exports_jobs import Jobs

REMEMBERED = 10_000


class Pressed:
    """Forms already carried out: the same form twice has one effect (S10).

    The second press waits for the first and goes to the same page. A form that was
    refused may be pressed again.
    """

    def __init__(self) -> None:
        self._done: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._going_on: dict[tuple[str, str], asyncio.Lock] = {}

    async def once(
        self, person_id: str, key: str, work: Callable[[], Awaitable[str]]
    ) -> str:
        """Do the work of this form, or give the place its first press led to."""
        mine = (person_id, key)
        async with self._going_on.setdefault(mine, asyncio.Lock()):
            if mine not in self._done:
                self._done[mine] = await work()
                if len(self._done) > REMEMBERED:
                    self._done.popitem(last=False)
            place = self._done[mine]
        self._going_on.pop(mine, None)
        return place


@cache
def open_templates() -> Environment:
    """The templates; everything is escaped, whatever a file is called (N09)."""
    environment = Environment(
        loader=FileSystemLoader(config.project_root() / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["iso"] = words.iso
    environment.filters["day"] = words.day_words
    environment.filters["spell"] = words.length
    environment.globals["form_key"] = lambda: token_urlsafe(16)
    return environment


@dataclass(frozen=True, slots=True)
class Desk:
    """What the pages keep for themselves: templates, pressed forms, exports under way."""

    pressed: Pressed = field(default_factory=Pressed)
    exports: Jobs = field(default_factory=Jobs)
    templates: Environment = field(default_factory=open_templates)
