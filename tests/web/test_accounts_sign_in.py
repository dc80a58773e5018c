"""Sam comes in with a password, and Eve neither comes in nor learns who could."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.store import accounts, people
from app.store.sign_in_tries import tries
from app.web.access import Role
from tests.web.accounts_desk import (
    PASSWORD,
    Office,
    cookie,
    enter,
    mail,
    office,
    post,
)
from tests.web.conftest import BASE, Front
from tests.web.reading import Page

pytestmark = pytest.mark.anyio

SECOND = timedelta(seconds=1)


@pytest.fixture
def riverside(front: Front) -> Office:
    return office(front.evening)


def shown(page: Page) -> str:
    """What the page says, without the tokens of its forms."""
    return re.sub(r'value="[^"]*"', "", page.answer.text)


async def test_sam_comes_in_and_goes(riverside: Office) -> None:
    riverside.account("sam")
    async with riverside.at() as sam:
        page = await enter(sam, "sam")
        assert "Worries at school" in page.words
        mine = await sam.open("/account")
        assert "Sam" in mine.words
        assert "Here as Worker" in mine.words
        held = cookie(sam)
        await sam.press("/", "Sign out")
        sam.client.cookies.set("__Host-chaperone", held)
        assert (await sam.open("/account")).status == 401


async def test_signing_in_leads_where_one_wanted_to_go(riverside: Office) -> None:
    riverside.account("sam")
    path = f"/sessions/{riverside.evening.session_id}/checklist"
    async with riverside.at() as sam:
        page = await sam.open(path)
        assert page.status == 401
        form = page.form("Sign in")
        answer = await post(sam, form, email=mail("sam"), password=PASSWORD)
    assert answer.headers["location"] == path


@pytest.mark.parametrize(
    "place", ["//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
async def test_and_nowhere_else(riverside: Office, place: str) -> None:
    """S15."""
    riverside.account("sam")
    async with riverside.at() as sam:
        form = (await sam.open("/sign-in")).form("Sign in")
        answer = await post(sam, form, email=mail("sam"), password=PASSWORD, next=place)
    assert answer.headers["location"] == "/"


async def test_an_address_may_be_spelt_as_people_do(riverside: Office) -> None:
    riverside.account("sam")
    async with riverside.at() as sam:
        form = (await sam.open("/sign-in")).form("Sign in")
        page = await sam.send(form, email=" Sam@Riverside.Example ", password=PASSWORD)
    assert page.status == 200


async def test_each_sign_in_has_a_new_secret(riverside: Office) -> None:
    """S04: a secret from before is not the one from after, and opens nothing more."""
    riverside.account("sam")
    secrets = ["put there by Eve"]
    for _ in range(2):
        async with riverside.at() as sam:
            form = (await sam.open("/sign-in")).form("Sign in")
            sam.client.cookies.set("__Host-chaperone", secrets[-1])
            answer = await post(sam, form, email=mail("sam"), password=PASSWORD)
            secrets.append(answer.cookies["__Host-chaperone"])
    opened = []
    for secret in secrets:
        async with riverside.at() as sam:
            sam.client.cookies.set("__Host-chaperone", secret)
            opened.append((await sam.open("/account")).status)

    assert len(set(secrets)) == 3
    assert opened == [401, 401, 200]


# --- what Eve learns ----------------------------------------------------------------


async def test_a_stranger_and_a_mistyped_password_get_one_answer(
    riverside: Office,
) -> None:
    riverside.account("sam")
    riverside.account("noor", password=None)
    closed = riverside.account("pat")
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        accounts.set_active(db, store, closed, False, now)
    answers = {}
    async with riverside.at() as eve:
        for name, password in (
            ("sam", "not the right one"),
            ("nobody", PASSWORD),
            ("noor", PASSWORD),
            ("pat", PASSWORD),
        ):
            page = await enter(eve, name, password)
            answers[name] = (page.status, shown(page).replace(mail(name), ""))

    assert set(answers.values()) == {answers["sam"]}
    assert answers["sam"][0] == 401
    assert "do not belong together" in answers["sam"][1]
    with store.unit() as db:
        assert db.execute(select(func.count()).select_from(tries)).scalar() == 4


async def test_who_has_left_does_not_come_in(riverside: Office) -> None:
    riverside.account("sam")
    store, now = riverside.evening.store, riverside.evening.clock.now()
    async with riverside.signed_in("sam") as sam:
        with store.unit() as db:
            people.deactivate(db, riverside.evening.people["sam"], now)
        assert (await sam.open("/account")).status == 401
        assert (await enter(sam, "sam")).status == 401


async def test_ten_wrong_tries_are_enough_even_for_the_right_password(
    riverside: Office,
) -> None:
    riverside.account("sam")
    clock = riverside.evening.clock
    for name in ("sam", "nobody"):
        statuses = []
        for n in range(12):
            async with riverside.at(f"192.0.2.{n}") as eve:
                page = await enter(eve, name, PASSWORD if n > 9 else "guessed wrong!")
                statuses.append(page.status)
        assert statuses == [401] * 10 + [429] * 2
        assert "Wait 15 minutes, or choose a new password" in page.words
        assert page.answer.headers["retry-after"] == "900"

    clock.advance(timedelta(minutes=15) - SECOND)
    async with riverside.at() as sam:
        page = await enter(sam, "sam")
        assert (page.status, page.answer.headers["retry-after"]) == (429, "1")
        assert "Wait a minute" in page.words
        clock.advance(SECOND)
        assert (await enter(sam, "sam")).status == 200


async def test_eve_cannot_keep_sam_out_of_his_own_browser(riverside: Office) -> None:
    """She tries all evening; his session starts in ten minutes."""
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam:
        await sam.press("/", "Sign out")
        for n in range(10):
            async with riverside.at(f"192.0.2.{n}") as eve:
                await enter(eve, "sam", "guessed wrong!")
        async with riverside.at() as eve:
            assert (await enter(eve, "sam")).status == 429
            mark = sam.client.cookies.get("__Host-chaperone-known", default="")
            eve.client.cookies.set("__Host-chaperone-known", f"x{mark}")
            assert (await enter(eve, "sam")).status == 429
        assert (await enter(sam, "sam")).status == 200


async def test_a_known_browser_is_known_for_one_address(riverside: Office) -> None:
    riverside.account("sam")
    riverside.account("noor")
    async with riverside.signed_in("sam") as sam:
        await sam.press("/", "Sign out")
        for _ in range(10):
            await enter(sam, "noor", "guessed wrong!")
        async with riverside.at("192.0.2.9") as noor:
            assert (await enter(noor, "noor")).status == 429


async def test_twenty_wrong_tries_a_minute_from_one_place_are_enough(
    riverside: Office,
) -> None:
    riverside.account("sam")
    async with riverside.at("192.0.2.7") as eve:
        for n in range(20):
            assert (await enter(eve, f"guess-{n}", "guessed wrong!")).status == 401
        assert (await enter(eve, "sam")).status == 429
        async with riverside.at("192.0.2.8") as sam:
            assert (await enter(sam, "sam")).status == 200
        riverside.evening.clock.advance(timedelta(seconds=60))
        assert (await enter(eve, "sam")).status == 200


# --- what the form takes ------------------------------------------------------------


async def test_an_empty_form_says_what_is_missing(riverside: Office) -> None:
    async with riverside.at() as eve:
        form = (await eve.open("/sign-in")).form("Sign in")
        page = await eve.send(form)
        long = await eve.send(form, email="<script>@x", password="x" * 129)

    assert page.status == 422
    assert "Enter your e-mail address." in page.words
    assert "Enter your password." in page.words
    assert "at most 128 characters" in long.words
    assert "<script>@x" not in long.answer.text
    assert "x" * 129 not in long.answer.text


@pytest.mark.parametrize("name", ["=1+1", "<script>alert(1)</script>"])
async def test_nothing_typed_comes_back_alive(riverside: Office, name: str) -> None:
    async with riverside.at() as eve:
        page = await enter(eve, name, "guessed wrong!")

    assert page.status == 401
    assert "<script>alert" not in page.answer.text
    assert page.form("Sign in").fields["email"] == mail(name)
    assert page.form("Sign in").fields["password"] == ""


SILENT: dict[str, str] = {}
BROWSERS = (
    ("a browser that says nothing, without the token", SILENT, False, 403),
    ("a browser that says nothing, with the token", SILENT, True, 303),
    ("our own page", {"sec-fetch-site": "same-origin"}, False, 303),
    ("another site", {"sec-fetch-site": "cross-site"}, True, 403),
    ("a sister site", {"sec-fetch-site": "same-site"}, True, 403),
    ("another origin", {"origin": "https://evil.example"}, True, 403),
    ("a hidden origin, without the token", {"origin": "null"}, False, 403),
    ("a hidden origin, with the token", {"origin": "null"}, True, 303),
    (
        "a hidden origin of another site",
        {"origin": "null", "sec-fetch-site": "cross-site"},
        True,
        403,
    ),
)


@pytest.mark.parametrize(
    ("headers", "token", "status"),
    [row[1:] for row in BROWSERS],
    ids=[row[0] for row in BROWSERS],
)
async def test_nobody_is_signed_in_as_somebody_else_by_another_site(
    riverside: Office, headers: dict[str, str], token: bool, status: int
) -> None:
    """Eve's page posts Eve's own account, for Sam to write his notes into (S01)."""
    riverside.account("eve")
    async with riverside.at() as sam:
        form = (await sam.open("/sign-in")).form("Sign in")
        fields = {**form.fields, "email": mail("eve"), "password": PASSWORD}
        if not token:
            fields["before"] = "x" * 64
        answer = await sam.client.post("/sign-in", data=fields, headers=headers)

    assert answer.status_code == status


async def test_the_token_belongs_to_the_browser(riverside: Office) -> None:
    riverside.account("eve")
    async with riverside.at() as eve, riverside.at() as sam:
        form = (await eve.open("/sign-in")).form("Sign in")
        await sam.open("/sign-in")
        fields = {**form.fields, "email": mail("eve"), "password": PASSWORD}
        answer = await sam.client.post("/sign-in", data=fields)
        assert answer.status_code == 403
        fresh = await riverside.browser().post("/sign-in", data=fields)
        assert fresh.status_code == 403


# --- a new password by mail ---------------------------------------------------------


async def asks(riverside: Office, name: str, address: str = "192.0.2.1") -> Page:
    async with riverside.at(address) as browser:
        form = (await browser.open("/sign-in/forgotten")).form("Send me the link")
        return await browser.send(form, email=mail(name))


async def test_a_new_password_comes_by_mail_and_signs_out_everywhere(
    riverside: Office,
) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as elsewhere:
        for n in range(10):
            async with riverside.at(f"192.0.2.{n}") as eve:
                await enter(eve, "sam", "guessed wrong!")
        assert "on its way" in (await asks(riverside, "sam")).words
        [letter] = riverside.mailbox.letters
        assert letter.to == mail("sam")
        async with riverside.at() as sam:
            assert (await sam.open(letter.link)).status == 200
            page = await sam.press(
                letter.link,
                "Keep this password",
                new="a heron on the roof",
                again="a heron on the roof",
            )
            assert page.status == 200
            assert "Worries at school" in page.words
            assert (await sam.open(letter.link)).status == 401
        assert (await elsewhere.open("/account")).status == 401
        assert (await enter(elsewhere, "sam")).status == 401
        assert (await enter(elsewhere, "sam", "a heron on the roof")).status == 200
        async with riverside.at("192.0.2.55") as anew:
            assert (await enter(anew, "sam", "a heron on the roof")).status == 200
    told = riverside.mailbox.letters[-1]
    assert (told.to, "was changed" in told.subject) == (mail("sam"), True)


async def test_nobody_learns_there_who_has_an_account(riverside: Office) -> None:
    riverside.account("sam")
    known, unknown = await asks(riverside, "sam"), await asks(riverside, "nobody")

    assert (known.status, shown(known)) == (unknown.status, shown(unknown))
    assert [letter.to for letter in riverside.mailbox.letters] == [mail("sam")]


async def test_a_closed_account_gets_no_link(riverside: Office) -> None:
    made = riverside.account("sam")
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        accounts.set_active(db, store, made, False, now)
    assert "on its way" in (await asks(riverside, "sam")).words
    assert riverside.mailbox.letters == []


async def test_three_links_an_hour_are_sent_and_the_last_one_works(
    riverside: Office,
) -> None:
    riverside.account("sam")
    for _ in range(4):
        assert "on its way" in (await asks(riverside, "sam")).words
    links = [letter.link for letter in riverside.mailbox.letters]
    assert len(links) == 3
    async with riverside.at() as sam:
        assert [(await sam.open(link)).status for link in links] == [401, 401, 200]
        riverside.evening.clock.advance(accounts.RESET_LASTS - SECOND)
        assert (await sam.open(links[-1])).status == 200
        riverside.evening.clock.advance(SECOND)
        assert (await sam.open(links[-1])).status == 401
    await asks(riverside, "sam")
    assert len(riverside.mailbox.letters) == 4


async def test_asking_often_is_slowed_down(riverside: Office) -> None:
    for _ in range(20):
        assert "on its way" in (await asks(riverside, "nobody")).words
    assert "Wait a minute" in (await asks(riverside, "nobody")).words
    assert "on its way" in (await asks(riverside, "nobody", "192.0.2.2")).words


async def test_without_mail_it_says_whom_to_ask(front: Front) -> None:
    riverside = office(front.evening, mails=False)
    async with riverside.at() as sam:
        assert "cannot send mail" in (await sam.open("/sign-in/forgotten")).words


# --- an invitation ------------------------------------------------------------------


async def invited(riverside: Office) -> str:
    riverside.account("noor", Role.SAFEGUARDING_LEAD, password=None)
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        account = accounts.of_person(db, store, riverside.evening.people["noor"])
        assert account is not None
        text = accounts.new_link(db, store, account.id, accounts.INVITE, now)
    return f"/password/{text}"


async def test_noor_takes_up_her_invitation(riverside: Office) -> None:
    link = await invited(riverside)
    async with riverside.at() as scanner:
        for method in ("GET", "HEAD", "GET"):
            answer = await scanner.client.request(method, link)
            assert answer.status_code == 200
        assert cookie(scanner) == ""
    async with riverside.at() as noor:
        page = await noor.open(f"{link}.")  # a mail program's full stop: K03
        assert "Welcome to Chaperone" in page.words
        assert mail("noor") in page.answer.text
        page = await noor.send(
            page.form("Keep this password"),
            new="teapots like wet weather",
            again="teapots like wet weather",
        )
        assert page.status == 200
        mine = await noor.open("/account")
        assert "Here as Safeguarding lead" in mine.words
    async with riverside.at() as noor:
        assert (await enter(noor, "noor", "teapots like wet weather")).status == 200


async def test_an_invitation_lasts_a_week(riverside: Office) -> None:
    link = await invited(riverside)
    async with riverside.at() as noor:
        riverside.evening.clock.advance(accounts.INVITATION_LASTS - SECOND)
        assert (await noor.open(link)).status == 200
        riverside.evening.clock.advance(SECOND)
        page = await noor.open(link)
        assert page.status == 401
        assert "used already, or its time is over" in page.words


@pytest.mark.parametrize(
    ("new", "again", "says"),
    [
        ("short words", "short words", "at least 12 characters; this is 11"),
        ("x" * 129, "x" * 129, "at most 128 characters; this is 129"),
        ("password1234", "password1234", "tried first"),
        ("noor@riverside.example", "noor@riverside.example", "tried first"),
        ("qwertyuiop123", "qwertyuiop123", "tried first"),
        ("teapots like wet weather", "teapots like wet", "do not match"),
    ],
)
async def test_a_password_that_cannot_be_is_explained(
    riverside: Office, new: str, again: str, says: str
) -> None:
    link = await invited(riverside)
    async with riverside.at() as noor:
        page = await noor.press(link, "Keep this password", new=new, again=again)
        assert page.status == 422
        assert says in page.words
        assert new not in page.answer.text or new == mail("noor")
        assert (await noor.open(link)).status == 200


async def test_a_guessed_link_is_counted(riverside: Office) -> None:
    async with riverside.at("192.0.2.66") as eve:
        found = [(await eve.open("/password/guessed")).status for _ in range(21)]
    assert found == [401] * 20 + [429]


async def test_a_link_opens_nothing_once_the_account_is_closed(
    riverside: Office,
) -> None:
    link = await invited(riverside)
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        person = riverside.evening.people["noor"]
        account = accounts.of_person(db, store, person)
        assert account is not None
        accounts.set_active(db, store, account.id, False, now)
    async with riverside.at() as noor:
        assert (await noor.open(link)).status == 401
        form = {"new": PASSWORD, "again": PASSWORD}
        answer = await noor.client.post(link, data=form, headers={"origin": BASE})
        assert answer.status_code == 401
