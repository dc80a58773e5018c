"""What names or describes a person never lies open in the file (I23)."""

from pathlib import Path

import pytest

from app.clock import ManualClock
from app.core.events import ChatMessageSent, ParticipantJoined
from app.core.presses import LadderPressed, Step
from app.crypto import Keyring
from app.store import contacts, notes, people
from app.store.database import InlineDoor, Store, open_engine
from app.store.migrate import migrate
from integrations.base import Delivery
from tests.engine.room import evening, seat

pytestmark = pytest.mark.anyio

NAME, MAIL, PHONE = "Zephyrine Canary", "zephyrine@canary.example", "447700900789"
NOTE, CHAT, REASON = "canary-note-text", "canary-chat-text", "canary-reason-text"
CANARIES = (NAME, MAIL, PHONE, NOTE, CHAT, REASON)


def bytes_of(path: Path) -> bytes:
    return b"".join(each.read_bytes() for each in sorted(path.parent.iterdir()))


async def test_no_canary_in_the_bytes_of_the_store(
    clock: ManualClock, tmp_path: Path
) -> None:
    path = tmp_path / "chaperone.db"
    engine = open_engine(f"sqlite:///{path}")
    migrate(engine)
    store = Store(engine, Keyring([b"k" * 32]), InlineDoor(engine))
    async with evening(clock, store=store) as tonight:
        now = clock.now()
        with store.unit() as db:
            person = people.Person(
                kind="worker", name=NAME, email=MAIL, contact=PHONE, referrer=REASON
            )
            made = people.add(db, store, person, now)
            contact = contacts.Contact(channel="mail", address=MAIL, label="Duty")
            contacts.add(db, store, contact, now)
            notes.save(db, store, tonight.session_id, NOTE, "w", on_version=0, now=now)
        await tonight.join("anna", "sam")
        joined = ParticipantJoined(
            meeting=tonight.ref,
            at=now,
            uuid="U-eve",
            user_id=seat("eve").user_id,
            name=NAME,
            email=MAIL,
            phone=PHONE,
        )
        chat = ChatMessageSent(meeting=tonight.ref, at=now)
        body = f'{{"user_name": "{NAME}", "email": "{MAIL}", "text": "{CHAT}"}}'
        delivery = Delivery(
            dedupe_key="canary",
            event_type="joined",
            meeting=tonight.ref,
            events=(joined, chat),
        )
        intake = tonight.engine.intake
        await intake.accept_delivery("zoom", delivery, body.encode(), now)
        await tonight.engine.step()
        pressed = LadderPressed(
            at=now,
            by=tonight.people["anna"],
            press_id="press-1",
            connection="U-eve",
            step=Step.REMIND,
            reason=REASON,
        )
        await tonight.engine.accept_press(tonight.session_id, pressed)
        await tonight.engine.step()
        await tonight.wait(65)  # actions, alarms and letters about it

        with store.unit() as db:
            assert people.get(db, store, made.id).name == NAME
            assert notes.latest(db, store, tonight.session_id).text == NOTE
        state = await tonight.state()
        [instance] = state.live()
        assert NAME in str(instance.connections["U-eve"])

        found = bytes_of(path)
    store.close()
    leaked = [one for one in CANARIES if one.encode() in found + bytes_of(path)]
    assert leaked == []
    assert b"never_alone" in found or b"entry." in found  # the right file was read
