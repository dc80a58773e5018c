"""Start and stop the processes of a bench; read what the system says of them."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench import bodies
from app.bench.figures import plain
from app.clock import Clock
from app.crypto import new_key

START_WITHIN = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")


class BenchFailed(Exception):
    """A part of the bench did not work; the message is a sentence."""


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(folder: Path, port: int, platform: str) -> dict[str, str]:
    """The environment of a service on a fresh database, as it ships."""
    return {
        "CHAPERONE_BASE_URL": f"http://127.0.0.1:{port}",
        "CHAPERONE_SECRET_KEY": new_key(),
        "CHAPERONE_DATA_DIR": str(folder),
        "CHAPERONE_LOG_LEVEL": "error",
        "CHAPERONE_ALLOW_TEST_HOSTS": "1",
        "CHAPERONE_ZOOM_ACCOUNT_ID": bodies.ACCOUNT,
        "CHAPERONE_ZOOM_CLIENT_ID": "bench-client",
        "CHAPERONE_ZOOM_CLIENT_SECRET": "bench-secret",
        "CHAPERONE_ZOOM_WEBHOOK_SECRET": bodies.SECRET,
        "CHAPERONE_ZOOM_API_URL": f"{platform}/v2",
        "CHAPERONE_ZOOM_OAUTH_URL": f"{platform}/oauth/token",
    }


class Part:
    """One process of the bench: ``python -m app.bench.<module>`` with one JSON argument;
    or ``words``, as ``chaperone`` takes them."""

    def __init__(
        self,
        module: str,
        given: object,
        environ: Mapping[str, str] | None = None,
        *,
        words: Sequence[str] = (),
    ) -> None:
        clean = {k: v for k, v in os.environ.items() if not k.startswith("CHAPERONE_")}
        asked = ["-m", f"app.bench.{module}", plain(given)]
        if words:
            asked = ["-c", "from app.cli import main; main()", *words]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, *asked],
            env={**clean, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if words else subprocess.PIPE,
            text=True,
        )

    def tell(self, value: object) -> None:
        """One line of JSON to the process."""
        if self._process.stdin is None:
            raise BenchFailed("A part of the bench takes no words.")
        self._process.stdin.write(plain(value) + "\n")
        self._process.stdin.flush()

    def heard(self) -> Any:
        """Its next line. Raises BenchFailed when it ended instead."""
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise BenchFailed("A part of the bench ended before it was done.")
        return json.loads(line)

    async def answers(self, port: int, clock: Clock) -> None:
        """Wait until it listens. Raises BenchFailed."""
        until = clock.monotonic() + START_WITHIN
        while clock.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
            except OSError:
                await clock.sleep(0.05)
            else:
                return
        raise BenchFailed("A server of the bench did not start.")

    def cpu_seconds(self) -> float:
        """Processor time used so far (proc(5), utime and stime)."""
        stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Resident memory now (proc(5), VmRSS)."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(row for row in status.splitlines() if row.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """End it, and wait."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
