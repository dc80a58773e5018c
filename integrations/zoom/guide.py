"""Connecting an organisation's Zoom account, step by step, and the proof that it works.

The steps say in Zoom's words what README.md of this folder says in ours. What only reads
is tried out; what changes something is believed from the list Zoom gives with each access
token: trying it would touch a meeting.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from app.clock import Clock
from integrations import PlatformSettings
from integrations.base import (
    GuideStep,
    PermanentFailure,
    PlatformFailure,
    Proof,
    ProofState,
    Tick,
)
from integrations.http import AsyncClient
from integrations.zoom import scopes
from integrations.zoom.build import account_of
from integrations.zoom.calls import Call, Calls, segment

# Event names as the app's page groups them (developers.zoom.us/docs/api/webhooks/).
EVENTS: Mapping[str, str] = {
    "Meeting: start, end, create, update, delete": "when a room opens and closes",
    "Meeting: participant joined, left, waiting room, breakout rooms": (
        "who is there and at the door"
    ),
    "Meeting: join before host, role changed": "whether a worker holds the host rights",
    "Meeting: sharing, registration, live streaming": "what must not happen unseen",
    "Meeting: alert, risk alert": "what Zoom itself finds wrong",
    "Recording: started, stopped, paused, resumed": "recording without a reason",
}
_UNSEEN = "Chaperone cannot see it: look yourself"
LOCKED: Mapping[str, str] = {
    "Waiting room: on, everyone waits": "nobody walks in",
    "Only host and co-hosts admit": "no young person lets anybody in",
    "Private chat, file transfer, annotation: off": "no unseen messages",
    "Remote control, recording by participants: off": "nobody takes something home",
    "Allow participants to rename themselves: as you decide": _UNSEEN,
    "Allow removed participants to rejoin: off": _UNSEEN,
}
_READS = {
    scopes.LIST_MEETINGS: ("/meetings", {"type": "live", "page_size": "30"}),
    scopes.READ_SETTINGS: ("/settings", {}),
    scopes.READ_USER: ("", {}),
}


APP = GuideStep(
    title="Make an app in your Zoom account",
    words=(
        "At marketplace.zoom.us, signed in as an administrator of your account, choose "
        "Develop, then Build App, then Server-to-Server OAuth App. Give it a name your "
        "colleagues will know.",
        "The page App Credentials shows three values. They go into these settings of "
        "the service.",
    ),
    settings=("zoom_account_id", "zoom_client_id", "zoom_client_secret"),
)
HOST = GuideStep(
    title="Name a host",
    words=(
        "Meetings are made under one Licensed user of your account; personal links need "
        "the licence. Their sign-in address goes into the setting.",
    ),
    settings=("zoom_host_user",),
)
ACCOUNT = GuideStep(
    title="Set and lock the account's own settings",
    words=(
        "Under Account Management, Account Settings, set each of these and press the "
        "padlock beside it, so that no host changes it.",
    ),
    ticks=tuple(Tick(name=name, purpose=why) for name, why in LOCKED.items()),
)
SUPPORT = GuideStep(
    title="Ask Zoom's support for two more, if you like",
    words=(
        "“participant.remove” from Developer Support lets Chaperone put a stranger out "
        "by itself; without it a worker is told what to press.",
        "The Dashboard API (Business plan) shows who is in the room; without it "
        "Chaperone hears only what events tell, and promises less.",
    ),
)


def _permissions(useful: Mapping[str, str]) -> GuideStep:
    return GuideStep(
        title="Tick the permissions",
        words=(
            "On the page Scopes press Add Scopes and tick each of these, by the name in "
            "small letters. Some can be left out; then Chaperone promises less, and "
            "says so.",
            "Zoom takes permissions away without a word when whoever made the app loses "
            "a role. The test on this page can be pressed at any time.",
        ),
        ticks=(
            *(Tick(name=name, purpose=why) for name, why in scopes.NEEDED.items()),
            *(
                Tick(name=name, purpose=why, optional=True)
                for name, why in useful.items()
            ),
        ),
    )


def _events(address: str) -> GuideStep:
    return GuideStep(
        title="Send the events here",
        words=(
            "On the page Feature switch Event Subscriptions on, add one with this "
            "address, and tick the events below. The Secret Token on the same page goes "
            "into the setting.",
            "Restart the service with the token before you press Validate: the answer "
            "needs it. Save the subscription before you activate the app.",
        ),
        copy=(address,),
        ticks=tuple(Tick(name=name, purpose=why) for name, why in EVENTS.items()),
        settings=("zoom_webhook_secret",),
    )


class ZoomGuide:
    """Implements integrations.base.Guide. `http` None: a client for each test."""

    def __init__(
        self, settings: PlatformSettings, clock: Clock, http: AsyncClient | None
    ) -> None:
        self._settings, self._clock, self._http = settings, clock, http

    def steps(self, base_url: str) -> Sequence[GuideStep]:
        """From nothing to events coming in."""
        address = f"{base_url.rstrip('/')}/webhooks/zoom"
        return (
            APP,
            _permissions(self._useful()),
            _events(address),
            HOST,
            ACCOUNT,
            SUPPORT,
        )

    def silent(self) -> str:
        """See Guide."""
        return (
            "In the app's page Feature, see that the subscription is on and validated, "
            "and that the app is activated. If nothing comes although the address was "
            "validated, remove the subscription, add it again and save."
        )

    def unbelieved(self) -> str:
        """See Guide."""
        return (
            "Copy the Secret Token of the app's page Feature into the setting once "
            "more, and restart the service."
        )

    async def prove(self) -> Sequence[Proof]:
        """See Guide. One token and three reads."""
        calls = Calls(account_of(self._settings), self._http, self._clock)
        try:
            await calls.access.fresh()
            granted = frozenset(calls.access.granted or ())
            needed = {**scopes.NEEDED, **self._useful()}
            return [
                await self._proof(calls, name, purpose, granted)
                for name, purpose in needed.items()
            ]
        finally:
            await calls.close()

    async def _proof(
        self, calls: Calls, name: str, purpose: str, granted: frozenset[str]
    ) -> Proof:
        optional = name not in scopes.NEEDED
        found = Proof(
            name=name, purpose=purpose, state=ProofState.GIVEN, optional=optional
        )
        if name not in granted:
            fix = scopes.FIX.format(names=name)
            return replace(found, state=ProofState.MISSING, fix=fix)
        if name not in _READS:
            return found
        if not calls.settings.host_user:
            return replace(found, sentence="Not tried: no host is named yet.")
        part, query = _READS[name]
        try:
            await calls.send(
                Call(
                    method="GET",
                    path=f"/users/{segment(calls.settings.host_user)}{part}",
                    scope=name,
                    label="MEDIUM",
                    query=query,
                )
            )
        except PlatformFailure as failure:
            fix = "Try again in a moment."
            if isinstance(failure, PermanentFailure):
                fix = failure.fix or "See that the host is a user of this account."
            return replace(
                found, state=ProofState.FAILED, sentence=str(failure), fix=fix
            )
        return replace(found, state=ProofState.TRIED)

    def _useful(self) -> dict[str, str]:
        chat = {scopes.POST_CHAT: "write the ground rules into the room's lasting chat"}
        return {**scopes.OPTIONAL, **(chat if self._settings.zoom_room_chat else {})}
