"""The administrator invites, changes roles and closes; and sees nothing of anybody's."""

import pytest
from structlog.testing import capture_logs

from app.store import accounts, people
from app.web.access import Role
from app.web.pages.routes import PAGES
from integrations.base import TemporaryFailure
from tests.web.accounts_desk import PASSWORD, Office, enter, mail, office
from tests.web.conftest import Front
from tests.web.reading import Browser

pytestmark = pytest.mark.anyio

NEW = "teapots like wet weather"


async def test_ada_invites_sam_and_sam_comes_in(
    riverside: Office, ada: Browser
) -> None:
    sam_id = riverside.evening.people["sam"]
    page = await ada.press(
        "/accounts",
        "Invite",
        person_id=sam_id,
        email=mail("sam"),
        role_worker="1",
        role_session_lead="1",
    )
    assert "The invitation is on its way" in page.words
    [letter] = riverside.mailbox.letters
    assert letter.to == mail("sam")
    assert letter.link not in page.answer.text
    listed = (await ada.open("/accounts")).words
    assert f"Sam ● Invited {mail('sam')} Session lead, Worker." in listed

    async with riverside.at("192.0.2.2") as sam:
        await sam.press(letter.link, "Keep this password", new=NEW, again=NEW)
        assert "Here as Session lead" in (await sam.open("/account")).words
    assert "Sam ✓ Open" in (await ada.open("/accounts")).words


@pytest.mark.parametrize("name", ["=1+1", "<script>alert(1)</script>"])
async def test_a_new_worker_is_entered_with_the_account(
    riverside: Office, ada: Browser, name: str
) -> None:
    await ada.press(
        "/accounts", "Invite", name=name, email=mail("eve"), role_worker="1"
    )
    page = await ada.open("/accounts")

    assert name in page.words
    assert "<script>alert" not in page.answer.text
    store = riverside.evening.store
    with store.unit() as db:
        account = accounts.by_email(db, store, mail("eve"))
        assert account is not None
        worker = people.get(db, store, account.person_id)
    assert (worker.name, worker.kind, worker.email) == (name, "worker", mail("eve"))


async def test_an_invitation_says_what_is_wrong(
    riverside: Office, ada: Browser
) -> None:
    riverside.account("sam")
    store = riverside.evening.store
    sam_id = riverside.evening.people["sam"]
    empty = await ada.press("/accounts", "Invite")
    both = await ada.press(
        "/accounts", "Invite", person_id=sam_id, name="Sam", email="sam@@x"
    )
    twice = await ada.press(
        "/accounts",
        "Invite",
        person_id=riverside.evening.people["anna"],
        email=mail("sam").upper(),
        role_worker="1",
    )
    again = await ada.press(
        "/accounts", "Invite", person_id=sam_id, email="new@x.example", role_worker="1"
    )
    ben = riverside.evening.people["ben"]
    client = await ada.press(
        "/accounts", "Invite", person_id=ben, email="ben@x.example", role_worker="1"
    )

    assert empty.status == 422
    assert "Choose a worker, or enter the name of a new one." in empty.words
    assert "Choose at least one role." in empty.words
    assert "Enter one e-mail address" in empty.words
    assert "not both" in both.words
    assert both.form("Invite").fields["email"] == "sam@@x"
    assert "belongs to another account already" in twice.words
    assert "has an account already" in again.words
    assert client.status == 404
    with store.unit() as db:
        assert len(accounts.listed(db, store)) == 2
    assert riverside.mailbox.letters == []


async def test_somebody_without_a_role_is_not_invited(
    riverside: Office, ada: Browser
) -> None:
    page = await ada.press("/accounts", "Invite", name="Pat", email=mail("pat"))

    assert "Choose at least one role." in page.words
    with riverside.evening.store.unit() as db:
        names = people.listed(db, riverside.evening.store, kind="worker")
    assert "Pat" not in {one.name for one in names}


async def test_without_mail_the_link_is_handed_over(front: Front) -> None:
    riverside = office(front.evening, mails=False)
    riverside.account("ada", Role.ADMINISTRATOR)
    async with riverside.signed_in("ada") as ada:
        page = await ada.press(
            "/accounts", "Invite", name="Pat", email=mail("pat"), role_worker="1"
        )
        assert "Hand over this link" in page.words
        link = page.words.partition("https://chaperone.example")[2].split()[0]
    async with riverside.at() as pat:
        assert (await pat.open(link)).status == 200


async def test_a_mail_that_fails_is_told_and_the_link_shown(
    riverside: Office, ada: Browser
) -> None:
    riverside.mailbox.failure = TemporaryFailure("No connection to the mail server.")
    page = await ada.press(
        "/accounts", "Invite", name="Pat", email=mail("pat"), role_worker="1"
    )

    assert "The mail was not sent. No connection to the mail server." in page.words
    assert "/password/" in page.words


