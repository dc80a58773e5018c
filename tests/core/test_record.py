"""The record of a whole evening, part by part, and what an empty one looks like."""

from dataclasses import replace
from datetime import timedelta

from app.core import codec
from app.core import presses as p
from app.core.record import build_record
from app.core.record_parts import (
    AlarmEntry,
    Amendment,
    ChecklistFacts,
    ChecklistLine,
    DebriefFacts,
    FollowUpFact,
    HoldEntry,
    ItemFact,
    LadderEntry,
    MeetingFact,
    Named,
    Record,
    RulesGiven,
    Signed,
)
from app.core.safety_times import Closing, Gap
from app.core.session import GroupSession
from tests.core.builders import ANNA, BEN, ROOM, RULES, at, joined, started, story
from tests.core.evening import LATER, NAMES, acted, evening

RECORD = build_record(evening(), LATER, NAMES)
ANNA_PRICE = Named("anna", "Anna Price")
SAM_OKORO = Named("sam", "Sam Okoro")
THE_BEN = Named("ben", "Ben")
HOSTILE = Named("chloe", '=HYPERLINK("http://x?"&A1)')


def test_an_empty_session_has_an_empty_record() -> None:
    record = build_record(GroupSession("nothing"), LATER, {})

    assert (record.plan, record.attendance, record.timeline) == (None, (), ())
    assert record.closing == Closing(
        pressed_at=None,
        pressed_by="",
        last_client_out=None,
        last_worker_out=None,
        gap=None,
    )


def test_the_plan_and_the_meeting() -> None:
    assert RECORD.plan is not None
    assert (RECORD.plan.title, RECORD.plan.ground_rules_version) == ("Tuesday group", 3)
    assert RECORD.plan.ground_rules == tuple(rule.text for rule in RULES.rules)
    assert RECORD.meetings == (
        MeetingFact(
            platform="zoom",
            meeting_id=ROOM.meeting_id,
            instance=ROOM.instance,
            started_at=at("18:52"),
            ended_at=at("20:10"),
        ),
    )


def test_who_was_there() -> None:
    assert [(r.person.name, r.part, r.minutes, r.flags) for r in RECORD.attendance] == [
        ("Anna Price", "worker", 77, ("present",)),
        ("Sam Okoro", "worker", 73, ("present", "dropped and returned")),
        ("Noor Haddad", "worker", 0, ()),
        ("Ben", "client", 53, ("present", "dropped and returned", "removed")),
        (HOSTILE.name, "client", 56, ("present", "amended")),
        ("D\u0119v, R", "client", 0, ("absent",)),
        ("=1+1", "unknown", 0, ("turned away",)),
        ("<script>alert(1)</script>", "unknown", 0, ("present", "removed")),
    ]
    assert [row.person.id for row in RECORD.workers] == ["anna", "sam", "noor"]


def test_a_corrected_line_keeps_what_events_said() -> None:
    chloe = RECORD.attendance[4]

    assert chloe.original_joined_at == at("19:07")
    assert chloe.original_present == timedelta(minutes=52, seconds=30)
    assert chloe.amendments == (
        Amendment(
            at=at("20:21"),
            by=ANNA_PRICE,
            line="person:chloe",
            joined_at=at("19:04"),
            left_at=None,
            person=None,
            reason="her phone, not on the list",
        ),
    )


def test_who_had_the_rules_and_how() -> None:
    assert RECORD.ground_rules_given == (
        RulesGiven(person=THE_BEN, at=at("18:58:20"), how="posted", version=3),
        RulesGiven(person=HOSTILE, at=at("19:08"), how="spoken", version=3),
    )
    assert [(r.rules_at, r.rules_how) for r in RECORD.attendance[3:6]] == [
        (at("18:58:20"), "posted"),
        (at("19:08"), "spoken"),
        (None, ""),
    ]


