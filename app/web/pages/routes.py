"""The table of pages. No page is reached but through `_enter`, so access cannot be forgotten.

Nobody without a session sees anything but the way in. A session one has no part in is
"not found", so that ids cannot be tried (S05).
"""

from collections.abc import Awaitable, Callable

import structlog
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from app import config
from app.engine.contract import UnknownSession
from app.store import sessions
from app.store.refusals import Refused, Unknown
from app.web import accent, access, live
from app.web.access import Permission, Policy, Role, marked, open_to_all, roles_with
from app.web.errors import Answer
from app.web.house import house_of
from app.web.pages import (
    account,
    accounts,
    attendance,
    checklist,
    door,
    drafts,
    ends,
    errors,
    exports_ways,
    home,
    invitation,
    notes,
    office,
    overview,
    practise,
    presses,
    provider,
    record,
    room,
    sign_in,
    state_ways,
)
from app.web.pages.desk import Desk
from app.web.pages.forms import BadForm, Refusal, read_form
from app.web.pages.visit import Shows, Visit
from app.web.pages.ways import For, Page
from integrations.base import PlatformFailure

log = structlog.get_logger("chaperone")


SESSION = "/sessions/{session_id}"


def _get(path: str, answer: Shows, who: For = For.PART) -> Page:
    return Page("GET", path, answer, who)


def _post(
    path: str, answer: Shows, back: Shows | None = None, *, once: bool = True
) -> Page:
    return Page("POST", path, answer, For.WORKERS, back, once)


def _own(path: str, answer: Shows, *, once: bool = False) -> Page:
    """A form of the account page; most give a new cookie, which a redirect would lose."""
    return Page("POST", path, answer, For.SIGNED_IN, account.page, once)


def _accounts(method: str, path: str, answer: Shows, *, once: bool = True) -> Page:
    who, needs = For.SIGNED_IN, Permission.MANAGE_ACCOUNTS
    return Page(method, f"/accounts{path}", answer, who, accounts.page, once, needs)


