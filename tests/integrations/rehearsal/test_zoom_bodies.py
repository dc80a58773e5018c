"""Webhook bodies have the shape of the recorded payloads, key for key and type for type."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.clock import ManualClock
from integrations.rehearsal.rooms import Happening
from integrations.rehearsal.zoom_bodies import compact, webhook_of
from tests.integrations.rehearsal.stage import Stage

PAYLOADS = Path(__file__).parents[2] / "payloads" / "zoom"
# Fields that belong to one recorded sample, not to every body of that event.
OF_THE_SAMPLE = {
    "meeting.created": {"payload.object.occurrences", "payload.object.recurrence"},
    "meeting.deleted": {"payload.object.occurrences"},
}


def shape(value: Any, at: str = "") -> dict[str, str]:
    """Path to type name; lists by their first element."""
    if isinstance(value, dict):
        found: dict[str, str] = {}
        for key, inner in value.items():
            found |= shape(inner, f"{at}.{key}" if at else key)
        return found
    return {at: type(value).__name__}


def recorded(event: str) -> dict[str, str]:
    body = json.loads((PAYLOADS / f"{event}.json").read_bytes())
    drop = OF_THE_SAMPLE.get(event, set())
    return {
        path: kind
        for path, kind in shape(body).items()
        if not any(path == name or path.startswith(name + ".") for name in drop)
    }


def play_everything(stage: Stage) -> list[tuple[str, bytes]]:
    """One evening in which every event happens."""
    world, sent = stage.world, []

    def hear(happening: Happening) -> None:
        sent.append(webhook_of(happening, stage.account))

    world.listeners.append(hear)
    world.create_meeting("anna")
    stage.meeting.settings["waiting_room"] = True
    eve = world.register(stage.id, "Eve", "eve@elsewhere.example")
    world.set_registration(stage.id, eve.id, "denied")
    world.set_registration(stage.id, eve.id, "approved")
    world.set_registration(stage.id, eve.id, "cancelled")
    world.register(stage.id, "Fay", "fay@family.example", approve=True)
    world.change_settings(
        stage.id, {"waiting_room": False, "join_before_host": True, "jbh_time": 5}
    )
    world.change_settings(
        stage.id, {"waiting_room": True, "join_before_host": False, "jbh_time": 0}
    )
    world.arrive(stage.id, "ben", link=stage.links["ben"])
    world.give_up_waiting(stage.id, "ben")
    stage.open("ben", "chloe")
    world.arrive(stage.id, "sam")
    world.start_recording(stage.id)
    world.stop_recording(stage.id)
    world.start_streaming(stage.id)
    world.stop_streaming(stage.id)
    world.share_screen(stage.id, "ben")
    world.share_screen(stage.id, "ben", on=False)
    room = world.breakouts(stage.id, {"Blue": ["chloe"]})
    assert room
    world.close_breakouts(stage.id)
    caller = world.phone_in(stage.id, "ben")
    assert caller is not None
    world.admit(stage.id, caller)
    world.bind(stage.id, caller, "chloe")
    world.put_in_waiting_room(stage.id, "chloe")
    world.leave(stage.id, "chloe")
    world.end(stage.id)
    world.delete_meeting(stage.id)
    return sent


def bodies(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for event, body in play_everything(stage):
        found.setdefault(event, []).append(json.loads(body))
    return found


EVENTS = [
    "meeting.created",
    "meeting.deleted",
    "meeting.started",
    "meeting.ended",
    "meeting.participant_joined",
    "meeting.participant_left",
    "meeting.participant_joined_waiting_room",
    "meeting.participant_left_waiting_room",
    "meeting.participant_admitted",
    "meeting.participant_put_in_waiting_room",
    "meeting.participant_role_changed",
    "meeting.participant_bind",
    "meeting.participant_jbh_waiting",
    "meeting.participant_jbh_waiting_left",
    "meeting.participant_joined_breakout_room",
    "meeting.participant_left_breakout_room",
    "meeting.registration_created",
    "meeting.registration_approved",
    "meeting.registration_cancelled",
    "meeting.registration_denied",
    "meeting.sharing_started",
    "meeting.sharing_ended",
    "recording.started",
    "recording.stopped",
    "meeting.live_streaming_started",
]
# A recorded sample may be of a person with, ours of one without a personal link.
OPTIONAL = {"payload.object.participant.registrant_id"}


@pytest.mark.parametrize("event", EVENTS)
def test_a_body_has_the_recorded_shape(clock: ManualClock, event: str) -> None:
    wanted = recorded(event)
    shapes = [shape(body) for body in bodies(Stage(clock))[event]]
    assert any(
        {path: kind for path, kind in found.items() if path not in OPTIONAL}
        == {path: kind for path, kind in wanted.items() if path not in OPTIONAL}
        for found in shapes
    ), (event, shapes, wanted)


def test_waiting_for_a_host_hides_the_link_and_giving_up_shows_it(stage: Stage) -> None:
    found = bodies(stage)
    waiting = found["meeting.participant_jbh_waiting"][0]["payload"]["object"]
    gave_up = found["meeting.participant_jbh_waiting_left"][0]["payload"]["object"]
    assert waiting["participant"] == {"id": "", "user_name": "Ben"}
    registrant = stage.meeting.registrant_of(stage.links["ben"])
    assert registrant is not None
    assert gave_up["participant"]["registrant_id"] == registrant.id
    assert (waiting["id"], gave_up["id"]) == (str(stage.id), stage.id)


def test_an_update_names_only_what_changed(stage: Stage) -> None:
    body = bodies(stage)["meeting.updated"][0]
    assert shape(body) == recorded("meeting.updated") | {
        "payload.old_object.settings.jbh_time": "int"
    }
    assert body["payload"]["object"]["settings"]["join_before_host"] is True


def test_join_before_host_is_told_without_a_seat(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"join_before_host": True, "waiting_room": False})
    sent = []
    stage.world.listeners.append(
        lambda happening: sent.append(webhook_of(happening, stage.account))
    )
    stage.come("ben")
    event, body = sent[-1]
    assert event == "meeting.participant_jbh_joined"
    assert shape(json.loads(body)) == recorded(event)


def test_an_instant_meeting_starts_without_the_hosts_address(stage: Stage) -> None:
    sent = []
    stage.world.listeners.append(
        lambda happening: sent.append(webhook_of(happening, stage.account))
    )
    stage.world.start_instant_meeting("anna")
    body = json.loads(dict(sent)["meeting.started"])
    wanted = json.loads(
        (PAYLOADS / "hard.started_instant_no_host_email.json").read_bytes()
    )
    assert shape(body) == shape(wanted)
    shown = body["payload"]["object"]
    assert (shown["type"], shown["duration"], shown["timezone"]) == (1, 0, "")


def test_a_guests_ids_are_empty(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"approval_type": 2, "waiting_room": False})
    sent = []
    stage.world.start_meeting(stage.id)
    stage.world.listeners.append(
        lambda happening: sent.append(webhook_of(happening, stage.account))
    )
    stage.world.arrive(stage.id, "eve", via="open", name="Anna Price")
    person = json.loads(sent[0][1])["payload"]["object"]["participant"]
    assert (person["user_name"], person["id"], person["participant_user_id"]) == (
        "Anna Price",
        "",
        "",
    )
    assert person["email"] == ""
    assert "registrant_id" not in person


@pytest.mark.parametrize(
    ("leave", "ending"),
    [
        (lambda stage: stage.world.leave(stage.id, "ben"), "Ben left the meeting."),
        (
            lambda stage: stage.world.leave(stage.id, "ben", "disconnected"),
            "Ben got disconnected from the meeting."
            "<br>Reason: Network connection error.",
        ),
        (
            lambda stage: stage.world.remove(stage.id, "ben"),
            "Ben left the meeting.<br>Reason: Removed by host.",
        ),
        (
            lambda stage: stage.world.end(stage.id),
            "Ben left the meeting.<br>Reason: Host ended the meeting.",
        ),
    ],
)
def test_the_leave_reason_is_zooms_free_text(
    stage: Stage, leave: Callable[[Stage], None], ending: str
) -> None:
    stage.open("ben")
    sent = []
    stage.world.listeners.append(
        lambda happening: sent.append(webhook_of(happening, stage.account))
    )
    leave(stage)
    person = json.loads(sent[-1][1])["payload"]["object"]["participant"]
    assert person["leave_reason"] == ending


def test_bodies_are_compact_and_keep_letters_as_they_are() -> None:
    assert compact({"name": "Zoë <b>", "n": [1, 2]}) == (
        '{"name":"Zoë <b>","n":[1,2]}'.encode()
    )