def test_every_step_of_the_ladder_from_press_to_proof() -> None:
    remind, warn, remove = RECORD.ladder

    assert [e.step for e in RECORD.ladder] == ["remind", "warn", "remove"]
    assert (warn.reason, warn.reason_at) == ("=shouted at Chloe", at("19:24"))
    assert (remind.reason, remind.reason_at, remind.undone_by) == ("", None, None)
    assert remove == LadderEntry(
        press_id="press-remove",
        step="remove",
        at=at("19:25"),
        by=ANNA_PRICE,
        person=THE_BEN,
        rule=2,
        rule_text="One person talks at a time.",
        immediate=False,
        reason="",
        reason_at=None,
        sent_at=at("19:25:01"),
        confirmed_at=at("19:25:03"),
        route="api",
        proof="They left at 19:25:03.",
        problem="",
        undone_at=at("19:32"),
        undone_by=SAM_OKORO,
    )


def test_a_refused_step_stands_there_with_its_problem() -> None:
    pressed = p.LadderPressed(
        at=at("19:10"),
        by="sam",
        press_id="x",
        step=p.Step.REMOVE,
        connection="UUID-ANNA",
    )
    record = build_record(story(started(), joined(ANNA), pressed), LATER, NAMES)

    assert record.ladder[0].problem == (
        "That is a verified worker. The ladder is for people who take part."
    )
    assert record.ladder[0].sent_at is None


def test_a_reason_given_afterwards_is_the_reason() -> None:
    pressed = p.LadderPressed(
        at=at("19:10"),
        by="sam",
        press_id="x",
        step=p.Step.REMOVE,
        connection="UUID-BEN",
        immediate=True,
    )
    given = p.ReasonGiven(at=at("19:50"), by="sam", press_id="x", reason="a threat")
    session = story(started(), joined(ANNA), joined(BEN), pressed)
    waiting_for = build_record(session, LATER, NAMES)
    done = build_record(
        story(started(), joined(ANNA), joined(BEN), pressed, given), LATER, NAMES
    )

    assert (waiting_for.ladder[0].reason, waiting_for.ladder[0].reason_at) == ("", None)
    assert [f.done_at for f in waiting_for.follow_ups] == [None]
    assert waiting_for.follow_ups[0].due_at == at("19:10") + timedelta(days=1)
    assert waiting_for.follow_ups[0].opened_at == at("19:10")
    assert (done.ladder[0].reason, done.ladder[0].reason_at) == (
        "a threat",
        at("19:50"),
    )
    assert [f.done_at for f in done.follow_ups] == [at("19:50")]


def test_alarms_and_who_took_them() -> None:
    assert RECORD.alarms == (
        AlarmEntry(
            key="two_workers.short:x",
            level="amber",
            at=at("19:40:01"),
            reason="Only one worker is here.",
            acknowledged_at=at("19:41"),
            acknowledged_by=ANNA_PRICE,
            waited=timedelta(seconds=59),
        ),
    )


def test_the_safety_times() -> None:
    safety = RECORD.safety

    assert safety.worker_gaps == (Gap(start=at("19:40"), end=at("19:42"), workers=1),)
    assert safety.time_with_enough_workers == timedelta(minutes=59, seconds=30)
    assert safety.clears == ()
    assert [(b.start, b.end) for b in safety.blind] == [(at("19:45"), at("19:46"))]


def test_the_closing_receipt_and_the_debrief() -> None:
    assert RECORD.closing == Closing(
        pressed_at=at("19:58"),
        pressed_by="anna",
        last_client_out=at("19:59:30"),
        last_worker_out=at("20:09:30"),
        gap=timedelta(minutes=10),
    )
    assert RECORD.debrief == DebriefFacts(
        start=at("19:59:30"),
        end=at("20:09"),
        length=timedelta(minutes=9, seconds=30),
        present=(ANNA_PRICE, SAM_OKORO),
        skipped=False,
        reason="",
        went_well="Chloe spoke about her school.",
        change="Start with the quiet ones.",
        staff="Sam is tired, Anna well.",
    )


