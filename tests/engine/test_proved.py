"""What is proved stays proved, also in the log (I6, I16)."""

from collections.abc import Iterator

import pytest

from app.clock import ManualClock
from app.core.actions import ChangeLink
from app.core.presses import ActionMoved, ActionState
from app.engine.sessions import OpenAction
from app.store import log
from tests.engine.room import Evening, evening

pytestmark = pytest.mark.anyio


async def said_of(tonight: Evening, key: str) -> list[ActionState]:
    """What the log says of one action, in order."""
    held = await tonight.engine.sessions.held(tonight.session_id)
    rows = await tonight.store.read(
        lambda db: log.of_session(tonight.store, db, tonight.session_id, held.bound)
    )

    def moves() -> Iterator[ActionState]:
        for row in rows:
            if isinstance(row.fact, ActionMoved) and row.fact.key == key:
                yield row.fact.state

    return list(moves())


async def test_a_row_read_just_before_the_proof_takes_nothing_back(
    clock: ManualClock,
) -> None:
    async with evening(clock) as tonight:
        await tonight.join("anna", "ben")
        await tonight.leave("anna")
        await tonight.wait(61)
        await tonight.ended()
        [change, *_] = [
            one for one in tonight.platform.performed if isinstance(one, ChangeLink)
        ]
        before = await said_of(tonight, change.key)
        assert before[-1] is ActionState.CONFIRMED
        held = await tonight.engine.sessions.held(tonight.session_id)
        assert change.key not in held.actions

        held.actions[change.key] = OpenAction(
            "as-it-was", change, "act", "sent", "api", 1, None, clock.now(), ""
        )
        await tonight.join("chloe")
        await tonight.wait(5)

        assert await said_of(tonight, change.key) == before
        assert change.key not in held.actions
