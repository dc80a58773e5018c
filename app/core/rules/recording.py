"""The room is recorded or goes out in public (guidance T7, 001.10, S8)."""

from collections.abc import Iterator
from datetime import datetime

from app.core.actions import (
    AlertStaff,
    Audience,
    Level,
    StopLiveStream,
    StopRecording,
    WakeAt,
    Wish,
)
from app.core.gates import recording_gate
from app.core.readiness_items.finding import listed
from app.core.session import GroupSession

RUNNING = frozenset({"started", "resumed"})


def started(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """A recording runs without a written reason and everybody's consent (T7, 001.10).

    Stopped at once; louder when it still runs after one repeat of an alarm.
    """
    why_not = recording_gate(session.plan)
    for instance in session.live():
        if not why_not or instance.recording is None:
            continue
        since, state = instance.recording
        if state not in RUNNING:
            continue
        episode = f"{instance.ref.instance}:{since.isoformat()}"
        reason = listed(["The meeting is being recorded", *why_not])
        yield StopRecording(
            key=f"recording.stop:{episode}",
            reason=reason,
            clause="001.10",
            rule="recording.started",
            meeting=instance.ref,
        )
        loud_at = since + session.policy.alarm_repeat
        yield AlertStaff(
            key=f"recording.alert:{episode}",
            reason=reason,
            clause="T7",
            rule="recording.started",
            level=Level.AMBER,
            audience=Audience.WORKERS,
            what_to_do="Stop the recording and tell the group that it was on.",
        )
        if now < loud_at:
            yield WakeAt(loud_at, "the recording may still run")
            continue
        yield AlertStaff(
            key=f"recording.goes_on:{episode}",
            reason=listed(["The meeting is still being recorded", *why_not]),
            clause="T7",
            rule="recording.started",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do="Stop the recording by hand, or end the meeting.",
        )


def live_stream(session: GroupSession, now: datetime) -> Iterator[Wish]:
    """The room goes out in public: no consent covers that (S8, T7)."""
    for instance in session.live():
        if instance.streaming is None or not instance.streaming[1]:
            continue
        episode = f"{instance.ref.instance}:{instance.streaming[0].isoformat()}"
        reason = "The meeting is being streamed in public."
        yield StopLiveStream(
            key=f"recording.stop_stream:{episode}",
            reason=reason,
            clause="S8",
            rule="recording.live_stream",
            meeting=instance.ref,
        )
        yield AlertStaff(
            key=f"recording.stream_alert:{episode}",
            reason=reason,
            clause="S8",
            rule="recording.live_stream",
            level=Level.RED,
            audience=Audience.SAFEGUARDING,
            what_to_do="Stop the live stream; if that fails, end the meeting.",
        )


RULES = (
    ("recording.started", started),
    ("recording.live_stream", live_stream),
)