PAGES: tuple[Page, ...] = (
    Page("GET", "/sign-in", door.page, For.ANYBODY),
    Page("POST", "/sign-in", door.enter, For.ANYBODY, door.form, False, token=True),
    Page("GET", "/sign-in/forgotten", door.forgotten, For.ANYBODY),
    Page(
        "POST",
        "/sign-in/forgotten",
        door.send_link,
        For.ANYBODY,
        door.forgotten,
        False,
        token=True,
    ),
    Page("GET", "/sign-in/organisation", provider.leave, For.ANYBODY),
    Page("GET", provider.BACK, provider.back, For.ANYBODY),
    Page("GET", "/password/{token}", invitation.page, For.ANYBODY),
    Page(
        "POST",
        "/password/{token}",
        invitation.choose,
        For.ANYBODY,
        invitation.page,
        once=False,
    ),
    _get("/account", account.page, For.SIGNED_IN),
    _get("/practise", practise.page, For.SIGNED_IN),
    Page(
        "POST",
        "/practise/begin",
        practise.begin,
        For.SIGNED_IN,
        practise.page,
        once=False,
    ),
    _get(practise.CALL, practise.call, For.SIGNED_IN),
    Page("POST", practise.CALL, practise.move, For.SIGNED_IN, practise.call),
    Page("POST", "/practise/leave", practise.leave, For.SIGNED_IN, once=False),
    _own("/account/password", account.change_password),
    _own("/account/role", account.change_role),
    _own("/account/join", provider.join),
    _own("/account/sign-out-everywhere", account.leave_everywhere),
    _accounts("GET", "", accounts.page),
    _accounts("POST", "/invite", accounts.invite, once=False),
    _accounts("POST", "/{account_id}/invite", accounts.invite_again, once=False),
    _accounts("POST", "/{account_id}/roles", accounts.change_roles),
    _accounts("POST", "/{account_id}/close", accounts.close),
    _accounts("POST", "/{account_id}/open", accounts.open_again),
    Page("GET", "/sign-in/{token}", sign_in.button, For.ANYBODY),
    Page("POST", "/sign-in/{token}", sign_in.enter, For.ANYBODY, once=False),
    Page("POST", "/sign-out", sign_in.leave, For.SIGNED_IN, once=False),
    _get("/", home.sessions_page, For.SIGNED_IN),
    Page("POST", "/unplanned", home.adopt, For.SIGNED_IN, home.sessions_page),
    *office.PEOPLE,
    *office.PLANNING,
    *exports_ways.RECORDS,
    *office.CONCERNS,
    *state_ways.PAGES,
    _get(SESSION, overview.page),
    _get(f"{SESSION}/checklist", checklist.page),
    _post(f"{SESSION}/checklist/tick", checklist.tick, checklist.page),
    _post(f"{SESSION}/checklist/except", checklist.give_exception, checklist.page),
    _post(f"{SESSION}/checklist/mend", checklist.mend, checklist.page),
    _post(f"{SESSION}/checklist/check", checklist.check_now, checklist.page),
    _post(f"{SESSION}/checklist/prepare", checklist.prepare, checklist.page),
    _post(f"{SESSION}/checklist/adopt", checklist.adopt, checklist.page),
    _post(f"{SESSION}/checklist/link", checklist.reveal_link, once=False),
    _post(f"{SESSION}/checklist/new-link", checklist.new_link, checklist.page),
    _get(f"{SESSION}/live", room.page),
    _get(f"{SESSION}/live/events", live.events),
    _get(f"{SESSION}/live/confirm/{{what}}", ends.confirm),
    Page("POST", f"{SESSION}/live/{{press}}", presses.press, For.PART, presses.back),
    _get(f"{SESSION}/notes", notes.page),
    _post(f"{SESSION}/notes", notes.save, notes.page_or_both),
    _post(f"{SESSION}/draft/{{form}}", drafts.keep, once=False),
    _get(f"{SESSION}/attendance", attendance.page),
    _post(f"{SESSION}/attendance/amend", attendance.amend, attendance.page),
    _post(f"{SESSION}/attendance/confirm", attendance.confirm, attendance.page),
    _get(f"{SESSION}/record", record.page),
    Page(
        "GET",
        f"{SESSION}/record/export/{{suffix}}",
        record.download,
        For.PART,
        needs=Permission.EXPORT_SESSION,
    ),
)


def routes() -> list[BaseRoute]:
    """Every page and the files they use, each with its policy."""
    desk = Desk()
    found: list[BaseRoute] = []
    for page in PAGES:
        endpoint = marked(policy_of(page))(_endpoint(desk, page))
        found.append(Route(page.path, endpoint, methods=[page.method]))
    files = StaticFiles(directory=config.project_root() / "static")
    files = open_to_all("styles and scripts, the same for everybody")(files)
    found.append(Route("/accent.css", accent.sheet, methods=["GET"]))
    return [*found, Mount("/static", files, name="static")]


def policy_of(page: Page) -> Policy:
    """Who may open it: anybody, whoever is signed in, or the roles with a permission."""
    if page.who is For.ANYBODY:
        return Policy(why="the way in")
    if page.needs is None:
        return Policy(roles=frozenset(Role))
    return Policy(roles=roles_with(page.needs))


async def error_page(request: Request, status: int, sentence: str) -> Response:
    """What app.web.errors shows outside the JSON interface."""
    visit = _visit(Desk(), request)
    visit.visitor = await access.visitor(request)
    return await errors.page(visit, status, sentence)


def _visit(desk: Desk, request: Request) -> Visit:
    house = house_of(request)
    return Visit(desk=desk, house=house, request=request, now=house.clock.now())


