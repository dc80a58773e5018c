"""Every automatic item of the checklist: well, faulty, unknown, excepted."""

from dataclasses import replace
from typing import Any

import pytest

from app.core.checklist import FIXED, Kind
from app.core.facts import Hands, MeetingFacts
from app.core.plan import GroundRules
from app.core.policy import Weight
from app.core.readiness_items import CHECKS
from app.core.readiness_items.finding import Result
from app.core.readiness_items.plain_settings import SETTINGS
from app.core.session import GroupSession
from tests.core.builders import (
    ALL_HANDS,
    RULES,
    SAFE,
    at,
    client,
    plan,
    set_up,
)
from tests.core.cards import (
    ANNA_LEADS,
    NOW,
    PROJECT,
    SAM_SUPPORTS,
    STRICT,
    TALK,
    excepted,
    line,
)

# --- each item of the plan: ok, fault ---------------------------------------------------


PLAN_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "purpose": ({"purpose": "  "}, "Purpose written down: no."),
    "segments": ({"segments": 0}, "Parts in the plan: 0."),
    "ground_rules": (
        {"ground_rules": GroundRules(version=1, rules=RULES.rules[:3])},
        "No agreed rule about: behaviour.",
    ),
    "emergency_contacts": (
        {"emergency_contacts": False},
        "Emergency contacts on file: no.",
    ),
    "alarm_contacts": (
        {"alarm_contacts_confirmed": 1},
        "Alarm contacts confirmed: 1; needed: 2.",
    ),
    "time_window": ({"ends_at": at("19:00")}, "The session ends before it starts."),
    "one_lead": ({"workers": (SAM_SUPPORTS,)}, "Lead workers planned: 0."),
    "support_worker": ({"workers": (ANNA_LEADS,)}, "Support workers planned: 0."),
    "two_workers": (
        {"workers": (ANNA_LEADS,)},
        "Workers planned for the room: 1; needed: 2.",
    ),
    "workers_proved": (
        {"workers": (ANNA_LEADS, replace(SAM_SUPPORTS, platform_user_id=""))},
        "sam: neither an account nor an own link.",
    ),
    "one_to_one": (
        {"clients": (client("ben"), client("dev", one_to_ones=(TALK,)))},
        "dev: 0 of 1 one-to-one talks.",
    ),
    "consent": (
        {"clients": (client("ben", consent_to_take_part=False),)},
        "ben: no consent to take part.",
    ),
    "known_to_worker": (
        {"clients": (client("ben", known_to=""),)},
        "ben: no worker knows this client.",
    ),
    "client_links": (
        {"clients": (client("ben"), client("finn"))},
        "finn: no own link yet.",
    ),
    "risk_assessment": (
        {"risk_assessment": False},
        "Risk assessment on file: no; a high-risk client is invited: no.",
    ),
    "high_risk_reviewed": (
        {"clients": (client("ben", high_risk=True),)},
        "ben: high risk, not reviewed.",
    ),
    "client_contacts": (
        {"clients": (client("ben", has_contact=False, has_referrer=False),)},
        "ben: no contact and no referrer.",
    ),
}
SETTING_FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    **{
        name: (
            {setting.field: not setting.safe},
            f"{setting.what}: {setting.words[not setting.safe]}.",
        )
        for name, setting in SETTINGS.items()
    },
    "meeting": ({"exists": False}, "The platform does not know this meeting."),
    "invite_only": (
        {"invite_only": False, "sign_in_required": False},
        "Anyone who has the link can come: no personal links.",
    ),
    "link_private": (
        {"link_hidden": False},
        "The meeting shows its link to everybody: on.",
    ),
    "own_room": ({"personal_room": True}, "This is somebody's personal room."),
    "automatic_recording": (
        {"auto_recording": True},
        "Automatic recording: on; No reason for a recording is on file; "
        "3 of 3 invited clients have not consented to be recorded.",
    ),
    "rename": ({"rename_possible": True}, "Changing one's own name: on."),
}
HAND_FAULTS = {
    "end_for_all": "Ending the meeting for everyone: not possible.",
    "live_roster": (
        "Webhooks only: we cannot look into the room. Nobody is alone for more than 75 "
        "seconds while the platform's news arrives; when news gets lost it can be 325 "
        "seconds or more."
    ),
    "remove_one": "Removing one person without a worker's press: not possible.",
}


