"""The commands as somebody at a terminal meets them."""

import json
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from app.bench.program import PARTS
from app.cli import app
from app.clock import SystemClock
from app.config import load_settings, project_root
from app.crypto import new_key
from app.main import lock_of, open_store
from app.store import access_rows, accounts, contacts
from app.web.access import SCOPES
from tests.damage import spoil

KEY = new_key()
TOKENS = ("token", "list")
PROGRAM = "from app.cli import main; main()"


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


def run(*words: str) -> Result:
    """One command; its two outputs are apart."""
    return CliRunner().invoke(app, words)


def commands() -> Iterator[str]:
    """Every command by its full name, as typer knows them."""

    def below(group: Any, name: str) -> Iterator[str]:
        for word, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from below(command, f"{name} {word}")
            else:
                yield f"{name} {word}"

    return below(typer.main.get_command(app), "chaperone")


def test_the_documents_list_every_command_and_no_other() -> None:
    text = (project_root() / "docs" / "commands.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `(chaperone [a-z \-]+)` \|", text, flags=re.MULTILINE)
    assert sorted(told) == sorted(commands())


def test_a_new_key_is_one_the_settings_take() -> None:
    made = run("new-key").stdout.strip()
    environ = {
        "CHAPERONE_BASE_URL": "http://localhost",
        "CHAPERONE_SECRET_KEY": made,
    }
    assert load_settings(environ).keyring().key_ids
    assert run("new-key").stdout.strip() != made


# --- faults --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command", [("serve",), ("token", "list"), ("contact", "list")]
)
def test_every_fault_of_the_settings_is_told_at_once(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BASE_URL", "SECRET_KEY", "DATA_DIR"):
        monkeypatch.delenv(f"CHAPERONE_{name}", raising=False)
    monkeypatch.setenv("CHAPERONE_SMTP_HOST", "mail.charity.example")
    result = run(*command)
    assert result.exit_code == 2
    assert result.stdout == ""
    for name in ("BASE_URL", "SECRET_KEY", "SMTP_FROM"):
        assert f"CHAPERONE_{name}" in result.stderr


def test_a_database_of_another_key_is_told_in_a_sentence(
    environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("person", "add", "Anna").exit_code == 0
    monkeypatch.setenv("CHAPERONE_SECRET_KEY", new_key())
    result = run("sign-in-link", "--person", "Anna")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "another CHAPERONE_SECRET_KEY" in result.stderr


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("no database", "The database is damaged, or is none (file is not a database)"),
        ("folder", "The database cannot be opened (unable to open database file)"),
        ("sessions", "The database is damaged, or is none ("),
        ("contacts", "The database is damaged, or is none ("),
        ("log", "The database is damaged, or is none ("),
    ],
)
def test_a_service_on_a_damaged_database_does_not_start_and_says_why(
    environ: Mapping[str, str], harm: str, said: str
) -> None:
    """In one sentence, with what to do: no traceback, and nothing is written to it."""
    file = Path(environ["CHAPERONE_DATA_DIR"]) / "chaperone.sqlite3"
    if harm == "folder":
        file.mkdir(parents=True)
    else:
        assert run("person", "add", "Anna").exit_code == 0
    if harm == "no database":
        file.write_bytes(b"no database " * 4096)
    elif harm != "folder":
        store = open_store(load_settings(environ))
        spoil(store.engine, harm)
        store.close()
    before = file.read_bytes() if file.is_file() else b""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    result = run("serve", "--port", str(port))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(said)
    assert result.stderr.count("\n") == 1
    assert (file.read_bytes() if file.is_file() else b"") == before
    look = run("check")
    assert (look.exit_code, "Traceback" in look.output) == (1, False)


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(
    environ: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CHAPERONE_DATA_DIR", str(tmp_path / "file" / "data"))
    for command in (("serve",), ("token", "list"), ("check",)):
        result = run(*command)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == (
            f"The data folder {tmp_path}/file/data cannot be used (Not a directory): "
            "give it to the account that Chaperone runs as, or name another in "
            "CHAPERONE_DATA_DIR.\n"
        )


def test_a_folder_of_somebody_else_is_told_in_a_sentence(
    environ: Mapping[str, str],
) -> None:
    """Root may write anywhere, so the program becomes an account that owns nothing."""
    become = "import os; os.geteuid() or os.setuid(65534); "
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o555)
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM.replace("; ", f"; {become}"), *TOKENS],
            env={**environ, "CHAPERONE_DATA_DIR": folder},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"The data folder {folder} cannot be used (Permission denied): give it to the "
        "account that Chaperone runs as, or name another in CHAPERONE_DATA_DIR.\n"
    )


