"""The documents say what is: each list in them is compared with the code, both ways."""

import ast
import importlib
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
import typer
from fastapi import FastAPI
from sqlalchemy import JSON, LargeBinary, String
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString
from starlette.routing import Route

from app import cli
from app.config import settings_table
from app.core.policy import Policy
from app.core.readiness_items.hands import NEWS_IN_TIME, longest_alone
from app.core.rules import RULES
from app.exports import EXPORTS, MEDIA_TYPES
from app.store import tables, tables_privacy
from app.web import health, webhooks
from app.web.access import SCOPES
from app.web.api import openapi
from app.web.app import api_routes
from integrations import PLATFORMS
from tests.tree import PROJECT, ROOT, files, firsts, rows, text, tree

README = text("README.md")


# --- the README ----------------------------------------------------------------------


def test_the_readme_has_one_line_for_each_rule() -> None:
    assert firsts(README, "rule") == [name for name, _ in RULES]


def constants(node: ast.expr) -> set[str]:
    """The texts an expression can be, as far as they stand there."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return {node.value}
    if isinstance(node, ast.IfExp):
        return constants(node.body) | constants(node.orelse)
    return set()


def clauses() -> dict[str, set[str]]:
    """Rule -> the clauses its wishes cite."""
    found: dict[str, set[str]] = {}
    for path in files("app/core/rules", suffix=".py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call):
                given = {one.arg: one.value for one in node.keywords}
                if "rule" in given and "clause" in given:
                    for rule in constants(given["rule"]):
                        cited = constants(given["clause"])
                        found[rule] = found.get(rule, set()) | cited
    return found


def test_the_readme_names_the_clauses_each_rule_cites() -> None:
    said = {row[0].strip("`"): set(row[1].split()) for row in rows(README, "rule")}
    missing = {rule: cited - said[rule] for rule, cited in clauses().items()}
    assert {rule: marks for rule, marks in missing.items() if marks} == {}


def spelt(value: Any) -> str:
    """A number of the policy as the documents write it."""
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        if seconds < 120:
            return f"{seconds} s"
        return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value else "none"


def test_the_numbers_in_the_rules_are_those_of_the_code() -> None:
    """Written as "60 s (`grace`)" or "10 s (`never_alone.HOLD_FIRST`)"."""
    section = README.split("<!-- rules")[1].split("<!-- end of rules")[0]
    found = re.findall(r"(\d+(?: s| min| h)?) \(`([\w.]+)`\)", section)
    assert len(found) == section.count(" (`")
    wrong = {}
    for number, name in found:
        if "." in name:
            module, constant = name.split(".")
            rules = importlib.import_module(f"app.core.rules.{module}")
            value = getattr(rules, constant)
        else:
            value = getattr(Policy(), name)
        if spelt(value) != number:
            wrong[name] = f"{number}, but it is {spelt(value)}"
    assert wrong == {}


def test_the_promise_is_the_one_the_checklist_makes() -> None:
    told = [row[1] for row in rows(README, "when")]
    policy = Policy()
    seen = longest_alone(policy, live_roster=True).total_seconds()
    unseen = longest_alone(policy, live_roster=False).total_seconds()
    in_time = (policy.grace + NEWS_IN_TIME).total_seconds()
    assert [told[0], told[1], told[4], told[5]] == [
        f"{in_time:.0f} s",
        f"{seen:.0f} s",
        f"{in_time:.0f} s",
        f"{unseen:.0f} s, or more",
    ]


def test_every_policy_number_stands_in_the_documents() -> None:
    policy = Policy()
    wanted = [
        [f"`{name}`", spelt(getattr(policy, name))]
        for name in Policy.__dataclass_fields__
    ]
    assert [row[:2] for row in rows(text("docs", "policy.md"), "setting")] == wanted


# --- commands, settings, libraries ---------------------------------------------------


def commands(command: Any, way: str) -> Iterator[str]:
    """Every command that does something, with the words to call it."""
    parts = getattr(command, "commands", None)
    if parts is None:
        yield way
        return
    for name, part in parts.items():
        yield from commands(part, f"{way} {name}")


COMMANDS = sorted(commands(typer.main.get_command(cli.app), "chaperone"))


def test_every_command_stands_in_the_documents() -> None:
    assert sorted(firsts(text("docs", "commands.md"), "command")) == COMMANDS


def test_every_setting_stands_in_the_documents() -> None:
    assert settings_table() in text("docs", "settings.md"), (
        f"docs/settings.md must hold this table:\n{settings_table()}"
    )


def test_every_library_has_its_reason() -> None:
    def bare(requirements: list[str]) -> list[str]:
        return sorted(re.split(r"[\[;<>= ]", line)[0] for line in requirements)

    service, tests = text("docs", "libraries.md").split("## For tests")
    assert firsts(service, "library") == bare(PROJECT["project"]["dependencies"])
    assert firsts(tests, "library") == bare(PROJECT["dependency-groups"]["dev"])


# --- the interface -------------------------------------------------------------------


@cache
def interface() -> dict[str, Any]:
    """The OpenAPI document, without a service around it."""
    web = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    web.router.routes.extend(api_routes())
    openapi.install(web)
    return web.openapi()


def test_every_route_of_the_interface_stands_in_the_documents() -> None:
    written = [
        tuple(cell.strip("`") for cell in row[:2])
        for row in rows(text("docs", "api.md"), "route")
    ]
    served = [
        (f"{method.upper()} {path.removeprefix('/api/v1')}", *operation["x-scopes"])
        for path, operations in interface()["paths"].items()
        for method, operation in operations.items()
    ]
    assert sorted(written) == sorted(served)


def test_every_other_address_for_programs_stands_in_the_documents() -> None:
    served = {"GET /api/v1/openapi.json"} | {
        f"{method} {route.path}"
        for route in (*webhooks.routes, *health.routes)
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert set(firsts(text("docs", "api.md"), "address")) == served


def test_every_scope_stands_in_the_documents() -> None:
    written = {
        row[0].strip("`"): row[1] for row in rows(text("docs", "api.md"), "scope")
    }
    assert written == SCOPES


EXAMPLES = re.findall(
    r"^    (POST|PUT) (/\S+) (\{.*\})$",
    text("docs", "for-administrators.md"),
    flags=re.MULTILINE,
)


@pytest.mark.parametrize(("method", "path", "body"), EXAMPLES)
def test_an_administrators_examples_would_be_taken(
    method: str, path: str, body: str
) -> None:
    document = interface()
    operation = document["paths"][f"/api/v1{path}"][method.lower()]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": document["components"]}
    jsonschema_rs.validator_for(whole).validate(json.loads(body))


def test_an_administrator_is_shown_the_whole_way_to_a_session() -> None:
    assert [path for _, path, _ in EXAMPLES] == [
        "/people",
        "/one-to-ones",
        "/groups",
        "/groups/{group_id}/rules",
        "/sessions",
        "/sessions/{session_id}/prepare",
    ]


# --- what is stored ------------------------------------------------------------------

INVENTORY = text("docs", "data-inventory.md")
# Columns that can hold nothing about a person: numbers of our own and the platform's,
# states, kinds. Anything else that can hold text is about people until shown otherwise.
TECHNICAL = re.compile(
    r"\w+\.(id|ref|key|kind|source|platform|meeting_id|instance|session_id|group_id"
    r"|state|route|mode|why|problem|proof|level|audience)"
    r"|(deliveries|counters)\.(event_type|name)|(periodic|remembered)\.(name|value)"
    r"|contacts\.channel|leases\.(name|owner)"
    r"|outbox\.alarm_id|sessions\.(local_start|local_end|zone|policy|marker)"
    r"|tokens\.scopes"
)
TEXTS = (AutoString, String, JSON, LargeBinary)
# Of these every column is about somebody.
ABOUT_PEOPLE = {"people", "one_to_ones"}
ROUTINE = {"id", "active", "created_at", "updated_at"}


def test_every_table_stands_in_the_inventory() -> None:
    known = SQLModel.metadata.tables
    assert {
        tables.PersonRow.__tablename__,
        tables_privacy.HoldRow.__tablename__,
    } <= set(known)
    assert sorted(firsts(INVENTORY, "table")) == sorted(SQLModel.metadata.tables)


def test_every_table_has_class_term_and_reason() -> None:
    gaps = [
        row[0]
        for row in rows(INVENTORY, "table")
        if row[1] not in {"C1", "C2", "C3", "C4", "secret"}
        or not row[2]
        or not row[3]
        or (not row[4] and row[1] != "C1")
    ]
    assert gaps == []


def test_every_column_about_people_stands_in_the_inventory() -> None:
    wanted = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if (
            isinstance(column.type, TEXTS)
            and not TECHNICAL.fullmatch(f"{table.name}.{column.name}")
        )
        or (table.name in ABOUT_PEOPLE and column.name not in ROUTINE)
    }
    written = firsts(INVENTORY, "column")
    assert sorted(written) == sorted(wanted)


def test_what_is_said_to_be_sealed_is_what_is_sealed() -> None:
    said = {
        row[0].strip("`") for row in rows(INVENTORY, "column") if row[2] == "sealed"
    }
    is_so = {
        f"{table.name}.{column.name}"
        for table in SQLModel.metadata.tables.values()
        for column in table.columns
        if column.name.endswith("_sealed")
    }
    assert said == is_so


# --- doors ---------------------------------------------------------------------------


def test_every_export_stands_in_the_documents() -> None:
    assert firsts(text("CONTRIBUTING.md"), "export") == list(EXPORTS)
    assert set(MEDIA_TYPES) == set(EXPORTS)


def test_every_platform_tells_its_administrator_what_to_tick() -> None:
    for name in PLATFORMS:
        assert (ROOT / "integrations" / name / "README.md").is_file()
        assert f"integrations/{name}/README.md" in README
        assert f"{name}/README.md" in text("docs", "for-administrators.md")


def test_the_changelog_tells_of_everything_people_can_see() -> None:
    told = text("CHANGELOG.md")
    seen = [
        *(way.removeprefix("chaperone ") for way in COMMANDS),
        *EXPORTS,
        *(entry.title for entry in PLATFORMS.values()),
        "/api/v1",
        "/readyz",
        "make rehearse",
    ]
    assert [one for one in seen if one not in told] == []


# --- words and ways ------------------------------------------------------------------


def test_links_between_documents_lead_somewhere() -> None:
    broken = {
        f"{path.relative_to(ROOT)}: {target}"
        for path in files(suffix=".md")
        for target in re.findall(r"\]\(([^)#]+)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    }
    assert broken == set()


def test_files_named_in_documents_are_there() -> None:
    tops = "app|integrations|tests|docs|checklists|templates|static|requirements"
    named = re.compile(rf"`((?:{tops})/[\w./-]*)`")
    lost = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files(suffix=".md")
        for name in named.findall(path.read_text(encoding="utf-8"))
        if not (ROOT / name).exists()
    }
    assert lost == set()


MARKS = re.compile(
    r"\b(?:I\d{1,2}[a-c]?|[BEHRX]\d|[ST]\d0?|U\d{1,2}|A\d{1,2}|00[1-4]\.\d{1,2})\b"
)
FAMILIES = re.compile(r"\b[WNKSDLP]\d\d\b")


def test_every_mark_in_use_is_explained() -> None:
    explained = set(MARKS.findall(text("docs", "marks.md")))
    used = {
        mark
        for path in [
            *files("app/core", suffix=".py"),
            *files("checklists", suffix=".toml"),
        ]
        for mark in MARKS.findall(path.read_text(encoding="utf-8"))
        if not FAMILIES.fullmatch(mark)
    }
    assert sorted(used - explained) == []


def test_decisions_are_short_and_of_one_form() -> None:
    heads = ["Context", "Decision", "Consequences", "Not chosen"]
    odd = {
        path.name
        for path in files("docs/decisions", suffix=".md")
        if re.findall(r"^\*\*(.+?)\.\*\*", path.read_text(), re.MULTILINE) != heads
        or len(path.read_text().splitlines()) > 30
        or not path.read_text().startswith(f"# {int(path.name[:4])}. ")
    }
    assert odd == set()