def test_every_automatic_item_has_its_fault_here() -> None:
    covered = {*PLAN_FAULTS, *SETTING_FAULTS, *HAND_FAULTS, "settings_read"}
    assert covered == set(CHECKS)


@pytest.mark.parametrize("item", [*PLAN_FAULTS, *SETTING_FAULTS, *HAND_FAULTS])
def test_each_item_is_well_on_a_safe_evening(item: str) -> None:
    facts = replace(SAFE, rename_possible=False)
    found = line(set_up(facts=facts, policy=STRICT), item)
    assert (found.result, found.stops) == (Result.OK, False)
    assert found.checked_at in (NOW, at("18:00"))


@pytest.mark.parametrize("item", PLAN_FAULTS)
def test_each_item_of_the_plan_finds_its_fault(item: str) -> None:
    changed, evidence = PLAN_FAULTS[item]
    found = line(set_up(the_plan=plan(**changed)), item)
    assert (found.result, found.evidence) == (Result.FAULT, evidence)
    assert found.checked_at == NOW


@pytest.mark.parametrize("item", PLAN_FAULTS)
def test_without_a_plan_nothing_about_it_is_known(item: str) -> None:
    found = line(GroupSession("session-1"), item)
    assert (found.result, found.checked_at) == (Result.UNKNOWN, None)


@pytest.mark.parametrize("item", SETTING_FAULTS)
def test_each_setting_finds_its_fault(item: str) -> None:
    changed, evidence = SETTING_FAULTS[item]
    found = line(set_up(facts=replace(SAFE, **changed), policy=STRICT), item)
    assert (found.result, found.evidence) == (Result.FAULT, evidence)
    assert found.checked_at == at("18:00")


@pytest.mark.parametrize("item", SETTING_FAULTS)
def test_a_setting_that_could_not_be_read_is_unknown(item: str) -> None:
    unread = set_up(facts=MeetingFacts(), policy=STRICT)
    assert line(unread, item).result is Result.UNKNOWN
    assert line(set_up(facts=None, policy=STRICT), item).result is Result.UNKNOWN


@pytest.mark.parametrize("item", HAND_FAULTS)
def test_each_hand_finds_its_fault_and_is_unknown_until_tried(item: str) -> None:
    gone: dict[str, Any] = {item: False}
    none = replace(ALL_HANDS, **gone)
    found = line(set_up(hands=none), item)
    assert (found.result, found.evidence) == (Result.FAULT, HAND_FAULTS[item])
    assert line(set_up(hands=Hands()), item).result is Result.UNKNOWN


@pytest.mark.parametrize(
    "item", [i.id for i in PROJECT.items if i.kind is Kind.AUTO and i.id not in FIXED]
)
def test_each_item_takes_an_exception_only_where_it_may(item: str) -> None:
    row = PROJECT.item(item)
    assert row is not None
    session = excepted(GroupSession("session-1", policy=STRICT), item)
    may = row.exception or row.weight is not Weight.BLOCK
    assert (line(session, item).result is Result.EXCEPTED) is may


def test_a_heading_without_words_is_no_rule() -> None:
    empty = replace(RULES.rules[0], text=" ")
    rules = GroundRules(version=1, rules=(empty, *RULES.rules[1:]))
    found = line(set_up(the_plan=plan(ground_rules=rules)), "ground_rules")
    assert found.evidence == "No agreed rule about: confidentiality."
