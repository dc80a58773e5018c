"""A scene: who takes part, what happens when, and what must be so afterwards.

Scenes are data (`scenes/*.toml`); README.md shows how to add one. Steps of kind `do`
change the World; steps of kind `press` are a worker's presses on Chaperone's pages,
which whoever plays the scene carries out.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.clock import Clock
from integrations.rehearsal.people import Account, Person
from integrations.rehearsal.rooms import Json
from integrations.rehearsal.settings import merged, safe_meeting_settings
from integrations.rehearsal.world import World

FOLDER = Path(__file__).parent / "scenes"

PRESSES = {
    "speak_rules": "the ground rules were talked through",
    "remind": "first step of the ladder: `about`, `rule`, `reason`",
    "warn": "second step of the ladder: `about`, `rule`, `reason`",
    "remove": "third step: `about`, `rule`, `reason`; `immediate` for serious harm",
    "give_reason": "the reason of an immediate removal: `about`, `reason`",
    "readmit": "undo a removal: `about`",
    "hold": "take somebody to the waiting room: `about`",
    "admit": "let somebody in: `about`",
    "vouch": "a worker says who a connection is: `about`, `how`",
    "accept_lead": "the support worker takes the lead",
    "resume": "go on after a safety clear",
    "bind": "this meeting is our session",
    "closing": "goodbye: clients out first",
    "debrief": "the staff debrief is over",
    "end": "end the meeting for everybody",
    "close": "close the session; the links die",
    "save_notes": "`text`",
    "confirm_attendance": "the register is right",
}
# What a newcomer reads for each press, in the words of the pages' buttons.
BUTTONS = {
    "speak_rules": "We talked the ground rules through",
    "remind": "Remind",
    "warn": "Warn",
    "remove": "Remove",
    "give_reason": "Give the reason",
    "readmit": "Readmit",
    "hold": "To the waiting room",
    "admit": "Let in",
    "vouch": "I know who this is",
    "accept_lead": "I take the lead",
    "resume": "Resume",
    "bind": "This is our session",
    "closing": "Close to clients",
    "debrief": "The debrief is done",
    "end": "End for everyone",
    "close": "Close the session",
    "save_notes": "Save the notes",
    "confirm_attendance": "Confirm the attendance",
}


@dataclass(frozen=True, slots=True)
class Step:
    """`at` after the scene began, `who` does (or `by` presses) `verb`.

    `refused`: the platform must turn this step down.
    """

    at: timedelta
    verb: str
    who: str = ""
    is_press: bool = False
    refused: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Promise:
    """Something that must be so; `check` is a name of `promises.py`."""

    check: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scene:
    """`starts_in`: the planned start after the scene began; `minutes`: planned length."""

    name: str
    title: str
    teaches: str
    starts_in: timedelta
    length: timedelta
    lead: str
    support: tuple[str, ...]
    clients: tuple[str, ...]
    cast: Mapping[str, Person]
    steps: tuple[Step, ...]
    promises: tuple[Promise, ...]
    account: Account
    planned: bool = True

    @property
    def workers(self) -> tuple[str, ...]:
        return (self.lead, *self.support)


def load_cast() -> dict[str, Person]:
    """Everybody who may appear, by key."""
    written = tomllib.loads((FOLDER / "cast.toml").read_text(encoding="utf-8"))
    return {key: Person(key, **fields) for key, fields in written.items()}


def names() -> list[str]:
    """The names of all scenes."""
    return sorted(path.stem for path in FOLDER.glob("*.toml") if path.stem != "cast")


def load(name: str) -> Scene:
    """Read one scene. Raises KeyError or ValueError naming what is wrong in it."""
    path = FOLDER / f"{name}.toml"
    if name == "cast" or not path.is_file():
        raise KeyError(
            f"There is no scene called {name}; there are: {', '.join(names())}."
        )
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    everybody = load_cast()
    keys = (written["lead"], *written["support"], *written["clients"])
    cast = {key: everybody[key] for key in (*keys, *written.get("others", []))}
    return Scene(
        name=name,
        title=written["title"],
        teaches=written["teaches"],
        starts_in=timedelta(seconds=written["starts_in"]),
        length=timedelta(minutes=written["minutes"]),
        lead=written["lead"],
        support=tuple(written["support"]),
        clients=tuple(written["clients"]),
        cast=cast,
        steps=tuple(_step(name, cast, each) for each in written["steps"]),
        promises=tuple(_promise(each) for each in written["promises"]),
        account=dataclasses.replace(Account(), **written.get("account", {})),
        planned=written.get("planned", True),
    )


def _step(scene: str, cast: Mapping[str, Person], written: Json) -> Step:
    fields = dict(written)
    at = fields.pop("at")
    is_press = "press" in fields
    verb = fields.pop("press" if is_press else "do")
    who = fields.pop("by" if is_press else "who", "")
    refused = fields.pop("refused", False)
    if is_press and verb not in PRESSES:
        raise ValueError(f"{scene}: nobody can press “{verb}”.")
    for key in filter(None, (who, fields.get("about"), fields.get("link_of"))):
        if key not in cast:
            raise ValueError(f"{scene}: {key} is not in the cast.")
    return Step(timedelta(seconds=at), verb, who, is_press, refused, fields)


def _promise(written: Json) -> Promise:
    fields = dict(written)
    return Promise(fields.pop("check"), fields)


def world_of(scene: Scene, clock: Clock, seed: int = 0) -> World:
    """A World with the scene's cast and account, and no meeting yet."""
    world = World(clock, scene.account, seed)
    for person in scene.cast.values():
        world.add_person(person)
    return world


def plan_without_bot(scene: Scene, world: World) -> tuple[int, dict[str, str]]:
    """Plan the scene's meeting by hand, as the platform's own portal would; for tests
    that have no bot. Returns (meeting id, client key to personal link)."""
    support = [scene.cast[key].email for key in scene.support]
    wish = {"alternative_hosts": ";".join(support)}
    meeting = world.create_meeting(
        scene.lead,
        scene.title,
        start_at=world.now + scene.starts_in,
        duration=scene.length,
        settings=merged(safe_meeting_settings(), wish),
    )
    links = {}
    for key in scene.clients:
        person = scene.cast[key]
        registrant = world.register(meeting.id, person.name, person.email, approve=True)
        links[key] = meeting.link_of(registrant)
    return meeting.id, links
