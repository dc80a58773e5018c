"""A term as one file for a program with a token."""

import pytest

from tests.web.conftest import Front
from tests.web.test_pages_exports import TERM, held

pytestmark = pytest.mark.anyio

EXPORTS = "/api/v1/exports"


@pytest.mark.parametrize("suffix", ["pdf", "docx", "xlsx", "csv", "json"])
async def test_a_program_gets_a_term_as_one_file(front: Front, suffix: str) -> None:
    await held(front)
    async with front.program("export:read") as program:
        answer = await program.get(f"{EXPORTS}/{suffix}?{TERM}")

    assert answer.status_code == 200
    name = answer.headers["content-disposition"]
    assert name.endswith(f'-2026-11-17-to-2026-11-17.{suffix}"')
    if suffix == "json":
        assert len(answer.json()["records"]) == 1


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (f"csv?{TERM}&group_id=nobody", 404),
        ("csv?from=2026-09-01&to=2026-11-16", 404),
        ("csv?from=2026-12-01&to=2026-11-01", 422),
        ("csv?from=2020-01-01&to=2026-11-01", 422),
        ("csv?from=9999-12-31&to=9999-12-31", 404),
        ("csv?from=0001-01-01&to=0001-01-01", 404),
        ("csv?from=soon&to=2026-11-01", 422),
        ("csv", 422),
        (f"exe?{TERM}", 422),
    ],
)
async def test_what_cannot_be_is_told(front: Front, asked: str, status: int) -> None:
    await held(front)
    async with front.program("export:read") as program:
        assert (await program.get(f"{EXPORTS}/{asked}")).status_code == status


async def test_a_token_without_the_scope_gets_no_file(front: Front) -> None:
    async with front.program("record:read") as program:
        assert (await program.get(f"{EXPORTS}/csv?{TERM}")).status_code == 403


async def test_a_session_to_come_is_in_no_file(front: Front) -> None:
    async with front.program("export:read") as program:
        assert (await program.get(f"{EXPORTS}/csv?{TERM}")).status_code == 404