def test_a_second_service_on_one_database_is_sent_away(
    environ: Mapping[str, str],
) -> None:
    lock = lock_of(load_settings(environ))
    assert lock is not None
    lock.take()
    try:
        result = run("serve")
    finally:
        lock.release()
    assert result.exit_code == 1
    assert result.stderr.startswith("Another Chaperone already serves this database.")


def test_a_taken_port_is_told_in_a_sentence(environ: Mapping[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "ddress already in use" in result.stderr


def test_the_service_starts_answers_and_stops(
    environ: Mapping[str, str], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    service = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "serve", "--port", str(port)],
        env={**environ, "PATH": ""},
        cwd=project_root(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert service.stdout is not None
    with service, service.stdout:
        try:
            said = service.stdout.readline()
            assert said == (
                f"Chaperone listens on 127.0.0.1, port {port}, as http://localhost:8000.\n"
            )
            # It listens already: the first answer waits until everything is up.
            with socket.create_connection(("127.0.0.1", port), 30) as line:
                line.sendall(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
                assert line.recv(100).startswith(b"HTTP/1.1 200")
            service.send_signal(signal.SIGTERM)
            assert service.wait(30) == -signal.SIGTERM
        finally:
            service.kill()


# --- people and tokens -----------------------------------------------------------------


def test_the_first_person_gets_a_link_that_works_once(
    environ: Mapping[str, str],
) -> None:
    made = run("person", "add", "Anna Lead", "--email", "anna@charity.example")
    person_id = made.stdout.strip()
    for said in ("anna lead", person_id):
        result = run("sign-in-link", "--person", said, "--role", "administrator")
        assert result.exit_code == 0
        url, secret = result.stdout.strip().rsplit("/", 1)
        assert url == "http://localhost:8000/sign-in"
        assert person_id in result.stderr
        store = open_store(load_settings(environ))
        now = SystemClock().now()
        with store.unit() as db:
            opened = access_rows.sign_in(db, store, secret, now)
            assert opened is not None
            assert opened[0].person_id == person_id
            assert opened[0].role == "administrator"
            assert access_rows.sign_in(db, store, secret, now) is None
        store.close()


def test_the_first_administrator_is_invited_from_the_command_line(
    environ: Mapping[str, str],
) -> None:
    person = run("person", "add", "Ada", "--email", "ada@charity.example")
    roles = ("--role", "session_lead", "--role", "administrator")
    made = run("account", "invite", "--person", "Ada", *roles)
    assert made.exit_code == 0
    url, secret = made.stdout.strip().rsplit("/", 1)
    assert url == "http://localhost:8000/password"
    again = run("account", "invite", "--person", "ada", "--show")
    store = open_store(load_settings(environ))
    now = SystemClock().now()
    try:
        with store.unit() as db:
            assert accounts.link_opens(db, store, secret, now) is None
            found = accounts.link_opens(
                db, store, again.stdout.strip().rsplit("/", 1)[1], now
            )
        assert found is not None
        account, kind = found
        assert (account.email, account.roles, kind) == (
            "ada@charity.example",
            ("session_lead", "administrator"),
            "invite",
        )
        listed = run("account", "list").stdout
        line = (
            f"{account.id}  open  {person.stdout.strip()}: session_lead, administrator"
        )
        assert line in listed
        assert secret not in listed
        last = run("account", "close", account.id)
        assert (last.exit_code, last.stdout) == (1, "")
        assert "the last administrator" in last.stderr
        run("person", "add", "Sam", "--email", "sam@charity.example")
        run("account", "invite", "--person", "Sam")
        sam = run("account", "list").stdout.splitlines()[1].split()[0]
        assert run("account", "close", sam).stdout == f"{sam} is closed.\n"
        assert f"{sam}  closed" in run("account", "list").stdout
        assert run("account", "open", sam).exit_code == 0
        assert f"{sam}  open" in run("account", "list").stdout
    finally:
        store.close()


def test_nobody_is_invited_without_an_address_or_being_a_worker(
    environ: Mapping[str, str],
) -> None:
    run("person", "add", "Pat")
    no_address = run("account", "invite", "--person", "Pat")
    assert (no_address.exit_code, no_address.stdout) == (2, "")
    assert "--email" in no_address.stderr
    nobody = run("account", "invite", "--person", "Eve")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert run("account", "list").stdout == "There are no accounts.\n"
    assert run("account", "close", "account-none").exit_code == 1


def test_a_link_for_nobody_or_for_two_is_not_made(environ: Mapping[str, str]) -> None:
    nobody = run("sign-in-link", "--person", "Eve")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "person add" in nobody.stderr
    ids = [run("person", "add", "Anna").stdout.strip() for _ in range(2)]
    both = run("sign-in-link", "--person", "Anna")
    assert (both.exit_code, both.stdout) == (1, "")
    assert all(person_id in both.stderr for person_id in ids)


def test_a_role_that_does_not_exist_is_a_misuse(environ: Mapping[str, str]) -> None:
    run("person", "add", "Anna")
    for command in (("sign-in-link",), ("account", "invite")):
        result = run(*command, "--person", "Anna", "--role", "boss")
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            "There is no role boss. Choose from: worker, session_lead, "
            "safeguarding_lead, administrator.\n"
        )


def test_what_is_no_mail_address_is_no_persons(environ: Mapping[str, str]) -> None:
    result = run("person", "add", "Anna", "--email", "at the office")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "at the office is no mail address. Give one with --email.\n"
    )
    assert run("person", "add", "Anna", "--email", "anna@charity.example").stdout
    asked = run("account", "invite", "--person", "Anna", "--email", "at the office")
    assert (asked.exit_code, asked.stdout) == (2, "")


def test_an_evening_that_does_not_exist_is_answered_with_those_that_do() -> None:
    result = run("rehearse", "--exit", "--scene", "birthday")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("There is no scene birthday; there are: ")
    assert "quiet_evening" in result.stderr


def test_a_rehearsal_on_a_taken_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("rehearse", "--exit", "--port", str(taken.getsockname()[1]))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "ddress already in use" in result.stderr


def test_a_name_without_letters_is_refused(environ: Mapping[str, str]) -> None:
    result = run("person", "add", " ")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.strip()


def test_a_token_is_shown_once_and_opens_until_revoked(
    environ: Mapping[str, str],
) -> None:
    created = run(
        *("token", "create", "--name", "Reports"),
        *("--scope", "record:read", "--scope", "export:read"),
    )
    secret = created.stdout.strip()
    store = open_store(load_settings(environ))
    try:
        with store.unit() as db:
            token = access_rows.token_of(db, store, secret)
        assert token is not None
        assert token.scopes == ("export:read", "record:read")
        listed = run("token", "list").stdout
        assert token.id in listed
        assert "Reports" in listed
        assert secret not in listed
        assert run("token", "revoke", token.id).exit_code == 0
        assert "revoked" in run("token", "list").stdout
        with store.unit() as db:
            assert access_rows.token_of(db, store, secret) is None
    finally:
        store.close()


def test_a_scope_that_does_not_exist_is_answered_with_those_that_do(
    environ: Mapping[str, str],
) -> None:
    result = run("token", "create", "--name", "x", "--scope", "everything")
    assert (result.exit_code, result.stdout) == (2, "")
    assert all(f"{scope}: {what}" in result.stderr for scope, what in SCOPES.items())
    assert run("token", "revoke", "nobody").exit_code == 1


# --- alarm contacts --------------------------------------------------------------------


def test_a_contact_needs_one_way_to_be_reached(environ: Mapping[str, str]) -> None:
    assert run("contact", "add").exit_code == 2
    both = run(
        "contact", "add", "--mail", "a@b.example", "--webhook", "https://c.example"
    )
    assert both.exit_code == 2
    private = run("contact", "add", "--webhook", "https://10.0.0.1/")
    assert private.exit_code == 1
    assert "not on the public internet" in private.stderr
    assert (
        run("contact", "list").stdout
        == "There are no alarm contacts; two are needed.\n"
    )


def test_a_contact_that_cannot_be_reached_is_not_kept(
    environ: Mapping[str, str],
) -> None:
    result = run("contact", "add", "--mail", "sam@charity.example")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "CHAPERONE_SMTP_HOST" in result.stderr
    assert "no alarm contacts" in run("contact", "list").stdout


def test_a_code_that_comes_back_confirms(environ: Mapping[str, str]) -> None:
    store = open_store(load_settings(environ))
    contact = contacts.Contact(
        channel="mail", address="sam@charity.example", label="Sam"
    )
    try:
        with store.unit() as db:
            made, code = contacts.add(db, store, contact, SystemClock().now())
    finally:
        store.close()
    wrong = run("contact", "confirm", made, "00000000" if code != "00000000" else "1")
    assert wrong.exit_code == 1
    assert "not confirmed" in run("contact", "list").stdout
    right = run("contact", "confirm", made, code)
    assert right.stdout == "Confirmed. 1 of at least 2 contacts are confirmed.\n"
    assert f"{made}  mail  confirmed  Sam" in run("contact", "list").stdout
    again = run("contact", "add", "--mail", "sam@charity.example")
    assert "a contact already" in again.stderr
    assert run("contact", "remove", made).exit_code == 0
    assert run("contact", "remove", made).exit_code == 1


# --- check, export, bench ----------------------------------------------------------------


def test_check_tells_what_is_wrong_and_how_to_mend_it(
    environ: Mapping[str, str],
) -> None:
    result = run("check")
    assert result.exit_code == 1
    assert "FAULT  alarm contacts: 0 of 2 are confirmed" in result.stdout
    assert "To mend it: chaperone contact add --mail ADDRESS" in result.stdout
    found = json.loads(run("check", "--json").stdout)
    assert {one["name"]: one["state"] for one in found} == {
        "settings": "ok",
        "store": "ok",
        "disk": found[2]["state"],
        "second file": "ok",
        "backups": "warn",
        "keys": "ok",
        "name": "ok",
        "certificate": "ok",
        "platform": "fault",
        "alarm contacts": "fault",
        "mail": "warn",
    }


def test_check_lists_the_faults_of_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CHAPERONE_SECRET_KEY", raising=False)
    monkeypatch.setenv("CHAPERONE_BASE_URL", "charity.example")
    result = run("check", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert {(one["name"], one["state"]) for one in found} == {("settings", "fault")}
    assert len(found) == 2


def test_an_export_of_nothing_says_so(environ: Mapping[str, str]) -> None:
    unknown = run("export", "session-nobody-knows")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
    assert "No session has the id session-nobody-knows." in unknown.stderr
    assert run("export", "x", "--format", "clay").exit_code == 2


def test_a_bench_of_nothing_says_what_there_is() -> None:
    result = run("bench", "--only", "luck")
    assert result.exit_code == 2
    assert ", ".join(PARTS) in result.output
