"""Whatever a program sends: an answer that was foreseen, never 5xx, never an echo."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from app.clock import ManualClock
from app.store.database import Store
from app.web.app import create_web
from tests.engine.room import evening
from tests.web import conftest
from tests.web.conftest import Front

# A contact's code cannot be sent here, and that is said.
MAY_BE_503 = {"POST /api/v1/contacts", "POST /api/v1/contacts/{contact_id}/code"}


async def told(front: Front) -> dict[str, Any]:
    async with front.browser() as nobody:
        answer: dict[str, Any] = (await nobody.get("/api/v1/openapi.json")).json()
        return answer


@pytest.mark.anyio
async def test_the_description_is_whole(front: Front) -> None:
    described = await told(front)
    operations = [
        operation for path in described["paths"].values() for operation in path.values()
    ]

    assert described["openapi"].startswith("3.1")
    assert len(operations) > 40
    assert all(operation["x-scopes"] for operation in operations)
    assert all(operation["security"] == [{"token": []}] for operation in operations)
    assert all(operation.get("description") for operation in operations)
    assert all(path.startswith("/api/v1/") for path in described["paths"])


@dataclass
class Program:
    """A program with every scope, driven from a test that is not async."""

    runner: asyncio.Runner
    front: Front
    client: httpx.AsyncClient

    def send(self, case: Any) -> httpx.Response:
        wanted = case.as_transport_kwargs(base_url=conftest.BASE)
        kept = {
            k: v for k, v in wanted.items() if k not in ("cookies", "allow_redirects")
        }
        return self.runner.run(self.client.request(**kept))


@pytest.fixture
def program(clock: ManualClock, store: Store) -> Iterator[Program]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def set_up() -> Program:
            one = await stack.enter_async_context(evening(clock, store=store))
            await one.join("anna", "sam", "ben", "eve")
            app = create_web(conftest.settings(), one.engine, one.store, clock)
            front = Front(one, app, {})
            client = await stack.enter_async_context(front.program())
            return Program(runner, front, client)

        yield runner.run(set_up())
        runner.run(stack.aclose())


def fuzz(program: Program, examples: int) -> None:
    described = program.runner.run(told(program.front))
    schema = schemathesis.openapi.from_dict(described)
    known = {
        "session_id": program.front.evening.session_id,
        "person_id": program.front.evening.people["ben"],
    }
    seen: set[str] = set()
    for found in schema.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]
        seen.add(operation.label)
        inside = {n: v for n, v in known.items() if f"{{{n}}}" in operation.path}
        fixed: dict[str, Any] = {"path_parameters": inside} if inside else {}
        cases = st.one_of(
            operation.as_strategy(GenerationMode.POSITIVE, **fixed),
            operation.as_strategy(GenerationMode.NEGATIVE, **fixed),
        )
        ask(program, operation.label, cases, examples)
    assert len(seen) > 40


def ask(
    program: Program, label: str, cases: st.SearchStrategy[Any], examples: int
) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def answers(case: Any) -> None:
        answer = program.send(case)
        unforeseen = answer.status_code >= 500 and label not in MAY_BE_503
        assert not unforeseen, (label, answer.status_code, answer.text)
        if answer.status_code >= 400:
            assert isinstance(answer.json()["error"], str)

    answers()


@pytest.mark.filterwarnings("ignore::Warning")
def test_a_little_of_everything(program: Program) -> None:
    fuzz(program, examples=4)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::Warning")
def test_a_lot_of_everything(program: Program) -> None:
    fuzz(program, examples=300)
