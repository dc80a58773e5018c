"""``chaperone check``: what would keep the service from working, and how to mend it.

Nothing is changed and no mail is sent. Everything outside is reached through `Outside`,
each with one deadline of its own.
"""

import asyncio
from collections.abc import Mapping

from app.checkup.address import address
from app.checkup.company import processes
from app.checkup.finding import Finding, of_settings, told
from app.checkup.keys import keys
from app.checkup.machine import (
    alarm_contacts,
    backups,
    damage,
    disk,
    durable_store,
    mail,
    sign_in,
    spool,
    usable_settings,
)
from app.checkup.outside import Outside, Reached
from app.checkup.platforms import meeting_platforms
from app.clock import Clock
from app.config import Settings
from app.store.database import Store
from integrations.base import Platform

__all__ = ["Finding", "Outside", "Reached", "check", "of_settings", "told"]


async def check(
    settings: Settings,
    store: Store,
    clock: Clock,
    platforms: Mapping[str, Platform],
    outside: Outside | None = None,
) -> list[Finding]:
    """Look at everything, several things at a time; in a fixed order."""
    outside = outside or Outside()
    if damaged := await damage(store):
        return [*await usable_settings(settings), *damaged]
    groups = await asyncio.gather(
        usable_settings(settings),
        durable_store(store),
        disk(settings, store, outside),
        spool(settings),
        backups(settings, clock),
        processes(store),
        keys(store),
        address(settings, clock, outside),
        meeting_platforms(settings, store, clock, platforms, outside),
        alarm_contacts(store),
        mail(settings, outside),
        sign_in(settings, outside),
    )
    return [finding for group in groups for finding in group]
