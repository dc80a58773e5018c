"""Is all well? What /readyz answers, in words, each problem with its fix.

For whoever looks after the service. Nothing about anybody's sessions or clients is read.
"""

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from starlette.responses import Response

from app.store import policies, queue
from app.web import health
from app.web.house import Backups, Disk
from app.web.pages.visit import CONTACTS_NEEDED, Visit
from app.web.words import Tag, length
from integrations import PLATFORMS

WELL = Tag("good", "✓", "Well")
LOOK = Tag("wait", "●", "Look at this")
BROKEN = Tag("bad", "✕", "To mend")
# What /readyz says of its own checks, which have lines of their own here.
OWN_LINES = ("The store takes no writes", "The engine does not run", "alarm contacts")


@dataclass(frozen=True, slots=True)
class Line:
    """One part of the service. ``link`` leads to the page that mends it, "" for none."""

    title: str
    tag: Tag
    sentence: str
    fix: str = ""
    link: str = ""
    button: str = ""


async def page(visit: Visit) -> Response:
    """``GET /settings``."""
    answer = await health.readyz(visit.request)
    said: dict[str, Any] = json.loads(bytes(answer.body))
    version, contacts = await visit.read(lambda db: _look(db, visit))
    backups = visit.house.backups
    trouble = await asyncio.to_thread(backups.trouble) if backups else None
    lines = [
        *_checks(said["checks"], contacts),
        *_problems([one for one in said["problems"] if one != trouble]),
        *_platforms(visit, said["last_webhook_at"]),
        _mail(visit),
        *await _keeping(visit),
        *_rest(visit),
    ]
    if not visit.may("CONNECT_PLATFORMS"):
        lines = [line for line in lines if not line.link.startswith(ADMINISTRATORS)]
    return await visit.show(
        "office_state.html",
        ready=said["ready"],
        lines=lines,
        version=version,
        bad=sum(line.tag is BROKEN for line in lines),
        look=sum(line.tag is LOOK for line in lines),
    )


ADMINISTRATORS = ("/settings/mail", "/settings/platforms")


def _look(db: Connection, visit: Visit) -> tuple[policies.Version, int]:
    newest = policies.newest(db, visit.house.store)
    return newest, queue.confirmed_contacts(db)


def _checks(checks: Mapping[str, bool], contacts: int) -> Iterator[Line]:
    yield Line(
        "Storage",
        WELL if checks["store_writable"] else BROKEN,
        "What happens is kept."
        if checks["store_writable"]
        else "Nothing can be written down: sessions are guarded from memory for a while.",
        ""
        if checks["store_writable"]
        else "Look at the disk (is it full?) and at the database, then restart.",
    )
    if "engine_awake" not in checks:
        return
    awake = checks["engine_awake"]
    yield Line(
        "The guard",
        WELL if awake else BROKEN,
        "It is awake." if awake else "It does not run.",
        "" if awake else "Start the service anew and read its log.",
    )
    done = checks["contacts_confirmed"]
    yield Line(
        "Alarm contacts",
        WELL if done else BROKEN,
        f"{contacts} of {CONTACTS_NEEDED} needed are confirmed."
        if not done
        else f"{contacts} are confirmed.",
        "" if done else "Enter two people; each gives back the code they were sent.",
        "/contacts",
        "Enter and confirm them" if not done else "See them",
    )


def _problems(problems: list[str]) -> Iterator[Line]:
    for sentence in problems:
        if any(words in sentence for words in OWN_LINES):
            continue
        yield Line(
            "Something else",
            BROKEN,
            sentence,
            "The log of the service says more; “chaperone check” says how to mend it.",
        )


def _platforms(visit: Visit, heard: Mapping[str, str | None]) -> Iterator[Line]:
    for entry in PLATFORMS.values():
        link, button = f"/settings/platforms/{entry.name}", f"Connect {entry.title}"
        if entry.name not in visit.house.platforms:
            sentence, fix = "It is not connected.", "Follow the guide, step by step."
            yield Line(entry.title, LOOK, sentence, fix, link, button)
            continue
        last = heard.get(entry.name)
        if last is None:
            sentence = "It is switched on, and no event has come yet."
            fix = "Open the guide: it says what to look at, and tests the permissions."
            yield Line(entry.title, LOOK, sentence, fix, link, button)
            continue
        at = visit.zone.when(datetime.fromisoformat(last), visit.now)
        yield Line(
            entry.title, WELL, f"The last event came: {at}.", "", link, "Test it"
        )


def _mail(visit: Visit) -> Line:
    link, button = "/settings/mail", "Test the mail"
    if visit.house.send_letter is None:
        fix = "Set CHAPERONE_SMTP_HOST and CHAPERONE_SMTP_FROM, and restart."
        return Line("Mail", LOOK, "No mail server is set.", fix, link, button)
    return Line("Mail", WELL, "A mail server is set.", "", link, button)


async def _keeping(visit: Visit) -> list[Line]:
    """Backups, disk and the second file, in the words of ``chaperone check``."""
    house = visit.house
    lines = [await _backups(house.backups)]
    if house.disk is not None:
        lines.append(await _disk(house.disk))
    if house.spool_file is not None:
        why = await asyncio.to_thread(house.spool_file.trouble)
        fix = "Give its folder to the account that Chaperone runs as."
        lines.append(
            Line("Second file", BROKEN, why, fix)
            if why
            else Line("Second file", WELL, "It takes what the storage does not.")
        )
    return lines


async def _disk(disk: Disk) -> Line:
    trouble = await asyncio.to_thread(disk.trouble)
    if trouble is not None:
        fix = "Make room on the machine: a full disk takes no more records."
        return Line("Disk", BROKEN, trouble, fix)
    free = await asyncio.to_thread(disk.least)
    return Line("Disk", WELL, f"{free / 10**9:.0f} GB are free.")


async def _backups(backups: Backups | None) -> Line:
    if backups is None:
        fix = "Set CHAPERONE_BACKUP_FOLDER, or see that something else copies it all."
        return Line("Backups", LOOK, "This service makes none by itself.", fix)
    trouble = await asyncio.to_thread(backups.trouble)
    if trouble is not None:
        fix = "Run “chaperone backup” on the machine: it says what is wrong."
        return Line("Backups", BROKEN, trouble, fix)
    age = await asyncio.to_thread(backups.age)
    if age is None:
        return Line("Backups", LOOK, "The first is being made.", "Look again soon.")
    sentence = f"The last good one is {length(age)} old, and was restored on trial."
    return Line("Backups", WELL, sentence)


def _rest(visit: Visit) -> Iterator[Line]:
    if visit.house.settings.allow_test_hosts:
        yield Line(
            "Test mode",
            BROKEN,
            "Platform addresses may point at test servers.",
            "Take CHAPERONE_ALLOW_TEST_HOSTS away before any real session.",
        )
