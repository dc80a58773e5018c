"""Erase a person in the store and in the memory of this service."""

from dataclasses import replace

import structlog

from app.privacy import erasure
from app.privacy.erasure import Erased
from app.privacy.one_session import Found
from app.web.house import House

log = structlog.get_logger("chaperone")


async def erase(house: House, person_id: str, by: str) -> Erased:
    """See :func:`app.privacy.erasure.erase`; afterwards no page and no answer names them.

    Raises Unknown; Refused for somebody on hold.
    """
    store = house.store
    found: Found = await store.read(lambda db: erasure.find(db, store, person_id))
    made = await erasure.erase(store, person_id, by, house.clock.now())
    await house.engine.forget([*found.sessions, *found.on_hold])
    await house.engine.person_changed(person_id)
    for forget in house.on_erased:
        forget()
    log.warning("person erased", person=person_id, by=by)
    return replace(
        made, stays=tuple(one for one in made.stays if one.what != erasure.IN_MEMORY)
    )
