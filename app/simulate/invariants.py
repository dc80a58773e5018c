"""Every invariant by its clause and name; `judge` asks them all."""

from app.simulate import alarm_checks as alarm
from app.simulate import kept_checks as kept
from app.simulate import presence_checks as presence
from app.simulate import record_checks as record
from app.simulate import time_checks as timing
from app.simulate import undo_checks as undo
from app.simulate.play import Outcome
from app.simulate.verdict import Check, Figures, Violation

INVARIANTS: dict[str, Check] = {
    "I1 never alone": presence.never_alone,
    "I1 deadline is stored": timing.deadline_is_stored,
    "I2 strangers out": presence.strangers_out,
    "I2 removed stay out": undo.removed_stay_out,
    "I3 no early clear": presence.no_early_clear,
    "I4 never the wrong person": presence.never_the_wrong_person,
    "I6 confirmed is so": presence.confirmed_is_so,
    "I6 done is confirmed": kept.done_is_confirmed,
    "I7 links are as pressed": undo.links_are_as_pressed,
    "I8 races are told": presence.races_are_told,
    "I9 alarms go out": record.alarms_go_out,
    "I9 alarms go on": alarm.alarms_go_on,
    "I9 taken is quiet": alarm.taken_is_quiet,
    "I10 no flood": record.no_flood,
    "I10 few at once": alarm.few_at_once,
    "I11 nothing acknowledged is lost": record.nothing_acknowledged_is_lost,
    "I12 folded once": record.folded_once,
    "I12 kept once": kept.kept_once,
    "I13 attendance is true": record.attendance_is_true,
    "I15 only added": kept.only_added,
    "I16 decisions explain themselves": record.decisions_explain_themselves,
    "I17 answered at once": timing.answered_at_once,
    "I19 no clock moves a deadline": timing.no_clock_moves_a_deadline,
    "I20 fails safe": record.fails_safe,
    "I20 full disk is told": record.full_disk_is_told,
    "I20 heals": record.heals,
    "I23 no leak": record.no_leak,
    "A7 lies are refused": record.lies_are_refused,
}


def judge(outcome: Outcome, figures: Figures | None = None) -> list[Violation]:
    """Everything that was broken; empty when every promise was kept."""
    measured = figures if figures is not None else Figures()
    return [
        Violation(clause, said)
        for clause, check in INVARIANTS.items()
        for said in check(outcome, measured)
    ]
