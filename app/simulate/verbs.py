"""What people do in an evening: verbs of the World, and presses on Chaperone's pages."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from app.core.presses import (
    AdmitPressed,
    AlarmAcknowledged,
    ClosingPressed,
    EndPressed,
    HoldPressed,
    LadderPressed,
    LeadAccepted,
    Readmitted,
    RulesSpoken,
    SessionClosed,
    SessionEvent,
    SessionResumed,
    Step,
    WorkerConfirmed,
)
from app.simulate import lies
from app.simulate.cast import CAST
from app.simulate.door import Killed
from app.simulate.stage import Stage
from app.web.presses import problem, repeated
from integrations.http import TransportError
from integrations.rehearsal.rooms import Refused

Args = Mapping[str, Any]


# --- the World ----------------------------------------------------------------------------


def arrive(stage: Stage, who: str, args: Args) -> None:
    """By account, own link, somebody else's (`link_of`), telephone (`via`), under `name`."""
    via = str(args.get("via", ""))
    link = stage.links.get(str(args.get("link_of", who)), "")
    stage.world.arrive(
        stage.meeting_id,
        who,
        via=via,
        link="" if via else link,
        name=str(args.get("name", "")),
    )


def start(stage: Stage, who: str, args: Args) -> None:
    """A meeting nobody planned."""
    stage.meeting_id = stage.world.start_instant_meeting(who).id


def admit(stage: Stage, who: str, args: Args) -> None:
    """Everybody who waits is let in, or one; somebody inside has to do it."""
    inside = {each.person.key for each in stage.world.in_room(stage.meeting_id)}
    if not inside & {*stage.scenario.workers}:
        raise Refused("no worker is there to let anybody in")
    live = stage.world.meeting(stage.meeting_id).live
    for each in live.waiting() if live is not None else []:
        wanted = each.person.key == who if who else each.person.key not in _NOT_LET_IN
        if wanted:
            stage.world.admit(stage.meeting_id, each)


_NOT_LET_IN = ("mallory", "notetaker")


def leave(stage: Stage, who: str, args: Args) -> None:
    stage.world.leave(stage.meeting_id, who, str(args.get("reason", "left")))


def drop(stage: Stage, who: str, args: Args) -> None:
    after = args.get("noticed_after")
    seconds = None if after is None else timedelta(seconds=float(after))
    stage.world.drop_silently(stage.meeting_id, who, seconds)


def breakout(stage: Stage, who: str, args: Args) -> None:
    there = {each.person.key for each in stage.world.in_room(stage.meeting_id)}
    keys = [key for key in args["people"] if key in there]
    stage.world.breakouts(stage.meeting_id, {"Small room": keys})


def close_breakouts(stage: Stage, who: str, args: Args) -> None:
    stage.world.close_breakouts(stage.meeting_id)


def rename(stage: Stage, who: str, args: Args) -> None:
    stage.world.rename(stage.meeting_id, who, str(args["name"]))


def make_host(stage: Stage, who: str, args: Args) -> None:
    found = stage.world.connection(stage.meeting_id, who)
    if found is None or not found.is_in_room:
        raise Refused(f"{who} is not in the room")
    stage.world.make_host(stage.meeting_id, found)


def hold(stage: Stage, who: str, args: Args) -> None:
    stage.world.put_in_waiting_room(stage.meeting_id, who)


def end(stage: Stage, who: str, args: Args) -> None:
    stage.world.end(stage.meeting_id)


def storm(stage: Stage, who: str, args: Args) -> None:
    """So many strangers call at once."""
    for _ in range(int(args["number"])):
        stage.world.arrive(stage.meeting_id, who, via="phone")


def revoke_tokens(stage: Stage, who: str, args: Args) -> None:
    """The app was switched off and on: every token is dead."""
    stage.server.gate.revoke_tokens()


def lie(stage: Stage, who: str, args: Args) -> None:
    """Somebody without the secret (or out of time) tells news that are not so."""
    body, headers = lies.told(stage, who, str(args["what"]), str(args["how"]))
    stage.around(_post(stage, body, headers, f"{args['what']}, {args['how']}"))


async def _post(stage: Stage, body: bytes, headers: dict[str, str], what: str) -> None:
    courier = stage.server.courier
    if courier.client is None:
        return
    try:
        answer = await courier.client.post(
            courier.target, content=body, headers=headers, timeout=3.0
        )
    except TransportError:
        return
    stage.lies[what] = answer.status_code
    stage.tell(f"  lie       {what}: {answer.status_code}")


def unlock(stage: Stage, who: str, args: Args) -> None:
    """The waiting room is switched off in the portal, and nobody waits for a host."""
    unsafe = {"waiting_room": False, "join_before_host": True}
    stage.world.change_settings(stage.meeting_id, unsafe, who)


WORLD: dict[str, Callable[[Stage, str, Args], None]] = {
    "arrive": arrive,
    "start": start,
    "admit": admit,
    "leave": leave,
    "drop": drop,
    "breakout": breakout,
    "close breakouts": close_breakouts,
    "rename": rename,
    "make host": make_host,
    "hold": hold,
    "end": end,
    "storm": storm,
    "revoke tokens": revoke_tokens,
    "lie": lie,
    "unlock": unlock,
}


