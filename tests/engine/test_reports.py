"""The platform's report after the meeting, when little or nothing was heard of it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.clock import ManualClock
from app.core.attendance import attendance
from app.engine.upkeep import Upkeep
from integrations.base import ReportLine
from tests.engine.room import evening, seat

pytestmark = pytest.mark.anyio


async def test_an_evening_without_webhooks_is_told_by_the_report(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        tonight.webhooks = False
        tonight.platform.names_occurrences = False
        await tonight.join("anna", "sam")
        tonight.room.inside["U-ben"] = replace(seat("ben"), registrant_id="")
        came = clock.now()
        await tonight.wait(90)
        tonight.room.started = False
        tonight.room.inside.clear()
        left = clock.now()
        await tonight.wait(60)
        line = ReportLine(seat=seat("ben"), joined_at=came, left_at=left)
        earlier = timedelta(minutes=20)
        tonight.platform.report = (
            line,
            replace(
                line,
                seat=seat("chloe"),
                joined_at=came - earlier,
                left_at=left - earlier,
            ),
        )
        clock.advance(timedelta(minutes=5))

        await Upkeep(tonight.footing, tonight.engine).reports()

        assert tonight.platform.reported == [replace(tonight.ref, instance="")]
        lines = attendance(await tonight.state(), clock.now())
        present = {line.person_id: line for line in lines if line.spans}
        ben = present[tonight.people["ben"]]
        assert (ben.joined_at, ben.left_at) == (came, left)
        assert tonight.people["chloe"] not in present
