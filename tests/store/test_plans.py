"""What a worker plans, and the plan the core reads from it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from app.core.plan import (
    HEADINGS,
    GroundRule,
    GroundRules,
    InvitedClient,
    OneToOne,
    Plan,
    Role,
    WorkerSlot,
)
from app.store import groups, people, plans, sessions
from app.store.database import Store
from app.store.refusals import Refused, Stale, Unknown
from tests.store.conftest import NOW, Evening


def test_the_core_reads_the_whole_plan(
    db: Connection, store: Store, evening: Evening
) -> None:
    talk = OneToOne(
        worker_id=evening.anna, held_on=date(2026, 11, 3), worker_leads_group=True
    )
    client = InvitedClient(
        person_id=evening.ben,
        one_to_ones=(talk,),
        consent_to_take_part=True,
        has_contact=True,
        has_referrer=True,
        known_to=evening.anna,
        new_to_group=True,
        age_years=15,
    )

    assert plans.build_plan(db, store, evening.session) == Plan(
        session_id=evening.session,
        group_id=evening.group,
        platform="zoom",
        starts_at=datetime(2026, 11, 17, 19, tzinfo=UTC),
        ends_at=datetime(2026, 11, 17, 20, tzinfo=UTC),
        title="Worries at school",
        purpose="Talking about worries",
        workers=(
            WorkerSlot(
                person_id=evening.anna, role=Role.LEAD, platform_user_id="zoom-Anna"
            ),
            WorkerSlot(
                person_id=evening.sam, role=Role.SUPPORT, platform_user_id="zoom-Sam"
            ),
        ),
        clients=(
            client,
            InvitedClient(
                person_id=evening.chloe,
                consent_to_take_part=True,
                has_contact=True,
                has_referrer=True,
                known_to=evening.anna,
                new_to_group=True,
                age_years=15,
            ),
        ),
        ground_rules=GroundRules(
            version=1,
            rules=tuple(GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS),
        ),
    )


def test_names_of_a_session_hold_every_worker_of_the_house(
    db: Connection, store: Store, evening: Evening
) -> None:
    noor = people.add(db, store, people.Person(kind="worker", name="Noor"), NOW)
    people.add(db, store, people.Person(kind="client", name="Dev"), NOW)

    assert plans.names_of(db, store, evening.session) == {
        evening.anna: "Anna",
        evening.sam: "Sam",
        evening.ben: "Ben",
        evening.chloe: "Chloe",
        noor.id: "Noor",
    }


def test_who_came_before_is_not_new_to_the_group(
    db: Connection, store: Store, evening: Evening
) -> None:
    week = timedelta(days=7)
    first = sessions.get(db, store, evening.session)
    dev = people.add(db, store, people.Person(kind="client", name="Dev"), NOW)
    later = sessions.add(
        db,
        store,
        {
            "group_id": evening.group,
            "platform": "zoom",
            "starts_at": first.starts_at + week,
            "ends_at": first.ends_at + week,
            "clients": (evening.ben, dev.id),
        },
        ("zoom",),
        NOW,
    )

    invited = plans.build_plan(db, store, later.id).clients

    assert [(c.person_id, c.new_to_group) for c in invited] == [
        (evening.ben, False),
        (dev.id, True),
    ]


def test_a_policy_of_its_own_reaches_the_core(
    db: Connection, store: Store, evening: Evening
) -> None:
    sessions.change(db, store, evening.session, {"policy": {"grace": 90}}, ("zoom",))

    assert plans.policy_of(db, store, evening.session).grace == timedelta(seconds=90)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"platform": "skype"}, "platform"),
        ({"group_id": "group-none"}, "group_id"),
        ({"clients": ("ben", "ben")}, "clients"),
        ({"clients": ("nobody",)}, "clients"),
        ({"workers": (sessions.Rostered(person_id="x", role="boss"),)}, "workers"),
        ({"workers": (sessions.Rostered(person_id="x", role="lead"),)}, "workers"),
        ({"policy": {"grace": 301}}, "policy"),
        ({"policy": {"grace": "long"}}, "policy"),
        ({"policy": {"graze": 60}}, "policy"),
        ({"policy": {"modes": {"alert_staff": "watch"}}}, "policy"),
        ({"policy": {"modes": {"read_room": "watch"}}}, "policy"),
        ({"policy": {"call_deadline": -1}}, "policy"),
        ({"policy": {"weights": {"end_for_all": "inform"}}}, "policy"),
        ({"segments": 101}, "segments"),
        ({"purpose": "x" * 5001}, "purpose"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    db: Connection,
    store: Store,
    evening: Evening,
    changes: dict[str, Any],
    field: str,
) -> None:
    with pytest.raises(Refused) as refused:
        sessions.change(db, store, evening.session, changes, ("zoom",))

    assert list(refused.value.faults) == [field]
    assert sessions.get(db, store, evening.session).version == 1


def test_two_leads_are_refused(db: Connection, store: Store, evening: Evening) -> None:
    both = tuple(
        sessions.Rostered(person_id=p, role="lead") for p in (evening.anna, evening.sam)
    )

    with pytest.raises(Refused, match="one lead"):
        sessions.change(db, store, evening.session, {"workers": both}, ("zoom",))


def test_the_slower_of_two_planners_is_told(
    db: Connection, store: Store, evening: Evening
) -> None:
    first = {"title": "Friends"}
    sessions.change(db, store, evening.session, first, ("zoom",), on_version=1)

    with pytest.raises(Stale) as stale:
        sessions.change(db, store, evening.session, first, ("zoom",), on_version=1)

    assert stale.value.now_version == 2


def test_a_closed_session_keeps_its_plan(
    db: Connection, store: Store, evening: Evening
) -> None:
    sessions.close(db, evening.session, NOW)

    with pytest.raises(Refused):
        sessions.change(db, store, evening.session, {"title": "x"}, ("zoom",))


def test_sessions_of_a_person(db: Connection, store: Store, evening: Evening) -> None:
    stranger = people.add(db, store, people.Person(kind="worker", name="Eve"), NOW)

    for person in (evening.anna, evening.sam, evening.ben):
        assert sessions.sessions_with(db, person) == [evening.session]
    assert sessions.sessions_with(db, stranger.id) == []


def test_ground_rules_keep_every_version(
    db: Connection, store: Store, evening: Evening
) -> None:
    new = [GroundRule(heading="respect", text="One talks at a time.")]

    adopted = groups.agree_rules(
        db, store, evening.group, new, evening.sam, NOW, on_version=1
    )

    assert adopted == GroundRules(version=2, rules=tuple(new))
    assert groups.get(db, store, evening.group).rules == adopted
    assert len(groups.rules_at(db, evening.group, 1).rules) == 4
    with pytest.raises(Stale):
        groups.agree_rules(
            db, store, evening.group, new, evening.sam, NOW, on_version=1
        )
    with pytest.raises(Unknown):
        groups.rules_at(db, evening.group, 3)


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [GroundRule(heading="fun", text="Laugh.")],
        [GroundRule(heading="respect", text=" ")],
        [GroundRule(heading="respect", text="x" * 501)],
        [GroundRule(heading="respect", text="x")] * 41,
    ],
)
def test_rules_without_heading_or_words_are_refused(
    db: Connection, store: Store, evening: Evening, rules: list[GroundRule]
) -> None:
    with pytest.raises(Refused):
        groups.agree_rules(db, store, evening.group, rules, evening.anna, NOW)


def test_only_workers_lead(db: Connection, store: Store, evening: Evening) -> None:
    with pytest.raises(Refused):
        groups.change(db, store, evening.group, {"leads": [evening.ben]})