async def test_a_new_invitation_ends_the_earlier_one(
    riverside: Office, ada: Browser
) -> None:
    await ada.press(
        "/accounts", "Invite", name="Pat", email=mail("pat"), role_worker="1"
    )
    await ada.press("/accounts", "Send a new invitation to Pat")
    first, second = (letter.link for letter in riverside.mailbox.letters)
    async with riverside.at("192.0.2.2") as pat:
        assert (await pat.open(first)).status == 401
        assert (await pat.open(second)).status == 200


async def test_other_roles_hold_at_once(riverside: Office, ada: Browser) -> None:
    """S03, S04: signed out, and back as something else."""
    riverside.account("sam", Role.SESSION_LEAD)
    async with riverside.signed_in("sam") as sam:
        form = (await ada.open("/accounts")).form("Keep these roles for Sam")
        del form.fields["role_session_lead"]
        with capture_logs() as lines:
            assert (await ada.send(form, role_worker="1")).status == 200
        assert (await sam.open("/account")).status == 401
        await enter(sam, "sam")
        assert "Here as Worker" in (await sam.open("/account")).words

    [line] = [one for one in lines if one["event"] == "account roles changed"]
    assert (line["by"], line["person"], line["roles"]) == (
        riverside.evening.people["ada"],
        riverside.evening.people["sam"],
        "worker",
    )


async def test_closing_is_at_once_and_can_be_undone(
    riverside: Office, ada: Browser
) -> None:
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam:
        page = await ada.press("/accounts", "Close the account of Sam")
        assert "Sam • Closed" in page.words
        assert (await sam.open("/account")).status == 401
        assert (await enter(sam, "sam")).status == 401
        again = await ada.press("/accounts", "Open the account again of Sam")
        assert "Sam ✓ Open" in again.words
        assert (await enter(sam, "sam", PASSWORD)).status == 200


async def test_the_last_administrator_stays(riverside: Office, ada: Browser) -> None:
    closing = await ada.press("/accounts", "Close the account of Ada")
    form = (await ada.open("/accounts")).form("Keep these roles for Ada")
    del form.fields["role_administrator"]
    demoted = await ada.send(form, role_worker="1")
    for page in (closing, demoted):
        assert page.status == 422
        assert "the last administrator" in page.words
    riverside.account("noor", Role.ADMINISTRATOR)
    assert "Ada • Closed" not in (await ada.open("/accounts")).words
    async with riverside.signed_in("noor") as noor:
        page = await noor.press("/accounts", "Close the account of Ada")
        assert "Ada • Closed" in page.words
    assert (await ada.open("/accounts")).status == 401


@pytest.mark.parametrize(
    "role", [Role.WORKER, Role.SESSION_LEAD, Role.SAFEGUARDING_LEAD]
)
async def test_nobody_else_comes_near_the_accounts(
    riverside: Office, ada: Browser, role: Role
) -> None:
    made = riverside.account("sam", role)
    forged = (await ada.open("/accounts")).form("Close the account of Ada")
    async with riverside.signed_in("sam") as sam:
        mine = (await sam.open("/account")).form("Sign out everywhere")
        for page in PAGES:
            if not page.path.startswith("/accounts"):
                continue
            path = page.path.replace("{account_id}", made)
            if page.method == "GET":
                assert (await sam.open(path)).status == 403
            else:
                forged.action = path
                forged.fields = {**mine.fields, "role_administrator": "1"}
                assert (await sam.send(forged)).status == 403
    store = riverside.evening.store
    with store.unit() as db:
        assert accounts.get(db, store, made).roles == (str(role),)


async def test_an_account_that_is_not_there_is_not_found(
    riverside: Office, ada: Browser
) -> None:
    riverside.account("sam")
    form = (await ada.open("/accounts")).form("Close the account of Sam")
    form.action = "/accounts/account-none/close"
    assert (await ada.send(form)).status == 404


async def test_an_administrator_reads_no_content(
    riverside: Office, ada: Browser
) -> None:
    """Not by any page of a session, nor by the list of accounts."""
    await riverside.evening.join("anna", "ben")
    for page in PAGES:
        if page.method == "GET" and "{session_id}" in page.path:
            path = page.path.replace("{session_id}", riverside.evening.session_id)
            for hole in ("{what}", "{suffix}", "{press}"):
                path = path.replace(hole, "end" if hole == "{what}" else "json")
            assert (await ada.open(path)).status == 404, page.path
    for path in ("/", "/accounts", "/account"):
        page_shown = await ada.open(path)
        assert "Ben" not in page_shown.words
        assert "Worries at school" not in page_shown.words
