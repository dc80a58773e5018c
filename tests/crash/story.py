"""An evening of a real service that is killed again and again, and what it must show.

Nothing acknowledged is lost; the deadline of a room without a worker stays where it was;
and no end is called more often than the store says it was tried (I1, I11, F11).
"""

import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio
from sqlalchemy import text

from tests.crash.stage import CLIENTS, Stage, on_stage

GRACE = timedelta(seconds=6)
WHOLE_SECONDS = timedelta(seconds=1.1)  # Zoom tells when somebody left, in seconds
PROMPT = timedelta(seconds=15)  # N of the safety-time budget, when all is well
KILLED_STARTING = 0.2
"""So often it dies once more while it starts."""


@dataclass
class Tally:
    """What many evenings came to. `late`: seconds from due, or from the new process's
    first instruction, to the call that ends the room."""

    evenings: int = 0
    kills: int = 0
    acknowledged: int = 0
    calls: int = 0
    tries: int = 0
    late: list[float] = field(default_factory=list)

    def told(self) -> str:
        """One line for people."""
        return (
            f"{self.kills} kills in {self.evenings} evenings: 0 of {self.acknowledged:,} "
            f"acknowledged webhooks lost; {self.calls} end calls, {self.tries} tries in "
            f"the store; the latest end {max(self.late):.2f} s after it was due or the start"
        )


async def play(folder: Path, kills: int, seed: int, tally: Tally | None = None) -> None:
    """One evening with so many kills, and one more in the grace of a lost lead."""
    chance = random.Random(seed)
    tally = tally if tally is not None else Tally()
    async with on_stage(folder, GRACE) as stage:
        service = stage.service
        await service.start()
        stage.world.start_meeting(stage.meeting_id, "anna")
        stage.come(CLIENTS[0])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(come_and_go, stage, random.Random(seed + 1))
            for _ in range(kills):
                await stage.takes_more(3)
                await stage.clock.sleep(chance.uniform(0.0, 0.5))
                await killed_and_back(stage, chance, tally)
            assert stage.runs, "nobody ends a call with a worker in it"
            await the_lead_is_lost(stage, chance, tally)
            tasks.cancel_scope.cancel()
        await check(stage, tally)
    tally.evenings += 1


async def come_and_go(stage: Stage, chance: random.Random) -> None:
    """Webhooks all the time, until cancelled."""
    while stage.runs:
        key = chance.choice(CLIENTS[1:])  # the first one stays
        if stage.is_inside(key):
            stage.world.leave(stage.meeting_id, key)
        else:
            stage.come(key)
        await stage.clock.sleep(0.03)


async def killed_and_back(stage: Stage, chance: random.Random, tally: Tally) -> None:
    """kill -9, and started again; now and then it dies while it starts, too."""
    service = stage.service
    service.kill()
    tally.kills += 1
    if chance.random() < KILLED_STARTING:
        service.spawn()
        await stage.clock.sleep(chance.uniform(0.0, 1.5))
        service.kill()
        tally.kills += 1
    await service.start()


async def the_lead_is_lost(stage: Stage, chance: random.Random, tally: Tally) -> None:
    """Anna goes; the process dies in the grace, or while it ends the call, and comes
    back."""
    service = stage.service
    left_at, started_at = stage.clock.now(), service.started_at
    stage.world.leave(stage.meeting_id, "anna")
    await service.until(
        lambda: stage.was_told_of_leaving("anna"), 5, "the leave is not taken"
    )
    await stage.clock.sleep(chance.uniform(0.0, GRACE.total_seconds() + 0.5))
    await killed_and_back(stage, chance, tally)
    up_at = stage.clock.now()
    await service.until(lambda: not stage.runs, 30, "nobody ended the call")

    called_at = stage.ends()[0].at
    assert called_at >= left_at + GRACE - WHOLE_SECONDS
    assert called_at <= max(left_at + GRACE, up_at) + PROMPT
    if called_at > service.started_at:
        started_at = service.started_at
    due = max(left_at + GRACE, started_at)
    tally.late.append((called_at - due).total_seconds())


async def check(stage: Stage, tally: Tally) -> None:
    """The store, opened again when the process is gone, against what the platform saw."""
    await stage.service.until(
        lambda: stage.end_states() == ["confirmed"], 15, "the end is not proved"
    )
    stage.service.kill()
    acknowledged = stage.acknowledged()
    assert len(acknowledged) > 10
    assert acknowledged <= stage.stored(), "an acknowledged webhook is not in the store"
    assert len(stage.ends()) <= stage.end_tries(), "an end was called and not written"
    with stage.store.engine.connect() as db:
        assert db.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    tally.acknowledged += len(acknowledged)
    tally.calls += len(stage.ends())
    tally.tries += stage.end_tries()
