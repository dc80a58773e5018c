"""Intake, store and alarms with one part broken."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from typing import Any

from sqlalchemy import text

from app.core.fold import apply
from app.core.rules import entry
from app.simulate.life import Parts
from app.store import queue
from tests.simulation import evenings as on
from tests.simulation.mutants import Mutant, finished

_number = count()


def _acknowledges_failures(engine: Any) -> None:
    shipped = engine.intake._take

    def take(platform: str, delivery: Any, body: bytes, now: Any, kept: Any) -> None:
        shipped(platform, delivery, body, now, lambda _problem: kept(None))

    engine.intake._take = take


def _no_dedupe(engine: Any) -> None:
    shipped = engine.intake._take

    def take(platform: str, delivery: Any, body: bytes, now: Any, kept: Any) -> None:
        key = f"{delivery.dedupe_key}{next(_number)}"
        shipped(platform, replace(delivery, dedupe_key=key), body, now, kept)

    engine.intake._take = take


def _tidies_the_log(engine: Any) -> None:
    """What is a minute old is cut down to the newest of its kind."""
    store = engine._footing.store
    shipped = store.write

    async def write(work: Any) -> Any:
        def both(db: Any) -> Any:
            done = work(db)
            db.execute(
                text(
                    "DELETE FROM log WHERE seq NOT IN "
                    "(SELECT MAX(seq) FROM log GROUP BY kind, meeting_id)"
                )
            )
            return done

        return await shipped(both)

    engine.spool._footing = _With(engine._footing, store=_With(store, write=write))


class _With:
    """Another object with some parts of its own."""

    def __init__(self, whole: Any, **parts: Any) -> None:
        self._whole, self._parts = whole, parts

    def __getattr__(self, name: str) -> Any:
        if name in self._parts:
            return self._parts[name]
        return getattr(self._whole, name)


def _forgets_what_it_owes(engine: Any) -> None:
    async def keep(held: Any, writing: Any, facts: Any = ()) -> None:
        for fact in facts:
            apply(held.session, fact)

    engine.spool.keep = keep


def _looks_before_it_answers(parts: Parts) -> Parts:
    """The room is read before a webhook is answered."""

    def finish(engine: Any) -> None:
        shipped = engine.accept_webhook

        async def accept(platform: str, headers: Any, body: bytes) -> Any:
            for held in engine.sessions.all().values():
                for instance in held.session.live():
                    await engine.watch.look(held, instance.ref.instance)
            return await shipped(platform, headers, body)

        engine.accept_webhook = accept

    return replace(parts, finish=finish)


async def _nobody_is_called(*_given: Any, **_more: Any) -> None:
    return None


def _no_cry(engine: Any) -> None:
    engine.alarms.cry = _nobody_is_called


def _each_for_itself(people: Any, about: Any = None) -> Iterator[Any]:
    for person in people:
        yield person.episode, person


def _plain_names(engine: Any) -> None:
    """Names lie in the log as they came."""
    store = engine._footing.store
    keys = store.keys

    def encrypt(clear: bytes, place: bytes) -> bytes:
        sealed: bytes = keys.encrypt(clear, place)
        return sealed + clear if place.startswith(b"log_personal") else sealed

    def decrypt(sealed: bytes, place: bytes) -> bytes:
        if place.startswith(b"log_personal"):
            sealed = sealed[: sealed.rindex(b"{")]
        clear: bytes = keys.decrypt(sealed, place)
        return clear

    store.keys = _With(keys, encrypt=encrypt, decrypt=decrypt)


MUTANTS = (
    Mutant(
        "a failed commit is acknowledged",
        "I11 nothing acknowledged is lost",
        (on.NO_STORE,),
        finished(_acknowledges_failures),
    ),
    Mutant("no dedupe", "I12 kept once", (on.DOUBLED,), finished(_no_dedupe)),
    Mutant(
        "the log is tidied", "I15 only added", (on.KILLED,), finished(_tidies_the_log)
    ),
    Mutant(
        "what is owed is forgotten",
        "I12 folded once",
        (on.FULL,),
        finished(_forgets_what_it_owes),
    ),
    Mutant(
        "looks before it answers",
        "I17 answered at once",
        (on.SLOW_CALLS,),
        _looks_before_it_answers,
    ),
    Mutant(
        "a full disk is told nobody",
        "I20 full disk is told",
        (on.FULL,),
        finished(_no_cry),
    ),
    Mutant(
        "taking an alarm changes nothing",
        "I9 taken is quiet",
        (on.TAKEN,),
        replaces=((queue, "acknowledge", lambda *_: False),),
    ),
    Mutant(
        "a storm rings for each",
        "I10 few at once",
        (on.STORM,),
        replaces=((entry, "one_a_minute", _each_for_itself),),
    ),
    Mutant("names in the clear", "I23 no leak", (on.ALONE,), finished(_plain_names)),
)
