"""Nobody comes in without credentials, and nobody further than theirs reach."""

import re
from datetime import timedelta

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.store import access_rows, people
from app.web import access
from app.web.access import SCOPES, Needs, NoPolicy, Policy, Role, check_policies
from app.web.errors import Answer
from app.web.house import House
from tests.web.conftest import BASE, Front

pytestmark = pytest.mark.anyio

OPEN = {
    "GET,HEAD /accent.css",
    "POST /webhooks/{platform:path}",
    "GET,HEAD /healthz",
    "GET,HEAD /readyz",
    "GET,HEAD /metrics",
    "GET,HEAD /api/v1/openapi.json",
    "GET,HEAD /password/{token}",
    "GET,HEAD /sign-in",
    "GET,HEAD /sign-in/forgotten",
    "GET,HEAD /sign-in/organisation",
    "GET,HEAD /sign-in/organisation/back",
    "GET,HEAD /sign-in/{token}",
    "POST /password/{token}",
    "POST /sign-in",
    "POST /sign-in/forgotten",
    "POST /sign-in/{token}",
    "/static",
}


def path_of(route: APIRoute) -> str:
    return re.sub(
        r"{version[^}]*}", "1", re.sub(r"{(?!version)[^}]+}", "x", route.path)
    )


def api_routes(front: Front) -> list[tuple[str, APIRoute]]:
    return [
        (method, route)
        for route in front.app.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    ]


async def test_only_these_routes_are_open_to_all(front: Front) -> None:
    policies = check_policies(front.app.routes)

    assert {name for name, policy in policies.items() if policy.why} == OPEN


async def test_no_route_answers_without_a_token(front: Front) -> None:
    routes = api_routes(front)
    async with front.browser() as nobody:
        answers = {
            f"{method} {route.path}": (
                await nobody.request(method, path_of(route))
            ).status_code
            for method, route in routes
        }

    assert len(answers) > 40
    assert set(answers.values()) == {401}


async def test_no_route_answers_a_token_without_its_scope(front: Front) -> None:
    for method, route in api_routes(front):
        needed = next(
            d.call.policy.scope
            for d in route.dependant.dependencies
            if isinstance(d.call, Needs)
        )
        others = [scope for scope in SCOPES if scope != needed]
        async with front.program(*others) as program:
            answer = await program.request(method, path_of(route))

        assert answer.status_code == 403, (method, route.path)
        assert answer.json() == {"error": f"This token lacks the scope {needed}."}


async def test_a_route_nobody_decided_about_stops_the_start() -> None:
    router = APIRouter()

    @router.get("/bare")
    async def bare() -> None: ...

    async def plain(_request: Request) -> Response:
        return PlainTextResponse("")

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.router.routes.extend(router.routes)
    app.router.routes.append(Route("/plain", plain))

    with pytest.raises(NoPolicy, match=r"GET /bare, GET,HEAD /plain"):
        check_policies(app.routes)


def test_a_scope_must_exist() -> None:
    with pytest.raises(ValueError, match="no scope"):
        Needs("everything")


@pytest.mark.parametrize(
    "given",
    [
        "Bearer wrong",
        "Bearer ",
        "Bearer",
        "Basic YTpi",
        "Bearer " + "x" * 5_000,
        "Bearer \xff\xfe",
        "",
    ],
)
async def test_a_wrong_token_is_one_answer(front: Front, given: str) -> None:
    async with front.browser() as nobody:
        answer = await nobody.get(
            "/api/v1/people", headers=[(b"authorization", given.encode("latin-1"))]
        )

    assert (answer.status_code, answer.json()) == (
        401,
        {"error": "This token is not known here."},
    )
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_tokens_at_once_are_none(front: Front) -> None:
    right = f"Bearer {front.token()}".encode()
    async with front.browser() as nobody:
        answer = await nobody.get(
            "/api/v1/people",
            headers=[(b"authorization", right), (b"authorization", right)],
        )

    assert answer.status_code == 401


async def test_a_revoked_token_is_out_at_once(front: Front) -> None:
    store, clock = front.evening.store, front.evening.clock
    async with front.program() as program:
        assert (await program.get("/api/v1/people")).status_code == 200
        with store.unit() as db:
            [token] = access_rows.tokens_listed(db)
            assert token.last_used_at == clock.now()
            access_rows.revoke_token(db, token.id, clock.now())
        assert (await program.get("/api/v1/people")).status_code == 401


