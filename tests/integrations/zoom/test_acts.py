"""What Chaperone does in a running meeting, by which hands, and with which words."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from app.core import actions as a
from app.core.events import MeetingRef
from app.core.facts import Hands
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.zoom.acts import REMOVAL_OFF
from integrations.zoom.hands import OTHERWISE, PRESSES
from tests.integrations.zoom.cast import EVE
from tests.integrations.zoom.recorded import load
from tests.integrations.zoom.scripted import Scripted, said

pytestmark = pytest.mark.anyio

ROOM = MeetingRef(
    platform="zoom", meeting_id="81000000019", instance="eigRfbCZRTKCSkZxrNIT2g=="
)
COMMON: dict[str, Any] = {"key": "k", "reason": "r", "clause": "I1", "meeting": ROOM}
END = a.EndMeeting(**COMMON, cause=a.EndCause.NEVER_ALONE)
REMOVE = a.RemoveParticipant(**COMMON, connection="c", uuid=str(EVE["uuid"]))
WAIT = a.TellWaitingRoom(
    **COMMON,
    title="Hello! Anna will let you in soon",
    text="Ground rules: be kind, keep what is said here private, cameras are your choice.",
)
RULES = a.PostGroundRules(
    **COMMON,
    connections=("c",),
    version=1,
    text="Ground rules: be kind, keep what is said here private, one person speaks at a"
    " time.",
)
SUSPEND = a.ChangeLink(
    **COMMON, registrant_id="9j0tI0b08HyFYoQhcN6S1A", person_id="dev", state="suspended"
)
CONTROL = "PATCH /live_meetings/81000000019/events"


async def test_end_for_all(scripted: Scripted) -> None:
    zoom = scripted.recorded("end_meeting").zoom()
    assert await zoom.perform(END) == (
        "Zoom has heard it (204). The room has to show it."
    )
    (asked,) = scripted.asked
    assert (asked.method, asked.target, asked.body) == (
        "PUT",
        "/meetings/81000000019/status",
        {"action": "end"},
    )


async def test_p04_ending_what_is_not_there_is_an_answer_not_a_success(
    scripted: Scripted,
) -> None:
    zoom = scripted.recorded("error.404_meeting").zoom()
    assert await zoom.perform(END) == (
        "Zoom answers that it has no such meeting running (404)."
    )


async def test_ending_that_is_refused_is_a_failure(scripted: Scripted) -> None:
    refused = said(400, {"code": 3063, "message": "x"})
    zoom = scripted.on("PUT /meetings/81000000019/status", refused).zoom()
    with pytest.raises(PermanentFailure, match="own servers"):
        await zoom.perform(END)


async def test_removing_somebody(scripted: Scripted) -> None:
    zoom = scripted.recorded("in_meeting_control.accepted").zoom()
    assert "202" in await zoom.perform(REMOVE)
    assert (
        scripted.asked[0].body
        == load("rest.in_meeting_control.accepted.json")["request"]["json"]
    )
    assert zoom.routes(REMOVE, Hands()) == ("api", "person")


async def test_removing_that_is_not_switched_on_is_remembered(
    scripted: Scripted,
) -> None:
    zoom = scripted.recorded("error.400_in_meeting_control_not_enabled").zoom()
    assert zoom.routes(REMOVE, Hands(remove_one=True)) == ("api", "person")
    for _ in range(2):
        with pytest.raises(PermanentFailure, match="not switched on") as failed:
            await zoom.perform(REMOVE)
        assert str(failed.value) == REMOVAL_OFF
        assert "Developer Support" in failed.value.fix
    assert len(scripted.asked) == 1
    assert zoom.routes(REMOVE, Hands(remove_one=True)) == ("person",)


@pytest.mark.parametrize(
    "refusal",
    [
        said(400, {"code": 300, "message": "The participant is not in this meeting."}),
        said(400, {"code": 300, "message": "The meeting is not live: 81000000019."}),
        said(403, {"code": 2314, "message": "No permission."}),
        said(404, {"code": 3001, "message": "Meeting does not exist."}),
    ],
)
async def test_a_refusal_of_the_moment_is_not_remembered(
    scripted: Scripted, refusal: Any
) -> None:
    zoom = scripted.on(CONTROL, refusal, said(202)).zoom()
    with pytest.raises(PermanentFailure):
        await zoom.perform(REMOVE)
    assert "202" in await zoom.perform(REMOVE)


async def test_what_worked_once_is_not_off(scripted: Scripted) -> None:
    off = said(400, {"code": 300, "message": "No permission."})
    zoom = scripted.on(CONTROL, said(202), off, said(202)).zoom()
    await zoom.perform(REMOVE)
    with pytest.raises(PermanentFailure):
        await zoom.perform(REMOVE)
    await zoom.perform(REMOVE)


async def test_nobody_can_be_removed_without_the_name_zoom_uses(
    scripted: Scripted,
) -> None:
    unnamed = a.RemoveParticipant(**COMMON, connection="c", user_id="33558528")
    zoom = scripted.zoom()
    assert zoom.routes(unnamed, Hands(remove_one=True)) == ("person",)
    with pytest.raises(PermanentFailure, match="name this connection"):
        await zoom.perform(unnamed)
    assert not scripted.asked


async def test_words_for_the_door(scripted: Scripted) -> None:
    zoom = scripted.recorded("waiting_room_update.accepted").zoom()
    assert "202" in await zoom.perform(WAIT)
    recorded = load("rest.waiting_room_update.accepted.json")["request"]["json"]
    assert scripted.asked[0].body == recorded


async def test_a_link_is_suspended(scripted: Scripted) -> None:
    call = "GET /meetings/81000000019/registrants?status=approved"
    row = {"id": SUSPEND.registrant_id, "email": "dev@family.example"}
    scripted.on(call, said(200, {"registrants": [row]}))
    zoom = scripted.recorded("cancel_registrant").zoom()
    await zoom.perform(SUSPEND)
    recorded = load("rest.cancel_registrant.json")["request"]["json"]
    assert scripted.asked[-1].body == recorded


async def test_a_recording_is_stopped(scripted: Scripted) -> None:
    zoom = scripted.on(CONTROL, said(202)).zoom()
    assert "202" in await zoom.perform(a.StopRecording(**COMMON))
    assert scripted.asked[0].body == {"method": "recording.stop"}


async def test_a_live_stream_is_stopped(scripted: Scripted) -> None:
    path = "PATCH /meetings/81000000019/livestream/status"
    zoom = scripted.on(path, said(204)).zoom()
    assert "204" in await zoom.perform(a.StopLiveStream(**COMMON))
    assert scripted.asked[0].body == {"action": "stop"}


async def test_the_rooms_chat_is_off_unless_the_organisation_chose_it(
    scripted: Scripted,
) -> None:
    zoom = scripted.zoom()
    assert zoom.routes(RULES, Hands(room_chat=False)) == ("person",)
    assert zoom.routes(RULES, Hands()) == ("person",)
    with pytest.raises(PermanentFailure, match="switched off"):
        await zoom.perform(RULES)
    assert not scripted.asked


async def test_the_rooms_chat_where_it_was_chosen(scripted: Scripted) -> None:
    scripted.recorded("get_meeting.safe", "team_chat_message.created")
    zoom = scripted.zoom(room_chat=True)
    assert zoom.routes(RULES, Hands(room_chat=True)) == ("api", "person")
    assert "guests" in await zoom.perform(RULES)
    recorded = load("rest.team_chat_message.created.json")["request"]["json"]
    assert scripted.asked[-1].body == recorded


async def test_long_rules_go_in_parts(scripted: Scripted) -> None:
    scripted.recorded("get_meeting.safe", "team_chat_message.created")
    long = a.PostGroundRules(**COMMON, connections=(), version=1, text="a" * 2049)
    await scripted.zoom(room_chat=True).perform(long)
    parts = [each.body["message"] for each in scripted.asked[1:]]
    assert [len(part) for part in parts] == [1024, 1024, 1]


async def test_a_meeting_without_a_lasting_chat(scripted: Scripted) -> None:
    scripted.recorded("get_meeting.unsafe")
    with pytest.raises(PermanentFailure, match="no lasting chat"):
        await scripted.zoom(room_chat=True).perform(RULES)


async def test_a_message_without_a_number_was_not_posted(scripted: Scripted) -> None:
    scripted.recorded("get_meeting.safe")
    path = "POST /chat/users/VVebVXiW0M4XZMR_7WRPmw/messages"
    scripted.on(path, said(201, {"ok": True}))
    with pytest.raises(TemporaryFailure):
        await scripted.zoom(room_chat=True).perform(RULES)


CANNOT = (
    a.HoldParticipant(**COMMON, connection="c"),
    a.AdmitParticipant(**COMMON, connection="c"),
    a.SendReminder(**COMMON, connection="c"),
    a.SendWarning(**COMMON, connection="c"),
    a.AskWorker(**COMMON, press="check_room"),
    a.ReadRoom(**COMMON),
    a.AlertStaff(
        key="k", reason="r", clause="c", level=a.Level.RED, audience=a.Audience.WORKERS
    ),
)


@pytest.mark.parametrize("action", CANNOT, ids=lambda action: action.kind)
async def test_what_zoom_cannot_do_by_rest(
    scripted: Scripted, action: a.Action
) -> None:
    zoom = scripted.zoom()
    assert zoom.routes(action, Hands()) == ("person",)
    with pytest.raises(PermanentFailure, match="cannot do this"):
        await zoom.perform(action)


@pytest.mark.parametrize(
    ("action", "hands", "routes"),
    [
        (END, Hands(end_for_all=False), ("api", "person")),
        (SUSPEND, Hands(links=False), ("api", "person")),
        (WAIT, Hands(), ("api", "person")),
        (WAIT, Hands(waiting_text=False), ("person",)),
        (REMOVE, Hands(remove_one=False), ("person",)),
        (CANNOT[0], Hands(hold_one=True), ("panel", "person")),
        (CANNOT[1], Hands(admit_one=True), ("panel", "person")),
    ],
)
async def test_the_hands_that_are_there(
    scripted: Scripted, action: a.Action, hands: Hands, routes: tuple[str, ...]
) -> None:
    assert scripted.zoom().routes(action, hands) == routes


def test_there_are_words_for_every_button_the_core_asks_for() -> None:
    named = re.findall(r"``(\w+)``", str(inspect.getdoc(a.AskWorker)))
    asked = set(named) - {"press"}
    rules = Path(inspect.getfile(a)).parent.rglob("*.py")
    for path in rules:
        asked |= set(re.findall(r"press=\"(\w+)\"", path.read_text()))
    assert asked
    assert asked <= set(PRESSES)


async def test_an_unknown_button_still_gets_a_sentence(scripted: Scripted) -> None:
    zoom = scripted.zoom()
    assert zoom.press_hint("end_meeting") == "Press “End”, then “End meeting for all”."
    assert zoom.press_hint("dance") == OTHERWISE
