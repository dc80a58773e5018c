"""Why something a person entered is not stored."""

from collections.abc import Mapping


class Refused(ValueError):
    """Nothing was stored. ``faults``: field name -> one plain sentence, no names in it."""

    def __init__(self, faults: Mapping[str, str]) -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = dict(faults)


class Unknown(LookupError):
    """There is no such row. ``what`` is the kind (``person``, ``group``, ...)."""

    def __init__(self, what: str, row_id: str) -> None:
        super().__init__(f"No {what} has the id {row_id}.")
        self.what = what
        self.row_id = row_id


class Stale(Exception):
    """Somebody else changed it in the meantime; ``now_version`` is the version stored."""

    def __init__(self, now_version: int) -> None:
        super().__init__(
            f"This was changed meanwhile (it is at version {now_version})."
        )
        self.now_version = now_version
