"""Every invariant by its clause and name; `judge` asks them all."""

from app.simulate import presence_checks as presence
from app.simulate import record_checks as record
from app.simulate.play import Outcome
from app.simulate.verdict import Check, Figures, Violation

INVARIANTS: dict[str, Check] = {
    "I1 never alone": presence.never_alone,
    "I2 strangers out": presence.strangers_out,
    "I3 no early clear": presence.no_early_clear,
    "I4 never the wrong person": presence.never_the_wrong_person,
    "I6 confirmed is so": presence.confirmed_is_so,
    "I8 races are told": presence.races_are_told,
    "I9 alarms go out": record.alarms_go_out,
    "I10 no flood": record.no_flood,
    "I11 nothing acknowledged is lost": record.nothing_acknowledged_is_lost,
    "I12 folded once": record.folded_once,
    "I13 attendance is true": record.attendance_is_true,
    "I16 decisions explain themselves": record.decisions_explain_themselves,
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
