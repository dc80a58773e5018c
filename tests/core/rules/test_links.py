"""Links that are open twice, passed round or found in public (K01, K06, N19; S8)."""

from dataclasses import replace

import pytest

from app.core import events as e
from app.core import fold
from app.core import presses as p
from app.core.actions import (
    AlertStaff,
    AskWorker,
    Audience,
    ChangeLink,
    HoldParticipant,
    Level,
    ReadRoom,
    Wish,
)
from app.core.plan import Role, WorkerSlot
from app.core.rules import links
from app.core.session import GroupSession
from tests.core.builders import (
    ALL_HANDS,
    ANNA,
    BEN,
    CHLOE,
    DEV,
    EVE,
    NOOR,
    ROOM,
    again,
    at,
    joined,
    left,
    plan,
    seat,
    started,
    story,
    waiting,
)

PHONE = again(DEV, name="iPhone")
WEBHOOKS_ONLY = replace(ALL_HANDS, live_roster=False)


def wishes(session: GroupSession) -> list[Wish]:
    """What all rules about links wish."""
    return [wish for _, rule in links.RULES for wish in rule(session, at("19:30"))]


def devs(count: int) -> list[e.ParticipantJoined]:
    """So many connections on Dev's link, one a second."""
    return [joined(again(DEV, n), f"19:02:{n:02}") for n in range(count)]


def test_one_device_on_each_link_is_as_it_should_be() -> None:
    assert (
        wishes(story(started(), joined(ANNA), joined(NOOR), joined(BEN), joined(DEV)))
        == []
    )


def test_the_second_device_is_asked_about() -> None:
    session = story(started(), joined(DEV, "18:59"), joined(PHONE, "19:02:19"))

    assert wishes(session) == [
        AskWorker(
            key=(
                "entry.doubled_link.who_are_you:eigRfbCZRTK==:UUID-DEV-2:"
                "2026-11-17T19:02:19+00:00"
            ),
            reason=(
                "This personal link is open more than once. Ask who it is, and say so here."
            ),
            clause="I2",
            rule="entry.doubled_link",
            meeting=ROOM,
            press="who_are_you",
            connection="UUID-DEV-2",
            person_id="dev",
        ),
        AlertStaff(
            key="entry.doubled_link.alert:eigRfbCZRTK==:dev:2026-11-17T19:02:00+00:00",
            reason="This personal link is open more than once.",
            clause="I2",
            rule="entry.doubled_link",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Ask who it is. It may be the same person's second device.",
            connection="UUID-DEV-2",
            person_id="dev",
        ),
    ]


def test_nothing_more_is_asked_once_it_left_or_somebody_knows_it() -> None:
    doubled = (started(), joined(DEV, "18:59"), joined(PHONE, "19:02"))
    known = p.ConnectionVouched(
        at=at("19:03"),
        by="anna",
        connection=PHONE["uuid"],
        person_id="dev",
        how="voice",
    )

    assert wishes(story(*doubled, left(PHONE, "19:20"))) == []
    assert wishes(story(*doubled, known)) == []


def test_a_late_leave_ends_the_question() -> None:
    session = story(started(), joined(BEN, "18:58"), joined(again(BEN), "19:20:47"))
    asked = wishes(session)
    fold.apply(session, left(BEN, "19:20:40"))

    assert len(asked) == 2
    assert wishes(session) == []


@pytest.mark.parametrize(
    ("count", "round_it_goes"), [(2, False), (3, True), (30, True)]
)
def test_a_link_in_many_hands_is_cancelled_with_one_alarm(
    count: int, round_it_goes: bool
) -> None:
    found = wishes(story(started(), *devs(count), hands=WEBHOOKS_ONLY))
    red = [w for w in found if isinstance(w, AlertStaff) and w.level is Level.RED]
    cancelled = [w for w in found if isinstance(w, ChangeLink)]

    assert len(red) == len(cancelled) == int(round_it_goes)
    if round_it_goes:
        assert cancelled == [
            ChangeLink(
                key="entry.cancel_link:reg-dev",
                reason="This personal link is in other hands; a new one takes its place.",
                clause="K01",
                rule="entry.link_passed_round",
                meeting=ROOM,
                registrant_id="reg-dev",
                person_id="dev",
                state="cancelled",
            )
        ]
    assert sum(isinstance(w, AlertStaff) for w in found) <= 2


@pytest.mark.parametrize(("can_hold", "held"), [(True, 29), (False, 5)])
def test_the_later_ones_wait_and_the_first_stays(can_hold: bool, held: int) -> None:
    hands = ALL_HANDS.__class__(hold_one=can_hold, remove_one=True)
    found = [
        w
        for w in wishes(story(started(), *devs(30), hands=hands))
        if isinstance(w, HoldParticipant)
    ]

    assert len(found) == held
    assert again(DEV, 0)["uuid"] not in {w.connection for w in found}


def test_who_waits_counts_but_is_not_held() -> None:
    at_the_door = [waiting(again(DEV, n), f"19:02:{n:02}") for n in range(2)]
    found = wishes(
        story(started(), joined(DEV, "18:59"), *at_the_door, hands=WEBHOOKS_ONLY)
    )

    assert any(isinstance(w, ChangeLink) for w in found)
    assert not any(isinstance(w, HoldParticipant) for w in found)