def test_follow_ups_links_ticks_and_signatures() -> None:
    assert RECORD.follow_ups == (
        FollowUpFact(
            key="follow_ups.welfare:ladder.remove:press-remove:ben",
            what="welfare call",
            person=THE_BEN,
            opened_at=at("19:25:03"),
            due_at=at("19:40:03"),
            done_at=at("19:38"),
            done_by=SAM_OKORO,
        ),
        FollowUpFact(
            key="follow_ups.agreed:quiet-room",
            what="Ask the school about the quiet room.",
            person=SAM_OKORO,
            opened_at=at("20:10"),
            due_at=at("23:59"),
            done_at=None,
            done_by=None,
        ),
    )
    assert [(link.person.id, link.state) for link in RECORD.links] == [
        ("ben", "active"),
        ("chloe", "active"),
        ("dev", "active"),
        ("noor", "active"),
    ]
    assert RECORD.items == (
        ItemFact(
            item="pre_brief",
            kind="tick",
            at=at("18:40"),
            by=ANNA_PRICE,
            text="ten minutes",
        ),
        ItemFact(
            item="risk_assessment",
            kind="exception",
            at=at("18:41"),
            by=ANNA_PRICE,
            text="new form",
        ),
    )
    assert RECORD.notes == Signed(version=2, at=at("20:20"), by=None)
    assert RECORD.attendance_confirmed == Signed(
        version=1, at=at("20:22"), by=ANNA_PRICE
    )


def test_a_follow_up_of_another_rule_brings_its_own_due_time() -> None:
    due = at("21:00").isoformat()
    notes = acted(
        "closing.notes_due", "start_follow_up", "20:00", cause="notes", details=(due,)
    )
    odd = acted("other", "start_follow_up", "20:01", cause="other", details=("soon",))
    record = build_record(story(*notes, *odd), LATER, NAMES)

    assert [(f.what, f.due_at, f.person) for f in record.follow_ups] == [
        ("notes", at("21:00"), Named("", "")),
        ("other", None, Named("", "")),
    ]


def test_holds_name_the_presser_and_the_bots_own_name_nobody() -> None:
    whom = {"connection": "UUID-BEN", "person_id": "ben"}
    pressed = p.HoldPressed(
        at=at("19:10"), by="sam", press_id="h", connection="UUID-BEN"
    )
    record = build_record(
        story(
            started(),
            joined(ANNA),
            joined(BEN),
            pressed,
            *acted(
                "admission.hold:h",
                "hold_participant",
                "19:10",
                "19:10:01",
                "19:10:02",
                proof="Seen waiting.",
                **whom,
            ),
            *acted("never_alone.hold:e:UUID-BEN", "hold_participant", "19:20", **whom),
        ),
        LATER,
        NAMES,
    )

    assert record.holds[0] == HoldEntry(
        kind="hold",
        at=at("19:10"),
        by=SAM_OKORO,
        person=THE_BEN,
        reason="",
        sent_at=at("19:10:01"),
        confirmed_at=at("19:10:02"),
        proof="Seen waiting.",
    )
    assert record.holds[1].by is None


def test_names_the_reader_may_not_see_are_ids() -> None:
    record = build_record(evening(), LATER, {})

    assert record.attendance[3].person == Named("ben", "ben")
    assert record.ladder[0].by == Named("anna", "anna")


def test_the_checklist_is_kept_as_it_was_handed_in() -> None:
    facts = ChecklistFacts(
        verdict="ready",
        at=at("18:45"),
        pack="project",
        items=(
            ChecklistLine(
                item="lead",
                clause="S3",
                result="ok",
                weight="block",
                evidence="Anna leads.",
            ),
        ),
    )

    assert build_record(evening(), LATER, NAMES, facts).checklist == facts


def test_looking_at_the_room_is_no_action_worth_a_line() -> None:
    look = acted("look", "read_room", "19:00", "19:00:01")

    assert build_record(story(*look), LATER, NAMES).actions == ()
    assert [a.key for a in RECORD.actions][:2] == [
        f"rules:{ROOM.instance}:3:start",
        "entry.remove:UUID-SCRIPT",
    ]
    assert RECORD.actions[1].person == Named("", "<script>alert(1)</script>")


def test_a_record_can_be_stored_and_read_again() -> None:
    stored = codec.encode(RECORD)

    assert codec.decode(Record, stored) == RECORD
    assert codec.decode(Record, codec.encode(replace(RECORD, plan=None))).plan is None
