"""Platform meetings that belong to sessions, and the personal links into them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from app.store.bulk import insert_once, insert_or_change
from app.store.database import Store
from app.store.tables import LinkRow, MeetingRow

meetings = MeetingRow.__table__  # type: ignore[attr-defined]
links = LinkRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMeeting:
    """A meeting of a session. ``join_url`` is for staff only."""

    platform: str
    meeting_id: str
    session_id: str
    instance: str = ""
    join_url: str = ""
    watch_only: bool = False
    opens_at: datetime
    closes_at: datetime
    bound_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalLink:
    """One person's own way in. ``url`` is a secret; "" when erased or still pending."""

    session_id: str
    person_id: str
    registrant_id: str = ""
    platform: str = ""
    meeting_id: str = ""
    alias: str = ""
    url: str = ""
    state: str = "active"
    created_at: datetime


def bind(db: Connection, store: Store, meeting: BoundMeeting) -> None:
    """Keep that this meeting is the session's; a second time overwrites."""
    key = {
        "platform": meeting.platform,
        "meeting_id": meeting.meeting_id,
        "session_id": meeting.session_id,
    }
    values: dict[str, Any] = {
        "instance": meeting.instance,
        "watch_only": meeting.watch_only,
        "opens_at": meeting.opens_at,
        "closes_at": meeting.closes_at,
        "bound_at": meeting.bound_at,
    }
    if meeting.join_url:
        place = _meeting_place(meeting.platform, meeting.meeting_id)
        values["join_url_sealed"] = store.seal(meeting.join_url.encode(), place)
    db.execute(insert_once(db, meetings), {**key, **values})
    db.execute(meetings.update().where(*_is(meetings, key)).values(**values))


def meetings_of(db: Connection, store: Store, session_id: str) -> list[BoundMeeting]:
    """The meetings of a session, first bound first."""
    rows = db.execute(
        select(meetings)
        .where(meetings.c.session_id == session_id)
        .order_by(meetings.c.bound_at)
    )
    return [
        BoundMeeting(
            platform=row.platform,
            meeting_id=row.meeting_id,
            session_id=session_id,
            instance=row.instance,
            watch_only=row.watch_only,
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            bound_at=row.bound_at,
            join_url=_open(
                store,
                row.join_url_sealed,
                _meeting_place(row.platform, row.meeting_id),
            ),
        )
        for row in rows
    ]


def keep_link(db: Connection, store: Store, link: PersonalLink) -> None:
    """Keep a personal link; a person has one per session, the latest."""
    place = _link_place(link.session_id, link.person_id)
    row = {
        "session_id": link.session_id,
        "person_id": link.person_id,
        "registrant_id": link.registrant_id,
        "platform": link.platform,
        "meeting_id": link.meeting_id,
        "alias": link.alias,
        "url_sealed": store.seal(link.url.encode(), place) if link.url else None,
        "state": link.state,
        "created_at": link.created_at,
    }
    db.execute(insert_or_change(db, links), row)


def links_of(db: Connection, store: Store, session_id: str) -> list[PersonalLink]:
    """The personal links of a session, in the order of person ids."""
    rows = db.execute(
        select(links)
        .where(links.c.session_id == session_id)
        .order_by(links.c.person_id)
    )
    return [_link(store, row) for row in rows]


def link_of(
    db: Connection, store: Store, session_id: str, person_id: str
) -> PersonalLink | None:
    """One person's link, or None."""
    row = db.execute(
        select(links).where(
            links.c.session_id == session_id, links.c.person_id == person_id
        )
    ).first()
    return None if row is None else _link(store, row)


def set_link_state(
    db: Connection, session_id: str, registrant_ids: Sequence[str], state: str
) -> None:
    """Write down what the platform will do with these links now."""
    db.execute(
        links.update()
        .where(
            links.c.session_id == session_id,
            links.c.registrant_id.in_(list(registrant_ids)),
        )
        .values(state=state)
    )


def _is(table: Any, key: dict[str, str]) -> list[Any]:
    return [table.c[name] == value for name, value in key.items()]


def _meeting_place(platform: str, meeting_id: str) -> str:
    return f"meetings:join_url:{platform}:{meeting_id}"


def _link_place(session_id: str, person_id: str) -> str:
    return f"links:url:{session_id}:{person_id}"


def _open(store: Store, sealed: bytes | None, place: str) -> str:
    return "" if sealed is None else store.open(sealed, place).decode()


def _link(store: Store, row: Any) -> PersonalLink:
    place = _link_place(row.session_id, row.person_id)
    return PersonalLink(
        session_id=row.session_id,
        person_id=row.person_id,
        registrant_id=row.registrant_id,
        platform=row.platform,
        meeting_id=row.meeting_id,
        alias=row.alias,
        url=_open(store, row.url_sealed, place),
        state=row.state,
        created_at=row.created_at,
    )
