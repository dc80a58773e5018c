"""A scene's presses, carried out as a worker's: through the JSON API over real HTTP."""

from collections.abc import Awaitable, Callable
from typing import Any

from app.rehearse.plan import Planned
from app.rehearse.stage import Refusal, Stage
from integrations.rehearsal.play import Press
from integrations.rehearsal.world import World

Carry = Callable[[Press], Awaitable[None]]


class Presser:
    """Finds the connection a press is about and sends the press."""

    def __init__(self, stage: Stage, planned: Planned, world: World) -> None:
        self._stage = stage
        self._planned = planned
        self._world = world
        self._removals: dict[str, str] = {}
        self.refused: list[str] = []

    async def __call__(self, press: Press) -> None:
        """Carry it out; what the service does not take is noted in ``refused``."""
        try:
            await self._carry_out(press)
        except Refusal as refusal:
            self.refused.append(f"“{press.what}” was refused: {refusal}")

    async def _carry_out(self, press: Press) -> None:
        by = self._planned.people[press.by]
        about = str(press.arguments.get("about", ""))
        match press.what:
            case "remind" | "warn" | "remove":
                await self._ladder(press, by, about)
            case "give_reason":
                body = {
                    "by": by,
                    "press_id": self._removals[about],
                    "reason": press.arguments["reason"],
                }
                await self._press("reason", body)
            case "hold" | "admit" | "readmit" | "vouch":
                await self._about(press, by, about)
            case "speak_rules":
                heard = [c["key"] for c in await self._roster() if c["room"]]
                await self._press("rules-spoken", {"by": by, "heard": heard})
            case "accept_lead" | "resume" | "closing" | "debrief" | "end" | "close":
                await self._press(press.what.replace("_", "-"), {"by": by})
            case "bind":
                await self._bind(press, by)
            case "save_notes":
                await self._notes(press, by)
            case "confirm_attendance":
                path = f"/sessions/{self._planned.session_id}/attendance/confirm"
                await self._stage.ask("POST", path, {"by": by})
            case other:
                raise Refusal(f"The rehearsal cannot press {other}.")

    async def _press(self, name: str, body: dict[str, Any]) -> Any:
        path = f"/sessions/{self._planned.session_id}/presses/{name}"
        return await self._stage.ask("POST", path, body)

    async def _roster(self) -> list[dict[str, Any]]:
        path = f"/sessions/{self._planned.session_id}/roster"
        roster = await self._stage.ask("GET", path)
        return [p for i in reversed(roster["instances"]) for p in i["people"]]

    async def _connection(self, about: str) -> str:
        """The connection of somebody of the cast: in a room first, then at the door."""
        person_id = self._planned.people.get(about, "")
        everybody = await self._roster()
        shown = {
            c.name
            for c in self._world.in_room(self._planned.meeting_id)
            if c.person.key == about
        }
        theirs = [
            c
            for c in everybody
            if (person_id and c["person_id"] == person_id) or c["shown"] in shown
        ]
        theirs.sort(key=lambda c: (not c["room"], not c["waiting"]))
        if not theirs:
            raise Refusal(f"Chaperone does not know a connection of {about}.")
        return str(theirs[0]["key"])

    async def _ladder(self, press: Press, by: str, about: str) -> None:
        body = {
            "by": by,
            "step": press.what,
            "connection": await self._connection(about),
            "rule": press.arguments.get("rule", 0),
            "reason": press.arguments.get("reason", ""),
            "immediate": press.arguments.get("immediate", False),
        }
        written = await self._press("ladder", body)
        self._removals[about] = written["press_id"]

    async def _about(self, press: Press, by: str, about: str) -> None:
        body = {"by": by, "connection": await self._connection(about)}
        if press.what in ("readmit", "vouch"):
            body["person_id"] = self._planned.people.get(about, "")
        if press.what == "vouch":
            body["how"] = press.arguments.get("how", "Known by voice.")
        await self._press(press.what, body)

    async def _bind(self, press: Press, by: str) -> None:
        self._planned.meeting_id = press.meeting_id
        live = self._world.meeting(press.meeting_id).live
        body = {
            "by": by,
            "meeting_id": str(press.meeting_id),
            "instance": live.uuid if live is not None else "",
        }
        path = f"/sessions/{self._planned.session_id}/bind"
        await self._stage.ask("POST", path, body)

    async def _notes(self, press: Press, by: str) -> None:
        path = f"/sessions/{self._planned.session_id}/notes"
        now = await self._stage.ask("GET", path)
        body = {"text": press.arguments["text"], "version": now["version"], "by": by}
        await self._stage.ask("PUT", path, body)
