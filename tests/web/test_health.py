"""Is it well? Told without a name."""

import httpx
import pytest
from sqlalchemy import text

from app.store import contacts
from tests.web.conftest import Front

pytestmark = pytest.mark.anyio


async def ready(client: httpx.AsyncClient) -> tuple[int, dict[str, bool], list[str]]:
    answer = await client.get("/readyz")
    told = answer.json()
    return answer.status_code, told["checks"], told["problems"]


async def test_the_process_answers(front: Front) -> None:
    async with front.browser() as nobody:
        answer = await nobody.get("/healthz")

    assert (answer.status_code, answer.text) == (200, "ok\n")


async def test_ready_needs_an_engine_that_runs(front: Front) -> None:
    await front.evening.engine.stop()
    async with front.browser() as nobody:
        status, checks, problems = await ready(nobody)

    assert status == 503
    assert checks == {
        "store_writable": True,
        "engine_awake": False,
        "contacts_confirmed": True,
    }
    assert any("engine does not run" in sentence for sentence in problems)


async def test_ready_when_everything_is_there(front: Front) -> None:
    async with front.browser() as nobody:
        status, checks, problems = await ready(nobody)
        told = (await nobody.get("/readyz")).json()

    assert (status, set(checks.values()), problems) == (200, {True}, [])
    assert told["last_webhook_at"] == {"zoom": None}


async def test_one_contact_is_not_enough(front: Front) -> None:
    store = front.evening.store
    with store.unit() as db:
        contacts.remove(db, contacts.listed(db, store)[0].id)
    async with front.browser() as nobody:
        status, checks, problems = await ready(nobody)

    assert (status, checks["contacts_confirmed"]) == (503, False)
    assert problems == [
        "1 of 2 alarm contacts are confirmed. Until two are, nobody outside the page "
        "hears an alarm for certain."
    ]


async def test_a_store_that_takes_no_writes_is_told(front: Front) -> None:
    with front.evening.store.unit() as db:
        db.execute(text("DROP TABLE periodic"))
    async with front.browser() as nobody:
        status, checks, problems = await ready(nobody)

    assert (status, checks) == (503, {"store_writable": False})
    assert problems == ["The store takes no writes: look at the disk and the database."]


async def test_metrics_are_counts_without_names(front: Front) -> None:
    await front.evening.join("anna", "sam", "ben")
    async with front.program() as program:
        ben = front.evening.people["ben"]
        await program.get(f"/api/v1/people/{ben}")
        answer = await program.get("/metrics")

    assert answer.headers["content-type"].startswith("text/plain")
    assert "chaperone_live_sessions 1.0" in answer.text
    assert "chaperone_contacts_confirmed 2.0" in answer.text
    route = 'route="/api/v1/people/{person_id}",status="200"'
    assert f"chaperone_http_answers_total{{{route}}} 1.0" in answer.text
    for word in ("Ben", ben, front.evening.session_id):
        assert word not in answer.text
