"""Fills every place that can hold a person's name, and looks through all of them."""

from collections.abc import Iterator
from datetime import date, timedelta

import orjson
from sqlalchemy import Connection, select
from sqlmodel import SQLModel

from app.core.actions import SendReminder
from app.core.events import MeetingRef, ParticipantJoined, RegistrationChanged
from app.core.fold import Fact
from app.core.plan import HEADINGS, GroundRule
from app.core.policy import Mode
from app.core.presses import ConnectionVouched, LadderPressed, LinkIssued, Step
from app.privacy import holds
from app.privacy.sealed import sealed_columns
from app.store import (
    accounts,
    consents,
    contacts,
    dossiers,
    drafts,
    groups,
    layouts,
    log,
    notes,
    people,
    policies,
    queue,
    rooms,
    sessions,
)
from app.store.database import Store
from tests.store.conftest import NOW, Evening

ROOM = MeetingRef(platform="zoom", meeting_id="81000000019", instance="uuid-1")
# Ben's names: on the list, in the register, in the room, and where to reach him.
BEN = "Zephyrin"
REGISTER = "Zephyrin Canary"
NICK = "xX_wolf_Xx"
MAIL = "zephyrin@canary.example"
PHONE = "447700900789"


def fill(db: Connection, store: Store, evening: Evening) -> None:
    """An evening after which Ben's name stands wherever it can."""
    ben = {"name": BEN, "register_name": REGISTER, "email": MAIL, "phone": PHONE}
    people.change(db, store, evening.ben, ben, NOW)
    talk = people.Talk(
        client_id=evening.ben,
        worker_id=evening.anna,
        held_on=date(2026, 11, 4),
        channel=f"{BEN}'s phone",
        outcome=f"{BEN} looks forward to it.",
    )
    people.add_talk(db, store, talk, NOW)
    contact = contacts.Contact(
        channel="webhook",
        address="https://alarm.example/",
        secret="whsec_c2VjcmV0",
        label=f"Duty, not {REGISTER}",
    )
    contacts.add(db, store, contact, NOW)
    groups.change(db, store, evening.group, {"name": f"{BEN}'s Tuesday"})
    rules = [GroundRule(heading=h, text=f"Our {h} rule.") for h in HEADINGS]
    groups.agree_rules(
        db, store, evening.group, rules, evening.anna, NOW, made_with=f"{BEN}, Chloe"
    )
    layout = layouts.Layout(name="Case system", columns=())
    layouts.save(db, store, layout, NOW)
    policies.keep(
        db,
        store,
        {"grace": 30.0},
        reason=f"{BEN} was alone too long.",
        by=evening.anna,
        now=NOW,
        on_version=1,
    )
    rename_session(db, store, evening)
    note = f"{BEN} and Chloe talked. canary@canary.example. Chloe wrote {NICK}."
    notes.save(db, store, evening.session, note, evening.anna, on_version=0, now=NOW)
    notes.freeze(
        db,
        store,
        evening.session,
        lambda _: f"{REGISTER} was there.".encode(),
        "x",
        NOW,
    )
    left = drafts.Draft(
        session_id=evening.session,
        person_id=evening.anna,
        form="notes",
        fields={"text": f"{BEN} wanted to"},
    )
    drafts.keep(db, store, left, 100, NOW)
    _ways_in(db, store, evening)
    _account(db, store, evening)
    _what_happened(db, store, evening)
    consent = consents.Consent(
        person_id=evening.ben,
        scope="take_part",
        given_on=date(2026, 11, 3),
        giver="client",
        given_by=REGISTER,
        method="form",
    )
    consents.add(db, store, consent, NOW)
    needs = dossiers.Dossier(person_id=evening.ben, needs=f"Call {BEN} by name.")
    dossiers.keep(db, store, needs, NOW)
    raise_concern(db, store, f"{BEN} said something.", session_id="session-elsewhere")
    hold = holds.place(
        db,
        store,
        holds.SESSION,
        evening.session,
        reason=f"{BEN} asked.",
        by=evening.sam,
        review_on=date(2027, 1, 1),
        now=NOW,
    )
    holds.lift(db, hold.id, evening.sam, NOW)


def raise_concern(db: Connection, store: Store, words: str, **about: str) -> None:
    """A concern somebody raised."""
    row_id = f"concern-{len(words)}"
    row = {
        "id": row_id,
        "state": "raised",
        "reporter_id": "person-anna",
        "body_sealed": store.seal(words.encode(), f"concerns:body:{row_id}"),
        "started_at": NOW,
        "saved_at": NOW,
        "raised_at": NOW,
        **about,
    }
    db.execute(holds.concerns.insert().values(row))


def rename_session(db: Connection, store: Store, evening: Evening) -> None:
    changes = {"title": f"With {BEN}", "recording_reason": f"{BEN} asked for it."}
    sessions.change(db, store, evening.session, changes, ("zoom",))


