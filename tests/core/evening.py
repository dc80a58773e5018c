"""One whole evening with everything a record has to show, the pleasant and the rest.

Dev never comes. Ben is reminded, warned, removed and readmitted. Sam drops for two
minutes. Two strangers have names that want to be formulas and scripts.
"""

from datetime import timedelta
from typing import Any

from app.core import events as e
from app.core import presses as p
from app.core.fold import Fact
from app.core.session import GroupSession
from tests.core.builders import (
    ANNA,
    BEN,
    CHLOE,
    EVE,
    ROOM,
    SAM,
    again,
    at,
    ended,
    joined,
    left,
    seat,
    started,
    story,
    waiting,
)

FORMULA = {**EVE, "name": "=1+1"}
SCRIPT = {"uuid": "UUID-SCRIPT", "user_id": "302", "name": "<script>alert(1)</script>"}
NAMES = {
    "anna": "Anna Price",
    "sam": "Sam Okoro",
    "noor": "Noor Haddad",
    "ben": "Ben",
    "chloe": '=HYPERLINK("http://x?"&A1)',
    "dev": "D\u0119v, \u202eR",
}


def acted(
    key: str,
    kind: str,
    wanted: str,
    sent: str = "",
    done: str = "",
    *,
    proof: str = "",
    route: str = "api",
    **more: Any,
) -> list[Fact]:
    """What the engine writes about one action: wanted, sent, confirmed."""
    given: dict[str, Any] = {"key": key, "kind": kind, "meeting": ROOM, **more}
    moves: list[Fact] = [
        p.ActionMoved(at=at(wanted), state=p.ActionState.WANTED, **given)
    ]
    if sent:
        moves.append(
            p.ActionMoved(at=at(sent), state=p.ActionState.SENT, route=route, **given)
        )
    if done:
        moves.append(
            p.ActionMoved(
                at=at(done),
                state=p.ActionState.CONFIRMED,
                route=route,
                proof=proof,
                **given,
            )
        )
    return moves


def step(kind: p.Step, clock: str, **more: Any) -> p.LadderPressed:
    return p.LadderPressed(
        at=at(clock),
        by="anna",
        press_id=f"press-{kind.value}",
        step=kind,
        connection="UUID-BEN",
        **more,
    )


def before() -> list[Fact]:
    return [
        p.ItemTicked(at=at("18:40"), by="anna", item="pre_brief", note="ten minutes"),
        p.ExceptionGiven(
            at=at("18:41"), by="anna", item="risk_assessment", reason="new form"
        ),
        started("18:52"),
        joined(ANNA, "18:53"),
        joined(SAM, "18:54"),
        waiting(BEN, "18:56"),
        joined(BEN, "18:58"),
        joined(CHLOE, "19:07"),
    ]


def ladder() -> list[Fact]:
    who = {"connection": "UUID-BEN", "person_id": "ben"}
    return [
        *acted(
            f"rules:{ROOM.instance}:3:start",
            "post_ground_rules",
            "18:58",
            "18:58:01",
            "18:58:20",
            proof="A worker says it is done.",
            route="person",
            details=("UUID-BEN",),
            reason="The session has started.",
        ),
        p.RulesSpoken(at=at("19:08"), by="anna", heard=("UUID-BEN", "UUID-CHLOE")),
        step(p.Step.REMIND, "19:20", rule=2),
        *acted(
            "ladder.remind:press-remind",
            "send_reminder",
            "19:20",
            "19:20:01",
            "19:20:30",
            route="person",
            **who,
        ),
        step(p.Step.WARN, "19:24", rule=2, reason="=shouted at Chloe"),
        *acted(
            "ladder.warn:press-warn",
            "send_warning",
            "19:24",
            "19:24:01",
            "19:24:30",
            route="person",
            **who,
        ),
        step(p.Step.REMOVE, "19:25", rule=2),
        *acted(
            "ladder.remove:press-remove",
            "remove_participant",
            "19:25",
            "19:25:01",
            "19:25:03",
            proof="They left at 19:25:03.",
            reason="A worker pressed “remove” (rule 2).",
            **who,
        ),
        left(BEN, "19:25:03", cause=e.LeaveCause.REMOVED),
        *acted(
            "follow_ups.welfare:ladder.remove:press-remove:ben",
            "start_follow_up",
            "19:25:03",
            cause="welfare call",
            person_id="ben",
            details=(at("19:40:03").isoformat(),),
        ),
        p.Readmitted(
            at=at("19:32"),
            by="sam",
            press_id="press-back",
            connection="UUID-BEN",
            person_id="ben",
        ),
        joined(again(BEN), "19:33"),
        p.FollowUpDone(
            at=at("19:38"),
            by="sam",
            outcome="Ben is fine",
            key="follow_ups.welfare:ladder.remove:press-remove:ben",
        ),
    ]


def trouble() -> list[Fact]:
    return [
        waiting(FORMULA, "19:10"),
        seat(e.ParticipantStoppedWaiting, FORMULA, "19:12"),
        joined(SCRIPT, "19:14"),
        *acted(
            "entry.remove:UUID-SCRIPT",
            "remove_participant",
            "19:14:02",
            "19:14:03",
            "19:14:05",
            connection="UUID-SCRIPT",
            proof="They left at 19:14:04.",
        ),
        left(SCRIPT, "19:14:04", cause=e.LeaveCause.REMOVED),
        *acted(
            "two_workers.short:x",
            "alert_staff",
            "19:40:01",
            reason="Only one worker is here.",
            cause="amber",
        ),
        left(SAM, "19:40"),
        joined(again(SAM), "19:42"),
        p.AlarmAcknowledged(at=at("19:41"), by="anna", key="two_workers.short:x"),
        e.SightLost(meeting=ROOM, at=at("19:45"), why="timeout"),
        e.SightRegained(meeting=ROOM, at=at("19:46")),
    ]


def after() -> list[Fact]:
    return [
        p.ClosingPressed(at=at("19:58"), by="anna"),
        left(again(BEN), "19:59"),
        left(CHLOE, "19:59:30"),
        left(ANNA, "20:09:30"),
        left(again(SAM), "20:09:00"),
        ended("20:10"),
        p.DebriefEnded(
            at=at("20:09"),
            by="anna",
            went_well="Chloe spoke about her school.",
            change="Start with the quiet ones.",
            staff="Sam is tired, Anna well.",
        ),
        p.FollowUpAgreed(
            at=at("20:10"),
            by="anna",
            task_id="quiet-room",
            owner="sam",
            due_at=at("23:59"),
            what="Ask the school about the quiet room.",
        ),
        p.SessionClosed(at=at("20:11"), by="anna"),
        p.NotesSaved(at=at("20:20"), by="anna", version=2),
        p.AttendanceAmended(
            at=at("20:21"),
            by="anna",
            line="person:chloe",
            joined_at=at("19:04"),
            reason="her phone, not on the list",
        ),
        p.AttendanceConfirmed(at=at("20:22"), by="anna", version=1),
    ]


def evening() -> GroupSession:
    """The whole evening, folded."""
    return story(*before(), *ladder(), *trouble(), *after())


LATER = at("20:30")
NIGHT = timedelta(hours=3)
