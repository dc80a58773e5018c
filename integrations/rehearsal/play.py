"""Plays a scene: waits for each step's time and carries it out in the World."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.clock import Clock
from integrations.rehearsal.rooms import Refused
from integrations.rehearsal.scene import BUTTONS, Scene, Step
from integrations.rehearsal.world import World


@dataclass(frozen=True, slots=True)
class Press:
    """What a worker presses on Chaperone's pages; `what` is a key of `scene.PRESSES`.

    `meeting_id` is the meeting the scene is in now. `arguments` may hold `about` (a
    person's key), `rule`, `reason`, `immediate`, `how` and `text`.
    """

    at: datetime
    by: str
    what: str
    meeting_id: int
    arguments: Mapping[str, Any]


Presser = Callable[[Press], Awaitable[None]]


@dataclass(slots=True)
class Played:
    """What came of a scene. `surprises` are sentences about steps that went otherwise
    than the scene says: let in where it should be refused, or the other way round."""

    scene: Scene
    world: World
    meeting_id: int
    links: dict[str, str]
    began_at: datetime
    surprises: list[str] = field(default_factory=list)


async def play(
    scene: Scene,
    world: World,
    clock: Clock,
    press: Presser,
    *,
    meeting_id: int = 0,
    links: Mapping[str, str] | None = None,
    began_at: datetime | None = None,
) -> Played:
    """Play every step at its time.

    `links` are the clients' personal links (key to address). `began_at` is the scene's
    second 0, now by default. A press that raises ends the scene with its error.
    """
    played = Played(
        scene, world, meeting_id, dict(links or {}), began_at or clock.now()
    )
    for step in sorted(scene.steps, key=lambda each: each.at):
        wait = played.began_at + step.at - clock.now()
        if wait > timedelta():
            await clock.sleep(wait.total_seconds())
        world.catch_up()
        if step.is_press:
            pressed = Press(
                clock.now(), step.who, step.verb, played.meeting_id, step.arguments
            )
            world.tell(f"{scene.cast[step.who].name} presses “{BUTTONS[step.verb]}”.")
            await press(pressed)
        else:
            _do(played, step)
    return played


def _do(played: Played, step: Step) -> None:
    try:
        VERBS[step.verb](played, step.who, dict(step.arguments))
    except Refused as refusal:
        if not step.refused:
            played.surprises.append(
                f"{step.who or 'The room'}: “{step.verb}” was refused: {refusal}."
            )
    else:
        if step.refused and not _is_kept_waiting(played, step.who):
            played.surprises.append(
                f"{step.who}: “{step.verb}” should have been refused and was not."
            )


def _is_kept_waiting(played: Played, who: str) -> bool:
    """Where no invitation can be taken back, the lobby is as much as a refusal."""
    connection = played.world.connection(played.meeting_id, who)
    registers = played.world.meeting(played.meeting_id).needs_registration
    return not registers and (connection is None or not connection.is_in_room)


def _arrive(played: Played, who: str, fields: dict[str, Any]) -> None:
    link = played.links.get(fields.pop("link_of", who), "")
    via = fields.pop("via", "")
    played.world.arrive(
        played.meeting_id, who, via=via, link="" if via else link, **fields
    )


def _admit(played: Played, who: str, fields: dict[str, Any]) -> None:
    """Whoever is already inside (no waiting room) needs no letting in."""
    connection = played.world.connection(played.meeting_id, who)
    if connection is None or not connection.is_in_room:
        played.world.admit(played.meeting_id, who)


def _leave(played: Played, who: str, fields: dict[str, Any]) -> None:
    """Whoever is already out need not go."""
    if played.world.connection(played.meeting_id, who) is not None:
        played.world.leave(played.meeting_id, who, **fields)


def _drop(played: Played, who: str, fields: dict[str, Any]) -> None:
    seconds = fields.get("noticed_after")
    after = None if seconds is None else timedelta(seconds=seconds)
    played.world.drop_silently(played.meeting_id, who, after)


def _start_unplanned(played: Played, who: str, fields: dict[str, Any]) -> None:
    """From here on the scene is in this meeting."""
    played.meeting_id = played.world.start_instant_meeting(who, **fields).id


def _settings(played: Played, who: str, fields: dict[str, Any]) -> None:
    played.world.change_settings(played.meeting_id, fields["to"], who)


Verb = Callable[[Played, str, dict[str, Any]], None]


def _wait(played: Played, who: str, fields: dict[str, Any]) -> None:
    """Only time passes: the bot has something to do."""


def _plain(name: str) -> Verb:
    """A verb of the World that takes the meeting, the person and the step's words."""

    def run(played: Played, who: str, fields: dict[str, Any]) -> None:
        method = getattr(played.world, name)
        method(played.meeting_id, *([who] if who else []), **fields)

    return run


VERBS: dict[str, Verb] = {
    "arrive": _arrive,
    "admit": _admit,
    "leave": _leave,
    "drop_silently": _drop,
    "start_unplanned": _start_unplanned,
    "change_settings": _settings,
    "wait": _wait,
} | {
    name: _plain(name)
    for name in (
        "admit_everyone",
        "breakouts",
        "close_breakouts",
        "end",
        "give_up_waiting",
        "make_cohost",
        "make_host",
        "phone_in",
        "put_in_waiting_room",
        "remove",
        "rename",
        "share_screen",
        "start_recording",
        "start_streaming",
        "stop_recording",
        "take_rights",
    )
}
