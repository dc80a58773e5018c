"""My own account: what it shows, a new password, another role, out everywhere."""

from datetime import timedelta

import pytest

from app.store import access_rows, accounts
from app.web.access import Role
from tests.web.accounts_desk import PASSWORD, Office, cookie, enter, mail, office, post
from tests.web.conftest import Front
from tests.web.reading import signed_in

pytestmark = pytest.mark.anyio

NEW = "teapots like wet weather"


@pytest.fixture
def riverside(front: Front) -> Office:
    return office(front.evening)


async def test_it_shows_who_i_am_and_who_tried(riverside: Office) -> None:
    riverside.account("sam", Role.SESSION_LEAD)
    async with riverside.at("192.0.2.9") as eve:
        await enter(eve, "sam", "guessed wrong!")
    async with riverside.signed_in("sam") as sam:
        page = await sam.open("/account")

    assert "Name Sam Address sam@riverside.example Here as Session lead" in page.words
    assert "signed in, with a password" in page.words
    assert "refused , with a password" in page.words
    assert "This browser, since" in page.words
    assert "Another browser" not in page.words
    assert "Accounts of everybody" not in page.words


async def test_a_new_password_needs_the_present_one(riverside: Office) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam, riverside.signed_in("sam") as other:
        assert "Another browser" in (await sam.open("/account")).words
        before = cookie(sam)
        page = await sam.press(
            "/account", "Keep the new", password="wrong", new=NEW, again=NEW
        )
        assert page.status == 422
        assert "not your present password" in page.words
        assert NEW not in page.answer.text

        page = await sam.press(
            "/account", "Keep the new", password=PASSWORD, new=NEW, again=NEW
        )
        assert "Your password is changed" in page.words
        assert cookie(sam) != before
        assert (await other.open("/account")).status == 401
        sam.client.cookies.set("__Host-chaperone", before)
        sam.client.cookies.delete("__Host-chaperone", domain="chaperone.example")
        assert (await sam.open("/account")).status == 401
    assert [letter.to for letter in riverside.mailbox.letters] == [mail("sam")]
    async with riverside.at() as sam:
        assert (await enter(sam, "sam")).status == 401
        assert (await enter(sam, "sam", NEW)).status == 200


@pytest.mark.parametrize(
    ("new", "again", "says"),
    [
        ("x" * 11, "x" * 11, "at least 12 characters"),
        (NEW, NEW.upper(), "do not match"),
        ("", "", "at least 12 characters; this is 0"),
    ],
)
async def test_the_same_rules_hold_for_a_new_one(
    riverside: Office, new: str, again: str, says: str
) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam:
        page = await sam.press(
            "/account", "Keep the new", password=PASSWORD, new=new, again=again
        )
        assert says in page.words
        assert (await sam.open("/account")).status == 200


async def test_who_found_an_open_browser_does_not_guess_the_password(
    riverside: Office,
) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as eve:
        for _ in range(10):
            page = await eve.press(
                "/account", "Keep the new", password="wrong", new=NEW, again=NEW
            )
            assert "not your present password" in page.words
        page = await eve.press(
            "/account", "Keep the new", password=PASSWORD, new=NEW, again=NEW
        )
        assert "Too many wrong tries" in page.words


async def test_out_everywhere_is_out_everywhere(riverside: Office) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam, riverside.signed_in("sam") as phone:
        link = riverside.sign_in_link("sam", Role.WORKER)
        page = await sam.press("/account", "Sign out everywhere")
        assert "signed out everywhere" in page.words
        assert (await sam.open("/account")).status == 401
        assert (await phone.open("/account")).status == 401
        assert (await phone.client.post(link)).status_code == 401


async def test_anna_is_lead_worker_and_administrator_one_at_a_time(
    riverside: Office,
) -> None:
    """S04: another role is another session, and wins no time."""
    riverside.account("anna", Role.SESSION_LEAD, Role.ADMINISTRATOR)
    clock, store = riverside.evening.clock, riverside.evening.store
    async with riverside.signed_in("anna") as anna:
        assert (await anna.open("live")).status == 200
        assert (await anna.open("/accounts")).status == 403
        before = cookie(anna)
        clock.advance(timedelta(minutes=5))
        page = await anna.press("/account", "Be here as administrator")
        assert "Here as Administrator" in page.words
        assert (await anna.open("/accounts")).status == 200
        for path in ("live", "notes", "record", "checklist", "attendance"):
            assert (await anna.open(path)).status == 404
        with store.unit() as db:
            old = access_rows.web_session_of(db, store, before, clock.now())
            new = access_rows.web_session_of(db, store, cookie(anna), clock.now())
        assert old is None
        assert new is not None
        left = access_rows.ABSOLUTE - timedelta(minutes=5)
        assert new.expires_at == clock.now() + left


async def test_nobody_takes_a_role_they_do_not_have(riverside: Office) -> None:
    riverside.account("sam", Role.WORKER, Role.SESSION_LEAD)
    async with riverside.signed_in("sam") as sam:
        form = (await sam.open("/account")).form("Be here as session lead")
        page = await sam.send(form, role="administrator")
        assert page.status == 422
        assert "not one of your roles" in page.words
        assert (await sam.open("/accounts")).status == 403


async def test_a_single_use_link_has_no_account_to_change(front: Front) -> None:
    """The rehearsal's way in."""
    async with signed_in(front) as anna:
        page = await anna.open("/account")
        assert "You came in by a single-use link" in page.words
        form = page.form("Sign out everywhere")
        form.action = "/account/password"
        assert (await anna.send(form, new=NEW, again=NEW)).status == 404
        assert (
            "signed out everywhere"
            in (await anna.press("/account", "Sign out everywhere")).words
        )


async def test_a_form_of_the_account_needs_its_token(riverside: Office) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam:
        for says in ("Sign out everywhere", "Keep the new"):
            form = (await sam.open("/account")).form(says)
            answer = await post(sam, form, csrf="x" * 43)
            assert answer.status_code == 403
        assert (await sam.open("/account")).status == 200


async def test_a_closed_account_is_out_at_once(riverside: Office) -> None:
    made = riverside.account("sam")
    store, clock = riverside.evening.store, riverside.evening.clock
    async with riverside.signed_in("sam") as sam:
        with store.unit() as db:
            accounts.set_active(db, store, made, False, clock.now())
        assert (await sam.open("/account")).status == 401
