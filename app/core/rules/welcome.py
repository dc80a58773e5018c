"""Words at the door: the one thing everybody who waits reads (guidance T3, B3; X7).

The rules reach people before they come in, late joiners too, without a hand in the room.
"""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import TellWaitingRoom, Wish
from app.core.session import GroupSession, Instance

TITLE = "Welcome. A worker will let you in soon."
LONGEST = 400
"""Platforms cut longer texts; which one where is not documented, so we stay below."""

HELP = "Need help now? Childline 0800 1111. Emergency: 999."


def at_the_door(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Show the group's rules at the door of each new instance, again after a resume."""
    if session.closing is not None or session.closed is not None:
        return
    for instance in session.live():
        if _is_stopped(session, instance):
            continue
        yield TellWaitingRoom(
            key=f"welcome.door:{instance.ref.instance}",
            reason="Everybody at the door reads the group's own rules.",
            clause="T3",
            rule="welcome.at_the_door",
            meeting=instance.ref,
            title=TITLE,
            text=session.remember_room("welcome.words", lambda: words(session)),
        )


def _is_stopped(session: GroupSession, instance: Instance) -> bool:
    return any(
        fact.kind == "end_meeting" and fact.meeting == instance.ref
        for fact in session.actions.values()
    )


def words(session: GroupSession) -> str:
    """As many of the agreed rules as fit, and where to turn for help."""
    rules = session.plan.ground_rules.rules if session.plan is not None else ()
    text = ""
    for number, rule in enumerate(rules, 1):
        line = f"{number}. {rule.text} "
        if len(text) + len(line) + len(HELP) > LONGEST:
            break
        text += line
    return text + HELP


RULES = (("welcome.at_the_door", at_the_door),)