def _endpoint(desk: Desk, page: Page) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        request.scope["route"] = (
            page  # its template, never the address, is logged (K05)
        )
        visit = _visit(desk, request)
        try:
            return await _enter(visit, page)
        except BadForm as bad:
            return await errors.page(visit, bad.status, bad.sentence)
        except Answer as told:
            answer = await errors.page(visit, told.status_code, told.detail)
            answer.headers.update(told.headers or {})
            return answer
        except (Unknown, UnknownSession):
            return await errors.page(visit, 404)

    return endpoint


async def _enter(visit: Visit, page: Page) -> Response:
    visit.visitor = await access.visitor(visit.request)
    if page.who is not For.ANYBODY and visit.visitor is None:
        return await errors.nobody_signed_in(visit)
    if page.who in (For.PART, For.WORKERS):
        await _into_session(visit)
        if page.who is For.WORKERS and not visit.worker:
            sentence = "Only a worker of this session may do this."
            return await errors.page(visit, 403, sentence)
    if visit.visitor is not None and not policy_of(page).allows(visit.visitor):
        visit.house.counts.refuse("web", "role")
        log.warning("role not enough", person=visit.person_id, page=page.path)
        return await errors.page(visit, 403, "Your role does not include this page.")
    if page.method == "GET":
        return await page.answer(visit)
    visit.form = await read_form(visit.request)
    _check_origin(visit, page)
    return await _carry_out(visit, page)


def _check_origin(visit: Visit, page: Page) -> None:
    """A form counts only from our own pages (S01). Raises BadForm."""
    request = visit.request
    if request.headers.get("origin") == "null":
        # Our own Referrer-Policy makes browsers write "null" even for our own forms
        # (https://fetch.spec.whatwg.org/#append-a-request-origin-header).
        ours = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    else:
        ours = access.from_our_page(request)
    if page.token and not access.says_where_from(request):
        ours = access.form_token_holds(request, visit.form.get("before", ""))
    if visit.visitor is not None and page.who is not For.ANYBODY:
        token = visit.form.get("csrf", "")
        ours = ours and access.csrf_holds(visit.visitor, token)
    if not ours:
        raise BadForm(
            403, "That form was not sent from this page. Open the page again."
        )


async def _carry_out(visit: Visit, page: Page) -> Response:
    try:
        if not page.once:
            return await page.answer(visit)
        key = visit.form.get("key", "")
        if not 16 <= len(key) <= 64:
            raise BadForm(400, "The form is not whole. Open the page again.")

        async def work() -> str:
            answer = await page.answer(visit)
            return answer.headers["location"]

        # Kept with the path: a key of one form never answers for another.
        once = f"{visit.request.url.path} {key}"
        place = await visit.desk.pressed.once(visit.person_id, once, work)
        return visit.go(place)
    except Refusal as refusal:
        return await _back(visit, page, refusal)
    except Refused as refused:
        return await _back(visit, page, Refusal(refused.faults))
    except PlatformFailure as failure:
        fix = getattr(failure, "fix", "")
        return await _back(visit, page, Refusal({"": f"{failure} {fix}".strip()}))


async def _back(visit: Visit, page: Page, refusal: Refusal) -> Response:
    refusal.form = refusal.form or visit.form.get("form", "")
    visit.refusal = refusal
    if page.back is None:
        return await errors.page(visit, 422, " ".join(refusal.faults.values()))
    if visit.plan is not None:
        await visit.again()
    return await page.back(visit)


async def _into_session(visit: Visit) -> None:
    """Open the session of this address. Raises Answer 404 when it is out of reach."""
    session_id = visit.request.path_params["session_id"]
    signed_in = visit.visitor
    assert signed_in is not None  # noqa: S101 - _enter asked first

    def look(db: Connection) -> sessions.SessionPlan:
        return access.in_reach(db, visit.house, signed_in, session_id)

    visit.plan = await visit.read(look)
    await visit.again()
    visit.worker = visit.here.worker_slot(visit.person_id) is not None
