"""Two people hear the alarm: entered, sent a code, confirmed; red until both are."""

from datetime import timedelta

import pytest

from app.store import contacts
from app.web.access import Role
from app.web.app import create_web
from integrations.base import PermanentFailure
from tests.web.accounts_desk import Office, office
from tests.web.conftest import Front, settings
from tests.web.reading import Browser, Page

pytestmark = pytest.mark.anyio

LEAD, DUTY = "lead@riverside.example", "duty@riverside.example"
SECRET = "whsec_" + "c2VjcmV0" * 6


@pytest.fixture
def riverside(front: Front) -> Office:
    """Contacts of an earlier evening are taken away: nobody hears an alarm yet."""
    one = office(front.evening)
    one.account("ada", Role.ADMINISTRATOR)
    with front.evening.store.unit() as db:
        for known in contacts.listed(db, front.evening.store):
            contacts.remove(db, known.id)
    serve(one)
    return one


def serve(one: Office, failure: Exception | None = None, **changed: str) -> None:
    """The service with a way to send codes, or one that fails."""

    async def send(contact_id: str, code: str) -> None:
        if failure is not None:
            raise failure
        one.sent_codes[contact_id] = code

    house = one.evening
    one.app = create_web(
        settings(**changed), house.engine, house.store, house.clock, send_code=send
    )


async def enter(browser: Browser, address: str, **more: str) -> Page:
    return await browser.press(
        "/contacts",
        "Enter and send the code",
        **{"label": address.partition("@")[0], "address": address, **more},
    )


async def code_of(riverside: Office, address: str) -> str:
    """The code that was sent there last."""
    store = riverside.evening.store
    with store.unit() as db:
        [found] = [c for c in contacts.listed(db, store) if c.address == address]
    return riverside.sent_codes[found.id]


async def confirmed(riverside: Office) -> list[str]:
    store = riverside.evening.store
    with store.unit() as db:
        found = contacts.listed(db, store, confirmed_only=True)
    return [one.address for one in found]


async def test_red_until_two_have_given_back_their_code(
    riverside: Office, ada: Browser
) -> None:
    page = await enter(ada, LEAD)
    assert "✕ 0 of 2 confirmed" in page.words
    assert "The code is on its way." in page.words
    code = await code_of(riverside, LEAD)
    assert code not in page.answer.text

    page = await ada.press(page, "Confirm lead", code=code)
    assert "✕ 1 of 2 confirmed" in page.words
    elsewhere = await ada.open("/settings")
    assert "Only 1 of 2 alarm contacts is confirmed." in elsewhere.words

    page = await enter(ada, DUTY)
    code = await code_of(riverside, DUTY)
    # People read a code aloud in parts.
    page = await ada.press(page, "Confirm duty", code=f" {code[:4]} {code[4:]} ")
    assert "✓ 2 of 2 confirmed" in page.words
    assert "alarm contacts is confirmed" not in page.words
    assert sorted(await confirmed(riverside)) == sorted([LEAD, DUTY])


async def test_a_wrong_code_confirms_nobody_and_is_kept_to_correct(
    riverside: Office, ada: Browser
) -> None:
    page = await enter(ada, LEAD)
    page = await ada.press(page, "Confirm lead", code="00000000x")
    assert page.status == 422
    assert "That is not the code that was sent last." in page.words
    assert page.form("Confirm lead").fields["code"] == "00000000x"
    empty = await ada.press(page, "Confirm lead", code=" ")
    assert "Enter the code they were sent." in empty.words
    assert await confirmed(riverside) == []


async def test_codes_cannot_be_guessed_at_leisure(
    riverside: Office, ada: Browser
) -> None:
    page = await enter(ada, LEAD)
    code = await code_of(riverside, LEAD)
    for _ in range(20):
        page = await ada.press(page, "Confirm lead", code="wrong")
        assert page.status == 422
    form = page.form("Confirm lead")
    assert (await ada.send(form, code="wrong")).status == 429
    assert (await ada.send(form, code=code, key="k" * 16)).status == 429
    assert await confirmed(riverside) == []

    riverside.evening.clock.advance(timedelta(seconds=61))
    await ada.send(form, code=code, key="j" * 16)
    assert await confirmed(riverside) == [LEAD]


