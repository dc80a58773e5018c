"""What a change of the policy makes less safe, in words: told before anything is saved."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from app.core.checklist import FIXED, Pack
from app.core.policy import Mode, Policy, Weight
from app.core.readiness_items.hands import longest_alone
from app.store.policies import KINDS
from app.web.pages import policy_parts
from app.web.words import DOES, length

MORE: Mapping[str, str] = {
    "grace": "Young people may be without a worker for longer.",
    "grace_first_worker": "Young people may be without a first worker for longer.",
    "grace_late_news": "After late news the room is ended later.",
    "nobody_came_after": "It is noticed later that no worker came.",
    "links_die_after_end": "Personal links can be used for longer after the end.",
    "welfare_due": "Whoever was put out is called later.",
    "reason_due": "The reason of a removal may come later, and be remembered worse.",
    "notes_due": "Notes may come later, and be remembered worse.",
    "poll_calm": "The room is looked at less often.",
    "poll_watchful": "The room is looked at less often while one worker is there.",
    "poll_unsafe": "The room is looked at less often while nobody is with them.",
    "blind_after": "Workers hear later that the room cannot be seen.",
    "call_deadline": "A call that hangs is given up later.",
    "retry_cap": "An urgent act that failed is tried again later.",
    "verify_after": "It is noticed later that an act had no effect.",
    "alarm_repeat": "An alarm that nobody takes gets louder later.",
    "roster_staleness": "An older list of who is there is believed.",
    "settings_every": "A setting that turns unsafe is noticed later.",
    "private_chat_allowed": "Messages that no worker sees are allowed.",
    "file_transfer_allowed": "Files may go from one to another.",
    "rename_allowed": "People may change their name in the room.",
    "chat_lasting_allowed": "A chat goes on when the workers have gone.",
}
"""Field -> what follows when it is raised, or switched on."""
LESS: Mapping[str, str] = {
    "workers_needed": "With fewer workers no alarm is raised.",
    "one_to_ones_needed": "Young people may come with fewer talks before.",
    "one_to_one_with_group_lead": "A talk with somebody who does not know the group counts.",
    "hold_phone_callers": "A caller is in the room before anybody knows who it is.",
    "share_by_workers_only": "Young people may show their screens.",
    "opens_before_start": "Less of the time before the start is watched.",
}
"""Field -> what follows when it is lowered, or switched off."""
NEITHER = frozenset(
    {
        "resume_window",
        "removals_per_minute",
        "goodbye",
        "late_after",
        "left_early_before",
    }
)
_FAR = {Mode.WATCH: 0, Mode.ASK: 1, Mode.ACT: 2}
_HEAVY = {Weight.INFORM: 0, Weight.WARN: 1, Weight.BLOCK: 2}
_LESS_FAR = {
    Mode.WATCH: "it is only written down; nobody is asked and nothing is done.",
    Mode.ASK: "a worker is asked to do it, and may be busy.",
}
_LIGHTER = {
    Weight.WARN: "somebody may let the session go on without it, by name and reason.",
    Weight.INFORM: "the session starts without it, and nobody has to say why.",
}


def less_safe(before: Policy, after: Policy, pack: Pack) -> list[str]:
    """Each thing that becomes less safe, as a sentence; empty when nothing does."""
    return [
        *_promise(before, after),
        *_fields(before, after),
        *_modes(before, after),
        *_weights(before, after, pack),
    ]


def _promise(before: Policy, after: Policy) -> Iterator[str]:
    """The whole of it in one number, as the checklist tells it (I1)."""
    was, becomes = (longest_alone(one, live_roster=True) for one in (before, after))
    if becomes > was:
        yield (
            f"In the worst case a young person is without a worker for {_told(becomes)} "
            f"instead of {_told(was)}; longer where Chaperone cannot look into the room."
        )


def _told(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    return length(span) if seconds % 60 == 0 else f"{seconds} seconds"


def _fields(before: Policy, after: Policy) -> Iterator[str]:
    for field in policy_parts.fields():
        old, new = getattr(before, field.name), getattr(after, field.name)
        follows = MORE.get(field.name) if new > old else LESS.get(field.name)
        if new == old or follows is None:
            continue
        yield (
            f"{field.title}: {field.told(after)} instead of {field.told(before)}. {follows}"
        )


def _modes(before: Policy, after: Policy) -> Iterator[str]:
    for kind in KINDS:
        mode = after.mode(kind)
        # Letting in is never done unasked: asked or written down is no loss.
        if kind != "admit_participant" and _FAR[mode] < _FAR[before.mode(kind)]:
            yield f"{DOES[kind]}: {_LESS_FAR[mode]}"


def _weights(before: Policy, after: Policy, pack: Pack) -> Iterator[str]:
    for item in pack.items:
        old = before.weights.get(item.id, item.weight)
        new = after.weights.get(item.id, item.weight)
        if item.id not in FIXED and _HEAVY[new] < _HEAVY[old]:
            yield f"“{item.text.rstrip('.')}”: {_LIGHTER[new]}"