def test_a_vouched_device_is_not_held() -> None:
    known = p.ConnectionVouched(
        at=at("19:03"), by="anna", connection="UUID-DEV-1", person_id="dev", how="voice"
    )
    found = wishes(story(started(), *devs(3), known, hands=WEBHOOKS_ONLY))

    assert [w.connection for w in found if isinstance(w, HoldParticipant)] == [
        "UUID-DEV-2"
    ]


def test_a_cancelled_link_is_not_cancelled_again() -> None:
    dead = p.LinkChanged(
        at=at("19:03"), registrant_id="reg-dev", state=p.LinkState.CANCELLED
    )

    assert not any(
        isinstance(w, ChangeLink) for w in wishes(story(started(), *devs(3), dead))
    )


def test_a_link_found_in_public_ends_every_link_made_before() -> None:
    leak = e.LinkLeaked(meeting=ROOM, at=at("19:10"), heard_at=at("19:10"))
    newer = p.LinkIssued(
        at=at("19:11"),
        person_id="ben",
        registrant_id="reg-ben-2",
        meeting_id=ROOM.meeting_id,
    )
    other = p.LinkIssued(
        at=at("18:00"),
        person_id="ben",
        registrant_id="reg-ben-3",
        meeting_id="82000000028",
    )
    found = wishes(story(started(), joined(BEN), leak, newer, other))

    assert found[0] == AlertStaff(
        key="entry.link_leaked:eigRfbCZRTK==:2026-11-17T19:10:00+00:00",
        reason="The platform found the link to this meeting in public.",
        clause="S8",
        rule="entry.link_leaked",
        level=Level.RED,
        audience=Audience.WORKERS,
        what_to_do=(
            "Admit only people you know by sight or voice. Everybody who is still to "
            "come needs a new link."
        ),
    )
    assert [w.registrant_id for w in found[1:] if isinstance(w, ChangeLink)] == [
        "reg-ben",
        "reg-chloe",
        "reg-dev",
        "reg-noor",
    ]
    assert len(found) == 5


# --- workers ----------------------------------------------------------------------

SHARED = plan(
    workers=(
        WorkerSlot(
            person_id="anna",
            role=Role.LEAD,
            platform_user_id="zoom-anna",
            shared_login=True,
        ),
        WorkerSlot(person_id="noor", role=Role.SUPPORT),
    )
)


def test_a_shared_account_is_asked_for_its_press() -> None:
    session = story(started(), joined(ANNA, "18:55"), the_plan=SHARED)

    assert wishes(session) == [
        AskWorker(
            key=(
                "entry.challenged_worker.i_am_in:eigRfbCZRTK==:UUID-ANNA:"
                "2026-11-17T18:55:00+00:00"
            ),
            reason=(
                'A shared account: not proven until its user presses "I am in". They do '
                'not count as a worker before they press "I am in" here.'
            ),
            clause="N19",
            rule="entry.challenged_worker",
            meeting=ROOM,
            press="i_am_in",
            connection="UUID-ANNA",
            person_id="anna",
        )
    ]


def test_after_the_press_nothing_is_asked() -> None:
    pressed = p.WorkerConfirmed(at=at("18:56"), by="anna", connection="UUID-ANNA")

    assert wishes(story(started(), joined(ANNA), pressed, the_plan=SHARED)) == []


def test_the_second_use_of_a_workers_link_is_asked_for_its_press() -> None:
    session = story(started(), joined(NOOR, "18:55"), joined(again(NOOR), "19:00"))
    (asked,) = wishes(session)

    assert isinstance(asked, AskWorker)
    assert (asked.press, asked.connection) == ("i_am_in", "UUID-NOOR-2")


def test_a_press_without_link_or_account_is_told_to_come_in_another_way() -> None:
    pressed = p.WorkerConfirmed(at=at("19:01"), by="noor", connection="UUID-EVE")
    (told,) = wishes(story(started(), joined(EVE), pressed))

    assert isinstance(told, AlertStaff)
    assert told.level is Level.AMBER
    assert (
        told.what_to_do == "Leave, and come in by your own link or your work account."
    )


def test_other_names_on_a_link_are_asked_about_too() -> None:
    session = story(started(), joined({**CHLOE, "name": "Ben"}))
    asked = wishes(session)[0]

    assert isinstance(asked, AskWorker)
    assert asked.reason.startswith(
        "The name shown is that of somebody else on the list."
    )


def test_a_role_is_no_link() -> None:
    session = story(
        started(), joined(BEN), seat(e.RoleChanged, BEN, "19:01", role="host")
    )

    assert wishes(session) == []


def test_ghosts_of_one_person_do_not_pass_a_link_round() -> None:
    """Two leaves got lost; the look that follows the third join shows only one Dev."""
    eyes = ALL_HANDS.__class__(live_roster=True, remove_one=True)
    joins = [joined(again(DEV, n), f"19:0{n}") for n in range(3)]
    session = story(started(), *joins, hands=eyes)

    found = wishes(session)
    assert [w.reason for w in found if isinstance(w, ReadRoom)] == [
        "One link seems to be open many times: look who is really there."
    ]
    assert not any(isinstance(w, ChangeLink) for w in found)

    [instance] = session.live()
    for connection in instance.connections.values():
        connection.proved_at = at("19:02:01")
    session.version += 1

    found = wishes(session)
    assert any(isinstance(w, ChangeLink) for w in found)
    assert not any(isinstance(w, ReadRoom) for w in found)
