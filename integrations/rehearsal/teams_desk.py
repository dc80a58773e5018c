"""What the simulated Teams knows beside the World, and how it tells the bot of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from integrations.rehearsal import teams_bodies as bodies
from integrations.rehearsal.rooms import Connection, Happening, Json, Kind, Meeting
from integrations.rehearsal.settings import merged
from integrations.rehearsal.teams_courier import Letter, TeamsCourier
from integrations.rehearsal.teams_keys import (
    ACTIVITIES,
    CALLBACKS,
    NOTIFICATIONS,
    seal,
)
from integrations.rehearsal.teams_tenant import TeamsMeeting, Tenant, new_id, stamp
from integrations.rehearsal.world import World

LEFT = "Participant has left the meeting call."
INACTIVE = "Participant has entered an inactive state in the roster."
REMOVED = {"reason": "Removed from roster"}
REMIND_BEFORE = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` None is an empty answer; `headers` are added to the ordinary ones."""

    status: int
    body: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)


class GraphError(Exception):
    """A refusal, in Graph's own form."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        error = {"code": code, "message": message, "innerError": {}}
        self.answer = Answer(status, {"error": error}, headers or {})


@dataclass(frozen=True, slots=True)
class Ask:
    """One call: the unquoted parts of its path, its query, body and headers."""

    parts: tuple[str, ...]
    query: dict[str, str]
    body: Json
    headers: dict[str, str]
    version: str
    now: datetime


Handler = Callable[["Desk", Ask], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """`pattern` is matched against the whole path behind host and version."""

    method: str
    pattern: str
    permission: str
    run: Handler
    ghost: int = 0
    """The status a call without effect is answered with; 0 = it never is."""


@dataclass(slots=True, eq=False)
class BotCall:
    """One leg of the calling bot."""

    id: str
    my_id: str
    meeting: TeamsMeeting
    asked: Json
    kept_at: datetime
    in_lobby: bool = False
    over: bool = False
    sequence: int = 0
    shown: dict[str, Json] = field(default_factory=dict)
    had_people: bool = False

    @property
    def path(self) -> str:
        return f"/communications/calls/{self.id}"

    @property
    def wants_delta(self) -> bool:
        return bool((self.asked.get("callOptions") or {}).get("isDeltaRosterEnabled"))


@dataclass(slots=True)
class Subscription:
    id: str
    asked: Json
    meeting: TeamsMeeting
    expires_at: datetime


class Desk:
    """Hears the World; keeps meetings, calls and subscriptions of the tenant."""

    def __init__(self, world: World, tenant: Tenant, courier: TeamsCourier) -> None:
        self.world = world
        self.tenant = tenant
        self.courier = courier
        self.meetings: dict[int, TeamsMeeting] = {}
        self.calls: dict[str, BotCall] = {}
        self.subscriptions: dict[str, Subscription] = {}
        self.activity_url = ""
        self.speaks_pascal = False
        self._numbers = 0

    # What is there ---------------------------------------------------------------

    def of(self, meeting: Meeting) -> TeamsMeeting:
        """Teams' side of a meeting of the World; made at the first look."""
        found = self.meetings.get(meeting.id)
        if found is None:
            found = self.meetings[meeting.id] = TeamsMeeting(meeting, self.tenant)
            for key in meeting.alternative_hosts():
                person = self.world.user(key)
                if person is not None:
                    found.attendees.append(found.invited(person, "coorganizer"))
            lobby = found.settings["lobbyBypassSettings"]
            lobby["scope"] = (
                "organizer" if meeting.settings["waiting_room"] else "everyone"
            )
            meeting.settings = merged(meeting.settings, found.world_settings())
        return found

    def all_meetings(self) -> list[TeamsMeeting]:
        known = [each for each in self.world.meetings.values() if not each.deleted]
        return [self.of(each) for each in known]

    def number(self) -> int:
        """Ids of what is made here, in order."""
        self._numbers += 1
        return self._numbers

    def rows(self, call: BotCall) -> list[Json]:
        """The roster as this leg sees it: in the lobby the bot sees only itself."""
        me = bodies.bot_row(self.tenant, call.my_id, in_lobby=call.in_lobby)
        if call.in_lobby:
            return [me]
        people = bodies.roster(call.meeting.meeting.live)
        return [me, *(bodies.row_of(each, self.tenant) for each in people)]

    # What the bot is told --------------------------------------------------------

    def hear(self, happening: Happening) -> None:
        """Listener of the World."""
        meeting, at = self.of(happening.meeting), happening.at
        if happening.kind is Kind.MEETING_UPDATED:
            self._follow_portal(meeting, happening.detail)
        if happening.kind in (Kind.STARTED, Kind.ENDED):
            self._tell_edge(meeting, at, end=happening.kind is Kind.ENDED)
        if happening.connection is not None:
            self._tell_move(meeting, happening.kind, happening.connection, at)
        for call in self.calls.values():
            if call.meeting is meeting and not call.over:
                self.tell_roster(call, at)

    def _follow_portal(self, meeting: TeamsMeeting, detail: Json) -> None:
        """A waiting room switched off in the World is a lobby open to everyone."""
        new = (detail.get("new") or {}).get("settings") or {}
        if "waiting_room" in new and not detail.get("by_graph"):
            scope = "organizer" if new["waiting_room"] else "everyone"
            meeting.settings["lobbyBypassSettings"]["scope"] = scope

    def _tell_edge(self, meeting: TeamsMeeting, at: datetime, *, end: bool) -> None:
        self._notify(meeting, "callEnded" if end else "callStarted", at)
        number = self.number()
        body = bodies.meeting_activity(
            meeting, number, end, at, documented=number % 2 == 0
        )
        self._act(meeting, body, at)
        if end:
            for call in self.calls.values():
                if call.meeting is meeting and not call.over:
                    self._leave_alone(call)

    def _leave_alone(self, call: BotCall) -> None:
        def end() -> None:
            if not call.over and call.meeting.meeting.live is None:
                message = "Call ended: nobody else is there."
                self.end_call(call, bodies.result(200, 5010, message))

        self.world.later(self.tenant.alone_after, end)

    def _tell_move(
        self, meeting: TeamsMeeting, kind: Kind, connection: Connection, at: datetime
    ) -> None:
        came = (Kind.JOINED, Kind.ENTERED_WAITING_ROOM, Kind.PUT_IN_WAITING_ROOM)
        gone = (Kind.LEFT, Kind.LEFT_WAITING_ROOM, Kind.ENTERED_BREAKOUT)
        back = kind is Kind.LEFT_BREAKOUT and connection.where == "main"
        if kind in came or back:
            person = bodies.event_person(connection, self.tenant)
            self._notify(meeting, "rosterUpdated", at, person)
            if connection.is_in_room and self.tenant.hears_joins:
                self._act_person(meeting, connection, at, in_=True)
        elif kind in gone and connection.where not in ("main", "waiting room"):
            lost = "disconnected" in connection.leave_reason
            why = INACTIVE if lost else LEFT
            person = bodies.event_person(connection, self.tenant, why)
            self._notify(meeting, "rosterUpdated", at, person)
            if self.tenant.hears_joins and kind is not Kind.LEFT_WAITING_ROOM:
                self._act_person(meeting, connection, at, in_=False)

    def _act_person(
        self, meeting: TeamsMeeting, who: Connection, at: datetime, *, in_: bool
    ) -> None:
        body = bodies.people_activity(meeting, self.number(), who, at, in_=in_)
        self._act(meeting, body, at)

    def _act(self, meeting: TeamsMeeting, body: Json, at: datetime) -> None:
        """Activities reach only a bot that is installed in the meeting's chat."""
        if meeting.installed:
            url, name = self.activity_url, str(body["name"]).strip()
            self.courier.take(Letter(at, ACTIVITIES, url, name, body))

    def _notify(
        self, meeting: TeamsMeeting, kind: str, at: datetime, *people: Json
    ) -> None:
        for each in self.subscriptions.values():
            if each.meeting is not meeting or each.expires_at <= at:
                continue
            id = new_id("event", self.world.seed, self.number())
            event: object = bodies.call_event(
                each.asked["resource"], id, kind, at, people
            )
            item = self._item(each, id)
            if self.speaks_pascal:
                event = bodies.pascal(event)
            asked = each.asked
            item["encryptedContent"] = seal(
                event,  # type: ignore[arg-type]
                asked["encryptionCertificate"],
                asked["encryptionCertificateId"],
            )
            url = asked["notificationUrl"]
            self.courier.take(Letter(at, NOTIFICATIONS, url, kind, {"value": [item]}))

    def _item(self, subscription: Subscription, id: str) -> Json:
        tenant, asked = self.tenant.tenant_id, subscription.asked
        return {
            "subscriptionId": subscription.id,
            "clientState": asked.get("clientState"),
            "changeType": "updated",
            "tenantId": tenant,
            "resource": asked["resource"],
            "subscriptionExpirationDateTime": stamp(subscription.expires_at),
            "resourceData": {
                "@odata.id": asked["resource"],
                "@odata.type": "#microsoft.graph.callevent",
                "id": id,
            },
            "organizationId": tenant,
        }

    def remind(self, subscription: Subscription) -> None:
        """Plan `reauthorizationRequired` for a quarter of an hour before the end."""
        ends, url = (
            subscription.expires_at,
            subscription.asked.get("lifecycleNotificationUrl"),
        )

        def send() -> None:
            held = self.subscriptions.get(subscription.id)
            if held is not subscription or held.expires_at != ends or not url:
                return
            item = {
                "subscriptionId": held.id,
                "subscriptionExpirationDateTime": stamp(ends),
                "tenantId": self.tenant.tenant_id,
                "clientState": held.asked.get("clientState"),
                "lifecycleEvent": "reauthorizationRequired",
            }
            name, now = "reauthorizationRequired", self.world.now
            self.courier.take(Letter(now, NOTIFICATIONS, url, name, {"value": [item]}))

        wait = ends - REMIND_BEFORE - self.world.now
        self.world.later(max(wait, timedelta()), send)

    def tell_call(self, call: BotCall, state: str, result: Json | None = None) -> None:
        """A callback about the state of the bot's own leg."""
        data: Json = {"@odata.type": bodies.GRAPH + "call", "state": state}
        if result is not None:
            data["resultInfo"] = result
        else:
            chat, info = call.asked.get("chatInfo"), call.asked.get("meetingInfo")
            data |= {"chatInfo": chat, "meetingInfo": info, "id": call.id}
        change = "deleted" if state == "terminated" else "updated"
        self.tell(call, call.path, data, state, change)

    def tell_roster(self, call: BotCall, at: datetime | None = None) -> None:
        """The whole roster, or what changed since the last callback."""
        rows = self.rows(call)
        now_shown = {row["id"]: row for row in rows}
        before, call.shown = call.shown, now_shown
        if before == now_shown:
            return
        path = call.path + "/participants"
        if not call.wants_delta or call.in_lobby:
            self.tell(call, path, rows, "participants", at=at)
            return
        call.sequence += 1
        news = [row for row in rows if before.get(row["id"]) != row]
        gone = [
            {**row, "removedState": REMOVED}
            for id, row in before.items()
            if id not in now_shown
        ]
        resource = f"/app/calls/{call.id}/participants"
        data = bodies.delta(news + gone, call.sequence)
        self.tell(call, path, data, "participants", at=at, resource=resource)

    def tell(
        self,
        call: BotCall,
        path: str,
        data: object,
        event: str,
        change: str = "updated",
        at: datetime | None = None,
        **more: object,
    ) -> None:
        """One callback to the address the join named."""
        url = str(call.asked["callbackUri"])
        body = bodies.callback(url, path, data, change, **more)
        self.courier.take(Letter(at or self.world.now, CALLBACKS, url, event, body))

    def end_call(self, call: BotCall, result: Json) -> None:
        """Only the bot's own leg ends; everybody else goes on."""
        call.over = True
        self.tell_call(call, "terminated", result)
