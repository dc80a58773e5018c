"""Ben asks to be forgotten: his name goes from everywhere, what happened stays."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Connection, select

from app.privacy import erasure, holds, one_session
from app.privacy.retention import erasures
from app.privacy.traces import words_of
from app.store import contacts, log, notes, people
from app.store.database import Store
from app.store.refusals import Refused, Unknown
from app.web.pages.people_erase import GOES, STAYS
from tests.privacy.everything import BEN, MAIL, NICK, PHONE, opened, raise_concern
from tests.store.conftest import NOW, Evening

pytestmark = pytest.mark.anyio
CANARIES = (BEN, "Canary", NICK, "Wolfie", MAIL, PHONE, "447***789", "reg-ben@alias")
# What stays, and why, docs/data-inventory.md tells.
LAWFUL = {"records.record_sealed", "concerns.body_sealed"}
T = TypeVar("T")


def do(store: Store, work: Callable[[Connection], T]) -> T:
    with store.unit() as db:
        return work(db)


def everything(store: Store) -> list[tuple[str, str]]:
    return do(store, lambda db: sorted(opened(db, store)))


def left(store: Store) -> set[str]:
    """The columns in which anything of Ben still stands."""
    return {
        column
        for column, said in everything(store)
        if any(canary in said for canary in CANARIES)
    }


def note(store: Store, full: Evening) -> str:
    return do(store, lambda db: notes.latest(db, store, full.session).text)


def name(store: Store, person_id: str) -> str:
    return do(store, lambda db: people.get(db, store, person_id).name)


def halves(store: Store) -> set[str]:
    """Facts whose personal half is there."""
    return do(store, lambda db: set(db.scalars(select(log.personal.c.ref))))


async def erase(store: Store, person_id: str) -> erasure.Erased:
    return await erasure.erase(store, person_id, "token-1", NOW)


def stays(made: erasure.Erased) -> set[tuple[str, int, str]]:
    return {(one.what, one.count, one.why) for one in made.stays}


def hold(store: Store, person_id: str, by: str) -> str:
    return do(
        store,
        lambda db: (
            holds.place(
                db,
                store,
                holds.PERSON,
                person_id,
                reason="An investigation.",
                by=by,
                review_on=date(2027, 1, 1),
                now=NOW,
            ).id
        ),
    )


def test_before_that_his_name_stands_everywhere(store: Store, full: Evening) -> None:
    assert left(store) == {
        "people.details_sealed",
        "one_to_ones.channel_sealed",
        "one_to_ones.outcome_sealed",
        "contacts.label_sealed",
        "groups.name_sealed",
        "ground_rules.made_with_sealed",
        "sessions.texts_sealed",
        "drafts.fields_sealed",
        "notes.text_sealed",
        "records.record_sealed",
        "links.alias",
        "log_personal.fields_sealed",
        "deliveries.body_sealed",
        "actions.body_sealed",
        "holds.reason_sealed",
        "consents.details_sealed",
        "dossiers.details_sealed",
        "concerns.body_sealed",
        "policy_versions.reason_sealed",
    }


async def test_afterwards_only_the_signed_record_and_a_concern_name_him(
    store: Store, full: Evening
) -> None:
    made = await erase(store, full.ben)

    assert left(store) == LAWFUL
    assert made.counts == {
        "actions": 2,
        "consents": 1,
        "contacts": 1,
        "deliveries": 2,
        "dossiers": 1,
        "drafts": 1,
        "ground_rules": 1,
        "groups": 1,
        "holds": 1,
        "links": 1,
        "log_personal": 7,
        "notes": 1,
        "one_to_ones": 2,
        "people": 1,
        "policy_versions": 1,
        "sessions": 1,
    }
    assert stays(made) == {
        ("records", 1, erasure.RECORDS_STAY),
        ("log", 10, erasure.LOG_STAYS),
        ("meetings", 1, erasure.MEETINGS_ELSEWHERE),
        ("memory", 0, erasure.MEMORY),
        ("concerns", 0, erasure.CONCERNS),
        ("backups", 0, erasure.BACKUPS),
    }
    [record] = [one for one in made.stays if one.what == "records"]
    assert record.until is not None
    assert record.until.date() == date(2032, 11, 17)


async def test_what_others_said_and_did_stays(store: Store, full: Evening) -> None:
    await erase(store, full.ben)

    assert note(store, full) == (
        "[name erased] and Chloe talked. canary@canary.example. Chloe wrote [name erased]."
    )
    assert halves(store) == {"chloe.0", "eve.0", "vouched.0", "pressed.0"}
    assert len(do(store, lambda db: db.execute(select(log.log.c.ref)).all())) == 10
    raw = select(log.deliveries.c.ref).where(log.deliveries.c.body_sealed.is_not(None))
    assert do(store, lambda db: list(db.scalars(raw))) == ["chloe"]


async def test_a_name_two_people_have_is_left_in_what_others_wrote(
    store: Store, full: Evening
) -> None:
    do(store, lambda db: people.change(db, store, full.chloe, {"name": BEN}, NOW))
    made = await erase(store, full.ben)

    assert BEN in note(store, full)
    assert ("sessions", 1, erasure.SHARED_NAME) in stays(made)
    assert "own-link.0" not in halves(store)
    assert "copycat.0" in halves(store)


async def test_a_worker_is_forgotten_with_account_and_ways_in(
    store: Store, full: Evening
) -> None:
    made = await erase(store, full.anna)

    assert made.counts["accounts"] == 1
    assert not any("anna@charity" in said for _, said in everything(store))


async def test_nobody_on_hold_is_erased(store: Store, full: Evening) -> None:
    placed = hold(store, full.ben, full.sam)
    with pytest.raises(Refused, match="on hold"):
        await erase(store, full.ben)
    assert name(store, full.ben) == BEN

    do(store, lambda db: holds.lift(db, placed, full.sam, NOW))
    await erase(store, full.ben)
    assert name(store, full.ben) == ""


async def test_a_session_on_hold_stays_as_it_is(store: Store, full: Evening) -> None:
    """Also when it is held for somebody else's sake."""
    hold(store, full.chloe, full.sam)
    made = await erase(store, full.ben)

    assert BEN in note(store, full)
    assert name(store, full.ben) == ""
    assert ("sessions", 1, erasure.SESSIONS_HELD) in stays(made)


