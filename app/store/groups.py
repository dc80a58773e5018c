"""The charity's groups: who leads them and the ground rules they agreed (guidance T3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.core.plan import HEADINGS, GroundRule, GroundRules
from app.store.database import Store
from app.store.ids import new_id
from app.store.people import has_letters, people, text_faults
from app.store.refusals import Refused, Stale, Unknown
from app.store.tables import GroundRulesRow, GroupRow

groups = GroupRow.__table__  # type: ignore[attr-defined]
ground_rules = GroundRulesRow.__table__  # type: ignore[attr-defined]

LONGEST_RULE = 500
MOST_RULES = 40
NO_RULES = GroundRules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group. ``leads`` are the workers who hold the lead role for it."""

    id: str = ""
    name: str
    under_18: bool = True
    leads: tuple[str, ...] = ()
    rules: GroundRules = NO_RULES
    created_at: datetime | None = None


def add(db: Connection, store: Store, group: Group, now: datetime) -> Group:
    """Store a new group, without rules yet. Raises Refused."""
    made = replace(group, id=new_id("group"), rules=NO_RULES, created_at=now)
    _check(db, made)
    db.execute(
        groups.insert().values(
            id=made.id,
            name_sealed=_seal_name(store, made.id, made.name),
            under_18=made.under_18,
            rules_version=0,
            rules=[],
            leads=list(made.leads),
            created_at=now,
        )
    )
    return made


def change(
    db: Connection, store: Store, group_id: str, changes: Mapping[str, Any]
) -> Group:
    """Change ``name``, ``under_18`` or ``leads``. Raises Unknown, Refused."""
    kept = {k: v for k, v in changes.items() if k in ("name", "under_18", "leads")}
    if "leads" in kept:
        kept["leads"] = tuple(kept["leads"])
    changed = replace(get(db, store, group_id), **kept)
    _check(db, changed)
    db.execute(
        groups.update()
        .where(groups.c.id == group_id)
        .values(
            name_sealed=_seal_name(store, group_id, changed.name),
            under_18=changed.under_18,
            leads=list(changed.leads),
        )
    )
    return changed


def get(db: Connection, store: Store, group_id: str) -> Group:
    """One group. Raises Unknown."""
    row = db.execute(select(groups).where(groups.c.id == group_id)).first()
    if row is None:
        raise Unknown("group", group_id)
    return _group(store, row)


def listed(
    db: Connection, store: Store, *, after: str = "", limit: int = 100
) -> list[Group]:
    """Groups in the order of their ids."""
    rows = db.execute(
        select(groups).where(groups.c.id > after).order_by(groups.c.id).limit(limit)
    )
    return [_group(store, row) for row in rows]


def is_there(db: Connection, group_id: str) -> bool:
    """Whether there is such a group."""
    found = db.execute(select(groups.c.id).where(groups.c.id == group_id))
    return found.first() is not None


def led_by(db: Connection, person_id: str) -> set[str]:
    """Ids of the groups this worker may lead."""
    rows = db.execute(select(groups.c.id, groups.c.leads))
    return {row.id for row in rows if person_id in row.leads}


def agree_rules(
    db: Connection,
    store: Store,
    group_id: str,
    rules: Sequence[GroundRule],
    by: str,
    now: datetime,
    *,
    made_with: str = "",
    on_version: int | None = None,
) -> GroundRules:
    """Adopt a new version of the rules, in the group's own words.

    ``on_version``: the version the author looked at. Raises Unknown, Refused, Stale.
    """
    before = get(db, store, group_id).rules.version
    if on_version is not None and on_version != before:
        raise Stale(before)
    faults = _rule_faults(rules)
    faults |= text_faults({"made_with": made_with}, LONGEST_RULE)
    if faults:
        raise Refused(faults)
    plain = [{"heading": r.heading, "text": r.text.strip()} for r in rules]
    db.execute(
        ground_rules.insert().values(
            group_id=group_id,
            version=before + 1,
            rules=plain,
            made_with_sealed=_seal_made_with(store, group_id, before + 1, made_with),
            adopted_at=now,
            by=by,
        )
    )
    db.execute(
        groups.update()
        .where(groups.c.id == group_id)
        .values(rules=plain, rules_version=before + 1)
    )
    return _rules(before + 1, plain)


def rules_at(db: Connection, group_id: str, version: int) -> GroundRules:
    """The rules as they stood in that version. Raises Unknown."""
    row = db.execute(
        select(ground_rules.c.rules).where(
            ground_rules.c.group_id == group_id, ground_rules.c.version == version
        )
    ).first()
    if row is None:
        raise Unknown("version of the ground rules", f"{group_id}/{version}")
    return _rules(version, row.rules)


def made_with(db: Connection, store: Store, group_id: str, version: int) -> str:
    """With whom that version of the rules was made, as entered. Raises Unknown."""
    row = db.execute(
        select(ground_rules.c.made_with_sealed).where(
            ground_rules.c.group_id == group_id, ground_rules.c.version == version
        )
    ).first()
    if row is None:
        raise Unknown("version of the ground rules", f"{group_id}/{version}")
    if row.made_with_sealed is None:
        return ""
    place = f"ground_rules:made_with:{group_id}:{version}"
    return store.open(row.made_with_sealed, place).decode()


def not_workers(db: Connection, ids: Collection[str]) -> set[str]:
    """Which of these ids are not active workers."""
    found = db.execute(
        select(people.c.id).where(
            people.c.id.in_(list(ids)),
            people.c.kind == "worker",
            people.c.active.is_(True),
        )
    )
    return set(ids) - {row.id for row in found}


def _seal_name(store: Store, group_id: str, name: str) -> bytes:
    return store.seal(name.encode(), f"groups:name:{group_id}")


def _seal_made_with(store: Store, group_id: str, version: int, text: str) -> Any:
    place = f"ground_rules:made_with:{group_id}:{version}"
    return store.seal(text.encode(), place) if text else None


def _check(db: Connection, group: Group) -> None:
    faults = text_faults({"name": group.name}, 120, lines=False)
    if not has_letters(group.name):
        faults["name"] = "Give the group a name."
    if len(set(group.leads)) != len(group.leads):
        faults["leads"] = "Name each lead worker once."
    elif not_workers(db, group.leads):
        faults["leads"] = "Choose lead workers who are on the list of workers."
    if faults:
        raise Refused(faults)


def _rule_faults(rules: Sequence[GroundRule]) -> dict[str, str]:
    if not 0 < len(rules) <= MOST_RULES:
        return {"rules": f"Enter from 1 to {MOST_RULES} rules."}
    for number, rule in enumerate(rules, 1):
        if rule.heading not in HEADINGS:
            headings = ", ".join(HEADINGS)
            return {"rules": f"Rule {number} needs one of these headings: {headings}."}
        if not has_letters(rule.text):
            return {"rules": f"Rule {number} has no words."}
        wrong = text_faults({"rules": rule.text}, LONGEST_RULE)
        if wrong:
            return {"rules": f"Rule {number}: {wrong['rules']}"}
    return {}


def _rules(version: int, plain: Sequence[Mapping[str, str]]) -> GroundRules:
    rules = tuple(GroundRule(heading=r["heading"], text=r["text"]) for r in plain)
    return GroundRules(version=version, rules=rules)


def _group(store: Store, row: Any) -> Group:
    return Group(
        id=row.id,
        name=store.open(row.name_sealed, f"groups:name:{row.id}").decode(),
        under_18=row.under_18,
        leads=tuple(row.leads),
        rules=_rules(row.rules_version, row.rules),
        created_at=row.created_at,
    )
