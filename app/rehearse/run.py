"""Play the evenings one after another, judge every promise, leave the pages up."""

import asyncio
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from app import logs
from app.clock import SystemClock
from app.rehearse import show
from app.rehearse.pace import FAST, keep_pace
from app.rehearse.plan import Planned, enter_group, enter_people, enter_session
from app.rehearse.press import Presser
from app.rehearse.stage import Refusal, Stage, on_stage
from app.rehearse.verdict import Evening, judged
from integrations.rehearsal.play import Played, play
from integrations.rehearsal.scene import Scene, load, world_of
from integrations.rehearsal.zoom_server import ZoomServer

MAIN_SCENES = ("quiet_evening", "lost_lead")
OUT = Path("rehearsal-out")


def rehearse(
    exit_after: bool = False,
    scenes: Sequence[str] = (),
    port: int | None = None,
    *,
    policy: Mapping[str, Any] | None = None,
    out: Path = OUT,
) -> int:
    """Play scenes and judge them; 0 when every promise was kept, 1 when one broke.

    ``policy``: what these evenings do differently from the default policy (durations in
    seconds); a test breaks the guards with it.
    """
    logs.set_up("error")
    out.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="store-", dir=out)).resolve()
    plan = (scenes or MAIN_SCENES, port, dict(policy or {}), out, folder)
    try:
        return asyncio.run(_rehearse(exit_after, *plan))
    except KeyboardInterrupt:
        return 0


async def _rehearse(
    exit_after: bool,
    names: Sequence[str],
    port: int | None,
    policy: dict[str, Any],
    out: Path,
    folder: Path,
) -> int:
    chosen = [load(name) for name in names]
    start = SystemClock().now().replace(microsecond=0)
    broken: list[str] = []
    async with on_stage(folder, start, FAST, port) as stage:
        known = Planned()
        for number, scene in enumerate(chosen):
            broken += await _evening(stage, scene, known, number, policy, out)
        show.conclusion(broken)
        stage.clock.speed = 1.0
        if not exit_after:
            await _leave_up(stage, known)
    return 1 if broken else 0


async def _evening(
    stage: Stage,
    scene: Scene,
    known: Planned,
    number: int,
    policy: dict[str, Any],
    out: Path,
) -> list[str]:
    """One scene from planning to record; returns the promises that broke."""
    show.title(scene)
    world = world_of(scene, stage.clock, seed=number + 1)
    server = ZoomServer(
        world, stage.clock, webhook_url=f"{stage.base_url}/webhooks/zoom"
    )
    stage.play_zoom(server)
    stage.clock.speed = FAST / 6
    await enter_people(stage, scene, known)
    await enter_group(stage, scene, known)
    begins = stage.clock.now() + timedelta(seconds=30)
    await enter_session(stage, scene, known, begins, policy)
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
    refused: list[str] = []
    played: Played | None = None
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
    except Refusal as refusal:
        refused.append(f"{scene.title}: a press was refused: {refusal}")
    finally:
        for task in around:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    stage.clock.speed = FAST / 6
    await teller.tell()
    if played is None:
        return refused
    evening = await _seen(stage, known, played, card["verdict"], rung_before)
    return await _judge(evening, out)


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
