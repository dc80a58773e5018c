"""Whom an action is aimed at: one connection, by every name the platform has for it."""

from typing import TypedDict

from app.core.connections import Connection
from app.core.events import MeetingRef
from app.core.session import Instance


class Aim(TypedDict):
    """The fields every :class:`~app.core.actions.ConnectionAction` needs."""

    meeting: MeetingRef
    connection: str
    person_id: str
    uuid: str
    user_id: str
    registrant_id: str


def aim(instance: Instance, connection: Connection, person_id: str) -> Aim:
    """Aim at this connection of this instance."""
    return Aim(
        meeting=instance.ref,
        connection=connection.key,
        person_id=person_id,
        uuid=connection.uuid,
        user_id=connection.user_id,
        registrant_id=connection.registrant_id,
    )
