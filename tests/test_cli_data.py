"""The commands about what is kept, as somebody at a terminal meets them."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.config import load_settings
from app.core.record_parts import Named, Signed
from app.crypto import new_key
from app.exports.record_json import read_record, record_json
from app.main import lock_of, open_store
from app.store import notes, people
from tests.privacy.everything import BEN, fill
from tests.store.conftest import NOW, Evening, plan

KEY = new_key()


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    """The settings of a service on this machine, without a platform."""
    found = {
        "CHAPERONE_BASE_URL": "http://localhost:8000",
        "CHAPERONE_SECRET_KEY": KEY,
        "CHAPERONE_DATA_DIR": str(tmp_path / "data"),
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


@pytest.fixture
def full(environ: Mapping[str, str]) -> Evening:
    """After the evening of the Tuesday group, in November 2026."""
    store = open_store(load_settings(environ))
    try:
        with store.unit() as db:
            planned = plan(db, store)
            fill(db, store, planned)
        return planned
    finally:
        store.close()


def run(*words: str) -> Result:
    """One command; its two outputs are apart."""
    return CliRunner().invoke(app, words)


def name(environ: Mapping[str, str], person_id: str) -> str:
    store = open_store(load_settings(environ))
    try:
        with store.unit() as db:
            return people.get(db, store, person_id).name
    finally:
        store.close()


# --- erasing a person ----------------------------------------------------------------


def test_a_person_is_shown_first_and_erased_with_yes(
    environ: Mapping[str, str], full: Evening
) -> None:
    looked = run("erase-person", "--person", full.ben)
    assert looked.exit_code == 0
    assert "      7  log_personal\n" in looked.stdout
    assert "stays: 1 records. Records a worker confirmed stay" in looked.stdout
    assert "Until 2032-11-17." in looked.stdout
    assert looked.stdout.endswith("Nothing is erased yet: add --yes to erase.\n")
    assert name(environ, full.ben) == BEN

    erased = run("erase-person", "--person", full.ben, "--yes")
    assert erased.exit_code == 0
    assert erased.stdout.splitlines()[:-1] == looked.stdout.splitlines()[:-1]
    assert name(environ, full.ben) == ""
    assert BEN not in looked.output + erased.output


def test_nobody_and_somebody_on_hold_are_told_in_a_sentence(
    environ: Mapping[str, str], full: Evening
) -> None:
    nobody = run("erase-person", "--person", "person-none", "--yes")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert nobody.stderr == "No person has the id person-none.\n"

    placed = run("hold", "place", "--person", full.ben, "--reason", "A claim.")
    held = run("erase-person", "--person", full.ben, "--yes")
    assert (held.exit_code, held.stdout) == (1, "")
    assert "on hold" in held.stderr

    listed = run("hold", "list").stdout
    hold_id = placed.stdout.strip()
    assert re.fullmatch(
        rf"{hold_id}  {full.ben}  since \S+, review on \S+  A claim\.\n", listed
    )
    assert run("hold", "lift", hold_id).exit_code == 0
    assert run("hold", "lift", hold_id).exit_code == 1
    assert run("hold", "list").stdout == "Nothing is on hold.\n"
    assert run("erase-person", "--person", full.ben, "--yes").exit_code == 0


def test_a_hold_is_on_one_thing(environ: Mapping[str, str], full: Evening) -> None:
    for words in ((), ("--person", full.ben, "--session", full.session)):
        assert run("hold", "place", *words, "--reason", "A claim.").exit_code == 2
    late = run(
        *("hold", "place", "--session", full.session, "--reason", "A claim."),
        *("--review", "2020-01-01"),
    )
    assert late.exit_code == 1
    assert "later day" in late.stderr


# --- exports --------------------------------------------------------------------------


def test_an_export_is_a_draft_until_somebody_confirmed_it(
    environ: Mapping[str, str],
) -> None:
    store = open_store(load_settings(environ))
    try:
        with store.unit() as db:
            session = plan(db, store).session
        draft = run("export", session)
        assert draft.stderr == "This record is draft, not confirmed.\n"
        assert json.loads(draft.stdout)["standing"] == "draft, not confirmed"

        signed = Signed(version=1, at=NOW, by=Named("person-anna", "Anna"))
        record = replace(
            read_record(draft.stdout.encode()), version=1, attendance_confirmed=signed
        )
        with store.unit() as db:
            notes.freeze(db, store, session, lambda _: record_json(record), "x", NOW)
    finally:
        store.close()

    confirmed = run("export", session)
    assert confirmed.stdout.encode() == record_json(record)
    assert confirmed.stderr == (
        "This record is confirmed 2026-11-17 18:50 UTC by Anna.\n"
    )


@pytest.mark.parametrize("form", ["csv", "pdf"])
def test_a_term_is_exported_into_one_file(
    environ: Mapping[str, str], tmp_path: Path, form: str
) -> None:
    store = open_store(load_settings(environ))
    with store.unit() as db:
        session = plan(db, store).session
    store.close()
    term = ("--from", "2026-09-01", "--to", "2026-12-18", "--format", form)

    written = run("export", *term, "--output", str(tmp_path / "term"))

    assert written.exit_code == 0
    assert written.stderr.startswith("1 of 1 sessions read.\nWritten: ")
    content = (tmp_path / "term").read_bytes()
    assert content.startswith(
        b"%PDF-1." if form == "pdf" else b"\xef\xbb\xbfsession_id"
    )
    assert (tmp_path / "term").stat().st_mode & 0o777 == 0o600
    # One session, or days: the day is that of the session's own zone.
    assert run("export", *term[:2], session).exit_code == 2
    assert run("export").exit_code == 2
    before = run("export", "--from", "2026-01-01", "--to", "2026-11-16")
    assert before.stderr == "There is no session in these days.\n"
    other = run("export", *term, "--group", "group-nobody-knows")
    assert other.stderr == "There is no session in these days.\n"


# --- terms ---------------------------------------------------------------------------


def test_the_terms_are_shown_by_kind_and_date(
    environ: Mapping[str, str], full: Evening
) -> None:
    ahead = run("retention", "--on", "2032-11-17").stdout.splitlines()

    assert ahead[0] == "By the end of 2032-11-17:"
    assert "      1  session notes, the oldest since 2029-11-17" in ahead
    kind = "sessions with attendance, record and log"
    assert f"      1  {kind}, the oldest since 2032-11-17" in ahead

    before = run("retention", "--on", "2032-11-16").stdout.splitlines()
    assert f"      0  {kind}; next on 2032-11-17, 1 in all" in before

    run("hold", "place", "--session", full.session, "--reason", "A claim.")
    held = run("retention", "--on", "2032-11-17").stdout.splitlines()
    assert f"      0  {kind}, 1 more on hold" in held
    assert run("retention").stdout.startswith("Now:\n")


# --- changing the key ----------------------------------------------------------------


def test_the_key_is_changed_step_by_step(
    environ: Mapping[str, str], full: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = new_key()
    monkeypatch.setenv("CHAPERONE_SECRET_KEY", f"{new},{KEY}")
    assert "To mend it: Stop the service, then: chaperone re-encrypt" in (
        run("check").stdout
    )

    changed = run("re-encrypt")
    assert changed.exit_code == 0
    assert "people.details_sealed: 4 of 4\n" in changed.stdout
    assert "values were written anew under key" in changed.stdout
    assert "Nothing lies under" in run("check").stdout

    monkeypatch.setenv("CHAPERONE_SECRET_KEY", new)
    assert name({**environ, "CHAPERONE_SECRET_KEY": new}, full.ben) == BEN
    assert run("re-encrypt").stdout.startswith("0 values were written anew")


def test_what_no_key_opens_is_told(
    environ: Mapping[str, str], full: Evening, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHAPERONE_SECRET_KEY", new_key())
    changed = run("re-encrypt")
    assert changed.exit_code == 1
    assert "closed to every key" in changed.stderr


def test_a_running_service_keeps_its_keys(
    environ: Mapping[str, str], full: Evening
) -> None:
    lock = lock_of(load_settings(environ))
    assert lock is not None
    lock.take()
    try:
        refused = run("re-encrypt")
    finally:
        lock.release()
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("A service runs on this database. Stop it first")
    assert run("re-encrypt").exit_code == 0
