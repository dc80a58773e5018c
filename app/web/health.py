"""Is it well? ``/healthz`` for the process, ``/readyz`` for the service, ``/metrics``.

Open to all: nothing but yes, no, counts and plain sentences; never a name or an id.
"""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.engine.contract import EngineStatus
from app.web.access import open_to_all
from app.web.house import House, house_of
from app.web.shell import Counted

CONTACTS_NEEDED = 2


@open_to_all("says only that the process answers")
async def healthz(_request: Request) -> Response:
    """The process answers."""
    return PlainTextResponse("ok\n")


@open_to_all("for load balancers; yes or no for each part, no names")
async def readyz(request: Request) -> Response:
    """200 when everything needed to keep a session safe is there, else 503 and what is not.

    A platform not heard of yet is told, and stops nothing: a new service has heard none.
    """
    house = house_of(request)
    checks: dict[str, bool] = {"store_writable": await _writable(house)}
    problems: list[str] = []
    platforms: dict[str, str | None] = {}
    if checks["store_writable"]:
        status = await house.engine.status()
        checks["engine_awake"] = status.awake
        checks["contacts_confirmed"] = status.contacts_confirmed >= CONTACTS_NEEDED
        problems = list(status.problems)
        platforms = {
            name: _when(status.last_webhook_at.get(name)) for name in house.platforms
        }
    problems += [
        _SAID[name] for name, well in checks.items() if not well and name in _SAID
    ]
    if house.backups is not None:
        # Told, and no reason to send people away from a service that guards.
        trouble = await asyncio.to_thread(house.backups.trouble)
        problems += [trouble] if trouble is not None else []
    if house.disk is not None:
        trouble = await asyncio.to_thread(house.disk.trouble)
        problems += [trouble] if trouble is not None else []
    ready = all(checks.values())
    body = {
        "ready": ready,
        "checks": checks,
        "last_webhook_at": platforms,
        "problems": list(dict.fromkeys(problems)),
    }
    return JSONResponse(body, 200 if ready else 503)


# The engine itself says how many contacts are missing.
_SAID = {
    "store_writable": "The store takes no writes: look at the disk and the database.",
    "engine_awake": "The engine does not run: start the service anew and read its log.",
}


async def _writable(house: House) -> bool:
    def work(db: Connection) -> None:
        db.execute(text("UPDATE periodic SET name = name WHERE name = ''"))

    try:
        await house.store.write(work)
    except SQLAlchemyError:
        return False
    return True


def _when(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


@open_to_all("counts only; for Prometheus")
async def metrics(request: Request) -> Response:
    """Counts in the text format of Prometheus."""
    house = house_of(request)
    registry = CollectorRegistry()
    age = await asyncio.to_thread(house.backups.age) if house.backups else None
    registry.register(_Reading(house, await house.engine.status(), age))
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


class _Reading:
    """One look at all the counts."""

    def __init__(
        self, house: House, status: EngineStatus, backup_age: timedelta | None
    ) -> None:
        self._house = house
        self._status = status
        self._backup_age = backup_age

    def describe(self) -> list[Metric]:
        """Nothing ahead: the counts are read once, when they are asked for."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._gauges()
        yield from self._ages()
        answers = CounterMetricFamily(
            "chaperone_http_answers", "Answers.", labels=["route", "status"]
        )
        for (route, status), count in self._house.counts.answers.items():
            answers.add_metric([route, str(status)], count)
        yield answers
        refused = CounterMetricFamily(
            "chaperone_refused", "What was turned away.", labels=["where", "why"]
        )
        for (where, why), count in self._house.counts.refused.items():
            refused.add_metric([where, why], count)
        refused.add_metric(["engine", "another in charge"], self._status.refused_writes)
        yield refused
        seen = CounterMetricFamily(
            "chaperone_seen", "What the engine counted.", labels=["what"]
        )
        for name, count in self._status.counters.items():
            seen.add_metric([name], count)
        yield seen

    def _gauges(self) -> Iterator[Metric]:
        status: Any = self._status
        for name, says in (
            ("awake", "Whether the engine runs."),
            ("live_sessions", "Sessions with an open room."),
            ("waiting_actions", "Actions wanted and not finished."),
            ("unacknowledged_alarms", "Alarms nobody has taken."),
            ("contacts_confirmed", "Alarm contacts that answered their code."),
            ("shards", "Shards of sessions this process is in charge of, of 64."),
            ("processes", "Processes that serve this database."),
        ):
            yield GaugeMetricFamily(
                f"chaperone_{name}", says, value=float(getattr(status, name))
            )

    def _ages(self) -> Iterator[Metric]:
        ages = GaugeMetricFamily(
            "chaperone_last_webhook_age_seconds",
            "Seconds since the last webhook.",
            labels=["platform"],
        )
        now = self._house.clock.now()
        for platform, at in self._status.last_webhook_at.items():
            if at is not None:
                ages.add_metric([platform], (now - at) / timedelta(seconds=1))
        yield ages
        if self._backup_age is not None:
            yield GaugeMetricFamily(
                "chaperone_last_backup_age_seconds",
                "Seconds since the last backup that was restored on trial.",
                value=self._backup_age / timedelta(seconds=1),
            )


routes = [
    Counted("/healthz", healthz, methods=["GET"]),
    Counted("/readyz", readyz, methods=["GET"]),
    Counted("/metrics", metrics, methods=["GET"]),
]