def _ways_in(db: Connection, store: Store, evening: Evening) -> None:
    bound = rooms.BoundMeeting(
        platform="zoom",
        meeting_id=ROOM.meeting_id,
        session_id=evening.session,
        join_url="https://zoom.example/j/1",
        opens_at=NOW,
        closes_at=NOW + timedelta(hours=2),
        bound_at=NOW,
    )
    rooms.bind(db, store, bound)
    for person, number in ((evening.ben, "reg-ben"), (evening.chloe, "reg-chloe")):
        link = rooms.PersonalLink(
            session_id=evening.session,
            person_id=person,
            registrant_id=number,
            alias=f"{number}@alias.example",
            url=f"https://zoom.example/w/{number}",
            created_at=NOW,
        )
        rooms.keep_link(db, store, link)


def _account(db: Connection, store: Store, evening: Evening) -> None:
    made, _ = accounts.invite(
        db, store, evening.anna, "anna@charity.example", ("lead",), NOW
    )
    accounts.set_password(db, store, made.id, "a hash", NOW)


def _what_happened(db: Connection, store: Store, evening: Evening) -> None:
    ben, chloe = "U-ben", "U-chloe"
    facts: list[tuple[str, Fact, str | None]] = [
        ("own-link", joined(ben, "reg-ben", NICK, MAIL), None),
        ("renamed", joined(ben, "", "Wolfie", ""), None),
        ("by-phone", joined("U-phone", "", "447***789", ""), None),
        ("chloe", joined(chloe, "reg-chloe", "Chloe", ""), None),
        ("copycat", joined("U-eve", "", BEN, ""), None),
        ("eve", joined("U-eve", "", "Eve", ""), None),
        (
            "registered",
            RegistrationChanged(
                meeting=ROOM, at=NOW, registrant_id="reg-ben", name=REGISTER, email=MAIL
            ),
            None,
        ),
        (
            "issued",
            LinkIssued(
                at=NOW,
                person_id=evening.ben,
                registrant_id="reg-ben",
                meeting_id=ROOM.meeting_id,
            ),
            evening.session,
        ),
        (
            "vouched",
            ConnectionVouched(
                at=NOW,
                by=evening.anna,
                connection="U-phone",
                person_id=evening.ben,
                how=f"{BEN}'s voice",
            ),
            evening.session,
        ),
        (
            "pressed",
            LadderPressed(
                at=NOW,
                by=evening.anna,
                press_id="press-1",
                step=Step.REMIND,
                connection=chloe,
                reason=f"Chloe shouted at {BEN}, {NICK}.",
            ),
            evening.session,
        ),
    ]
    log.add(
        db,
        [
            log.entry(store, fact, f"{ref}.0", NOW, session_id=session_id)
            for ref, fact, session_id in facts
        ],
    )
    for ref, said in (
        ("own-link", "a guest"),
        ("about-ben", f"Hi {BEN}"),
        ("chloe", "Chloe"),
    ):
        body = orjson.dumps({"payload": {"user_name": said}})
        row = {
            "ref": ref,
            "platform": "zoom",
            "event_type": "joined",
            "meeting_id": ROOM.meeting_id,
            "received_at": NOW,
            "body_sealed": store.seal(body, f"deliveries:body:{ref}"),
        }
        db.execute(log.deliveries.insert().values(row))
    for key, person, connection, words in (
        ("to-ben", evening.ben, ben, "Let Chloe speak."),
        ("to-chloe", evening.chloe, chloe, f"Let {BEN} speak."),
    ):
        action = SendReminder(
            key=key,
            reason="Said.",
            clause="T5",
            meeting=ROOM,
            connection=connection,
            person_id=person,
            text=words,
        )
        queue.want(
            db,
            store,
            evening.session,
            action,
            action_id=key,
            mode=Mode.ACT,
            at=NOW,
        )


def joined(uuid: str, registrant: str, name: str, reach: str) -> ParticipantJoined:
    return ParticipantJoined(
        meeting=ROOM,
        at=NOW,
        uuid=uuid,
        registrant_id=registrant,
        name=name,
        email=reach if "@" in reach else "",
        phone="" if "@" in reach else reach,
    )


def opened(db: Connection, store: Store) -> Iterator[tuple[str, str]]:
    """(``table.column``, text) of everything that is stored, sealed values opened."""
    sealed = {one.name: one for one in sealed_columns()}
    for name, table in SQLModel.metadata.tables.items():
        for row in db.execute(select(table)):
            for column, value in row._asdict().items():
                one = sealed.get(f"{name}.{column}")
                if value is not None and one is not None:
                    value = store.open(value, one.place(row._asdict())).decode()
                yield f"{name}.{column}", str(value)
