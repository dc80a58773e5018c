"""Who stands behind what a program sends."""

from sqlalchemy import Connection

from app.core.ladder import NOT_ROSTERED
from app.core.session import GroupSession
from app.store.groups import not_workers
from app.web.errors import Answer
from app.web.house import House

UNTAKEN = "Some of this cannot be taken."


async def active_worker(house: House, person_id: str) -> str:
    """Refuses an id that is not an active worker's; "" is a program by itself."""
    if person_id:

        def work(db: Connection) -> bool:
            return bool(not_workers(db, [person_id]))

        if await house.store.read(work):
            fields = {"by": "Name a worker who is on the list of workers."}
            raise Answer(422, UNTAKEN, fields=fields)
    return person_id


async def worker(house: House, session_id: str, person_id: str) -> GroupSession:
    """The session, if this person is on its list of workers."""
    session = await house.engine.state(session_id)
    if session.worker_slot(person_id) is None:
        raise Answer(422, UNTAKEN, fields={"by": NOT_ROSTERED})
    return session
