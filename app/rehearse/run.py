"""Play the evenings one after another, judge every promise, leave the pages up."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from app import logs
from app.clock import SystemClock
from app.core.rules import RULES
from app.rehearse import show
from app.rehearse.pace import FAST, keep_pace
from app.rehearse.plan import Planned, enter_group, enter_people, enter_session
from app.rehearse.press import Presser
from app.rehearse.stage import Refusal, Stage, on_stage
from app.rehearse.verdict import Evening, judged
from integrations.rehearsal.play import Played, play
from integrations.rehearsal.scene import Scene, load, world_of
from integrations.rehearsal.servers import server_for

MAIN_SCENES = ("quiet_evening", "lost_lead")
OUT = Path("rehearsal-out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What to play. ``policy`` and ``without`` (names of rules) are for tests that take
    a guard away and expect a promise to break."""

    scenes: Sequence[str] = MAIN_SCENES
    port: int | None = None
    out: Path = OUT
    exit_after: bool = False
    policy: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()
    platform: str = "zoom"


def rehearse(
    exit_after: bool = False,
    scenes: Sequence[str] = (),
    port: int | None = None,
    *,
    out: Path = OUT,
) -> int:
    """Play scenes and judge them; 0 when every promise was kept, 1 when one broke."""
    logs.set_up("error")
    chosen = Rehearsal(
        scenes=scenes or MAIN_SCENES, port=port, out=out, exit_after=exit_after
    )
    try:
        return 1 if asyncio.run(play_all(chosen)) else 0
    except KeyboardInterrupt:
        return 0


async def play_all(rehearsal: Rehearsal) -> list[str]:
    """Play every scene; returns the sentences of the promises that broke."""
    chosen = [load(name) for name in rehearsal.scenes]
    folder = _new_folder(rehearsal.out)
    start = SystemClock().now().replace(microsecond=0)
    rules = [(name, rule) for name, rule in RULES if name not in rehearsal.without]
    broken: list[str] = []
    async with on_stage(folder, start, FAST, rehearsal.port, rules) as stage:
        known = Planned()
        for number, scene in enumerate(chosen):
            broken += await _evening(stage, scene, known, number, rehearsal)
        show.conclusion(broken)
        stage.clock.speed = 1.0
        if not rehearsal.exit_after:
            await _leave_up(stage, known)
    return broken


def _new_folder(out: Path) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="store-", dir=out)).resolve()


async def _evening(
    stage: Stage,
    scene: Scene,
    known: Planned,
    number: int,
    rehearsal: Rehearsal,
) -> list[str]:
    """One scene from planning to record; returns the promises that broke."""
    show.title(scene)
    world = world_of(scene, stage.clock, seed=number + 1)
    server = server_for(rehearsal.platform, world, stage.clock, stage.base_url)
    stage.perform(server)
    stage.clock.speed = FAST / 6
    await enter_people(stage, scene, known)
    await enter_group(stage, scene, known)
    begins = stage.clock.now() + timedelta(seconds=30)
    await enter_session(stage, scene, known, begins, dict(rehearsal.policy))
    card = await stage.ask("GET", f"/sessions/{known.session_id}/readiness")
    show.readiness(card)
    presser = Presser(stage, known, world)
    teller = show.Teller(stage, known, world)
    around = [
        asyncio.create_task(server.run()),
        asyncio.create_task(keep_pace(scene, world, stage.clock, begins, known)),
        asyncio.create_task(teller.run()),
    ]
    rung_before = len(stage.phone.rung)
    try:
        played = await play(
            scene,
            world,
            stage.clock,
            presser,
            meeting_id=known.meeting_id,
            links=known.links,
            began_at=begins,
        )
        await stage.clock.sleep(10)
    finally:
        for task in around:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    stage.clock.speed = FAST / 6
    await teller.tell()
    evening = await _seen(stage, known, played, card["verdict"], rung_before)
    broken = await _judge(evening, rehearsal.out)
    return [*broken, *(f"{scene.title}: press: {said}" for said in presser.refused)]


async def _seen(
    stage: Stage, known: Planned, played: Played, verdict: str, rung_before: int
) -> Evening:
    known.meeting_id = known.meeting_id or played.meeting_id
    return Evening(
        stage,
        known,
        played,
        await stage.service.engine.state(known.session_id),
        verdict,
        await stage.ask("GET", f"/sessions/{known.session_id}/record"),
        stage.phone.rung[rung_before:],
    )


async def _judge(evening: Evening, out: Path) -> list[str]:
    scene, broken = evening.played.scene, []
    show.attendance_table(evening)
    show.files(await _write_record(evening, out))
    show.promises()
    for promise in scene.promises:
        finding = judged(promise, evening)
        show.promise(finding)
        if not finding.kept:
            broken.append(f"{scene.title}: {promise.check}: {finding.sentence}")
    return broken


async def _write_record(evening: Evening, out: Path) -> list[Path]:
    """The record as a case system would take it, beside the database."""
    written = []
    for kind in ("csv", "json"):
        answer = await evening.stage.api.get(
            f"/api/v1/sessions/{evening.planned.session_id}/exports/{kind}"
        )
        if answer.status_code != 200:
            raise Refusal(f"export {kind}: {answer.status_code} {answer.text}")
        path = out / f"{evening.played.scene.name}.{kind}"
        path.write_bytes(answer.content)
        written.append(path)
    return written


async def _leave_up(stage: Stage, known: Planned) -> None:
    lead = known.people.get("anna") or next(iter(known.people.values()))
    show.sign_in(stage.sign_in_link(lead))
    sys.stdout.flush()
    await asyncio.Event().wait()
