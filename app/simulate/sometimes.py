"""Counters that prove that the scary states were reached: each must be above zero."""

from collections import Counter
from datetime import timedelta

from app.core.presses import ActionState, Readmitted
from app.simulate.play import Outcome
from app.simulate.presence_checks import end_calls, gaps
from app.simulate.stage import Stage
from integrations.rehearsal.rooms import MAIN

WORDS = (
    "a room was cleared for want of a worker",
    "a deadline fired during an outage",
    "a deadline fired with every webhook lost",
    "a worker came back within 2 s of a clear",
    "a worker came back within the grace",
    "alone in a breakout room",
    "alone before the first worker",
    "an end had no effect and was tried again",
    "killed while a room was alone",
    "killed between wanted and sent",
    "killed between sent and confirmed",
    "killed in a commit",
    "disk full while a room was alone",
    "the clock was set while a room was alone",
    "no token while a room was alone",
    "an old leave came after a new join",
    "a webhook came at a repeat",
    "webhooks were doubled",
    "a lie was refused",
    "a personal link was in two hands",
    "the meeting was opened twice",
    "a storm of 100 callers",
    "an alarm could not be sent",
    "an account without a live roster",
    "a meeting nobody planned",
    "a client had host rights",
    "somebody was removed by order",
    "a stale roster was read",
    "killed in a grace whose deadline is stored",
    "somebody removed was let back in",
    "what the store refused went into the second file",
    "a new life read what the second file held",
)


def counted(outcome: Outcome) -> Counter[str]:
    """Which of `WORDS` this evening reached."""
    reached = {
        **_of_rooms(outcome),
        **_of_faults(outcome),
        **_of_people(outcome),
    }
    return Counter(word for word, so in reached.items() if so)


def _of_rooms(outcome: Outcome) -> dict[str, bool]:
    stage, scenario = outcome.stage, outcome.scenario
    alone = gaps(stage)
    ends = list(end_calls(stage))
    fired = bool(ends) and any(
        gap.start < call.at <= gap.end for gap in alone for call in ends
    )
    all_lost = any(
        f.code == "F1" and f.rate == 1.0 and f.lasts > 700 for f in scenario.faults
    )
    ghost = sum(1 for call in ends if call.trouble is not None)
    return {
        WORDS[0]: fired,
        WORDS[1]: any(_broken(stage, call.at, "F7", "F8", "F15") for call in ends),
        WORDS[2]: fired and all_lost,
        WORDS[3]: _back_within(outcome, timedelta(seconds=2)),
        WORDS[4]: any(
            gap.seconds < scenario.grace and gap.room == MAIN for gap in alone
        ),
        WORDS[5]: any(gap.room != MAIN for gap in alone),
        WORDS[6]: any(_first(stage, gap.start) for gap in alone),
        WORDS[7]: ghost > 0 and len(ends) > ghost,
    }


def _first(stage: Stage, when: object) -> bool:
    meeting = stage.world.meetings.get(stage.meeting_id)
    return meeting is not None and any(
        each.started_at == when for each in meeting.instances
    )


def _broken(stage: Stage, when: object, *codes: str) -> bool:
    passed = (when - stage.began).total_seconds()  # type: ignore[operator]
    return any(f.code in codes and f.covers(passed) for f in stage.scenario.faults)


def _back_within(outcome: Outcome, span: timedelta) -> bool:
    stage = outcome.stage
    meeting = stage.world.meetings.get(stage.meeting_id)
    ends = [call.at for call in end_calls(stage)]
    return any(
        abs(stay.start - end) <= span
        for instance in (meeting.instances if meeting is not None else ())
        for connection in instance.connections
        if connection.person.key in outcome.scenario.workers
        for stay in connection.stays
        for end in ends
    )


