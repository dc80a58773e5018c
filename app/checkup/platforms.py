"""The meeting platforms: events coming in, calls going out, permissions, clocks."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import Connection

from app.checkup.finding import Finding, failed
from app.checkup.outside import Outside, Reached
from app.clock import Clock
from app.config import Settings
from app.store import log
from app.store.database import Store
from integrations.base import Platform, PlatformFailure
from integrations.http import HTTPError

WEBHOOKS_WITHIN = timedelta(days=7)
CLOCK_WITHIN = timedelta(seconds=2)


async def meeting_platforms(
    settings: Settings,
    store: Store,
    clock: Clock,
    platforms: Mapping[str, Platform],
    outside: Outside,
) -> list[Finding]:
    """Each platform that is set up: events, reach, clock, permissions, account."""
    if not platforms:
        return [
            Finding(
                "platform",
                "fault",
                "No meeting platform is set up.",
                "Set CHAPERONE_ZOOM_ACCOUNT_ID, _CLIENT_ID, _CLIENT_SECRET and "
                "_WEBHOOK_SECRET (docs/settings.md).",
            )
        ]
    found: list[Finding] = []
    for name, platform in platforms.items():
        found.append(await _webhooks(store, clock, name, platform.title))
        found += await _answers(clock, name, platform.title, settings, outside)
        permissions = await _scopes(name, platform)
        found.append(permissions)
        if permissions.state != "fault":
            found.append(await _host(settings, name, platform))
    return found


async def _webhooks(store: Store, clock: Clock, name: str, title: str) -> Finding:
    def work(db: Connection) -> tuple[datetime | None, list[str]]:
        refused = f"refused:{name}:"
        counters = [n for n in log.counted(db) if n.startswith(refused)]
        return log.last_delivery(db, name), [n.removeprefix(refused) for n in counters]

    last, refusals = await store.read(work)
    what, fix = (
        f"{name}: webhooks",
        f"In {title}'s app, see that the event subscription",
    )
    fix += f" is on and its address is .../webhooks/{name}."
    if last is None:
        sentence = f"{title} has not sent an event yet."
        if "sig_wrong" in refusals:
            sentence = f"Events come in {title}'s name, but none with the right secret."
            fix = "Copy the secret token of the app's event subscription again."
        return Finding(what, "warn", sentence, fix)
    age = clock.now() - last
    if age > WEBHOOKS_WITHIN:
        return Finding(
            what, "warn", f"The last event of {title} came {age.days} days ago.", fix
        )
    return Finding(what, "ok", f"The last event came at {last:%Y-%m-%d %H:%M} UTC.")


async def _answers(
    clock: Clock, name: str, title: str, settings: Settings, outside: Outside
) -> list[Finding]:
    url = getattr(settings, f"{name}_api_url")
    host = urlsplit(url).hostname
    try:
        reached = await outside.reach(url, clock)
    except (HTTPError, OSError) as problem:
        return [
            Finding(
                f"{name}: reachable",
                "fault",
                f"{host} cannot be reached from here ({type(problem).__name__}).",
                f"See that the firewall lets this machine out to {host}, port 443.",
            )
        ]
    found = [Finding(f"{name}: reachable", "ok", f"{host} answers.")]
    if reached.date is not None:
        found.append(_clock(name, title, reached, reached.date))
    return found


def _clock(name: str, title: str, reached: Reached, date: datetime) -> Finding:
    # The header has whole seconds, and was written between asking and answering.
    middle = date + timedelta(milliseconds=500)
    if middle < reached.asked_at:
        off = reached.asked_at - middle
    else:
        off = max(middle - reached.answered_at, timedelta())
    if off > CLOCK_WITHIN:
        return Finding(
            f"{name}: clock",
            "warn",
            f"This machine's clock and {title}'s are {off.total_seconds():.1f} s apart.",
            "Switch time synchronisation on (timedatectl set-ntp true).",
        )
    return Finding(f"{name}: clock", "ok", "Both clocks agree within 2 s.")


async def _scopes(name: str, platform: Platform) -> Finding:
    what = f"{name}: permissions"
    try:
        scopes = await platform.check_scopes()
    except PlatformFailure as failure:
        return failed(what, failure)
    if scopes.missing:
        return Finding(
            what,
            "fault",
            f"Not given: {', '.join(scopes.missing)}.",
            f"Add them to {platform.title}'s app, and activate it again.",
        )
    if scopes.optional_missing:
        return Finding(
            what,
            "warn",
            f"All that is needed; not given, and useful: "
            f"{', '.join(scopes.optional_missing)}.",
            f"Add them to {platform.title}'s app if your plan has them.",
        )
    return Finding(what, "ok", "Every permission is given.")


async def _host(settings: Settings, name: str, platform: Platform) -> Finding:
    what = f"{name}: host"
    if not getattr(settings, f"{name}_host_user"):
        return Finding(
            what,
            "warn",
            "It is not said under whom meetings are made, so they are made by hand.",
            f"Set CHAPERONE_{name.upper()}_HOST_USER to a licensed user.",
        )
    try:
        live = await platform.live_meetings()
    except PlatformFailure as failure:
        return failed(what, failure)
    return Finding(what, "ok", f"The host's meetings can be read; {len(live)} run now.")
