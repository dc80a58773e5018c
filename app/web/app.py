"""Put the web together: routes, layers, policies. Nothing here knows a platform by name."""

from collections.abc import Sequence

from fastapi import FastAPI
from starlette.routing import BaseRoute

from app.clock import Clock
from app.config import Settings, project_root
from app.core.checklist import Pack, parse_pack
from app.engine.contract import EngineDoor
from app.engine.spool_file import SpoolFile
from app.store.database import Store
from app.web import access, errors, health, shell, webhooks
from app.web.api import (
    contacts,
    exports,
    groups,
    live,
    notes,
    openapi,
    people,
    presses,
    readiness,
    record,
    series,
)
from app.web.api import sessions as planned
from app.web.api.shapes import API
from app.web.body import BODY_SECONDS
from app.web.house import Backups, Disk, House, SendCode
from app.web.letters import SendLetter
from app.web.pages import routes as pages
from app.web.patience import Patience
from app.web.pretending import Practice, Pretend
from app.web.tries import Tries
from integrations import PLATFORMS
from integrations.oidc.provider import Provider

PACK = "project.toml"


def create_web(
    settings: Settings,
    engine: EngineDoor,
    store: Store,
    clock: Clock,
    *,
    send_code: SendCode | None = None,
    send_letter: SendLetter | None = None,
    provider: Provider | None = None,
    backups: Backups | None = None,
    spool_file: SpoolFile | None = None,
    disk: Disk | None = None,
    practice: Practice | None = None,
    pretend: Pretend | None = None,
    pack: Pack | None = None,
    platforms: Sequence[str] | None = None,
) -> FastAPI:
    """The web application around an engine. Raises NoPolicy, BadPack.

    ``platforms``: names that may be planned on and may send webhooks; by default those
    the settings switch on.
    """
    if platforms is None:
        platforms = [e.name for e in PLATFORMS.values() if e.is_on(settings)]
    house = House(
        settings=settings,
        engine=engine,
        store=store,
        clock=clock,
        pack=pack if pack is not None else read_pack(),
        platforms=tuple(platforms),
        send_code=send_code,
        send_letter=send_letter,
        provider=provider,
        backups=backups,
        spool_file=spool_file,
        disk=disk,
        practice=practice,
        pretend=pretend,
        tries=Tries(clock),
    )
    web = _with_ways(house)
    shell.put_around(
        web,
        counts=house.counts,
        patience=Patience(clock, BODY_SECONDS),
        base_url=settings.base_url,
        trusted=settings.trusted_proxies,
    )
    return web


def _with_ways(house: House) -> FastAPI:
    """Every route, each with its policy. Raises NoPolicy."""
    web = FastAPI(
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # Nobody reads it here, and asking whether somebody does costs on each request.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    web.state.house = house
    # The webhook first: every route before it would cost time on each event.
    web.router.routes[:0] = [*webhooks.routes, *health.routes]
    web.router.routes.extend(api_routes())
    web.router.routes.append(
        shell.Counted(f"{API}/openapi.json", openapi.describe, methods=["GET"])
    )
    web.router.routes.extend(pages.routes())
    openapi.install(web)
    errors.install(web, pages.error_page)
    access.check_policies(web.routes)
    return web


def api_routes() -> list[BaseRoute]:
    """Everything under ``/api/v1``."""
    parts = (
        people,
        groups,
        planned,
        series,
        readiness,
        live,
        presses,
        record,
        exports,
        notes,
        contacts,
    )
    return [route for part in parts for route in part.router.routes]


def read_pack(name: str = PACK) -> Pack:
    """A checklist of the project. Raises BadPack, OSError."""
    text = (project_root() / "checklists" / name).read_text(encoding="utf-8")
    return parse_pack(text)
