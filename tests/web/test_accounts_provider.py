"""Noor signs in with the organisation's own account, at a certified provider (S16, S17)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from app.clock import ManualClock, SystemClock
from app.store import accounts, people
from app.store.passwords import hash_password
from app.web.access import Role
from app.web.pages import provider as pages
from integrations.base import PermanentFailure, TemporaryFailure
from integrations.oidc.provider import Provider
from integrations.oidc.settings import OidcSettings
from tests.conftest import BEFORE_THE_SESSION
from tests.engine.room import Evening, evening
from tests.integrations.oidc.sign_in_provider import Office as There
from tests.integrations.oidc.sign_in_provider import office as provider_office
from tests.web.accounts_desk import PASSWORD, Office, cookie, enter, mail, office
from tests.web.conftest import BASE
from tests.web.reading import Browser, Page

pytestmark = pytest.mark.anyio

TITLE = "your Riverside account"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for all: the provider starts once."""
    return "asyncio"


@pytest.fixture(scope="module")
async def there(
    anyio_backend: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[There]:
    folder = tmp_path_factory.mktemp("provider")
    async with provider_office(folder, back_to=f"{BASE}{pages.BACK}") as one:
        yield one


@pytest.fixture
async def one() -> AsyncIterator[Evening]:
    """An evening at the real time, which the provider keeps too."""
    clock = ManualClock(BEFORE_THE_SESSION)
    async with evening(clock) as tonight:
        clock.step_wall_clock(SystemClock().now() - clock.now())
        yield tonight


@pytest.fixture
def riverside(one: Evening, there: There) -> Office:
    return office(one, provider=Provider(there.known_as(title=TITLE)))


async def goes(browser: Browser, path: str) -> str:
    """On to the provider: its address."""
    headers = {"sec-fetch-site": "same-origin"}
    answer = await browser.client.get(path, headers=headers)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def comes_back(browser: Browser, answer: dict[str, str]) -> Page:
    got = await browser.client.get(f"{pages.BACK}?{urlencode(answer)}")
    if got.status_code == 303:
        got = await browser.client.get(got.headers["location"])
    return Page(got)


async def through(
    browser: Browser,
    there: There,
    person: str,
    path: str = "/sign-in/organisation",
) -> Page:
    """There, signed in as this person, and back."""
    address = await goes(browser, path)
    return await comes_back(browser, await there.walk(address, person))


def invitation(riverside: Office, name: str) -> str:
    made = riverside.account(name, Role.SAFEGUARDING_LEAD, password=None)
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        return accounts.new_link(db, store, made, accounts.INVITE, now)


async def test_noor_joins_her_account_from_the_invitation(
    riverside: Office, there: There
) -> None:
    """Whatever address the provider knows her by: the link in her mail proves it."""
    text = invitation(riverside, "noor")
    async with riverside.at() as noor:
        page = await noor.open(f"/password/{text}")
        assert f"Sign in with {TITLE}" in page.words
        [link] = [
            given["href"]
            for tag, given in page.tags
            if tag == "a" and "invitation=" in given.get("href", "")
        ]
        await through(noor, there, "eve-9", link)
        assert "Here as Safeguarding lead" in (await noor.open("/account")).words
        assert "Your organisation's account" in (await noor.open("/account")).words
        assert (await noor.open(f"/password/{text}")).status == 401
    async with riverside.at() as noor:
        await through(noor, there, "eve-9")
        page = await noor.open("/account")
        assert "Here as Safeguarding lead" in page.words
        assert "signed in, with your organisation's account" in page.words


async def test_a_stranger_of_the_organisation_is_not_let_in(
    riverside: Office, there: There
) -> None:
    async with riverside.at() as sam:
        page = await through(sam, there, "sam-3")
        assert page.status == 403
        assert "nobody has invited it" in page.words
        assert cookie(sam) == ""


async def test_a_proved_address_counts_once_while_it_is_invited(
    riverside: Office, there: There
) -> None:
    invitation(riverside, "anna")
    async with riverside.at() as eve:
        assert (await through(eve, there, "eve-9")).status == 403
    async with riverside.at() as anna:
        assert (await through(anna, there, "anna-7")).status == 200
        assert "Here as Safeguarding lead" in (await anna.open("/account")).words


async def test_an_address_alone_opens_no_account_that_is_in_use(
    riverside: Office, there: There
) -> None:
    """S17: the address was given to somebody new."""
    riverside.account("anna")
    async with riverside.at() as new:
        assert (await through(new, there, "anna-7")).status == 403


@pytest.mark.parametrize("proved_by", ["a password", "another account there"])
async def test_a_second_invitation_does_not_open_it_to_the_address(
    riverside: Office, there: There, proved_by: str
) -> None:
    """S17: invited again, but somebody is proved to be Anna already."""
    made = riverside.account("anna", password=None)
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        if proved_by == "a password":
            accounts.set_password(db, store, made, hash_password(PASSWORD), now)
        else:
            issuer = there.settings.issuer
            accounts.join_identity(db, store, made, issuer, "anna-before", now)
        accounts.new_link(db, store, made, accounts.INVITE, now)
    async with riverside.at() as new:
        assert (await through(new, there, "anna-7")).status == 403


async def test_nor_one_whose_invitation_is_out_of_date(
    riverside: Office, there: There
) -> None:
    made = invitation(riverside, "anna")
    store, now = riverside.evening.store, riverside.evening.clock.now()
    with store.unit() as db:
        assert accounts.use_link(db, store, made, now) is not None
    async with riverside.at() as anna:
        assert (await through(anna, there, "anna-7")).status == 403


async def test_a_signed_in_person_joins_an_account_of_their_own(
    riverside: Office, there: There
) -> None:
    riverside.account("anna")
    async with riverside.signed_in("anna") as anna:
        page = await anna.press("/account", f"Sign in with {TITLE} from now on")
        [link] = [
            given["href"]
            for tag, given in page.tags
            if tag == "a" and given.get("href", "").startswith("https://")
        ]
        page = await comes_back(anna, await there.walk(link, "anna-7"))
        assert "Your organisation's account" in page.words
    assert riverside.mailbox.letters[-1].to == mail("anna")
    async with riverside.at() as anna:
        assert (await through(anna, there, "anna-7")).status == 200
    riverside.account("sam")
    async with riverside.signed_in("sam") as sam:
        page = await sam.press("/account", f"Sign in with {TITLE} from now on")
        [link] = [
            given["href"]
            for tag, given in page.tags
            if tag == "a" and given.get("href", "").startswith("https://")
        ]
        page = await comes_back(sam, await there.walk(link, "anna-7"))
        assert page.status == 401
        assert "belongs to somebody else" in page.words


async def test_joining_begun_by_one_person_is_not_ended_by_another(
    riverside: Office, there: There
) -> None:
    riverside.account("anna")
    riverside.account("sam")
    async with riverside.signed_in("anna") as shared:
        page = await shared.press("/account", f"Sign in with {TITLE} from now on")
        [link] = [
            given["href"]
            for tag, given in page.tags
            if tag == "a" and given.get("href", "").startswith("https://")
        ]
        await shared.press("/", "Sign out")
        await enter(shared, "sam")
        page = await comes_back(shared, await there.walk(link, "anna-7"))
        assert page.status == 403


async def test_an_answer_fits_the_browser_it_was_asked_by(
    riverside: Office, there: There
) -> None:
    """Eve gives Sam the end of her own sign-in to open (login forgery)."""
    text = invitation(riverside, "eve")
    async with riverside.at() as eve, riverside.at() as sam:
        path = f"/sign-in/organisation?invitation={text}"
        answer = await there.walk(await goes(eve, path), "eve-9")
        for page in (await comes_back(sam, answer), await comes_back(sam, {})):
            assert page.status == 401
            assert "Start again from the sign-in page" in page.words
        await goes(sam, "/sign-in/organisation")
        assert (await comes_back(sam, answer)).status == 401
        assert cookie(sam) == ""


async def test_eves_invitation_does_not_take_anna_in_from_eves_page(
    riverside: Office, there: There
) -> None:
    text = invitation(riverside, "eve")
    async with riverside.at() as anna:
        answer = await anna.client.get(
            f"/sign-in/organisation?invitation={text}",
            headers={"sec-fetch-site": "cross-site"},
        )
    assert answer.status_code == 401


async def test_a_flow_lasts_ten_minutes_and_counts_once(
    riverside: Office, there: There
) -> None:
    invitation(riverside, "anna")
    clock = riverside.evening.clock
    async with riverside.at() as anna:
        address = await goes(anna, "/sign-in/organisation")
        answer = await there.walk(address, "anna-7")
        clock.advance(pages.FLOW_LASTS)
        assert (await comes_back(anna, answer)).status == 401
        clock.step_wall_clock(-pages.FLOW_LASTS)

        address = await goes(anna, "/sign-in/organisation")
        answer = await there.walk(address, "anna-7")
        clock.advance(timedelta(minutes=1))
        assert (await comes_back(anna, answer)).status == 200
        assert "__Host-chaperone-flow" not in anna.client.cookies
        assert (await comes_back(anna, answer)).status == 401


async def test_cancelling_there_says_so_here(riverside: Office, there: There) -> None:
    async with riverside.at() as anna:
        page = await through(anna, there, "")
    assert page.status == 401
    assert "You were not signed in there" in page.words


async def test_a_closed_account_is_closed_by_this_way_too(
    riverside: Office, there: There
) -> None:
    invitation(riverside, "anna")
    store, clock = riverside.evening.store, riverside.evening.clock
    async with riverside.at() as anna:
        await through(anna, there, "anna-7")
        with store.unit() as db:
            made = accounts.by_email(db, store, mail("anna"))
            assert made is not None
            accounts.set_active(db, store, made.id, False, clock.now())
        assert (await anna.open("/account")).status == 401
        assert (await through(anna, there, "anna-7")).status == 403


async def test_nothing_is_joined_to_who_has_left(
    riverside: Office, there: There
) -> None:
    invitation(riverside, "anna")
    store, now = riverside.evening.store, riverside.evening.clock.now()
    anna_id = riverside.evening.people["anna"]
    with store.unit() as db:
        people.deactivate(db, anna_id, now)
    async with riverside.at() as anna:
        assert (await through(anna, there, "anna-7")).status == 403
    with store.unit() as db:
        account = accounts.of_person(db, store, anna_id)
        assert account is not None
        assert not accounts.has_identity(db, account.id)


async def test_it_leads_only_to_pages_of_ours(riverside: Office, there: There) -> None:
    """S15."""
    invitation(riverside, "anna")
    async with riverside.at() as anna:
        address = await goes(anna, "/sign-in/organisation?next=//evil.example")
        answer = await there.walk(address, "anna-7")
        got = await anna.client.get(f"{pages.BACK}?{urlencode(answer)}")
    assert got.headers["location"] == "/"


# --- when it does not work ----------------------------------------------------------


class Broken(Provider):
    """A provider that fails as told."""

    failure: Exception

    async def begin(self, back_to: str) -> dict[str, object]:
        raise self.failure


@pytest.mark.parametrize(
    ("failure", "status", "says"),
    [
        (TemporaryFailure("down"), 503, "does not answer. Try again in a minute"),
        (PermanentFailure("bad", "Mend it."), 502, "not set up rightly. Tell whoever"),
    ],
)
async def test_a_provider_in_trouble_is_told_plainly(
    one: Evening, failure: Exception, status: int, says: str
) -> None:
    broken = Broken(
        OidcSettings(issuer="https://x.example", client_id="c", client_secret="s")
    )
    broken.failure = failure
    async with office(one, provider=broken).at() as anna:
        page = await anna.open("/sign-in/organisation")
    assert page.status == status
    assert says in page.words


async def test_without_a_provider_there_is_no_such_way(one: Evening) -> None:
    async with office(one).at() as anna:
        assert (await anna.open("/sign-in/organisation")).status == 404
        assert (await anna.open(pages.BACK)).status == 401
        assert "Or with an address" not in (await anna.open("/sign-in")).words