def _of_faults(outcome: Outcome) -> dict[str, bool]:
    stage, struck = outcome.stage, outcome.stage.struck
    alone = gaps(stage)
    session = outcome.session
    facts = [
        fact
        for fact in (session.actions.values() if session is not None else ())
        if fact.kind == "end_meeting" and fact.state is ActionState.CONFIRMED
    ]
    downs = [down.since for down in stage.downs]

    def during(code: str) -> bool:
        return any(
            fault.code == code
            and fault.at < (gap.end - stage.began).total_seconds()
            and max(fault.until, fault.at + 1)
            > (gap.start - stage.began).total_seconds()
            for fault in outcome.scenario.faults
            for gap in alone
        )

    second = timedelta(seconds=1)
    return {
        WORDS[8]: any(gap.start <= at <= gap.end for at in downs for gap in alone),
        WORDS[9]: any(
            fact.sent_at is not None and fact.wanted_at - second <= at <= fact.sent_at
            for fact in facts
            for at in downs
        ),
        WORDS[10]: any(
            fact.sent_at is not None
            and fact.confirmed_at is not None
            and fact.sent_at <= at <= fact.confirmed_at + second
            for fact in facts
            for at in downs
        ),
        WORDS[11]: struck["F11 before commit"] + struck["F11 after commit"] > 0,
        WORDS[12]: struck["F12 full"] > 0 and during("F12"),
        WORDS[13]: during("F13"),
        WORDS[14]: struck["F15 no token"] > 0 and during("F15"),
        WORDS[16]: stage.marks["webhook came at a repeat"] > 0,
        WORDS[17]: struck["F3 doubled"] > 0,
        WORDS[18]: any(status == 401 for status in stage.lies.values()),
        WORDS[22]: stage.letters_lost > 0,
        WORDS[28]: any(
            gap.start <= down.since <= gap.end and down.deadline is not None
            for down in stage.downs
            for gap in alone
        ),
        WORDS[30]: stage.second_file.appended > 0,
        WORDS[31]: stage.second_file.read_back > 0,
        WORDS[29]: any(isinstance(fact, Readmitted) for fact in stage.pressed),
        WORDS[27]: struck["F10 as it was up to a minute ago"] > 0,
    }


def _of_people(outcome: Outcome) -> dict[str, bool]:
    stage, scenario = outcome.stage, outcome.scenario
    meeting = stage.world.meetings.get(stage.meeting_id)
    instances = meeting.instances if meeting is not None else []
    sentences = [each.sentence for each in stage.world.history]
    return {
        WORDS[15]: _old_leave(stage),
        WORDS[19]: any(
            len({c.person.key for c in instance.connections if c.registrant_id == one})
            > 1
            for instance in instances
            for one in {
                c.registrant_id for c in instance.connections if c.registrant_id
            }
        ),
        WORDS[20]: len(instances) > 1,
        WORDS[21]: any(step.do == "storm" for step in scenario.steps),
        WORDS[23]: not scenario.live_roster,
        WORDS[24]: not scenario.planned,
        WORDS[25]: any(
            sentence.endswith("is now host.")
            and not sentence.startswith(("Anna", "Sam", "Kim", "Lee"))
            for sentence in sentences
        ),
        WORDS[26]: any("(removed)" in sentence for sentence in sentences),
    }


def _old_leave(stage: Stage) -> bool:
    """A leave of somebody's old connection was taken after the join of their new one."""
    meeting = stage.world.meetings.get(stage.meeting_id)
    for instance in meeting.instances if meeting is not None else ():
        names = [c.participant_uuid for c in instance.connections]
        people = [c.person.key for c in instance.connections]
        joined: dict[str, int] = {}
        left: dict[str, int] = {}
        for number, sent in enumerate(
            s for s in stage.server.sendings if s.is_accepted
        ):
            for uuid in names:
                if uuid.encode() not in sent.body:
                    continue
                if sent.event == "meeting.participant_joined":
                    joined.setdefault(uuid, number)
                elif sent.event == "meeting.participant_left":
                    left[uuid] = number
        for at, old in enumerate(names):
            for new in range(at + 1, len(names)):
                again = people[new] == people[at] and names[new] in joined
                if again and left.get(old, -1) > joined[names[new]]:
                    return True
    return False
