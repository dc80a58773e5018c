"""Evenings made up by chance: what a platform may report, in any order of arrival."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from app.core import events as e
from app.core.decide import decide
from app.core.fold import apply
from app.core.rooms import rooms
from app.core.session import GroupSession, Instance
from tests.core.builders import ANNA, BEN, CHLOE, EVE, NOOR, ROOM, SAM, at, set_up

YESTERDAY = e.MeetingRef(
    platform=ROOM.platform, meeting_id=ROOM.meeting_id, instance="of-yesterday"
)
START = at("18:58")
PEOPLE = (ANNA, SAM, NOOR, BEN, CHLOE, EVE)
ROOMS = (e.MAIN_ROOM, "blue", "green")
MOMENTS = st.integers(0, 40).map(lambda n: START + timedelta(seconds=20 * n))
DELAYS = st.sampled_from((0, 1, 15, 90, 300)).map(lambda n: timedelta(seconds=n))


@st.composite
def seats(draw: st.DrawFn) -> dict[str, str]:
    """A connection as one event names it: whole, without uuid, or in a side room."""
    seat = dict(draw(st.sampled_from(PEOPLE)))
    match draw(st.sampled_from(("whole", "whole", "whole", "loose", "side", "taken"))):
        case "loose":
            seat = {"user_id": seat["user_id"]}
        case "side":
            seat |= {
                "user_id": f"9{seat['user_id']}",
                "parent_user_id": seat["user_id"],
            }
            if draw(st.booleans()):
                del seat["uuid"]
        case "taken":
            # No platform should give one seat to two people; if one does, so be it.
            seat["user_id"] = BEN["user_id"]
        case _:
            pass
    for what in ("registrant_id", "platform_user_id", "name"):
        if draw(st.integers(0, 3)) == 0:
            seat.pop(what, None)
    return seat


@st.composite
def facts_about_seats(draw: st.DrawFn) -> e.SeatEvent:
    """Anything a platform or a look at the room says of one connection."""
    kind: Any = draw(
        st.sampled_from(
            (
                e.ParticipantJoined,
                e.ParticipantJoined,
                e.ParticipantLeft,
                e.ParticipantLeft,
                e.ParticipantWaiting,
                e.ParticipantAdmitted,
                e.ParticipantStoppedWaiting,
                e.ParticipantHeld,
                e.BreakoutJoined,
                e.BreakoutLeft,
                e.ConnectionSeen,
                e.ConnectionMissed,
                e.RoleChanged,
                e.PhoneBound,
                e.SharingChanged,
            )
        )
    )
    moment = draw(MOMENTS)
    more: dict[str, Any] = {}
    if kind in (e.BreakoutJoined, e.BreakoutLeft):
        more["room"] = draw(st.sampled_from(ROOMS[1:]))
    elif kind is e.ConnectionSeen:
        more["room"] = draw(st.sampled_from(ROOMS))
        more["waiting"] = draw(st.booleans())
        more["role"] = draw(st.sampled_from(("", "host", "attendee")))
    elif kind is e.ConnectionMissed:
        more["last_proof_at"] = moment - timedelta(seconds=draw(st.integers(0, 60)))
    elif kind is e.RoleChanged:
        more["role"] = draw(st.sampled_from(("host", "co-host", "attendee")))
    elif kind is e.PhoneBound:
        more["bound_uuid"] = draw(st.sampled_from((BEN["uuid"], ANNA["uuid"], "")))
        more["bound_user_id"] = draw(st.sampled_from((BEN["user_id"], "202")))
    elif kind is e.ParticipantLeft:
        more["cause"] = draw(st.sampled_from(list(e.LeaveCause)))
    polled = kind in (e.ConnectionSeen, e.ConnectionMissed)
    fact: e.SeatEvent = kind(
        meeting=draw(st.sampled_from((ROOM, ROOM, ROOM, YESTERDAY))),
        at=moment,
        heard_at=None if polled else moment + draw(DELAYS),
        source=e.Source.POLL if polled else e.Source.WEBHOOK,
        **draw(seats()),
        **more,
    )
    return fact


@st.composite
def facts_about_meetings(draw: st.DrawFn) -> e.MeetingEvent:
    """Anything a platform says of one occurrence."""
    kinds: tuple[tuple[Any, dict[str, Any]], ...] = (
        (e.MeetingStarted, {}),
        (e.MeetingEnded, {}),
        (e.StatusRead, {"started": True}),
        (e.StatusRead, {"started": False}),
        (e.RecordingChanged, {"state": "started"}),
        (e.RecordingChanged, {"state": "stopped"}),
        (e.LiveStreamChanged, {"started": True}),
        (e.LiveStreamChanged, {"started": False}),
        (e.RegistrationChanged, {"registrant_id": "r", "status": "approved"}),
        (e.RegistrationChanged, {"registrant_id": "r", "status": "cancelled"}),
        (e.SightLost, {}),
        (e.SightRegained, {}),
        (e.MeetingChanged, {}),
        (e.UnreadableReceived, {}),
        (e.LinkLeaked, {}),
    )
    kind, more = draw(st.sampled_from(kinds))
    # Some lie outside the bound window, where only a known occurrence is ours.
    outside = draw(st.sampled_from((0, 0, 0, -2, 3, 40)))
    moment = draw(MOMENTS) + timedelta(hours=outside)
    fact: e.MeetingEvent = kind(
        meeting=draw(st.sampled_from((ROOM, ROOM, YESTERDAY))),
        at=moment,
        heard_at=moment + draw(DELAYS),
        **more,
    )
    return fact


EVENINGS = st.lists(
    st.one_of(facts_about_seats(), facts_about_seats(), facts_about_meetings()),
    max_size=25,
)


def folded(facts: Iterable[e.MeetingEvent], *, peek: bool = False) -> GroupSession:
    """Fold them in this order; ``peek``: decide after each, as the engine does."""
    session = set_up()
    for fact in facts:
        apply(session, fact)
        if peek:
            decide(session, fact.at)
    return session


def picture(session: GroupSession) -> dict[str, Any]:
    """Everything that must not depend on the order of arrival."""
    return {
        "instances": {ref: _instance(i) for ref, i in session.instances.items()},
        "rooms": [
            (
                room.instance.ref,
                room.name,
                [(p.connection.key, p.standing, p.since) for p in room.people],
                room.unsafe_since,
                room.worker_ever,
                room.news_at,
            )
            for room in rooms(session)
        ],
        "decisions": [_decision(session, START + timedelta(seconds=s)) for s in MANY],
    }


MANY = (0, 130, 400, 801, 4000)


def _decision(session: GroupSession, now: datetime) -> Any:
    decision = decide(session, now)
    assert not decision.broken
    return frozenset(decision.actions), decision.wake_at


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "times": (
            instance.started_at,
            instance.opened_at,
            instance.closed_at,
            instance.heard_at,
            instance.unreadable_at,
            instance.changed_at,
            instance.leaked_at,
        ),
        "state": (
            instance.recording,
            instance.streaming,
            instance.status,
            instance.registrations,
            instance.sight,
        ),
        "called": {
            alias: found.key
            for alias in instance.aliases
            if (found := instance.resolve(alias)) is not None
        },
        "connections": {
            key: (
                c.uuid,
                c.user_ids,
                c.registrant_id,
                c.platform_user_id,
                c.name,
                c.names,
                c.by_phone,
                c.bound_to,
                c.roles,
                [(m, m.proof_at, m.heard_at, m.cause, m.source) for m in c.marks],
                c.whereabouts(instance.closed_at),
            )
            for key, c in instance.connections.items()
        },
    }
