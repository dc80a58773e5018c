"""Facts just stored, until the session they belong to has folded them.

Taking a fact from here saves reading, decrypting and rebuilding what this process has in
hand. Whatever is not here is read from the log, which is the truth: order, and whether a
fact was stored at all, are always asked there.
"""

from collections.abc import Sequence

from app.core.fold import Fact

MOST = 20_000


class Recent:
    """By reference, each handed out once; the oldest go first when there are too many."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._facts: dict[str, Fact] = {}

    def keep(self, ref: str, fact: Fact) -> None:
        """Remember a fact that is stored; of one that came twice, the one the log has."""
        self._facts.setdefault(ref, fact)
        if len(self._facts) > self._most:
            # Readers in threads take facts away meanwhile.
            self._facts.pop(next(iter(self._facts), ref), None)

    def keep_all(self, refs: Sequence[str], facts: Sequence[Fact]) -> None:
        """The same for several, in their order."""
        for ref, fact in zip(refs, facts, strict=True):
            self.keep(ref, fact)

    def __contains__(self, ref: str) -> bool:
        return ref in self._facts

    def clear(self) -> None:
        """Everything is read from the log from now on: something was erased there."""
        self._facts.clear()

    def take(self, ref: str) -> Fact | None:
        """The fact, once."""
        return self._facts.pop(ref, None)

    def take_all(self, refs: Sequence[str]) -> list[Fact] | None:
        """Each of these facts, once; None, and nothing is taken, when one is missing."""
        if not self._facts.keys() >= set(refs):
            return None
        taken = [self._facts.pop(ref, None) for ref in refs]
        facts = [fact for fact in taken if fact is not None]
        # The oldest may have gone meanwhile, or everything.
        return facts if len(facts) == len(refs) else None
