"""A program enters people, a group and a session, prepares it and asks how it stands."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.web.conftest import Front, settings

pytestmark = pytest.mark.anyio

API = "/api/v1"


async def post(
    client: httpx.AsyncClient, path: str, body: Any, status: int = 201
) -> Any:
    answer = await client.post(f"{API}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_from_an_empty_list_to_a_prepared_session(front: Front) -> None:
    async with front.program() as program:
        worker = {"kind": "worker", "platform_user_id": "zoom-mia"}
        mia = await post(program, "/people", worker | {"name": "Mia"})
        sam = front.evening.people["sam"]
        ben = await post(
            program,
            "/people",
            {
                "kind": "client",
                "name": "=1+1",
                "contact": "A parent",
                "referrer": "The school",
                "known_to": mia["id"],
                "consent_to_take_part": True,
                "age_years": 15,
            },
        )
        talk = {"client_id": ben["id"], "worker_id": mia["id"], "held_on": "2026-11-03"}
        await post(program, "/one-to-ones", talk)
        group = await post(program, "/groups", {"name": "Friday", "leads": [mia["id"]]})
        rules = [
            {"heading": heading, "text": f"Our rule on {heading}."}
            for heading in ("confidentiality", "respect", "new members", "behaviour")
        ]
        agreed = await program.put(
            f"{API}/groups/{group['id']}/rules", json={"rules": rules, "by": mia["id"]}
        )
        session = await post(
            program,
            "/sessions",
            {
                "group_id": group["id"],
                "platform": "zoom",
                "starts_at": "2026-11-20T19:00",
                "ends_at": "2026-11-20T20:00",
                "title": "Friends",
                "purpose": "Making friends",
                "segments": 3,
                "workers": [
                    {"person_id": mia["id"], "role": "lead"},
                    {"person_id": sam, "role": "support"},
                ],
                "clients": [ben["id"]],
                "risk_assessment": True,
                "emergency_contacts": True,
            },
        )
        told = await post(program, f"/sessions/{session['id']}/prepare", {}, 200)
        whole = (await program.get(f"{API}/sessions/{session['id']}")).json()
        links = (await program.get(f"{API}/sessions/{session['id']}/links")).json()
        card = (await program.get(f"{API}/sessions/{session['id']}/readiness")).json()

    assert (agreed.status_code, agreed.json()["version"]) == (200, 1)
    assert told == {"problems": []}
    assert whole["plan"]["starts_at"] == "2026-11-20T19:00:00Z"
    assert [m["meeting_id"] for m in whole["meetings"]] == ["81000000019"]
    assert [link["person_id"] for link in links["items"]] == [ben["id"]]
    by_id = {item["id"]: item for item in card["items"]}
    assert by_id["purpose"]["result"] == "ok"
    assert by_id["waiting_room"]["result"] == "ok"
    assert card["verdict"] == "not ready"
    assert all(item["clause"] for item in card["items"])


async def test_ticks_and_an_exception_make_it_ready(front: Front) -> None:
    anna, sam = front.evening.people["anna"], front.evening.people["sam"]
    async with front.program() as program:
        fixed = {"risk_assessment": True, "emergency_contacts": True, "segments": 3}
        dev_out = [front.evening.people[name] for name in ("ben", "chloe")]
        changed = await program.patch(
            front.session, json=fixed | {"clients": dev_out, "version": 1}
        )
        assert changed.status_code == 200, changed.text
        card = (await program.get(f"{front.session}/readiness")).json()
        for item in card["items"]:
            if item["kind"] == "tick":
                path = f"{front.session}/ticks/{item['id']}"
                answer = await program.put(path, json={"by": anna})
                assert answer.status_code == 200
        card = (await program.get(f"{front.session}/readiness")).json()
        stops = [item for item in card["items"] if item["stops"]]
        for item in stops:
            assert item["may_except"], item
            path = f"{front.session}/exceptions/{item['id']}"
            body = {"by": sam, "reason": "Agreed with the safeguarding lead."}
            assert (await program.put(path, json=body)).status_code == 200
        card = (await program.get(f"{front.session}/readiness")).json()

    assert card["verdict"] == ("ready with named exceptions" if stops else "ready")


async def test_an_exception_needs_a_name_a_reason_and_leave(front: Front) -> None:
    anna, ben = front.evening.people["anna"], front.evening.people["ben"]
    path = f"{front.session}/exceptions"
    async with front.program() as program:
        no_reason = await program.put(f"{path}/segments", json={"by": anna})
        never = await program.put(
            f"{path}/end_for_all", json={"by": anna, "reason": "We want to."}
        )
        client = await program.put(
            f"{path}/end_for_all", json={"by": ben, "reason": "I want to."}
        )
        nothing = await program.put(f"{path}/nothing", json={"by": anna, "reason": "x"})
        ticked = await program.put(
            f"{front.session}/ticks/end_for_all", json={"by": anna}
        )

    assert no_reason.status_code in (404, 422)
    assert never.status_code == 422
    assert client.json()["fields"] == {
        "by": "Only a worker on this session's list may do this."
    }
    assert nothing.status_code == 404
    assert ticked.status_code == 404


async def test_the_slower_of_two_planners_gets_a_conflict(front: Front) -> None:
    async with front.program() as program:
        now = (await program.get(front.session)).json()["plan"]["version"]
        first = await program.patch(front.session, json={"title": "A", "version": now})
        second = await program.patch(front.session, json={"title": "B", "version": now})
        kept = (await program.get(front.session)).json()["plan"]["title"]

    assert (first.status_code, second.status_code, kept) == (200, 409, "A")
    assert second.json()["version"] == now + 1


async def test_moving_the_start_keeps_the_length(front: Front) -> None:
    async with front.program() as program:
        moved = await program.patch(
            front.session, json={"starts_at": "2026-11-17T19:30"}
        )
        abroad = await program.patch(front.session, json={"zone": "Europe/Berlin"})

    plan = moved.json()
    assert (plan["local_start"], plan["local_end"]) == (
        "2026-11-17T19:30",
        "2026-11-17T20:30",
    )
    assert abroad.json()["local_start"] == "2026-11-17T19:30"
    assert abroad.json()["starts_at"] == "2026-11-17T18:30:00Z"


SESSION = {
    "platform": "zoom",
    "starts_at": "2026-11-20T19:00",
    "ends_at": "2026-11-20T20:00",
}


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"starts_at": "2027-03-28T01:30"}, "starts_at"),
        ({"starts_at": "2027-10-31T01:30", "ends_at": "2027-10-31T03:00"}, "starts_at"),
        ({"ends_at": "2026-11-20T18:00"}, "ends_at"),
        ({"ends_at": "2026-11-22T01:00"}, "ends_at"),
        ({"starts_at": "9999-12-31T23:59", "ends_at": "9999-12-31T23:59"}, "starts_at"),
        ({"starts_at": "0002-01-01T10:00"}, "starts_at"),
        ({"starts_at": "2026-02-30T19:00"}, "starts_at"),
        ({"starts_at": "02/03/2026 19:00"}, "starts_at"),
        ({"starts_at": "26-11-20T19:00"}, "starts_at"),
        ({"starts_at": 1763668800}, "starts_at"),
        ({"zone": "Europe/Nowhere"}, "zone"),
        ({"platform": "skype"}, "platform"),
        ({"group_id": "group-none"}, "group_id"),
        ({"clients": ["person-none"]}, "clients"),
        ({"workers": [{"person_id": "x", "role": "boss"}]}, "workers.0.role"),
        ({"risk_assessment": "yes"}, "risk_assessment"),
        ({"id": "session-mine"}, "id"),
        ({"created_at": "2026-11-20T19:00"}, "created_at"),
        ({"policy": {"grace": 301}}, "policy"),
        ({"title": "a\x01b"}, "title"),
        ({"title": "x" * 5001}, "title"),
        ({"segments": 10**30}, "segments"),
    ],
)
async def test_what_is_wrong_is_told_by_field(
    front: Front, changed: dict[str, Any], field: str
) -> None:
    async with front.program() as program:
        groups = (await program.get(f"{API}/groups")).json()["items"]
        whole = SESSION | {"group_id": groups[0]["id"]} | changed
        answer = await program.post(f"{API}/sessions", json=whole)

    told = answer.json()
    assert answer.status_code == 422, told
    assert field in told["fields"]
    assert set(told["fields"]) <= {field, "ends_at"}
    assert told["fields"][field].endswith(".")
    for value in changed.values():
        assert len(str(value)) < 6 or str(value) not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"kind":"client","name":"Ben","name":"Eve"}', "application/json", 400),
        (b'{"kind":"client","name":', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"age_years":1e400}', "application/json", 400),
        (b'{"kind":"client","name":"\xff"}', "application/json", 400),
        (b'{"kind":"client","name":"\\ud800"}', "application/json", 201),
        (b"kind=client&name=Ben", "application/x-www-form-urlencoded", 415),
        (b'{"kind":"client","name":"Ben"}', "text/plain", 415),
        (b'{"kind":"client","name":"Ben"}', "", 415),
        (b"", "application/json", 422),
    ],
)
async def test_json_has_one_meaning_or_is_refused(
    front: Front, body: bytes, kind: str, status: int
) -> None:
    async with front.program() as program:
        headers = {"content-type": kind} if kind else {}
        answer = await program.post(f"{API}/people", content=body, headers=headers)

    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "query", ["limit=1&limit=2", "a;b", "colour=red", "after=%00", "limit=0", "limit=x"]
)
async def test_an_address_has_one_meaning_or_is_refused(
    front: Front, query: str
) -> None:
    async with front.program() as program:
        answer = await program.get(f"{API}/people?{query}")

    assert answer.status_code in (400, 422)
    assert set(answer.json()) <= {"error", "fields"}


async def test_people_come_page_by_page(front: Front) -> None:
    async with front.program() as program:
        everybody = (await program.get(f"{API}/people")).json()["items"]
        seen: list[Any] = []
        after: str | None = ""
        while after is not None:
            answer = await program.get(
                f"{API}/people", params={"limit": 2, "after": after}
            )
            seen += answer.json()["items"]
            after = answer.json()["next"]
        sessions = (await program.get(f"{API}/sessions")).json()
        again = await program.get(
            f"{API}/sessions", params={"after": sessions["items"][-1]["id"]}
        )

    assert seen == everybody
    assert len(everybody) == 5
    assert again.json() == {"items": [], "next": None}


async def test_a_person_changes_leaves_and_is_forgotten(front: Front) -> None:
    ben = front.evening.people["ben"]
    path = f"{API}/people/{ben}"
    async with front.program() as program:
        changed = await program.patch(path, json={"age_years": 16})
        refused = await program.patch(path, json={"is_worker": True, "role": "admin"})
        talks = (
            await program.get(f"{API}/one-to-ones", params={"client_id": ben})
        ).json()["items"]
        back = await program.delete(f"{API}/one-to-ones/{talks[0]['id']}")
        twice = await program.delete(f"{API}/one-to-ones/{talks[0]['id']}")
        erased = await program.post(f"{path}/erase")
        after = (await program.get(path)).json()
        roster = (await front.evening.state()).names

    assert (changed.status_code, changed.json()["age_years"]) == (200, 16)
    assert set(refused.json()["fields"]) == {"is_worker", "role"}
    assert (back.status_code, twice.status_code, erased.status_code) == (200, 404, 200)
    assert (after["name"], after["active"]) == ("", False)
    assert erased.json()["counts"]["people"] == 1
    assert {one["what"] for one in erased.json()["stays"]} == {
        "log",
        "meetings",
        "concerns",
        "backups",
    }
    assert ben not in roster


async def test_rules_are_versions(front: Front) -> None:
    anna = front.evening.people["anna"]
    async with front.program() as program:
        group = (await program.get(f"{API}/groups")).json()["items"][0]
        path = f"{API}/groups/{group['id']}/rules"
        new = {"rules": [{"heading": "respect", "text": "One at a time."}], "by": anna}
        second = await program.put(path, json=new | {"version": 1})
        stale = await program.put(path, json=new | {"version": 1})
        first = (await program.get(f"{path}/1")).json()
        none = await program.get(f"{path}/{2**31 - 1}")
        huge = await program.get(f"{path}/{10**30}")
    plan = (await front.evening.state()).plan

    assert (second.json()["version"], stale.status_code) == (2, 409)
    assert len(first["rules"]) == 4
    assert (none.status_code, huge.status_code) == (404, 422)
    assert plan is not None
    assert plan.ground_rules.version == 2


async def test_bind_check_mend_and_rotate(front: Front) -> None:
    anna, ben = front.evening.people["anna"], front.evening.people["ben"]
    async with front.program() as program:
        bound = await program.post(
            f"{front.session}/bind", json={"meeting_id": "820 000", "by": anna}
        )
        eve = await program.post(
            f"{front.session}/bind", json={"meeting_id": "1", "by": "person-eve"}
        )
        checked = await program.post(f"{front.session}/check", json={})
        mended = await program.post(
            f"{front.session}/mend",
            json={"wish": "waiting_room_for_everyone", "by": anna},
        )
        strange = await program.post(f"{front.session}/mend", json={"wish": "music"})
        rotated = await program.post(
            f"{front.session}/links/{ben}/rotate", json={"by": anna}
        )
        meetings = (await program.get(front.session)).json()["meetings"]

    assert bound.status_code == 200
    assert eve.json()["fields"] == {
        "by": "Name a worker who is on the list of workers."
    }
    assert checked.json() == {"problems": []}
    assert mended.json() == {"done": ["waiting_room_for_everyone"], "refused": {}}
    assert strange.status_code == 422
    assert rotated.status_code == 200, rotated.text
    assert {m["meeting_id"] for m in meetings} == {"81000000019", "820000"}


async def test_a_session_nobody_knows_is_not_found(front: Front) -> None:
    async with front.program() as program:
        for path in ("", "/readiness", "/roster", "/timeline", "/facts", "/actions"):
            answer = await program.get(f"{API}/sessions/none{path}")
            assert (answer.status_code, path) == (404, path)
        for path in ("/notes", "/notes/versions", "/links", "/attendance"):
            answer = await program.get(f"{API}/sessions/none{path}")
            assert (answer.status_code, path) == (404, path)
        for path in ("/prepare", "/check", "/cancel"):
            answer = await program.post(f"{API}/sessions/none{path}", json={})
            assert (answer.status_code, path) == (404, path)


async def test_a_cancelled_session_changes_no_more(front: Front) -> None:
    async with front.program() as program:
        cancelled = await program.post(f"{front.session}/cancel")
        changed = await program.patch(front.session, json={"title": "x"})

    assert cancelled.status_code == 200
    assert changed.json()["fields"]["state"]


async def test_contacts_count_once_their_code_came_back(front: Front) -> None:
    new = {"channel": "mail", "address": "lead@charity.example", "label": "Lead"}
    async with front.program() as program:
        made = await post(program, "/contacts", new)
        path = f"{API}/contacts/{made['id']}"
        wrong = await program.post(f"{path}/confirm", json={"code": "x"})
        right = await program.post(
            f"{path}/confirm", json={"code": front.sent_codes[made["id"]]}
        )
        again = await program.post(f"{path}/code")
        listed = (await program.get(f"{API}/contacts")).json()["items"]
        gone = await program.delete(path)
        refused = await program.post(f"{API}/contacts", json=new | {"address": "x"})

    assert (wrong.status_code, right.status_code, again.status_code) == (422, 200, 200)
    assert made["confirmed_at"] is None
    assert {c["label"] for c in listed if c["confirmed_at"]} == {
        "Contact 0",
        "Contact 1",
        "Lead",
    }
    assert "secret" not in listed[0]
    assert gone.status_code == 200
    assert list(refused.json()["fields"]) == ["address"]


@pytest.mark.parametrize(("test_hosts", "status"), [("0", 422), ("1", 201)])
async def test_a_gateway_on_this_machine_is_for_tests_only(
    front: Front, test_hosts: str, status: int
) -> None:
    changed = settings(CHAPERONE_ALLOW_TEST_HOSTS=test_hosts)
    house = replace(front.app.state.house, settings=changed)
    front.app.state.house = house
    new = {"channel": "webhook", "address": "http://127.0.0.1:9/alarm", "secret": "x"}
    async with front.program() as program:
        answer = await program.post(f"{API}/contacts", json=new)

    assert answer.status_code == status
