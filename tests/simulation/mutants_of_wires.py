"""Webhooks believed that should not be, and answers of the platform misread."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.actions import EndMeeting
from app.core.events import MeetingEnded
from app.engine import change as changes
from app.engine.change import Follow
from app.simulate.life import Parts
from integrations.base import BadWebhook, PermanentFailure, TemporaryFailure
from integrations.zoom import webhook
from tests.simulation import evenings as on
from tests.simulation.mutants import (
    Mutant,
    _trusts_the_answer,
    finished,
    platform_with,
)

LIES = "A7 lies are refused"


def _verified(*secrets: str) -> Any:
    """Other secrets are believed as well."""

    def verify_with(platform: Any) -> Any:
        own = platform._settings.webhook_secrets

        def verify(headers: Any, body: bytes, now: datetime) -> bool:
            return webhook.verify(headers, body, secrets=(*own, *secrets), now=now)

        return verify

    return verify_with


def _unless(reason: str) -> Any:
    """One reason to refuse a webhook is none."""

    def verify_with(platform: Any) -> Any:
        def verify(headers: Any, body: bytes, now: datetime) -> bool:
            try:
                late: bool = platform.verify(headers, body, now)
            except BadWebhook as problem:
                if problem.counter != reason:
                    raise
                return True
            return late

        return verify

    return verify_with


def _by_what_it_says(platform: Any) -> Any:
    """The signature of the parsed body counts, however its bytes came."""

    def verify(headers: Any, body: bytes, now: datetime) -> bool:
        try:
            said = json.dumps(json.loads(body), separators=(",", ":"))
            late: bool = platform.verify(headers, said.encode(), now)
        except ValueError:
            late = platform.verify(headers, body, now)
        return late

    return verify


def _of_any_account(platform: Any) -> Any:
    def parse(body: bytes, now: datetime, *, late: bool = False) -> Any:
        secret = platform._settings.webhook_secrets[0]
        return webhook.parse(body, now, secret=secret, account_id="", late=late)

    return parse


def _by_meeting(platform: Any) -> Any:
    """Occurrences of one meeting are not told apart."""
    first: dict[str, str] = {}

    def parse(body: bytes, now: datetime, *, late: bool = False) -> Any:
        found = platform.parse(body, now, late=late)
        if found.meeting is None:
            return found
        name = first.setdefault(found.meeting.meeting_id, found.meeting.instance)
        meeting = replace(found.meeting, instance=name)
        events = tuple(replace(one, meeting=meeting) for one in found.events)
        return replace(found, meeting=meeting, events=events)

    return parse


def _taken_for_whole(platform: Any) -> Any:
    async def read_roster(meeting: Any) -> Any:
        return replace(await platform.read_roster(meeting), complete=True)

    return read_roster


def _crashes_on_blanks(platform: Any) -> Any:
    async def read_roster(meeting: Any) -> Any:
        found = await platform.read_roster(meeting)
        if not found.complete:
            raise LookupError("no connection id")
        return found

    return read_roster


def _takes_for_done(kind: type[Exception]) -> Any:
    def perform_with(platform: Any) -> Any:
        async def perform(action: Any) -> str:
            try:
                said: str = await platform.perform(action)
            except kind:
                return ""
            return said

        return perform

    return perform_with


def _any_answer(kind: type[Exception]) -> Any:
    """Without looking whether it worked: the answer is misread, and nobody checks."""

    def change(parts: Parts) -> Parts:
        parts = platform_with(perform=_takes_for_done(kind))(parts)
        return finished(_trusts_the_answer)(parts)

    return change


def _without_the_end(platform: Any) -> Any:
    """Nobody hears that a meeting is over."""

    def parse(body: bytes, now: datetime, *, late: bool = False) -> Any:
        found = platform.parse(body, now, late=late)
        events = (one for one in found.events if not isinstance(one, MeetingEnded))
        return replace(found, events=tuple(events))

    return parse


def _always_started(platform: Any) -> Any:
    async def read_status(meeting: Any) -> Any:
        return replace(await platform.read_status(meeting), started=True)

    return read_status


def _nothing_is_proved(engine: Any) -> None:
    engine._settle._follow._proof = lambda _session, _one: ""


def _no_race(*_given: Any) -> bool:
    return False


def _without_words(engine: Any) -> None:
    follow: Follow = engine._settle._follow
    shipped = follow._close

    def close(one: Any, state: Any, now: Any, change: Any, **more: Any) -> None:
        if isinstance(one.action, EndMeeting):
            more.pop("proof", None)
        shipped(one, state, now, change, **more)

    follow._close = close  # type: ignore[method-assign]


MUTANTS = (
    Mutant(
        "the end is never noticed",
        "I20 heals",
        (on.ALONE,),
        platform_with(parse=_without_the_end, read_status=_always_started),
    ),
    Mutant(
        "an old secret is believed",
        LIES,
        (on.LIES,),
        platform_with(verify=_verified("guessed")),
    ),
    Mutant(
        "the future is believed",
        LIES,
        (on.LIES,),
        platform_with(verify=_unless("too_new")),
    ),
    Mutant(
        "the past is believed",
        LIES,
        (on.LIES,),
        platform_with(verify=_unless("too_old")),
    ),
    Mutant(
        "unsigned is believed",
        LIES,
        (on.LIES,),
        platform_with(verify=_unless("sig_missing")),
    ),
    Mutant(
        "signature over parsed JSON",
        LIES,
        (on.LIES,),
        platform_with(verify=_by_what_it_says),
    ),
    Mutant(
        "another account is believed",
        "I1 never alone",
        (on.OTHERS_NEWS,),
        platform_with(parse=_of_any_account),
    ),
    Mutant(
        "meeting id instead of occurrence",
        "I1 never alone",
        (on.SECOND_CALL,),
        platform_with(parse=_by_meeting),
    ),
    Mutant(
        "a partial list is trusted",
        "I3 no early clear",
        (on.SHORT_LIST,),
        platform_with(read_roster=_taken_for_whole),
    ),
    Mutant(
        "a blank id breaks the list",
        "I20 fails safe",
        (on.BLANK_LIST,),
        platform_with(read_roster=_crashes_on_blanks),
    ),
    Mutant(
        "429 as success",
        "I6 confirmed is so",
        (on.TOO_MANY,),
        _any_answer(TemporaryFailure),
    ),
    Mutant(
        "404 as success",
        "I6 confirmed is so",
        (on.NOT_FOUND,),
        _any_answer(PermanentFailure),
    ),
    Mutant(
        "nothing is proved",
        "I6 done is confirmed",
        (on.ALONE,),
        finished(_nothing_is_proved),
    ),
    Mutant(
        "no race is told",
        "I8 races are told",
        (on.RACE,),
        replaces=((changes, "met_a_worker", _no_race),),
    ),
    Mutant(
        "confirmed without proof",
        "I16 decisions explain themselves",
        (on.ALONE,),
        finished(_without_words),
    ),
)
