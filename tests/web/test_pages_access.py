"""Nobody sees a page without a session, nobody another's session, and no form forges."""

import re

import pytest

from app.store import people
from app.web.access import Role
from app.web.pages.routes import PAGES
from app.web.pages.ways import For
from tests.web.conftest import BASE, Front
from tests.web.reading import Page, signed_in

pytestmark = pytest.mark.anyio


def address(front: Front, path: str) -> str:
    path = path.replace("{session_id}", front.evening.session_id)
    return re.sub(r"{[^}]+}", "end", path)


async def test_every_page_but_the_way_in_wants_a_session(front: Front) -> None:
    async with front.browser() as nobody:
        answers = {
            f"{page.method} {page.path}": await nobody.request(
                page.method, address(front, page.path)
            )
            for page in PAGES
            if page.who is not For.ANYBODY
        }

    assert len(answers) > 20
    assert {answer.status_code for answer in answers.values()} == {401}
    for answer in answers.values():
        assert Page(answer).form("Sign in").action == "/sign-in"
        assert "Worries at school" not in answer.text


async def test_looking_at_a_link_does_not_use_it_up(front: Front) -> None:
    """K04: mail scanners look at every link."""
    link = front.sign_in_link("anna", Role.WORKER)
    async with front.browser() as scanner:
        for method in ("GET", "HEAD", "GET"):
            assert (await scanner.request(method, link)).status_code == 200
        assert not scanner.cookies

    async with front.browser() as anna:
        first = await anna.post(link + ")")  # cut by a mail program: K03
        pressed_twice = await anna.post(link)
    async with front.browser() as thief:
        again = await thief.post(link)

    assert pressed_twice.headers["location"] == "/"
    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert "__Host-chaperone" in first.headers["set-cookie"]
    assert again.status_code == 401
    assert "used already, or its time is over" in Page(again).words


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        ("/sessions/x/checklist", "/sessions/x/checklist"),
        ("//evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\\evil.example", "/"),
    ],
)
async def test_signing_in_leads_only_to_our_own_pages(
    front: Front, wanted: str, given: str
) -> None:
    async with front.browser() as anna:
        link = front.sign_in_link("anna", Role.WORKER)
        answer = await anna.post(link, params={"next": wanted})

    assert answer.headers["location"] == given


async def test_after_signing_out_the_cookie_opens_nothing(front: Front) -> None:
    async with signed_in(front) as anna:
        cookies = dict(anna.client.cookies)
        out = await anna.press("/", "Sign out")
        assert "You are signed out" in out.words
        anna.client.cookies.update(cookies)
        assert (await anna.open("live")).status == 401


async def test_a_worker_without_a_part_finds_nothing(front: Front) -> None:
    store, now = front.evening.store, front.evening.clock.now()
    with store.unit() as db:
        stranger = people.Person(kind="worker", name="Pat")
        front.evening.people["pat"] = people.add(db, store, stranger, now).id
    async with signed_in(front, "pat") as pat:
        home = await pat.open("/")
        seen = {
            page.path: (await pat.open(address(front, page.path))).status
            for page in PAGES
            if page.method == "GET" and page.who is For.PART
        }

    assert "There is no session of yours yet" in home.words
    assert set(seen.values()) == {404}


async def test_a_session_that_is_not_there_is_not_found(front: Front) -> None:
    """The same answer as for one out of reach (S05)."""
    async with signed_in(front, "anna") as anna:
        assert (await anna.open("/sessions/nowhere/record")).status == 404


async def test_an_administrator_sees_no_content(front: Front) -> None:
    async with signed_in(front, "anna", Role.ADMINISTRATOR) as anna:
        assert "Worries at school" not in (await anna.open("/")).words
        assert (await anna.open("record")).status == 404


async def test_a_safeguarding_lead_looks_and_takes_alarms_only(front: Front) -> None:
    store, now = front.evening.store, front.evening.clock.now()
    with store.unit() as db:
        lead = people.Person(kind="worker", name="Noor")
        front.evening.people["noor"] = people.add(db, store, lead, now).id
    await front.evening.join("anna", "ben")
    async with signed_in(front, "noor", Role.SAFEGUARDING_LEAD) as noor:
        page = await noor.open("live")
        buttons = {b.strip() for form in page.forms for b in form.buttons}
        assert {b for b in buttons if not b.startswith("I take it")} == {"Sign out"}
        assert "Alarms nobody has taken (2)" in page.words
        taken = await noor.press(page, "I take it")
        assert "Alarms nobody has taken (1)" in taken.words
        forged = page.form("I take it")
        forged.action = f"{noor.session}/live/close"
        assert (await noor.send(forged)).status == 403
        forged.action = f"{noor.session}/checklist/prepare"
        assert (await noor.send(forged)).status == 403

    assert (await front.evening.state()).closing is None


