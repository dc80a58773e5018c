"""When each kind of record goes: just before its limit, at it, after it."""

from datetime import UTC, datetime, timedelta

import pytest

from app.privacy.holds import Held
from app.privacy.terms import (
    Kept,
    KeptPerson,
    KeptRow,
    KeptSession,
    Kind,
    Terms,
    calendar,
    due,
    years_after,
)

TICK = timedelta(microseconds=1)
EVENING = datetime(2026, 11, 17, 20, tzinfo=UTC)
NOBODY = Held()


def session(
    name: str, years: int = 0, *clients: str, notes: bool = False
) -> KeptSession:
    return KeptSession(
        id=name,
        ends_at=years_after(EVENING, years),
        clients=frozenset(clients),
        workers=frozenset({"anna"}),
        has_notes=notes,
    )


BEN_LEFT = KeptPerson(id="ben", left_at=EVENING, has_contacts=True)
BEN_TALKED = KeptPerson(id="ben", talked_at=EVENING, has_outcomes=True)


@pytest.mark.parametrize(
    ("kept", "kind", "limit"),
    [
        (Kept(sessions=(session("s"),)), Kind.SESSION, years_after(EVENING, 6)),
        (
            Kept(sessions=(session("s", notes=True),)),
            Kind.NOTES,
            years_after(EVENING, 3),
        ),
        (Kept(people=(BEN_LEFT,)), Kind.CONTACTS, EVENING + timedelta(days=90)),
        (Kept(people=(BEN_LEFT,)), Kind.PERSON, EVENING + timedelta(days=90)),
        (
            Kept(people=(BEN_LEFT,), sessions=(session("s", 0, "ben"),)),
            Kind.PERSON,
            years_after(EVENING, 6),
        ),
        (Kept(people=(BEN_TALKED,)), Kind.TALKS, years_after(EVENING, 3)),
        *(
            (
                Kept(rows=(KeptRow(kind=kind, id="x", since=EVENING),)),
                kind,
                years_after(EVENING, years),
            )
            for kind, years in (
                (Kind.RULES, 6),
                (Kind.ALARM, 6),
                (Kind.TOKEN, 6),
                (Kind.HOLD, 6),
                (Kind.CERTIFICATE, 2),
            )
        ),
    ],
)
def test_each_kind_goes_after_its_limit_and_not_at_it(
    kept: Kept, kind: Kind, limit: datetime
) -> None:
    def goes(now: datetime) -> bool:
        return kind in {one.kind for one in due(kept, NOBODY, now)}

    assert [goes(limit - TICK), goes(limit), goes(limit + TICK)] == [False, False, True]


def test_attendance_runs_from_the_last_session_of_whoever_takes_part() -> None:
    """Ben came again two years later; Chloe's evening with Dev is not his."""
    kept = Kept(
        sessions=(
            session("first", 0, "ben", "chloe"),
            session("apart", 0, "dev"),
            session("later", 2, "ben"),
        )
    )

    assert {one.id: one.until.year for one in calendar(kept, NOBODY)} == {
        "first": 2034,
        "apart": 2032,
        "later": 2034,
    }


def test_a_worker_who_stays_keeps_no_session_longer() -> None:
    kept = Kept(sessions=(session("first", 0, "ben"), session("later", 5, "chloe")))

    assert {one.id: one.until.year for one in calendar(kept, NOBODY)} == {
        "first": 2032,
        "later": 2037,
    }


def test_contacts_run_from_the_later_of_leaving_and_the_last_session() -> None:
    """Ben was taken off the list before the last evening he is planned for."""
    early = KeptPerson(id="ben", left_at=EVENING - timedelta(days=7), has_contacts=True)
    kept = Kept(people=(early,), sessions=(session("s", 0, "ben"),))

    [contacts] = [one for one in calendar(kept, NOBODY) if one.kind is Kind.CONTACTS]
    assert contacts.until == EVENING + timedelta(days=90)


def test_whoever_takes_part_has_no_term() -> None:
    kept = Kept(people=(KeptPerson(id="ben", has_contacts=True),))

    assert calendar(kept, NOBODY) == []


def test_a_hold_on_one_of_them_keeps_the_whole_evening() -> None:
    kept = Kept(
        sessions=(session("s", 0, "ben", notes=True), session("t", 0, "chloe")),
        people=(BEN_LEFT,),
    )
    late = years_after(EVENING, 20)

    for held in (Held(people=frozenset({"ben"})),):
        assert {(one.kind, one.id) for one in due(kept, held, late)} == {
            (Kind.SESSION, "t")
        }
    held = Held(sessions=frozenset({"s"}))
    assert {(one.kind, one.id) for one in due(kept, held, late)} == {
        (Kind.SESSION, "t"),
        (Kind.CONTACTS, "ben"),
        (Kind.PERSON, "ben"),
    }
    worker = Held(people=frozenset({"anna"}))
    assert Kind.SESSION not in {one.kind for one in due(kept, worker, late)}


def test_what_goes_first_comes_first() -> None:
    kept = Kept(sessions=(session("s", 1, notes=True), session("t", 0, notes=True)))

    order = [(one.kind, one.id) for one in calendar(kept, NOBODY)]

    assert order == [
        (Kind.NOTES, "t"),
        (Kind.NOTES, "s"),
        (Kind.SESSION, "t"),
        (Kind.SESSION, "s"),
    ]


def test_an_organisation_may_decide_otherwise() -> None:
    kept = Kept(sessions=(session("s", notes=True),))
    terms = Terms(register_years=7, notes_years=1)

    assert [one.until.year for one in calendar(kept, NOBODY, terms)] == [2027, 2033]


def test_a_leap_day_is_never_early() -> None:
    leap = datetime(2028, 2, 29, 20, tzinfo=UTC)

    assert years_after(leap, 3) == datetime(2031, 3, 1, 20, tzinfo=UTC)
    assert years_after(leap, 4) == datetime(2032, 2, 29, 20, tzinfo=UTC)
