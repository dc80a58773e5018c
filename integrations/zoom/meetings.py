"""Meetings: read, make or adopt, mend and read back, find those that run."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from app.core.events import MeetingRef
from app.core.facts import MeetingFacts
from app.core.plan import Plan
from integrations.base import (
    CreatedMeeting,
    Mended,
    PermanentFailure,
    PlatformFailure,
    StatusRead,
    TemporaryFailure,
)
from integrations.platform_time import read_time
from integrations.zoom import settings as safe
from integrations.zoom.calls import (
    Call,
    Calls,
    listing,
    meeting_path,
    segment,
    uuid_path,
)
from integrations.zoom.refusals import Refused
from integrations.zoom.scopes import (
    LIST_MEETINGS,
    PAST_MEETING,
    READ_MEETING,
    READ_SETTINGS,
    READ_USER,
    UPDATE_MEETING,
    UPDATE_SETTINGS,
    WRITE_MEETING,
)
from integrations.zoom.story import PLATFORM, as_text
from integrations.zoom.wire import Answer

Json = Mapping[str, Any]
_SECURITY = {"option": "meeting_security"}
_MOST_REMEMBERED = 10_000
_ASIDE = timedelta(seconds=2)
"""For a question on the way to another answer."""


class Meetings:
    """The meetings of one account."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._host = calls.settings.host_user
        self._idle_uuids: dict[str, str] = {}

    async def read(self, meeting_id: str, *, paced: bool = True) -> Answer:
        """GET /meetings/{id}."""
        answer = await self._calls.send(
            Call(
                method="GET",
                path=f"/meetings/{meeting_path(meeting_id)}",
                scope=READ_MEETING,
                paced=paced,
            )
        )
        if answer.said.get("status") == "waiting":
            while len(self._idle_uuids) >= _MOST_REMEMBERED:
                self._idle_uuids.pop(next(iter(self._idle_uuids)))
            self._idle_uuids[meeting_id] = as_text(answer.said.get("uuid"))
        return answer

    def _instance(self, meeting: MeetingRef, uuid: str, another: bool) -> str:
        """The uuid, where it is surely the running occurrence's.

        The answer may as well carry the plan's own uuid. Only one that was not there
        while the meeting waited belongs to the occurrence; a wrong one would make us
        believe that the room we have to end is another. Who knows of no occurrence
        yet is better off with any name than with none.
        """
        idle = self._idle_uuids.get(meeting.meeting_id)
        surely = another or (bool(idle) and idle != uuid)
        return uuid if surely or not meeting.instance else ""

    async def _is_another(self, meeting: MeetingRef, uuid: str) -> bool:
        """Whether what runs under `uuid` is surely not the occurrence that is meant.

        Zoom's answer may carry the plan's name, so a strange name alone proves nothing:
        it has to be a name the meeting did not wait under, or Zoom has to say that the
        one that is meant has ended.
        """
        if not meeting.is_named or not uuid or uuid == meeting.instance:
            return False
        idle = self._idle_uuids.get(meeting.meeting_id)
        if idle and idle != uuid:
            return True
        return await self._is_over(meeting)

    async def _is_over(self, meeting: MeetingRef) -> bool:
        """GET /past_meetings/{uuid}; False where Zoom does not say so."""
        call = Call(
            method="GET",
            path=f"/past_meetings/{uuid_path(meeting.instance)}",
            scope=PAST_MEETING,
            paced=False,
        )
        try:
            async with asyncio.timeout(_ASIDE.total_seconds()):
                said = (await self._calls.send(call)).said
        except (PlatformFailure, TimeoutError):
            return False
        same = as_text(said.get("uuid")) == meeting.instance
        return same and read_time(said.get("end_time")) is not None

    async def runs_as(self, meeting: MeetingRef) -> bool:
        """Whether Zoom says that the meeting runs, and calls it by this very name."""
        said = (await self.read(meeting.meeting_id, paced=False)).said
        name = as_text(said.get("uuid"))
        return said.get("status") == "started" and name == meeting.instance

    async def status(self, meeting: MeetingRef) -> StatusRead:
        """Started or waiting; a meeting Zoom does not know is a failure, not an end."""
        read_at = self._calls.clock.now()
        answer = await self.read(meeting.meeting_id, paced=False)
        status = answer.said.get("status")
        if status not in ("started", "waiting"):
            raise TemporaryFailure("Zoom does not say whether the meeting runs.")
        started = status == "started"
        uuid = as_text(answer.said.get("uuid"))
        another = started and await self._is_another(meeting, uuid)
        return StatusRead(
            read_at=read_at,
            started=started,
            instance=self._instance(meeting, uuid, another) if started else "",
            another=another,
            offset=answer.offset,
        )

    async def facts(self, meeting_id: str) -> MeetingFacts:
        """The effective settings; what we may not read is not known."""
        try:
            meeting = (await self.read(meeting_id)).said
        except Refused as refused:
            if refused.unknown_meeting:
                return MeetingFacts(exists=False)
            raise
        host = as_text(meeting.get("host_id"))
        user, security, profile = await asyncio.gather(
            self._user(host, "/settings", READ_SETTINGS, "MEDIUM"),
            self._user(host, "/settings", READ_SETTINGS, "MEDIUM", _SECURITY),
            self._user(host, "", READ_USER, "LIGHT"),
        )
        return safe.facts(meeting, user, security, profile)

    async def _user(
        self, user: str, part: str, scope: str, label: str, query: Json | None = None
    ) -> Json:
        if not user:
            return {}
        path = f"/users/{segment(user)}{part}"
        try:
            answer = await self._calls.send(
                Call(
                    method="GET", path=path, scope=scope, label=label, query=query or {}
                )
            )
        except Refused:
            return {}  # unknown facts count as unsafe; probe names missing permissions
        return answer.said

    async def mend(self, meeting_id: str, names: Sequence[str]) -> Mended:
        """Write the safe values, read everything back and compare.

        Zoom answers 204 and may keep a setting the account has locked. Raises
        TemporaryFailure; a refused call stands in the outcome.
        """
        meeting, user, security = safe.wishes(names)
        failures: dict[str, str] = {}
        if meeting:
            path = f"/meetings/{meeting_path(meeting_id)}"
            await self._write(path, UPDATE_MEETING, meeting, names, failures)
        if user or security:
            host = as_text((await self.read(meeting_id)).said.get("host_id"))
            path = f"/users/{segment(host)}/settings"
            for body, query in ((user, {}), (security, _SECURITY)):
                if body:
                    await self._write(
                        path, UPDATE_SETTINGS, body, names, failures, query
                    )
        return safe.compare(await self.facts(meeting_id), names, failures)

    async def _write(
        self,
        path: str,
        scope: str,
        body: Json,
        names: Sequence[str],
        failures: dict[str, str],
        query: Json | None = None,
    ) -> None:
        of_meeting = scope == UPDATE_MEETING
        if of_meeting:
            self._calls.changes.take("", reserved=True)
        call = Call(
            method="PATCH",
            path=path,
            scope=scope,
            label="LIGHT" if of_meeting else "MEDIUM",
            query=query or {},
            json=body,
            ok=204,
        )
        try:
            await self._calls.send(call)
        except PermanentFailure as refused:
            said = f"{refused} {refused.fix}".strip()
            place = "meeting" if of_meeting else "host"
            concerned = (name for name in names if safe.lives_with(name) == place)
            failures.update(dict.fromkeys(concerned, said))

    async def create(self, plan: Plan, marker: str) -> CreatedMeeting:
        """Make a meeting with every safety setting, or adopt the one with our marker.

        A lost answer of an earlier try is found by the marker, so that nobody gets a
        second room.
        """
        if not self._host:
            raise PermanentFailure(
                "Chaperone does not know under whom to make meetings.",
                "Set CHAPERONE_ZOOM_HOST_USER to the id or address of a licensed user.",
            )
        found = await self._find(marker)
        if found is not None:
            return found
        host = await self._user(self._host, "", READ_USER, "LIGHT")
        names = {self._host, as_text(host.get("id")), as_text(host.get("email"))}
        body = safe.new_meeting(plan, marker, host_names=names)
        try:
            made = await self._post(body)
        except Refused as refused:
            if not body["settings"].get("alternative_hosts") or refused.status != 400:
                raise
            # One worker who may not host must not cost the session its room; readiness
            # says that there is no second host.
            body["settings"]["alternative_hosts"] = ""
            made = await self._post(body)
        meeting_id = as_text(made.get("id"))
        if not meeting_id:
            raise TemporaryFailure("Zoom's answer holds no meeting.")
        await self._make_sure(meeting_id)
        return CreatedMeeting(
            meeting_id=meeting_id, join_url=as_text(made.get("join_url"))
        )

    async def _post(self, body: Json) -> Json:
        self._calls.changes.take("")
        answer = await self._calls.send(
            Call(
                method="POST",
                path=f"/users/{segment(self._host)}/meetings",
                scope=WRITE_MEETING,
                label="MEDIUM",
                json=body,
                ok=201,
            )
        )
        return answer.said

    async def _make_sure(self, meeting_id: str) -> None:
        """Read the new meeting back and write once more what was dropped."""
        read_back = safe.facts((await self.read(meeting_id)).said, {}, {})
        dropped = safe.compare(read_back, safe.CREATED_SAFE).refused
        if dropped:
            await self.mend(meeting_id, tuple(dropped))

    async def _find(self, marker: str) -> CreatedMeeting | None:
        path = f"/users/{segment(self._host)}/meetings"
        rows, complete, _ = await self._calls.collect(
            listing(path, LIST_MEETINGS, "MEDIUM", {"type": "upcoming"}), "meetings"
        )
        for row in rows:
            if safe.carries(row.get("agenda"), marker) and as_text(row.get("id")):
                return CreatedMeeting(
                    meeting_id=as_text(row.get("id")),
                    join_url=as_text(row.get("join_url")),
                    adopted=True,
                )
        if not complete:
            raise TemporaryFailure("Zoom's list of meetings is not complete.")
        return None

    async def running(self) -> tuple[MeetingRef, ...]:
        """Meetings of the host user that run now; none where no host user is set."""
        if not self._host:
            return ()
        path = f"/users/{segment(self._host)}/meetings"
        rows, _, _ = await self._calls.collect(
            listing(path, LIST_MEETINGS, "MEDIUM", {"type": "live"}), "meetings"
        )
        return tuple(
            MeetingRef(
                platform=PLATFORM,
                meeting_id=meeting_id,
                instance=as_text(row.get("uuid")),
            )
            for row in rows
            if (meeting_id := as_text(row.get("id")))
        )
