"""The second durable place of the simulated machine: another disk, which a kill survives."""

from pathlib import Path

from app.engine.spool_file import Found, SpoolFile
from app.simulate.ground import KEYS


class SecondFile(SpoolFile):
    """Records in memory, one list for all lives of an evening.

    It always takes what it is given: a machine with both disks full is what
    docs/safety-case.md says nobody can promise anything about.
    """

    def __init__(self) -> None:
        super().__init__(Path("second.spool"), KEYS)
        self.appended = self.read_back = 0
        self._records: list[tuple[str, bytes]] = []

    def read(self) -> Found:
        """Every record, in order."""
        self.read_back += len(self._records)
        return Found(tuple(self._records))

    def append(self, ref: str, record: bytes) -> None:
        """Add a record."""
        self.appended += 1
        self._records.append((ref, record))

    def trouble(self) -> str:
        """There is none."""
        return ""

    def clear(self, *, aside: bool = False) -> None:
        """Every record is in the store."""
        self._records.clear()
