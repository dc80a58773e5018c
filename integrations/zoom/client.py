"""Zoom as a platform: everything the house asks of one organisation's account."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.clock import Clock
from app.core.actions import Action
from app.core.events import MeetingRef
from app.core.facts import Hands, MeetingFacts
from app.core.plan import Plan
from integrations.base import (
    BadWebhook,
    CreatedMeeting,
    Delivery,
    IssuedLink,
    Mended,
    PermanentFailure,
    ReportLine,
    RosterRead,
    Scopes,
    StatusRead,
    TemporaryFailure,
)
from integrations.http import AsyncClient
from integrations.zoom import hands as hand_words
from integrations.zoom import rosters, scopes, webhook
from integrations.zoom.account import ZoomSettings
from integrations.zoom.acts import Acts
from integrations.zoom.calls import Calls
from integrations.zoom.meetings import Meetings
from integrations.zoom.registrants import Links
from integrations.zoom.story import PLATFORM

# Zoom asks when a subscription is saved and every three days.
ANSWERS_A_MINUTE = 5


class Zoom:
    """Implements integrations.base.Platform. `http` None: a client of its own."""

    name = PLATFORM
    title = "Zoom"

    def __init__(
        self, settings: ZoomSettings, http: AsyncClient | None, clock: Clock
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._calls = Calls(settings, http, clock)
        self._meetings = Meetings(self._calls)
        self._links = Links(self._calls)
        self._acts = Acts(self._calls, self._meetings, self._links)
        self._has_live_list: bool | None = None
        # The secret that signed last is the one Zoom uses, and checks our answer with.
        self._signer = settings.webhook_secrets[0]
        self._answered_at: list[datetime] = []

    def verify(
        self, headers: Sequence[tuple[bytes, bytes]], body: bytes, now: datetime
    ) -> bool:
        """See webhook.verify."""
        secrets = self._settings.secrets(now)
        late, self._signer = webhook.verify_by(headers, body, secrets=secrets, now=now)
        return late

    def parse(self, body: bytes, now: datetime, *, late: bool = False) -> Delivery:
        """See webhook.parse. Answers so many challenges a minute; then 429 (W29)."""
        delivery = webhook.parse(
            body,
            now,
            secret=self._signer,
            account_id=self._settings.account_id,
            late=late,
        )
        if delivery.answer is not None:
            self._count_answer(now)
        return delivery

    def _count_answer(self, now: datetime) -> None:
        recent = [at for at in self._answered_at if now - at < timedelta(minutes=1)]
        if len(recent) >= ANSWERS_A_MINUTE:
            raise BadWebhook(429, "challenges")
        self._answered_at = [*recent, now]

    def routes(self, action: Action, hands: Hands) -> tuple[str, ...]:
        """See hands.routes; what this process learnt by trying counts as well."""
        if self._acts.can_remove is False:
            hands = replace(hands, remove_one=False)
        return hand_words.routes(action, hands)

    def press_hint(self, press: str) -> str:
        """Where exactly a worker has to press, in Zoom's own words."""
        return hand_words.press_hint(press)

    async def perform(self, action: Action) -> str:
        """See acts.Acts."""
        return await self._acts.perform(action)

    async def read_status(self, meeting: MeetingRef) -> StatusRead:
        """Whether the meeting runs; waits behind no other call."""
        return await self._meetings.status(meeting)

    async def read_roster(self, meeting: MeetingRef) -> RosterRead:
        """Who is there. PermanentFailure: this account has no live list."""
        try:
            read = await self._listed(meeting)
        except PermanentFailure:
            self._has_live_list = False
            raise
        self._has_live_list = True
        return read

    async def _listed(self, meeting: MeetingRef) -> RosterRead:
        try:
            return await rosters.read_roster(self._calls, meeting)
        except rosters.NotListed:
            # The plan's own name, which no list knows: then what runs is what is meant.
            if not (meeting.is_named and await self._meetings.runs_as(meeting)):
                raise
        return await rosters.read_roster(self._calls, replace(meeting, instance=""))

    async def read_facts(self, meeting_id: str) -> MeetingFacts:
        """The effective settings; exists=False for a meeting Zoom does not know."""
        return await self._meetings.facts(meeting_id)

    async def mend(self, meeting_id: str, wishes: Sequence[str]) -> Mended:
        """Make these MeetingFacts fields safe. Those of the host change all of the
        host's meetings (settings.lives_with says which): ask the organisation first."""
        return await self._meetings.mend(meeting_id, wishes)

    async def probe(self, meeting_id: str) -> Hands:
        """Which hands and eyes there are, found out without touching the room.

        Removing somebody cannot be tried without doing it, and the live list of a
        meeting that does not run tells nothing: both stay None until they were used.
        """
        problems: list[str] = []
        meeting = MeetingRef(platform=PLATFORM, meeting_id=meeting_id)
        try:
            await self._meetings.read(meeting_id)
            await self._look(meeting)
        except PermanentFailure as failed:
            problems.append(f"{failed} {failed.fix}".strip())
        return self._hands(problems)

    async def _look(self, meeting: MeetingRef) -> None:
        try:
            await self.read_roster(meeting)
        except TemporaryFailure:
            # Nothing learnt: a meeting that does not run has no live list.
            return

    def _hands(self, problems: list[str]) -> Hands:
        granted = self._calls.access.granted
        links = (scopes.ADD_REGISTRANT, scopes.CHANGE_REGISTRANT)
        chat = self._settings.room_chat
        control = self._granted(scopes.CONTROL_MEETING)
        if granted is not None:
            found = scopes.compare(granted, room_chat=chat)
            problems = [*problems, *scopes.problems(found)]
        if trouble := self._calls.access.problem():
            problems.append(trouble)
        return Hands(
            live_roster=self._has_live_list,
            end_for_all=self._granted(scopes.END_MEETING),
            remove_one=False if control is False else self._acts.can_remove,
            hold_one=False,
            admit_one=False,
            waiting_text=control,
            room_chat=chat and self._granted(scopes.POST_CHAT) is not False,
            links=self._granted(*links),
            problems=tuple(dict.fromkeys(problems)),
        )

    def _granted(self, *names: str) -> bool | None:
        granted = self._calls.access.granted
        return None if granted is None else all(name in granted for name in names)

    async def create_meeting(self, plan: Plan, marker: str) -> CreatedMeeting:
        """Make a safe meeting carrying `marker` (one word), or adopt the one that does."""
        return await self._meetings.create(plan, marker)

    async def issue_link(self, meeting_id: str, alias: str, label: str) -> IssuedLink:
        """See registrants.Links.issue. A new link for the same person wants a new
        `alias`."""
        return await self._links.issue(meeting_id, alias, label)

    async def change_link(
        self, meeting_id: str, registrant_id: str, alias: str, state: str
    ) -> None:
        """See registrants.Links.change. `alias` "" is looked up."""
        await self._links.change(meeting_id, registrant_id, alias, state)

    async def attendance_report(self, meeting: MeetingRef) -> tuple[ReportLine, ...]:
        """See rosters.attendance_report."""
        return await rosters.attendance_report(self._calls, meeting)

    async def missed_webhooks(self, since: datetime) -> tuple[bytes, ...]:
        """See rosters.missed_webhooks; parse the bodies, there is nothing to verify."""
        return await rosters.missed_webhooks(self._calls, self._settings.app_id, since)

    async def live_meetings(self) -> tuple[MeetingRef, ...]:
        """The host user's meetings that run now."""
        return await self._meetings.running()

    async def check_scopes(self) -> Scopes:
        """Ask for a new token and compare what it may do."""
        await self._calls.access.fresh()
        granted = self._calls.access.granted or ()
        return scopes.compare(granted, room_chat=self._settings.room_chat)

    async def close(self) -> None:
        """Close connections."""
        await self._calls.close()