# --- presses -------------------------------------------------------------------------------


async def press(stage: Stage, do: str, who: str, args: Args) -> str:
    """Press as a worker does; returns why it was refused, "" when it was taken."""
    life = stage.life
    if life is None or not life.awake:
        return "the bot does not run"
    name = do.removeprefix("press ")
    try:
        if name in _LARGE:
            return await life.run(_LARGE[name](stage, who, args)) or ""
        session = await life.run(life.engine.state(stage.session_id))
        fact = _FACTS[name](stage, session, who, args)
        if fact is None:
            return "there is nothing to press"
        refused = problem(session, fact)
        if refused or repeated(session, fact):
            return refused or "pressed before"
        await life.run(life.engine.accept_press(stage.session_id, fact))
    except Killed:
        return "the bot died"
    except SQLAlchemyError:
        return "the store takes nothing"
    stage.pressed.append(fact)
    return ""


async def _bind(stage: Stage, who: str, args: Args) -> str:
    """ "This is our session": an unplanned meeting."""
    assert stage.life is not None  # noqa: S101
    live = stage.world.meeting(stage.meeting_id).live
    await stage.life.engine.bind(
        stage.session_id,
        str(stage.meeting_id),
        stage.ground.people[who],
        instance=live.uuid if live is not None else "",
    )
    return ""


async def _prepare(stage: Stage, who: str, args: Args) -> str:
    """The safe meeting and everybody's link; people get theirs by mail meanwhile."""
    assert stage.life is not None  # noqa: S101
    said = await stage.life.engine.prepare(stage.session_id, stage.ground.people[who])
    return " ".join(said)


_LARGE: dict[str, Callable[[Stage, str, Args], Awaitable[str]]] = {
    "bind": _bind,
    "prepare": _prepare,
}


def _key_of(session: Any, stage: Stage, about: str) -> str:
    """The connection of somebody, newest first, as Chaperone knows it."""
    live = stage.world.meeting(stage.meeting_id).live
    mine = [c for c in (live.connections if live else []) if c.person.key == about]
    uuids = [c.participant_uuid for c in reversed(mine)]
    for instance in reversed(session.instances.values()):
        for uuid in uuids:
            for connection in instance.connections.values():
                if connection.uuid == uuid:
                    return str(connection.key)
    return ""


def _on_connection(kind: Any) -> Callable[..., SessionEvent | None]:
    def made(stage: Stage, session: Any, who: str, args: Args) -> SessionEvent | None:
        key = _key_of(session, stage, str(args.get("about", who)))
        if not key:
            return None
        fields: dict[str, Any] = _signed(stage, who)
        if kind is not WorkerConfirmed:
            fields["press_id"] = f"press-{len(stage.pressed)}"
        if kind is Readmitted:
            fields["person_id"] = stage.ground.people.get(str(args["about"]), "")
        made_fact: SessionEvent = kind(**fields, connection=key)
        return made_fact

    return made


def _plain(kind: Any) -> Callable[..., SessionEvent]:
    def made(stage: Stage, session: Any, who: str, args: Args) -> SessionEvent:
        fields: dict[str, Any] = _signed(stage, who)
        if kind is EndPressed:
            fields["press_id"] = f"press-{len(stage.pressed)}"
        fact: SessionEvent = kind(**fields)
        return fact

    return made


def _remove(stage: Stage, session: Any, who: str, args: Args) -> SessionEvent | None:
    key = _key_of(session, stage, str(args["about"]))
    if not key:
        return None
    return LadderPressed(
        **_signed(stage, who),
        press_id=f"press-{len(stage.pressed)}",
        step=Step.REMOVE,
        connection=key,
        rule=2,
        immediate=True,
        reason="Serious harm.",
    )


def _acknowledge(
    stage: Stage, session: Any, who: str, args: Args
) -> SessionEvent | None:
    taken = {*session.acknowledged}
    for fact in session.actions.values():
        if fact.kind == "alert_staff" and fact.key not in taken:
            return AlarmAcknowledged(**_signed(stage, who), key=fact.key)
    return None


def _signed(stage: Stage, who: str) -> dict[str, Any]:
    assert stage.life is not None  # noqa: S101
    return {"at": stage.life.footing.clock.now(), "by": stage.ground.people[who]}


_FACTS: dict[str, Callable[..., SessionEvent | None]] = {
    "resume": _plain(SessionResumed),
    "closing": _plain(ClosingPressed),
    "close": _plain(SessionClosed),
    "end": _plain(EndPressed),
    "lead": _plain(LeadAccepted),
    "rules": _plain(RulesSpoken),
    "i am in": _on_connection(WorkerConfirmed),
    "hold": _on_connection(HoldPressed),
    "let in": _on_connection(AdmitPressed),
    "readmit": _on_connection(Readmitted),
    "remove": _remove,
    "take alarm": _acknowledge,
}
PRESSES = tuple(f"press {name}" for name in (*_FACTS, *_LARGE))


def name_of(who: str) -> str:
    """As the timeline calls them."""
    return CAST[who].name if who in CAST else who or "the room"
