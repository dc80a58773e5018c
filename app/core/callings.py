"""What staff call people: a real name for who is known, a typed one in quotation marks."""

from collections.abc import Mapping

from app.core.connections import Connection
from app.core.identity import Standing, Who
from app.core.names import plain
from app.core.rooms import who_is_who
from app.core.session import GroupSession

Names = Mapping[str, str]
"""Person ids to names, as far as the reader may see them."""


def name_of(names: Names, person_id: str) -> str:
    """A person's name, their id where the name is erased, or "somebody"."""
    return plain(names.get(person_id, person_id)) if person_id else "somebody"


def connection_name(session: GroupSession, names: Names, key: str) -> str:
    """Who a connection is, in words staff know; a typed name stands in quotation marks."""
    found = session.find(key)
    if found is None:
        return "somebody"
    instance, connection = found
    return called(names, connection, who_is_who(session, instance)[connection.key])


def called(names: Names, connection: Connection, who: Standing) -> str:
    """The same for a connection whose standing is known already."""
    if who.who in (Who.WORKER, Who.CLIENT):
        return name_of(names, who.person_id)
    typed = plain(connection.name)
    if who.who is Who.DOUBTFUL:
        return f"somebody on the link of {name_of(names, who.person_id)}"
    kinds = {
        Who.CHALLENGED: "somebody who says to be a worker",
        Who.PHONE: "a phone caller",
        Who.RECORDER: "a recorder or note-taker",
    }
    kind = kinds.get(who.who, "somebody nobody knows")
    return kind if who.who is Who.PHONE else f"{kind}, shown as \u201c{typed}\u201d"


def first_up(text: str) -> str:
    """The same words as the beginning of a sentence."""
    return text[:1].upper() + text[1:]
