"""Groups and their ground rules."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import Field
from sqlalchemy import Connection
from starlette.requests import Request

from app.core.plan import GroundRule, GroundRules
from app.store import groups, sessions
from app.store.groups import Group
from app.web.access import Needs
from app.web.api.shapes import (
    API,
    MOST,
    After,
    Entered,
    Id,
    Limit,
    Page,
    StrictRoute,
    Text,
    Version,
    page,
)
from app.web.house import House, house_of

router = APIRouter(prefix=API, route_class=StrictRoute, tags=["groups"])
READ, WRITE = Depends(Needs("groups:read")), Depends(Needs("groups:write"))


class GroupFields(Entered):
    """``leads``: ids of the workers who hold the lead role for this group."""

    name: Text = ""
    under_18: bool = True
    leads: Annotated[list[Id], Field(max_length=100, default_factory=list)]


class NewGroup(GroupFields):
    """A group; its rules are agreed afterwards."""

    name: Text


class NewRule(Entered):
    """One rule in the group's own words."""

    heading: Literal["confidentiality", "respect", "new members", "behaviour"]
    text: Text


class NewRules(Entered):
    """The rules as they are from now on. ``version``: the version you looked at."""

    rules: Annotated[list[NewRule], Field(max_length=100)]
    by: Id
    made_with: Text = ""
    version: Annotated[int, Field(ge=0, le=MOST)] | None = None


@router.get("/groups", dependencies=[READ])
async def list_groups(
    request: Request, after: After = "", limit: Limit = 100
) -> Page[Group]:
    """Every group."""
    house = house_of(request)
    found: list[Group] = await house.store.read(
        lambda db: groups.listed(db, house.store, after=after, limit=limit + 1)
    )
    return page(found, limit, lambda group: group.id)


@router.post("/groups", status_code=201, dependencies=[WRITE])
async def add_group(request: Request, entered: NewGroup) -> Group:
    """Enter a group."""
    house = house_of(request)
    now, fields = house.clock.now(), entered.model_dump()
    group = Group(**{**fields, "leads": tuple(entered.leads)})
    made: Group = await house.store.write(
        lambda db: groups.add(db, house.store, group, now)
    )
    return made


@router.get("/groups/{group_id}", dependencies=[READ])
async def get_group(request: Request, group_id: str) -> Group:
    """One group with its rules."""
    house = house_of(request)
    found: Group = await house.store.read(
        lambda db: groups.get(db, house.store, group_id)
    )
    return found


@router.patch("/groups/{group_id}", dependencies=[WRITE])
async def change_group(request: Request, group_id: str, entered: GroupFields) -> Group:
    """Change the fields that are sent."""
    house, changes = house_of(request), entered.given()
    changed: Group = await house.store.write(
        lambda db: groups.change(db, house.store, group_id, changes)
    )
    await _plans_changed(house, group_id)
    return changed


@router.put("/groups/{group_id}/rules", dependencies=[WRITE])
async def agree_rules(
    request: Request, group_id: str, entered: NewRules
) -> GroundRules:
    """Adopt a new version of the ground rules (guidance T3)."""
    house, now = house_of(request), house_of(request).clock.now()
    rules = [GroundRule(heading=r.heading, text=r.text) for r in entered.rules]
    agreed: GroundRules = await house.store.write(
        lambda db: groups.agree_rules(
            db,
            house.store,
            group_id,
            rules,
            entered.by,
            now,
            made_with=entered.made_with,
            on_version=entered.version,
        )
    )
    await _plans_changed(house, group_id)
    return agreed


@router.get("/groups/{group_id}/rules/{version}", dependencies=[READ])
async def rules_at(request: Request, group_id: str, version: Version) -> GroundRules:
    """The rules as they stood in that version."""
    found: GroundRules = await house_of(request).store.read(
        lambda db: groups.rules_at(db, group_id, version)
    )
    return found


async def _plans_changed(house: House, group_id: str) -> None:
    def open_sessions(db: Connection) -> list[str]:
        return sessions.open_of_group(db, group_id)

    for session_id in await house.store.read(open_sessions):
        await house.engine.plan_changed(session_id)
