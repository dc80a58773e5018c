"""A program plans Anna's Tuesdays until spring: single sessions, all of them or none."""

from typing import Any

import httpx
import pytest

from app.store import sessions
from tests.web.conftest import Front

pytestmark = pytest.mark.anyio

SERIES = "/api/v1/sessions/series"
MARCH = {"since": "2027-03-01T00:00Z", "until": "2027-05-01T00:00Z"}


def tuesdays(front: Front, **changed: Any) -> dict[str, Any]:
    """Every second Tuesday at seven, over the night the clocks go forward."""
    store = front.evening.store
    with store.unit() as db:
        group = sessions.get(db, store, front.evening.session_id).group_id
    return {
        "group_id": group,
        "platform": "zoom",
        "starts_at": "2027-03-16T19:00",
        "ends_at": "2027-03-16T20:30",
        "title": "Friends",
        "every": "fortnight",
        "count": 3,
        **changed,
    }


async def planned(program: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (
        await program.get("/api/v1/sessions", params=MARCH)
    ).json()["items"]
    return found


async def test_each_is_a_session_of_its_own_at_the_same_hour(front: Front) -> None:
    async with front.program() as program:
        answer = await program.post(SERIES, json=tuesdays(front, skip=["2027-04-13"]))
        made = answer.json()["items"]
        cancelled = await program.post(f"/api/v1/sessions/{made[1]['id']}/cancel")
        found = await planned(program)

    assert answer.status_code == 201, answer.text
    assert [(one["starts_at"], one["ends_at"]) for one in made] == [
        ("2027-03-16T19:00:00Z", "2027-03-16T20:30:00Z"),
        ("2027-03-30T18:00:00Z", "2027-03-30T19:30:00Z"),
        ("2027-04-27T18:00:00Z", "2027-04-27T19:30:00Z"),
    ]
    assert {one["local_start"][11:] for one in made} == {"19:00"}
    assert len({one["id"] for one in made} | {one["marker"] for one in made}) == 6
    assert cancelled.status_code == 200
    assert [(one["id"], one["state"]) for one in found] == [
        (made[0]["id"], "planned"),
        (made[1]["id"], "cancelled"),
        (made[2]["id"], "planned"),
    ]


async def test_the_first_may_be_told_with_its_offset(front: Front) -> None:
    told = tuesdays(front, starts_at="2027-03-16T19:00Z", ends_at="2027-03-16T20:30Z")
    async with front.program() as program:
        answer = await program.post(SERIES, json=told)

    assert [one["starts_at"] for one in answer.json()["items"]] == [
        "2027-03-16T19:00:00Z",
        "2027-03-30T18:00:00Z",
        "2027-04-13T18:00:00Z",
    ]


async def test_one_day_that_cannot_be_refuses_them_all_and_is_named(
    front: Front,
) -> None:
    nights = tuesdays(
        front,
        starts_at="2027-03-27T01:30",
        ends_at="2027-03-27T03:00",
        every="day",
        count=2,
    )
    async with front.program() as program:
        answer = await program.post(SERIES, json=nights)
        found = await planned(program)

    assert (answer.status_code, answer.json()["fields"]) == (
        422,
        {
            "starts_at": "2027-03-28: The clocks go forward then: this time does not "
            "exist that day."
        },
    )
    assert found == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("count", 1),
        ("count", 53),
        ("every", "month"),
        ("skip", ["2027-02-30"]),
        ("zone", "Europe/Nowhere"),
        ("starts_at", "9999-12-20T19:00"),
        ("ends_at", "2027-03-16T18:00"),
        ("group_id", "nobody"),
    ],
)
async def test_what_cannot_be_taken_is_named_and_nothing_is_planned(
    front: Front, field: str, value: Any
) -> None:
    async with front.program() as program:
        answer = await program.post(SERIES, json=tuesdays(front, **{field: value}))
        found = await planned(program)

    assert answer.status_code == 422, answer.text
    assert field in " ".join(answer.json()["fields"])
    assert found == []
