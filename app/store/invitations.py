"""How far each person's invitation to a session has come. No words, no addresses."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from app.store.bulk import insert_once
from app.store.tables_invitations import InvitationRow

invitations = InvitationRow.__table__  # type: ignore[attr-defined]

MAIL, HANDED = "mail", "handed"
SENDING, SENT, FAILED = "sending", "sent", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One person's invitation: by what, how far, and with which link and plan."""

    session_id: str
    person_id: str
    channel: str
    state: str
    registrant_id: str = ""
    plan_version: int = 0
    at: datetime
    by: str
    problem: str = ""


def note(db: Connection, rows: Sequence[Sent]) -> None:
    """Keep where these invitations stand now; one for each person and session."""
    for row in rows:
        values = asdict(row)
        db.execute(insert_once(db, invitations), values)
        db.execute(
            invitations.update()
            .where(
                invitations.c.session_id == row.session_id,
                invitations.c.person_id == row.person_id,
            )
            .values(values)
        )


def of_session(db: Connection, session_id: str) -> dict[str, Sent]:
    """Person id -> their invitation to this session."""
    rows = db.execute(select(invitations).where(invitations.c.session_id == session_id))
    return {row.person_id: Sent(**row._mapping) for row in rows}


def take_back(db: Connection, session_id: str, person_id: str) -> None:
    """It was not handed over after all."""
    db.execute(
        invitations.delete().where(
            invitations.c.session_id == session_id,
            invitations.c.person_id == person_id,
            invitations.c.channel == HANDED,
        )
    )
