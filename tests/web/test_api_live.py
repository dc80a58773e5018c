"""One evening over the interface: presses that make sense, and those that do not."""

from typing import Any

import httpx
import pytest

from tests.web.conftest import Front

pytestmark = pytest.mark.anyio

API = "/api/v1"


TASK = {
    "owner": "sam",
    "what": "Ask the school.",
    "due_at": "2026-11-20T20:00:00Z",
}


async def press(
    client: httpx.AsyncClient, front: Front, name: str, **body: Any
) -> httpx.Response:
    who = body.pop("by", "anna")
    by = front.evening.people.get(who, who)
    return await client.post(f"{front.session}/presses/{name}", json={"by": by, **body})


async def test_the_roster_tells_who_is_who_and_never_by_name(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben", "eve")
    async with front.program() as program:
        roster = (await program.get(f"{front.session}/roster")).json()

    [instance] = roster["instances"]
    assert {p["key"]: (p["who"], p["room"]) for p in instance["people"]} == {
        "U-anna": ("verified worker", "main"),
        "U-sam": ("verified worker", "main"),
        "U-ben": ("invited client", "main"),
        "U-eve": ("stranger", "main"),
    }
    assert roster["lead_id"] == front.evening.people["anna"]


async def test_the_ladder_is_climbed_step_by_step(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben", "chloe")
    async with front.program() as program:
        early = await press(
            program, front, "ladder", step="remove", connection="U-ben", reason="Loud."
        )
        nothing = await press(
            program, front, "ladder", step="remind", connection="U-ben"
        )
        camera = await press(
            program,
            front,
            "ladder",
            step="remind",
            connection="U-ben",
            reason="Camera is off",
        )
        steps = [
            await press(program, front, "ladder", step=step, connection="U-ben", rule=2)
            for step in ("remind", "warn", "remove")
        ]
        await front.evening.engine.step()
        inside = set(front.evening.room.inside)
        back = await press(program, front, "readmit", connection="U-ben")
        never = await press(program, front, "readmit", connection="U-chloe")

    assert (early.status_code, nothing.status_code, camera.status_code) == (
        422,
        422,
        422,
    )
    assert "no warning in this session before a removal" in early.json()["error"]
    assert "never a reason" in camera.json()["error"]
    assert [step.status_code for step in steps] == [201, 201, 201]
    assert inside == {"U-anna", "U-sam", "U-chloe"}
    assert back.status_code == 201
    assert never.json() == {"error": "There is no removal to undo for that person."}


async def test_a_warning_is_taken_back_and_the_ladder_stands_a_step_lower(
    front: Front,
) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with front.program() as program:
        for step in ("remind", "warn"):
            given = await press(
                program, front, "ladder", step=step, connection="U-ben", rule=2
            )
        warned = given.json()["press_id"]
        back = await press(program, front, "take-back", step_id=warned)
        twice = await press(program, front, "take-back", step_id=warned)
        removed = await press(
            program, front, "ladder", step="remove", connection="U-ben", rule=2
        )

    assert back.status_code == 201
    assert twice.json() == {"error": "That was taken back already."}
    assert "no warning in this session before a removal" in removed.json()["error"]


async def test_a_double_click_is_one_press(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with front.program() as program:
        first, second = [
            await press(program, front, "end", press_id="press-of-this-form")
            for _ in range(2)
        ]
        await front.evening.engine.step()

    assert first.json() == {"press_id": "press-of-this-form", "again": False}
    assert second.json() == {"press_id": "press-of-this-form", "again": True}
    assert front.evening.count("end_meeting") == 1


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("hold", {"connection": "U-eve", "by": "dev"}, "on the list of workers"),
        ("hold", {"connection": "U-nobody"}, "not known"),
        ("hold", {"connection": "U-sam"}, "verified worker"),
        ("admit", {"connection": "U-eve"}, "not on this session's list"),
        ("ladder", {"step": "remind", "connection": "U-sam", "rule": 1}, "worker"),
        ("ladder", {"step": "remind", "connection": "U-ben", "rule": 9}, "no rule 9"),
        ("reason", {"press_id": "none", "reason": "Shouting."}, "not open"),
        ("vouch", {"connection": "U-eve", "person_id": "dev"}, "how you know"),
        (
            "vouch",
            {"connection": "U-eve", "person_id": "person-none", "how": "Voice."},
            "on this session's list",
        ),
        ("vouch", {"connection": "U-none", "how": "Voice."}, "not known"),
        ("i-am-in", {"connection": "U-none"}, "not known"),
        ("resume", {}, "nothing to resume"),
        ("tick", {"key": "none"}, "not open"),
        ("acknowledge", {"key": "none"}, "not open"),
        ("follow-up", {"key": "none", "outcome": "Called."}, "not open"),
        ("debrief", {"skipped": True}, "reason in a sentence"),
        ("agreed", {**TASK, "owner": "ben"}, "worker of this session"),
        ("agreed", {**TASK, "what": " "}, "what has to be done"),
        ("agreed", {**TASK, "due_at": "2026-11-20T20:00:00"}, "due_at"),
        ("end", {"by": "ben"}, "on the list of workers"),
        ("closing", {"by": "person-none"}, "on the list of workers"),
    ],
)
async def test_a_press_that_makes_no_sense_is_told_why(
    front: Front, name: str, body: dict[str, Any], sentence: str
) -> None:
    await front.evening.join("anna", "sam", "ben", "eve")
    before = (await front.evening.state()).position
    async with front.program() as program:
        answer = await press(program, front, name, **body)

    assert answer.status_code == 422
    assert sentence in answer.text
    assert (await front.evening.state()).position == before


async def test_what_workers_press_is_in_the_state(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben", "eve")
    dev = front.evening.people["dev"]
    async with front.program() as program:
        for name, body in (
            ("vouch", {"connection": "U-eve", "person_id": dev, "how": "I know her."}),
            ("i-am-in", {"connection": "U-sam", "by": "sam"}),
            ("accept-lead", {"by": "sam"}),
            ("rules-spoken", {"heard": ["U-ben"]}),
            ("send-rules", {}),
            ("hold", {"connection": "U-ben"}),
            ("closing", {}),
            ("debrief", {"skipped": True, "reason": "Fire alarm."}),
            ("debrief", {"went_well": "Ben spoke.", "by": "sam"}),
            ("agreed", {**TASK, "owner": front.evening.people["sam"]}),
            ("close", {}),
        ):
            answer = await press(program, front, name, **body)
            assert answer.status_code == 201, (name, answer.text)
        too_late = await press(program, front, "hold", connection="U-ben")
    state = await front.evening.state()

    assert too_late.status_code == 422
    assert state.vouched["U-eve"].person_id == dev
    assert state.confirmed["U-sam"].by == front.evening.people["sam"]
    assert state.lead_id == front.evening.people["sam"]
    assert list(state.rules_spoken) == ["U-ben"]
    assert len(state.rules_requested) == 1
    assert [hold.connection for hold in state.holds] == ["U-ben"]
    assert state.closing is not None
    assert state.debrief is not None
    assert state.debrief.reason == "Fire alarm."
    assert state.debrief.went_well == "Ben spoke."
    [task] = state.agreed.values()
    assert (task.what, task.owner) == (TASK["what"], front.evening.people["sam"])
    assert task.due_at.isoformat() == "2026-11-20T20:00:00+00:00"
    assert state.closed is not None


async def test_an_alarm_is_taken_by_a_named_person(front: Front) -> None:
    await front.evening.join("anna", "ben", "chloe")
    await front.evening.wait(90)
    async with front.program() as program:
        actions = (await program.get(f"{front.session}/actions")).json()["items"]
        alarms = [a for a in actions if a["kind"] == "alert_staff"]
        asked = [a for a in actions if a["kind"] == "ask_worker"]
        assert alarms
        answer = await press(
            program, front, "acknowledge", key=alarms[0]["key"], by="sam"
        )
        if asked:
            ticked = await press(program, front, "tick", key=asked[0]["key"])
            assert ticked.status_code == 201
    state = await front.evening.state()

    assert answer.status_code == 201
    assert state.acknowledged[alarms[0]["key"]][1] == front.evening.people["sam"]


async def test_the_timeline_speaks_and_the_facts_are_complete(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with front.program() as program:
        spoken = (await program.get(f"{front.session}/timeline")).json()["items"]
        first = (
            await program.get(f"{front.session}/facts", params={"limit": 3})
        ).json()
        rest = (
            await program.get(
                f"{front.session}/facts", params={"after": int(first["next"])}
            )
        ).json()

    facts = [*first["items"], *rest["items"]]
    assert any("Ben" in entry["text"] for entry in spoken)
    assert [fact["seq"] for fact in facts] == sorted(fact["seq"] for fact in facts)
    assert {"SessionPlanned", "MeetingBound", "ParticipantJoined"} <= {
        fact["kind"] for fact in facts
    }
    assert rest["next"] is None


async def test_two_workers_write_one_note_and_nothing_is_lost(front: Front) -> None:
    anna, sam = front.evening.people["anna"], front.evening.people["sam"]
    path = f"{front.session}/notes"
    long = "word " * 5_000
    async with front.program() as program:
        empty = (await program.get(path)).json()
        mine = {"text": long, "version": 0, "by": anna}
        first = await program.put(path, json=mine)
        twice = await program.put(path, json=mine)
        second = await program.put(
            path, json={"text": "<script>alert(1)</script>", "version": 0, "by": sam}
        )
        eve = await program.put(path, json=mine | {"by": "person-eve"})
        versions = (await program.get(f"{path}/versions")).json()["items"]

    assert (empty["version"], empty["text"]) == (0, "")
    assert (first.status_code, first.json()["version"]) == (200, 1)
    assert twice.json()["version"] == 1
    assert second.status_code == 409
    assert second.json()["stored"]["text"] == long
    assert second.json()["yours"] == "<script>alert(1)</script>"
    assert eve.status_code == 422
    assert [v["text"] for v in versions] == [long]
    assert (await front.evening.state()).notes_version == 1


async def test_the_attendance_is_corrected_confirmed_and_exported(front: Front) -> None:
    anna = front.evening.people["anna"]
    await front.evening.join("anna", "sam", "ben")
    async with front.program() as program:
        open_room = await program.post(
            f"{front.session}/attendance/confirm", json={"by": anna}
        )
        await front.evening.wait(60)
        await front.evening.leave("ben")
        await front.evening.leave("anna", "sam")
        await front.evening.ended()
        table = (await program.get(f"{front.session}/attendance")).json()
        lines = {line["name"]: line for line in table["lines"]}
        ben = lines["Ben"]["line"]
        path = f"{front.session}/attendance/amend"
        whole = {"line": ben, "by": anna, "reason": "He came by phone before."}
        wrong = await program.post(
            path,
            json={
                "line": ben,
                "by": anna,
                "reason": " ",
                "left_at": "2027-01-01T00:00Z",
                "person_id": "person-none",
            },
        )
        backwards = await program.post(
            path, json=whole | {"left_at": "2026-11-17T18:49:00Z"}
        )
        unknown = await program.post(path, json=whole | {"line": "person:none"})
        local = await program.post(path, json=whole | {"joined_at": "2026-11-17T18:40"})
        right = await program.post(
            path, json=whole | {"joined_at": "2026-11-17T18:40:00+00:00"}
        )
        drafted = await program.get(f"{front.session}/exports/json")
        confirmed = await program.post(
            f"{front.session}/attendance/confirm", json={"by": anna}
        )
        after = (await program.get(f"{front.session}/attendance")).json()
        frozen = await program.get(f"{front.session}/record/1")
        none = await program.get(f"{front.session}/record/2")
        record = (await program.get(f"{front.session}/record")).json()
        csv = await program.get(f"{front.session}/exports/csv")
        json = await program.get(f"{front.session}/exports/json")
        pdf = await program.get(f"{front.session}/exports/exe")

    assert open_room.status_code == 422
    assert lines["Ben"]["seconds_present"] == 60
    assert lines["Dev"]["seconds_present"] == 0
    assert set(wrong.json()["fields"]) == {"reason", "left_at", "person_id"}
    assert set(backwards.json()["fields"]) == {"left_at"}
    assert list(unknown.json()["fields"]) == ["line", "joined_at"]
    assert list(local.json()["fields"]) == ["joined_at"]
    assert right.status_code == 201, right.text
    assert confirmed.status_code == 201
    assert after["confirmed"]["version"] == 1
    [corrected] = [line for line in after["lines"] if line["line"] == ben]
    assert corrected["joined_at"] == "2026-11-17T18:40:00Z"
    assert corrected["corrections"][0]["reason"] == "He came by phone before."
    assert frozen.json()["format"] == record["format"] == "chaperone.record/1"
    assert frozen.json()["standing"] == "confirmed 2026-11-17 18:51 UTC by Anna"
    assert record["standing"] == "draft, written after version 1 was confirmed"
    assert none.status_code == 404
    assert csv.headers["content-type"].startswith("text/csv")
    assert "Ben" in csv.text
    assert csv.headers["content-disposition"].startswith('attachment; filename="attend')
    assert json.content == frozen.content
    assert drafted.json()["standing"] == "draft, not confirmed"
    assert "confirmed 2026-11-17 18:51 UTC by Anna" in csv.text
    assert pdf.status_code == 422
