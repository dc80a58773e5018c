"""Links that are open twice, passed round or found in public (K01, K06, N19; S8)."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from app.core.actions import (
    AlertStaff,
    Audience,
    ChangeLink,
    HoldParticipant,
    Level,
    ReadRoom,
    Wish,
)
from app.core.identity import Who
from app.core.presses import LinkState
from app.core.rules.here import (
    Here,
    alert,
    ask,
    everybody,
    first_few,
    inside,
    one_a_minute,
)
from app.core.session import GroupSession, Instance, Link

PASSED_ROUND = 3
"""Two connections on one link may be one person's two devices; three are not."""


def doubled_link(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Somebody uses a client's link and may be somebody else: ask who (K01, K06, N18)."""
    unsure = list(inside(session, Who.DOUBTFUL))
    for person in first_few(unsure):
        yield ask(
            person,
            "who_are_you",
            rule="entry.doubled_link",
            clause="I2",
            reason=f"{person.standing.why} Ask who it is, and say so here.",
        )
    for episode, person in one_a_minute(unsure, lambda p: p.standing.person_id):
        yield alert(
            person,
            Level.AMBER,
            rule="entry.doubled_link",
            clause="I2",
            reason=person.standing.why,
            what_to_do="Ask who it is. It may be the same person's second device.",
            episode=episode,
        )


def link_passed_round(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """One personal link in many hands: it is cancelled, the later ones wait (K01, I2).

    The first, and whoever a worker vouched for, stay. Nobody is removed: one of the
    later ones may be the client, whose network dropped twice (I4).
    """
    for everyone in _by_link(session):
        people = _surely_live(session, everyone)
        if len(everyone) >= PASSED_ROUND and people != everyone:
            newest = everyone[-1]
            yield ReadRoom(
                key=f"entry.passed_round_look:{newest.episode}",
                reason="One link seems to be open many times: look who is really there.",
                clause="K01",
                rule="entry.link_passed_round",
                meeting=newest.instance.ref,
            )
        if len(people) < PASSED_ROUND:
            continue
        link = session.links[people[0].connection.registrant_id]
        yield from _cancel(session, people[0].instance, [link], "K01")
        yield AlertStaff(
            key=f"entry.link_passed_round:{link.registrant_id}",
            reason="One personal link is open many times: it was passed round.",
            clause="K01",
            rule="entry.link_passed_round",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "Admit nobody by this link. Give its owner a new one and check who is "
                "in the room."
            ),
            person_id=link.person_id,
        )
        later = [p for p in people if p.inside and p.standing.who is Who.DOUBTFUL]
        for person in later if session.hands.hold_one else first_few(later):
            yield HoldParticipant(
                key=f"entry.passed_round:{person.episode}",
                reason=(
                    "This personal link was passed round, and it is not sure who this is."
                ),
                clause="K01",
                rule="entry.link_passed_round",
                **person.aim(),
            )


def _by_link(session: GroupSession) -> Iterable[list[Here]]:
    """Who is live on each link Chaperone made, by the owner's or nobody's name."""
    return session.remember_room("entry.by_link", lambda: _gathered(session)).values()


def _gathered(session: GroupSession) -> dict[str, list[Here]]:
    found: dict[str, list[Here]] = {}
    for person in everybody(session):
        link = session.links.get(person.connection.registrant_id)
        if (
            link is not None
            and not person.connection.by_phone
            and person.standing.person_id == link.person_id
        ):
            found.setdefault(link.registrant_id, []).append(person)
    return found


def _surely_live(session: GroupSession, people: list[Here]) -> list[Here]:
    """Without those who may be ghosts: their leave got lost and they came back (F1).

    Where the room can be looked into, an older connection counts once a look that began
    after the newest one came has shown it.
    """
    if session.hands.live_roster is not True:
        return people
    newest = max(people, key=lambda person: person.since)
    return [
        person
        for person in people
        if person is newest
        or (
            person.connection.proved_at is not None
            and person.connection.proved_at >= newest.since
        )
    ]


def link_leaked(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The platform found the way in on a public page: every link made before dies (S8)."""
    for instance in session.instances.values():
        at = instance.leaked_at
        if at is None or instance.closed_at is not None:
            continue
        yield AlertStaff(
            key=f"entry.link_leaked:{instance.ref.instance}:{at.isoformat()}",
            reason="The platform found the link to this meeting in public.",
            clause="S8",
            rule="entry.link_leaked",
            level=Level.RED,
            audience=Audience.WORKERS,
            what_to_do=(
                "Admit only people you know by sight or voice. Everybody who is still to "
                "come needs a new link."
            ),
        )
        older = [
            link
            for link in session.links.values()
            if link.meeting_id == instance.ref.meeting_id and link.issued_at <= at
        ]
        yield from _cancel(session, instance, older, "S8")


def _cancel(
    session: GroupSession, instance: Instance, links: list[Link], clause: str
) -> Iterator[ChangeLink]:
    for link in links:
        if link.state is LinkState.CANCELLED:
            continue
        yield ChangeLink(
            key=f"entry.cancel_link:{link.registrant_id}",
            reason="This personal link is in other hands; a new one takes its place.",
            clause=clause,
            rule="entry.link_leaked" if clause == "S8" else "entry.link_passed_round",
            meeting=instance.ref,
            registrant_id=link.registrant_id,
            person_id=link.person_id,
            state=LinkState.CANCELLED.value,
        )


def challenged_worker(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """Perhaps a worker, not proven: one fresh press in Chaperone decides (N19).

    Who pressed already, on a connection with neither link nor account, has to come in
    another way.
    """
    for person in inside(session, Who.CHALLENGED):
        if person.connection.key in session.confirmed:
            yield alert(
                person,
                Level.AMBER,
                rule="entry.challenged_worker",
                clause="N19",
                reason=person.standing.why,
                what_to_do="Leave, and come in by your own link or your work account.",
            )
            continue
        yield ask(
            person,
            "i_am_in",
            rule="entry.challenged_worker",
            clause="N19",
            reason=(
                f"{person.standing.why} They do not count as a worker before they press "
                '"I am in" here.'
            ),
        )


RULES = (
    ("entry.doubled_link", doubled_link),
    ("entry.link_passed_round", link_passed_round),
    ("entry.link_leaked", link_leaked),
    ("entry.challenged_worker", challenged_worker),
)
"""The rules about links, in the order they are asked."""
