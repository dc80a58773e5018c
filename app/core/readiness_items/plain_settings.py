"""The settings that are simply safe or not: one row each, with its safe value."""

from collections.abc import Callable
from dataclasses import dataclass

from app.core.facts import MeetingFacts
from app.core.policy import Policy
from app.core.readiness_items.finding import Finding, Result, passed
from app.core.session import GroupSession

ON_OFF = ("off", "on")
YES_NO = ("no", "yes")


def _never(_: Policy) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its field of MeetingFacts and the value that is safe.

    ``words``: what a page calls False and True. ``waived``: whether the organisation's
    policy lets it be either way.
    """

    field: str
    safe: bool
    what: str
    words: tuple[str, str] = ON_OFF
    waived: Callable[[Policy], bool] = _never

    def look(self, session: GroupSession, facts: MeetingFacts) -> Finding:
        """Compare the value read with the safe one."""
        value: bool | None = getattr(facts, self.field)
        if self.waived(session.policy):
            read = "could not be read" if value is None else self.words[value]
            return Finding(Result.OK, f"{self.what}: {read}. The policy allows it.")
        if value is None:
            return unreadable(self.what)
        return passed(value is self.safe, f"{self.what}: {self.words[value]}.")


def unreadable(what: str) -> Finding:
    """Nobody knows; readiness counts that as unsafe."""
    return Finding(Result.UNKNOWN, f"{what}: could not be read.")


SETTINGS: dict[str, Setting] = {
    "waiting_room": Setting(
        "waiting_room_for_everyone", True, "Waiting room for everyone"
    ),
    "workers_admit": Setting(
        "only_workers_admit", True, "Only workers can let people in", YES_NO
    ),
    "join_before_host": Setting("join_before_host", False, "Joining before the host"),
    "one_device": Setting(
        "one_device_per_link", True, "A link works on one device at a time", YES_NO
    ),
    "live_stream": Setting("live_stream_possible", False, "Live streaming"),
    "screen_share": Setting(
        "share_by_workers_only",
        True,
        "Only workers can share a screen",
        YES_NO,
        lambda policy: not policy.share_by_workers_only,
    ),
    "annotation": Setting("annotation", False, "Drawing on a shared screen"),
    "remote_control": Setting("remote_control", False, "Remote control of a device"),
    "private_chat": Setting(
        "private_chat",
        False,
        "Private chat between participants",
        waived=lambda policy: policy.private_chat_allowed,
    ),
    "saved_chat": Setting(
        "chat_saved_by_anyone", False, "Participants can save the chat", YES_NO
    ),
    "file_transfer": Setting(
        "file_transfer",
        False,
        "Sending files in the chat",
        waived=lambda policy: policy.file_transfer_allowed,
    ),
    "lasting_chat": Setting(
        "lasting_chat",
        False,
        "A chat that stays after the meeting",
        waived=lambda policy: policy.chat_lasting_allowed,
    ),
    "second_host": Setting("second_host", True, "A second worker can be host", YES_NO),
    "host_licensed": Setting(
        "host_licensed", True, "The host's account has a licence", YES_NO
    ),
    "passcode": Setting("passcode", True, "Passcode"),
}


def wishes(policy: Policy) -> dict[str, bool]:
    """The safe value of each MeetingFacts field, for the platform's settings to mend."""
    plain = {s.field: s.safe for s in SETTINGS.values() if not s.waived(policy)}
    renaming = {} if policy.rename_allowed else {"rename_possible": False}
    return {
        **plain,
        **renaming,
        "invite_only": True,
        "link_hidden": True,
        "personal_room": False,
        "auto_recording": False,
    }
