"""Groups: who may lead them, and the ground rules they agreed, version by version (T3)."""

from dataclasses import dataclass

from sqlalchemy import Connection
from starlette.responses import Response

from app.core.names import display
from app.core.plan import HEADINGS, GroundRule, GroundRules
from app.store import groups, people, sessions
from app.store.groups import Group
from app.store.refusals import Stale
from app.web.pages.entered import Fields, chosen, ticked
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.people import MOST, may_enter, shown, worker_choices
from app.web.pages.visit import Visit

FORM, RULES = "group", "rules"
ABOUT = {
    "confidentiality": (
        "Confidentiality",
        "What stays in the group, and when a worker must pass something on.",
    ),
    "respect": ("Respect", "How we speak, listen and write to one another."),
    "new members": (
        "New members",
        "How somebody new is introduced, and what they are told first.",
    ),
    "behaviour": (
        "Behaviour",
        "What is not all right here, recordings too, and what follows.",
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One heading of the rules: its field, its words, and the rules under it."""

    field: str
    title: str
    hint: str
    rules: list[str]


def parts_of(rules: GroundRules) -> list[Part]:
    """The four headings with the rules agreed under each."""
    return [
        Part(
            heading.replace(" ", "_"),
            *ABOUT[heading],
            [rule.text for rule in rules.rules if rule.heading == heading],
        )
        for heading in HEADINGS
    ]


async def page(visit: Visit) -> Response:
    """``GET /groups``."""
    store = visit.house.store
    found: list[Group] = await visit.read(
        lambda db: groups.listed(db, store, limit=MOST)
    )
    found.sort(key=lambda group: group.name.casefold())
    return await visit.show("groups.html", found=found, may_enter=may_enter(visit))


async def new(visit: Visit) -> Response:
    """``GET /groups/new``."""
    return await _form(visit, Group(name=""))


async def change_form(visit: Visit) -> Response:
    """``GET /groups/{group_id}/change``."""
    group = await _group(visit)
    return await _form(visit, group)


async def _group(visit: Visit) -> Group:
    group_id, store = visit.request.path_params["group_id"], visit.house.store
    found: Group = await visit.read(lambda db: groups.get(db, store, group_id))
    return found


async def _form(visit: Visit, group: Group) -> Response:
    store = visit.house.store
    workers = await visit.read(
        lambda db: people.listed(db, store, kind="worker", limit=MOST)
    )
    return await visit.show(
        "group_form.html", group=group, workers=worker_choices(workers)
    )


async def group(visit: Visit) -> Response:
    """``GET /groups/{group_id}``, as it stands, or an earlier version of its rules."""
    one, store = await _group(visit), visit.house.store
    wanted = visit.request.query_params.get("version", "")
    version = int(wanted) if wanted.isdecimal() and len(wanted) < 7 else 0
    version = version or one.rules.version

    def look(db: Connection) -> tuple[GroundRules, str, dict[str, str]]:
        rules = groups.rules_at(db, one.id, version) if version else one.rules
        made_with = groups.made_with(db, store, one.id, version) if version else ""
        return rules, made_with, people.named(db, store, one.leads)

    rules, made_with, names = await visit.read(look)
    return await visit.show(
        "group.html",
        group=one,
        parts=parts_of(rules),
        version=version,
        made_with=made_with,
        leads=[(lead, shown(names.get(lead, ""), lead)) for lead in one.leads],
        may_enter=may_enter(visit),
        saved="saved" in visit.request.query_params,
    )


async def add(visit: Visit) -> Response:
    """``POST /groups``."""
    name, leads = visit.text("name", 120), tuple(chosen(visit, "lead_"))
    store = visit.house.store
    entered = Group(name=name, leads=leads, under_18=ticked(visit, "under_18"))
    made: Group = await store.write(
        lambda db: groups.add(db, store, entered, visit.now)
    )
    return visit.go(f"/groups/{made.id}?saved=1")


async def change(visit: Visit) -> Response:
    """``POST /groups/{group_id}/change``."""
    group_id, store = visit.request.path_params["group_id"], visit.house.store
    changes = {
        "name": visit.text("name", 120),
        "under_18": ticked(visit, "under_18"),
        "leads": chosen(visit, "lead_"),
    }
    await store.write(lambda db: groups.change(db, store, group_id, changes))
    await _plans_changed(visit, group_id)
    return visit.go(f"/groups/{group_id}?saved=1")


# --- the rules --------------------------------------------------------------------


async def rules_form(visit: Visit) -> Response:
    """``GET /groups/{group_id}/rules``: the rules to agree anew."""
    one = await _group(visit)
    return await visit.show(
        "group_rules.html",
        group=one,
        name=display(one.name),
        parts=parts_of(one.rules),
        version=one.rules.version,
    )


async def agree(visit: Visit) -> Response:
    """``POST /groups/{group_id}/rules``: a new version, in the group's own words."""
    group_id, store = visit.request.path_params["group_id"], visit.house.store
    fields, rules = Fields(visit, RULES), list[GroundRule]()
    for heading in HEADINGS:
        field = heading.replace(" ", "_")
        lines = [line.strip() for line in fields.text(field).split("\n")]
        found = [GroundRule(heading=heading, text=line) for line in lines if line]
        if not found:
            fields.faults[field] = f"{ABOUT[heading][0]}: enter at least one rule."
        for rule in found:
            if len(rule.text) > groups.LONGEST_RULE:
                most = groups.LONGEST_RULE
                fields.faults[field] = f"A rule has at most {most} characters."
        rules += found
    fields.settle()
    seen = visit.form.get("version", "")
    if not (seen.isdecimal() and len(seen) < 7):
        raise BadForm(400, "The form is not whole. Open the page again.")
    try:
        await store.write(
            lambda db: groups.agree_rules(
                db,
                store,
                group_id,
                rules,
                visit.person_id,
                visit.now,
                made_with=fields.text("made_with"),
                on_version=int(seen),
            )
        )
    except Stale as stale:
        sentence = (
            f"Somebody agreed version {stale.now_version} meanwhile. What you typed is "
            "still here. Look at theirs on the group's page, bring both together, save."
        )
        raise Refusal({"": sentence}, RULES) from stale
    await _plans_changed(visit, group_id)
    return visit.go(f"/groups/{group_id}?saved=1")


async def _plans_changed(visit: Visit, group_id: str) -> None:
    found: list[str] = await visit.read(lambda db: sessions.open_of_group(db, group_id))
    for session_id in found:
        await visit.house.engine.plan_changed(session_id, visit.person_id)