FORGED: tuple[tuple[str, dict[str, str], dict[str, str]], ...] = (
    ("no token", {"csrf": ""}, {}),
    ("another's token", {"csrf": "x" * 43}, {}),
    ("another site", {}, {"sec-fetch-site": "cross-site"}),
    ("another subdomain", {}, {"sec-fetch-site": "same-site"}),
    ("another origin", {}, {"origin": "https://evil.example"}),
    ("a hidden origin", {}, {"origin": "null", "sec-fetch-site": "cross-site"}),
)


@pytest.mark.parametrize(
    ("fields", "headers"), [row[1:] for row in FORGED], ids=[row[0] for row in FORGED]
)
async def test_a_forged_form_changes_nothing(
    front: Front, fields: dict[str, str], headers: dict[str, str]
) -> None:
    async with signed_in(front) as anna:
        form = (await anna.open("live")).form("We talked the ground rules")
        answer = await anna.client.post(
            form.action, data=form.fields | fields, headers={"origin": BASE} | headers
        )

    assert answer.status_code == 403
    assert (await front.evening.state()).rules_spoken == {}


async def test_our_own_form_is_taken_with_the_origin_browsers_hide(
    front: Front,
) -> None:
    """Referrer-Policy: no-referrer makes them write ``null``."""
    async with signed_in(front) as anna:
        form = (await anna.open("live/confirm/close")).form("Close to clients")
        headers = {"origin": "null", "sec-fetch-site": "same-origin"}
        answer = await anna.client.post(form.action, data=form.fields, headers=headers)

    assert answer.status_code == 303
    assert (await front.evening.state()).closing is not None


async def test_nothing_changes_by_looking(front: Front) -> None:
    """S02: every address of a form answers 405 to GET and HEAD."""
    both = {page.path for page in PAGES if page.method == "GET"}
    async with signed_in(front) as anna:
        for page in PAGES:
            if page.method != "POST" or page.path in both:
                continue
            for method in ("GET", "HEAD"):
                answer = await anna.client.request(method, address(front, page.path))
                assert answer.status_code == 405, page.path


BAD_BODIES = (
    (b"csrf=1&csrf=2", "application/x-www-form-urlencoded", 400),
    (b"a=1;b=2", "application/x-www-form-urlencoded", 400),
    (
        b"&".join(b"f%d=1" % n for n in range(10_000)),
        "application/x-www-form-urlencoded",
        400,
    ),
    (b"a=%FF%FE", "application/x-www-form-urlencoded", 400),
    (b"text=" + b"x" * 1_100_000, "application/x-www-form-urlencoded", 413),
    (b'{"step": "remove"}', "application/json", 415),
    (b"", "application/x-www-form-urlencoded", 403),
)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    BAD_BODIES,
    ids=["twice", "semicolon", "many", "not text", "long", "json", "empty"],
)
async def test_a_form_that_is_not_ours_is_told_plainly(
    front: Front, body: bytes, kind: str, status: int
) -> None:
    async with signed_in(front) as anna:
        answer = await anna.client.post(
            f"{anna.session}/live/close", content=body, headers={"content-type": kind}
        )

    assert answer.status_code == status
    assert (await front.evening.state()).closing is None


async def test_a_text_is_given_back_when_the_session_is_over(front: Front) -> None:
    """S11: half an hour of silence signs out; what was typed comes back on the page."""
    async with signed_in(front) as anna:
        form = (await anna.open("notes")).form("Save the notes")
        await front.evening.wait(31 * 60)
        page = await anna.send(
            form, text="We spoke about <b>exams</b>.\nBen was quiet."
        )

    assert page.status == 401
    assert "<b>" not in page.answer.text
    assert "We spoke about <b>exams</b>. Ben was quiet." in page.words


async def test_every_answer_carries_the_strict_headers(front: Front) -> None:
    async with signed_in(front) as anna:
        for path in ("/", "live", "checklist/nowhere"):
            page = await anna.open(path)
            policy = page.answer.headers["content-security-policy"]
            assert "script-src 'self';" in policy
            assert "unsafe" not in policy
            assert page.answer.headers["cache-control"] == "no-store"
            assert "<style" not in page.answer.text
            scripts = [given for tag, given in page.tags if tag == "script"]
            assert all(given["src"].startswith("/static/") for given in scripts)
