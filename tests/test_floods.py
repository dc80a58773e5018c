"""The flood and the storm of the bench: forged is refused, and each part bites."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.bench import bodies, floods
from app.bench.forgers import DISTINCT, forged
from app.clock import SystemClock
from app.core.events import ParticipantJoined
from integrations.base import BadWebhook
from integrations.zoom import webhook

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 17, 19, 0, tzinfo=UTC)


def test_the_forged_are_well_formed_and_wrongly_signed() -> None:
    requests = forged(8000)
    assert len(set(requests)) == DISTINCT
    head, body = requests[0].split(b"\r\n\r\n", 1)
    lines = [line.split(b": ", 1) for line in head.split(b"\r\n")[1:]]
    headers = [(name, value) for name, value in lines]
    with pytest.raises(BadWebhook) as refused:
        webhook.verify(headers, body, secrets=(bodies.SECRET,), now=SystemClock().now())
    assert refused.value.status == 401


def test_a_stranger_comes_without_link_or_account() -> None:
    body = bodies.stranger(0, 7, "Anna", NOW)
    told = webhook.parse(
        body, NOW, secret=bodies.SECRET, account_id=bodies.ACCOUNT, late=False
    )
    [fact] = told.events
    assert isinstance(fact, ParticipantJoined)
    assert (fact.seat.name, fact.seat.registrant_id) == ("Anna", "")


@pytest.mark.long
async def test_a_short_flood_does_not_reach_the_valid(tmp_path: Path) -> None:
    figures = await floods.flood(tmp_path, 0.3, SystemClock())
    assert figures[1].goal == 1000
    assert "forged" in figures[1].note


@pytest.mark.long
async def test_a_small_storm_is_decided_on(tmp_path: Path) -> None:
    figures = {one.name: one for one in await floods.storm(tmp_path, SystemClock(), 20)}
    assert figures["20 joins: decided after the last"].goal == 5
    assert figures["20 joins: alarms"].met
