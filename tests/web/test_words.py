"""What pages say of an action: never more than the room or the platform has shown."""

from datetime import UTC, datetime

import pytest

from app.core.presses import ActionState
from app.core.session import ActionFact
from app.web.words import state_tag

AT = datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "state", "word"),
    [
        ("end_meeting", ActionState.SENT, "Sent, no proof yet"),
        ("end_meeting", ActionState.CONFIRMED, "Done and proved"),
        # No look at a room shows these two: nothing may claim that one did (I6).
        (
            "tell_waiting_room",
            ActionState.SENT,
            "Sent; no look at the room can show it",
        ),
        ("change_link", ActionState.SENT, "Sent, no proof yet"),
        ("change_link", ActionState.CONFIRMED, "Done, says the platform"),
    ],
)
def test_how_far_an_action_came(kind: str, state: ActionState, word: str) -> None:
    fact = ActionFact(
        key="k", kind=kind, state=state, wanted_at=AT, moved_at=AT, route="api"
    )

    assert state_tag(fact).word == word