async def test_twenty_wrong_tokens_a_minute_are_enough(front: Front) -> None:
    wrong = {"authorization": "Bearer wrong"}
    async with front.browser() as nobody:
        tries = [
            (await nobody.get("/api/v1/people", headers=wrong)).status_code
            for _ in range(20)
        ]
        last = await nobody.get("/api/v1/people", headers=wrong)

        assert set(tries) == {401}
        assert (last.status_code, last.headers["retry-after"]) == (429, "61")

        async with front.program() as program:
            assert (await program.get("/api/v1/people")).status_code == 200

        front.evening.clock.advance(timedelta(seconds=60))
        again = await nobody.get("/api/v1/people", headers=wrong)
        assert again.status_code == 401


async def test_one_address_does_not_lock_another_out(front: Front) -> None:
    wrong = {"authorization": "Bearer wrong"}
    async with front.browser(client=("192.0.2.1", 1)) as eve:
        for _ in range(30):
            await eve.get("/api/v1/people", headers=wrong)
        assert (await eve.get("/api/v1/people", headers=wrong)).status_code == 429
    async with front.browser(client=("192.0.2.2", 1)) as other:
        assert (await other.get("/api/v1/people", headers=wrong)).status_code == 401


# --- browsers ---------------------------------------------------------------------


async def test_looking_at_a_sign_in_link_does_not_use_it_up(front: Front) -> None:
    link = front.sign_in_link("anna", Role.SESSION_LEAD)
    async with front.browser() as scanner, front.browser() as anna:
        for _ in range(3):
            assert (await scanner.get(link)).status_code == 200
        assert "set-cookie" not in (await scanner.head(link)).headers

        signed_in = await anna.post(link, headers=form(), content="")
        assert signed_in.status_code == 303
        cookie = signed_in.headers["set-cookie"]
        assert cookie.startswith("__Host-chaperone=")
        assert all(
            part in cookie for part in ("Secure", "HttpOnly", "SameSite=lax", "Path=/")
        )

        again = await scanner.post(link, headers=form(), content="")
        assert again.status_code == 401
        assert "set-cookie" not in again.headers


def form(**more: str) -> dict[str, str]:
    return {"content-type": "application/x-www-form-urlencoded", **more}


async def test_a_cookie_from_before_is_not_kept(front: Front) -> None:
    link = front.sign_in_link("anna", Role.WORKER)
    async with front.browser() as anna:
        anna.cookies.set("__Host-chaperone", "set-by-eve", domain="chaperone.example")
        answer = await anna.post(link, headers=form(), content="")

    assert answer.status_code == 303
    assert "set-by-eve" not in answer.headers["set-cookie"]


async def test_a_changed_link_is_one_answer_and_its_tries_are_counted(
    front: Front,
) -> None:
    link = front.sign_in_link("anna", Role.WORKER)
    other = "A" if link[-1] != "A" else "B"
    async with front.browser() as eve:
        answers = [
            await eve.post(f"{link[:-3]}{n:02}{other}", headers=form(), content="")
            for n in range(20)
        ]
        locked = await eve.post("/sign-in/x", headers=form(), content="")

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert locked.status_code == 429


async def test_a_stop_after_the_link_does_no_harm(front: Front) -> None:
    link = front.sign_in_link("anna", Role.WORKER)
    async with front.browser() as anna:
        assert (
            await anna.post(f"{link}.", headers=form(), content="")
        ).status_code == 303


@pytest.mark.parametrize(
    "told",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "http://chaperone.example"},
        {"origin": "https://chaperone.example:444"},
        {"origin": "https://chaperone.example:x"},
    ],
)
async def test_another_page_cannot_sign_anybody_in(
    front: Front, told: dict[str, str]
) -> None:
    link = front.sign_in_link("anna", Role.WORKER)
    async with front.browser() as anna:
        answer = await anna.post(link, headers=form(**told), content="")
        assert answer.status_code == 403
        assert (
            await anna.post(link, headers=form(origin=BASE), content="")
        ).status_code == 303


async def guarded(
    front: Front, dependency: access.NeedsRole, path: str = "/guarded"
) -> None:
    """A page of our own under this guard."""
    router = APIRouter()

    @router.api_route(path, methods=["GET", "POST"])
    async def page(request: Request) -> str:
        signed_in = await dependency(request)
        return signed_in.role

    front.app.router.routes[:0] = router.routes


