"""An evening on the shipped service with the rehearsal's Zoom, for browsers to walk in.

What people do in the call they do in its World; everything else is pressed on pages.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page

from app.rehearse.stage import Stage, on_stage
from integrations.rehearsal.people import Person
from integrations.rehearsal.world import World
from integrations.rehearsal.zoom_server import ZoomServer

EVENING = datetime(2026, 11, 17, 18, 50, tzinfo=UTC)
SPEED = 4.0
WITHIN = 10_000
CAST = (
    Person("anna", "Anna", "anna.price@charity.example", "zoom-anna", True),
    Person("sam", "Sam", "sam@charity.example", "zoom-sam", True),
    Person("ben", "Ben"),
    Person("chloe", "Chloe"),
)
RULES = (
    ("confidentiality", "What is said here stays here."),
    ("respect", "One person talks at a time."),
    ("new members", "We say hello to new people."),
    ("behaviour", "No screenshots."),
)


@dataclass
class Story:
    """The stage, who is known to Chaperone, and the truth of the room."""

    stage: Stage
    world: World
    people: dict[str, str]
    session: str = ""
    meeting: int = 0

    async def window(self, chromium: Browser, name: str, size: dict[str, int]) -> Page:
        """This worker's window, signed in; every wait in it has an end."""
        context: BrowserContext = await chromium.new_context(
            viewport={**size},  # type: ignore[arg-type]
            reduced_motion="reduce",
            accept_downloads=True,
        )
        page = await context.new_page()
        page.set_default_timeout(WITHIN)
        await page.goto(self.stage.sign_in_link(self.people[name]))
        await page.get_by_role("button", name="Sign in").click()
        await page.wait_for_url(f"{self.stage.base_url}/")
        return page

    async def everybody_comes(self) -> None:
        """The workers by their accounts, the young people by their own links."""
        links = await self.stage.ask("GET", f"/sessions/{self.session}/links")
        keys = {person_id: key for key, person_id in self.people.items()}
        self.world.start_meeting(self.meeting, "anna")
        self.world.arrive(self.meeting, "sam")
        for link in links["items"]:
            who = keys[link["person_id"]]
            if who in ("ben", "chloe"):
                self.world.arrive(self.meeting, who, link=link["url"])
        self.world.admit_everyone(self.meeting)


async def entered(stage: Stage) -> dict[str, str]:
    """The people, their one-to-ones, and the group with its rules, as from last year."""
    ids: dict[str, str] = {}
    for person in CAST:
        fields: dict[str, object] = {"name": person.name, "kind": "worker"}
        if person.in_account:
            fields |= {
                "email": person.email,
                "platform_user_id": person.zoom_user_id,
            }
        else:
            fields |= {
                "kind": "client",
                "contact": "A parent",
                "referrer": "The school",
                "known_to": ids["anna"],
                "consent_to_take_part": True,
                "age_years": 15,
            }
        made = await stage.ask("POST", "/people", fields)
        ids[person.key] = made["id"]
        if not person.in_account:
            talk = {
                "client_id": made["id"],
                "worker_id": ids["anna"],
                "held_on": "2026-11-03",
            }
            await stage.ask("POST", "/one-to-ones", talk)
    group = await stage.ask("POST", "/groups", {"name": "Tuesday group"})
    rules = [{"heading": h, "text": t} for h, t in RULES]
    body = {"rules": rules, "by": ids["anna"]}
    await stage.ask("PUT", f"/groups/{group['id']}/rules", body)
    await stage.ask("PATCH", f"/groups/{group['id']}", {"leads": [ids["anna"]]})
    return ids


@asynccontextmanager
async def story_on(folder: Path) -> AsyncIterator[Story]:
    async with on_stage(folder, EVENING, SPEED) as stage:
        world = World(stage.clock, stage.account)
        for person in CAST:
            world.add_person(person)
        hook = f"{stage.base_url}/webhooks/zoom"
        server = ZoomServer(world, stage.clock, webhook_url=hook)
        stage.perform(server)
        running = asyncio.create_task(server.run())
        try:
            yield Story(stage, world, await entered(stage))
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
