"""What was typed into the forms about people, groups and plans, as values."""

from datetime import date

from app.store.imports import day_of
from app.web.pages.forms import Refusal
from app.web.pages.visit import Visit

DAY = "Enter a day such as 2026-11-17 or 17/11/2026."


def ticked(visit: Visit, name: str) -> bool:
    """Whether a box is ticked."""
    return visit.form.get(name) == "1"


def chosen(visit: Visit, prefix: str) -> list[str]:
    """The rest of the name of each ticked box whose name begins like this."""
    return [
        name.removeprefix(prefix)
        for name, value in visit.form.items()
        if name.startswith(prefix) and value == "1"
    ]


class Fields:
    """Reads one form field by field and gathers every fault, to show them all at once."""

    def __init__(self, visit: Visit, form: str) -> None:
        self.visit = visit
        self.form = form
        self.faults: dict[str, str] = {}

    def text(self, name: str) -> str:
        """A text without blanks around it; its length is checked where it is stored."""
        return self.visit.form.get(name, "").strip()

    def day(self, name: str, *, needed: str = "") -> date | None:
        """A date as browsers send it, or as people here write it. None for no date."""
        text = self.text(name)
        if not text:
            if needed:
                self.faults[name] = needed
            return None
        found = day_of(text)
        if found is None:
            self.faults[name] = DAY
        return found

    def number(self, name: str, sentence: str) -> int | None:
        """A whole number of at most 9 digits; None for nothing."""
        text = self.text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdecimal() and len(text) < 10):
            self.faults[name] = sentence
            return None
        return int(text)

    def settle(self) -> None:
        """Raises Refusal with every fault found."""
        if self.faults:
            raise Refusal(self.faults, self.form)