async def test_a_role_opens_only_its_pages(front: Front) -> None:
    await guarded(front, access.NeedsRole(Role.SAFEGUARDING_LEAD))
    for name, role, expected in (
        ("anna", Role.WORKER, 403),
        ("sam", Role.SAFEGUARDING_LEAD, 200),
    ):
        async with front.browser() as person:
            assert (await person.get("/guarded")).status_code == 401
            await person.post(
                front.sign_in_link(name, role), headers=form(), content=""
            )
            assert (await person.get("/guarded")).status_code == expected
            crossing = await person.post(
                "/guarded", headers={"sec-fetch-site": "cross-site"}
            )
            assert crossing.status_code == 403


async def test_who_leaves_is_signed_out_everywhere(front: Front) -> None:
    await guarded(front, access.NeedsRole())
    async with front.browser() as sam:
        await sam.post(
            front.sign_in_link("sam", Role.WORKER), headers=form(), content=""
        )
        assert (await sam.get("/guarded")).status_code == 200
        with front.evening.store.unit() as db:
            people.deactivate(
                db, front.evening.people["sam"], front.evening.clock.now()
            )
        assert (await sam.get("/guarded")).status_code == 401


@pytest.mark.parametrize(
    ("path", "idle"),
    [
        ("/guarded", timedelta(minutes=15)),
        ("/sessions/x/live", timedelta(minutes=30)),
        ("/sessions/x/live/close", timedelta(minutes=30)),
        ("/sessions/x/notes", timedelta(minutes=15)),
        ("/sessions/live/notes", timedelta(minutes=15)),
    ],
)
async def test_a_forgotten_browser_is_signed_out_and_a_busy_one_is_not(
    front: Front, path: str, idle: timedelta
) -> None:
    await guarded(front, access.NeedsRole(), path)
    clock = front.evening.clock
    async with front.browser() as sam:
        await sam.post(
            front.sign_in_link("sam", Role.WORKER), headers=form(), content=""
        )
        for _ in range(3):
            clock.advance(idle - timedelta(seconds=1))
            assert (await sam.get(path)).status_code == 200
        clock.advance(idle)
        assert (await sam.get(path)).status_code == 401


async def test_a_session_of_another_group_is_not_found(front: Front) -> None:
    house: House = front.app.state.house
    store, now = front.evening.store, front.evening.clock.now()
    session_id = front.evening.session_id
    with store.unit() as db:
        eve = people.add(db, store, people.Person(kind="worker", name="Eve"), now)
        reach = {}
        for name, person, role in (
            ("rostered", front.evening.people["sam"], Role.WORKER),
            ("leads the group", front.evening.people["anna"], Role.SESSION_LEAD),
            ("stranger", eve.id, Role.WORKER),
            ("safeguarding", eve.id, Role.SAFEGUARDING_LEAD),
            ("administrator", front.evening.people["anna"], Role.ADMINISTRATOR),
        ):
            signed_in, _ = access_rows.open_web_session(db, store, person, role, now)
            try:
                access.in_reach(db, house, signed_in, session_id)
            except Answer as refused:
                reach[name] = refused.status_code
            else:
                reach[name] = 200

    assert reach == {
        "rostered": 200,
        "leads the group": 200,
        "stranger": 404,
        "safeguarding": 200,
        "administrator": 404,
    }


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, 200),
        ({"origin": "null"}, 403),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": BASE}, 200),
        ({"origin": f"{BASE}:443", "sec-fetch-site": "same-origin"}, 200),
        ({"origin": "https://evil.example", "sec-fetch-site": "same-origin"}, 403),
    ],
)
async def test_a_change_must_come_from_our_page(
    front: Front, told: dict[str, str], expected: int
) -> None:
    await guarded(front, access.NeedsRole())
    async with front.browser() as sam:
        link = front.sign_in_link("sam", Role.WORKER)
        await sam.post(link, headers=form(), content="")
        assert (await sam.post("/guarded", headers=told)).status_code == expected


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/sessions/session-1/live", "/sessions/session-1/live"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("https://evil.example", "/"),
        ("/sessions//evil.example", "/"),
        ("/sessions/../static/x", "/"),
        ("/sessions/\n/x", "/"),
        ("/sessionsevil", "/"),
        ("", "/"),
    ],
)
def test_after_signing_in_only_to_our_own_pages(path: str, place: str) -> None:
    assert access.safe_next(path) == place


def test_policies_compare_by_what_they_say() -> None:
    assert Policy(scope="people:read") == Needs("people:read").policy
