"""The pretended call: the rehearsal's World, moved by the learner instead of a scene."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from app.clock import Clock
from app.web.pretending import (
    LASTS,
    Move,
    MoveRefused,
    Pretended,
    PretendedCall,
)
from integrations.rehearsal.rooms import WAITING_ROOM, Connection, Refused, Role
from integrations.rehearsal.truth import workers
from integrations.rehearsal.world import World

ME, COLLEAGUE = "anna", "sam"
YOUNG = ("ben", "chloe")
STRANGER, BORROWED = "eve", "dev"
NICKNAME = "xX_B3NN0_Xx"
SHOWN = 20

_ROLES = {Role.HOST: "host", Role.CO_HOST: "co-host"}


class Call:
    """One meeting of the World. Implements app.web.pretending.Pretend.

    ``begin`` comes once the session is planned; before it nothing is there.
    """

    def __init__(self, clock: Clock, on_leave: Callable[[], None]) -> None:
        self._clock = clock
        self._on_leave = on_leave
        self._world: World | None = None
        self._meeting = 0
        self._links: Mapping[str, str] = {}
        self._session_id = ""
        self.learner = ""
        self._ends_at = clock.now() + LASTS
        self._verbs: Mapping[str, Callable[[str], object]] = {
            "come": self._come,
            "drop": lambda who: self._known.leave(self._meeting, who, "disconnected"),
            "leave": lambda who: self._known.leave(self._meeting, who),
            "end": lambda _who: self._known.end(self._meeting),
            "nickname": lambda who: self._known.rename(self._meeting, who, NICKNAME),
            "admit": lambda who: self._known.admit(self._meeting, self._one(who)),
            "hold": lambda who: self._known.put_in_waiting_room(
                self._meeting, self._one(who)
            ),
            "remove": lambda who: self._known.remove(self._meeting, self._one(who)),
            "crown": lambda who: self._known.make_host(self._meeting, self._one(who)),
        }

    @property
    def _known(self) -> World:
        if self._world is None:
            raise MoveRefused("The practice is still being set up.")
        return self._world

    def begin(
        self, world: World, meeting: int, links: Mapping[str, str], session_id: str
    ) -> None:
        """From now on this meeting is the call."""
        self._world, self._meeting = world, meeting
        self._links, self._session_id = links, session_id

    def leave(self) -> None:
        """See Pretend."""
        self._on_leave()

    def move(self, what: str, who: str) -> None:
        """See Pretend."""
        verb = self._verbs.get(what)
        if verb is None:
            raise MoveRefused("That is not something that can happen here.")
        try:
            verb(who)
        except (Refused, KeyError) as refusal:
            raise MoveRefused(
                f"The call does not let that happen: {refusal}."
            ) from None

    def _come(self, who: str) -> None:
        if who == STRANGER:
            name = self._known.people[ME].name
            link = self._links[BORROWED]
            self._known.arrive(self._meeting, who, link=link, name=name)
        else:
            self._known.arrive(self._meeting, who, link=self._links.get(who, ""))

    def _one(self, uuid: str) -> Connection:
        for connection in self._connections():
            if connection.participant_uuid == uuid:
                return connection
        raise MoveRefused("They are not in the call any more.")

    def _connections(self) -> list[Connection]:
        if self._world is None or self._meeting not in self._world.meetings:
            return []
        live = self._world.meeting(self._meeting).live
        return [c for c in live.connections if c.where] if live is not None else []

    # --- what is shown ------------------------------------------------------------------

    def shown(self) -> PretendedCall:
        """See Pretend."""
        if self._world is not None:
            self._world.catch_up()
        there = self._connections()
        waiting = [c for c in there if c.where == WAITING_ROOM]
        inside = [c for c in there if c.where != WAITING_ROOM]
        return PretendedCall(
            running=bool(inside or waiting),
            waiting=[_at_the_door(c) for c in waiting],
            inside=[_inside(c, ME) for c in inside],
            moves=self._moves({c.person.key for c in there}),
            told=self._told(),
            alone=self._alone(),
            session_id=self._session_id,
            ends_at=self._ends_at,
        )

    def _moves(self, there: set[str]) -> list[Move]:
        if ME not in there:
            word = "Come back into the call" if there else "Join the call as its host"
            found = [Move("come", ME, word)]
        else:
            found = [Move("drop", ME, "Your connection is lost")]
        if COLLEAGUE not in there:
            found.append(Move("come", COLLEAGUE, "Sam joins"))
        else:
            found.append(Move("drop", COLLEAGUE, "Sam's connection is lost"))
        for key in YOUNG:
            name = key.title()
            if key not in there:
                found.append(Move("come", key, f"{name} comes by an own link"))
            else:
                found.append(Move("leave", key, f"{name} leaves"))
        if "ben" in there:
            found.append(Move("nickname", "ben", "Ben changes his name to a nickname"))
        if STRANGER not in there:
            label = "A stranger comes on Dev's link, under your name"
            found.append(Move("come", STRANGER, label))
        if there:
            found.append(Move("end", "", "End the call for everyone"))
        return found

    def _told(self) -> list[tuple[datetime, str]]:
        if self._world is None:
            return []
        return [(each.at, each.sentence) for each in self._world.history[-SHOWN:]][::-1]

    def _alone(self) -> timedelta:
        if self._world is None or self._meeting not in self._world.meetings:
            return timedelta()
        gaps = self._world.alone_intervals(self._meeting, workers(ME, COLLEAGUE))
        return max((gap.end - gap.start for gap in gaps), default=timedelta())


def _at_the_door(one: Connection) -> Pretended:
    uuid = one.participant_uuid
    return Pretended(
        one.name,
        "",
        (Move("admit", uuid, "Admit"), Move("remove", uuid, "Remove")),
    )


def _inside(one: Connection, me: str) -> Pretended:
    uuid, note = one.participant_uuid, _ROLES.get(one.role, "")
    if one.person.key == me:
        return Pretended(one.name, ", ".join(filter(None, ("you", note))), ())
    moves = (
        Move("hold", uuid, "Put in the waiting room"),
        Move("remove", uuid, "Remove"),
        Move("crown", uuid, "Make host"),
    )
    return Pretended(one.name, note, moves)