async def test_a_new_code_makes_the_old_one_worthless(
    riverside: Office, ada: Browser
) -> None:
    page = await enter(ada, LEAD)
    old = await code_of(riverside, LEAD)
    page = await ada.press(page, "Send a new code to lead")
    new = await code_of(riverside, LEAD)
    page = await ada.press(page, "Confirm lead", code=old)
    assert page.status == 422
    await ada.press(page, "Confirm lead", code=new)
    assert await confirmed(riverside) == [LEAD]


@pytest.mark.parametrize("again", [LEAD, LEAD.upper(), f" {LEAD} "])
async def test_one_person_is_not_two(
    riverside: Office, ada: Browser, again: str
) -> None:
    await enter(ada, LEAD)
    page = await enter(ada, again, label="the same")
    assert page.status == 422
    assert "This address is on the list already" in page.words
    form = page.form("Enter and send the code")
    assert (form.fields["label"], form.fields["address"]) == ("the same", again)


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"address": ""}, "Enter where the alarm should go."),
        ({"address": "lead"}, "Enter one e-mail address."),
        ({"label": ""}, "Enter whose address it is."),
        ({"channel": "pigeon"}, "Choose mail or webhook."),
        (
            {
                "channel": "webhook",
                "address": "http://gate.example/",
                "secret": SECRET,
            },
            "Enter an address that begins with https://.",
        ),
        (
            {"channel": "webhook", "address": "https://gate.example/", "secret": "x"},
            "it begins with whsec_",
        ),
        ({"address": "a\x07@riverside.example"}, "control characters"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    riverside: Office, ada: Browser, entered: dict[str, str], said: str
) -> None:
    typed = {"label": "Eve =1+1", "address": LEAD, **entered}
    page = await ada.press("/contacts", "Enter and send the code", **typed)
    assert page.status == 422
    assert said in page.words
    fields = page.form("Enter and send the code").fields
    assert {name: fields[name] for name in ("label", "address")} == {
        name: typed[name] for name in ("label", "address")
    }
    assert riverside.sent_codes == {}


async def test_a_gateway_is_entered_with_its_secret(
    riverside: Office, ada: Browser
) -> None:
    page = await enter(
        ada, "https://gate.example/hook", channel="webhook", secret=SECRET
    )
    assert "through a gateway" in page.words
    assert SECRET not in page.answer.text


async def test_a_code_that_did_not_leave_is_told(
    riverside: Office, ada: Browser
) -> None:
    serve(riverside, PermanentFailure("The mail server refused it (550).", "Check it."))
    async with riverside.signed_in("ada") as browser:
        page = await enter(browser, LEAD)
        assert page.status == 422
        assert "the code did not leave. The mail server refused it" in page.words
        # The contact is on the list once, and the form is empty again.
        assert page.form("Enter and send the code").fields["address"] == ""
        assert page.form("Send a new code to lead")


async def test_taking_somebody_off_the_list_turns_it_red_again(
    riverside: Office, ada: Browser
) -> None:
    for address in (LEAD, DUTY):
        page = await enter(ada, address)
        name, code = address.partition("@")[0], await code_of(riverside, address)
        page = await ada.press(page, f"Confirm {name}", code=code)
    page = await ada.press(page, "Yes, take off the list duty")
    assert "✕ 1 of 2 confirmed" in page.words
    assert await confirmed(riverside) == [LEAD]


async def test_a_name_is_shown_as_it_was_typed(ada: Browser) -> None:
    page = await enter(ada, LEAD, label="<script>alert(1)</script>")
    assert "<script>alert(1)</script>" in page.words
    assert "<script>alert" not in page.answer.text


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.WORKER, 403),
        (Role.SESSION_LEAD, 403),
        (Role.SAFEGUARDING_LEAD, 200),
        (Role.ADMINISTRATOR, 200),
    ],
)
async def test_who_may_say_where_alarms_go(
    riverside: Office, role: Role, status: int
) -> None:
    riverside.account("sam", role)
    async with riverside.signed_in("sam") as sam:
        page = await sam.open("/contacts")
        assert page.status == status
        home = await sam.open("/")
        assert ("Enter and confirm them" in home.words) is (status == 200)