async def test_an_evening_with_a_concern_stays_as_it_is(
    store: Store, full: Evening
) -> None:
    do(store, lambda db: raise_concern(db, store, "Words.", session_id=full.session))
    made = await erase(store, full.ben)

    assert BEN in note(store, full)
    assert ("sessions", 1, erasure.SESSIONS_HELD) in stays(made)


def test_whom_alarms_go_to_is_replaced_first(store: Store, full: Evening) -> None:
    contact = contacts.Contact(channel="mail", address=MAIL.upper())
    made, _ = do(store, lambda db: contacts.add(db, store, contact, NOW))

    with pytest.raises(Refused, match=made):
        do(store, lambda db: erasure.find(db, store, full.ben))


def test_nobody_is_nobody(store: Store) -> None:
    with pytest.raises(Unknown):
        do(store, lambda db: erasure.find(db, store, "person-none"))


async def test_a_preview_tells_the_same_and_changes_nothing(
    store: Store, full: Evening
) -> None:
    before = everything(store)
    seen = erasure.preview(store, full.ben, NOW)

    assert everything(store) == before
    assert await erase(store, full.ben) == seen


async def test_a_second_time_finds_nothing_and_keeps_the_certificate(
    store: Store, full: Evening
) -> None:
    first = await erase(store, full.ben)
    again = await erase(store, full.ben)

    assert "log_personal" not in again.counts
    kept = do(store, lambda db: list(db.scalars(select(erasures.c.counts))))
    assert kept == [first.counts]
    assert do(store, erasure.ledger) == [full.ben]


async def test_a_crash_half_way_leaves_enough_to_finish(
    store: Store, full: Evening
) -> None:
    found = do(store, lambda db: erasure.find(db, store, full.ben))
    do(store, lambda db: one_session.take_out(db, store, found, full.session))

    await erase(store, full.ben)

    assert left(store) == LAWFUL


def test_what_a_restore_brought_back_is_erased_again(
    store: Store, full: Evening
) -> None:
    """The ledger is read from the database before the backup takes its place."""
    ids = [full.ben, "person-gone"]
    later = NOW + timedelta(days=1)

    assert do(store, lambda db: erasure.erase_again(db, store, ids, later)) == 1
    assert left(store) == LAWFUL
    assert do(store, lambda db: erasure.erase_again(db, store, ids, later)) == 0


@pytest.mark.parametrize(
    ("details", "others", "before", "after"),
    [
        ({"name": "Will Ray"}, [], "will Will, WILL RAY", "will [x], [x]"),
        ({"name": "Will Ray"}, ["Ray Charles"], "Ray, Will Ray", "Ray, [x]"),
        ({"name": "Will"}, [], "Williams, Will's", "Williams, [x]'s"),
        ({"name": "Ann"}, ["Ann"], "Ann", "Ann"),
        ({"name": "Bo"}, [], "Bo said", "[x] said"),
        ({"name": "B"}, [], "B said", "B said"),
        ({"name": "Jan van Dam"}, [], "van Dam", "van [x]"),
        ({"name": "Bo Li"}, [], "bo li said", "[x] said"),
        ({"name": "Ben", "email": "w@x.example"}, [], "W@X.EXAMPLE", "[x]"),
        ({"name": ""}, [], "anything", "anything"),
    ],
)
def test_names_are_taken_out_as_whole_words(
    details: dict[str, str], others: list[str], before: str, after: str
) -> None:
    taken = words_of(details, others).take_out(before)

    assert taken.replace("[name erased]", "[x]") == after


async def test_looking_tells_what_erasing_then_does_and_does_nothing(
    store: Store, full: Evening
) -> None:
    before = everything(store)
    looked = await erasure.look(store, full.ben, NOW)
    assert everything(store) == before
    assert do(store, lambda db: erasure.erased_at(db, full.ben)) is None

    made = await erase(store, full.ben)
    assert looked.counts == made.counts
    assert stays(looked) == stays(made)
    assert do(store, lambda db: erasure.erased_at(db, full.ben)) == NOW


async def test_a_page_has_words_for_everything_that_goes_and_stays(
    store: Store, full: Evening
) -> None:
    made = await erasure.look(store, full.ben, NOW)
    assert set(made.counts) <= set(GOES)
    assert {one.what for one in made.stays} <= set(STAYS)
