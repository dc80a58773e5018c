"""The other processes, as the heart sees them: none, where one process does everything."""

from app.store.leases import LeaseLost


class Company:
    """Nobody: there is nothing to share and nobody to wait for."""

    async def begin(self) -> None:
        """Claim a share, before the first webhook is taken. Raises what the store raises."""

    async def keep(self) -> None:
        """Renew and share until it is cancelled."""

    async def leave(self) -> None:
        """Give everything back: others go on at once."""

    def lost(self, lost: LeaseLost) -> None:
        """The store, or the clock, says that a claim is over."""


ALONE = Company()
