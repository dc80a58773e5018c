"""Reading what a form sent: one value a field, nothing guessed (assurance S06-S08)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

FORM_TYPE = "application/x-www-form-urlencoded"
MOST_FIELDS = 1_000


class BadForm(Exception):
    """The form cannot have come from our page; ``status`` is the answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Refusal(Exception):
    """What is wrong in what was entered. Nothing was stored.

    ``faults``: field name -> one plain sentence ("" for the form as a whole); ``form``:
    the id of the form on the page, which shows again what was typed.
    """

    def __init__(self, faults: Mapping[str, str], form: str = "") -> None:
        super().__init__(" ".join(faults.values()))
        self.faults = dict(faults)
        self.form = form


async def read_form(request: Request) -> dict[str, str]:
    """Field name -> text, line breaks as ``\\n``. Raises BadForm."""
    body = await request.body()  # its size is limited where it is read (shell.Body)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if body and kind != FORM_TYPE:
        raise BadForm(415, "This page takes only its own forms.")
    return fields_of(body)


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a urlencoded body. Raises BadForm."""
    if b";" in body:
        raise BadForm(400, "The form could not be read. Go back and send it again.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            max_num_fields=MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        sentence = "The form could not be read. Go back and send it again."
        raise BadForm(400, sentence) from error
    fields: dict[str, str] = {}
    for name, value in pairs:
        if name in fields:
            raise BadForm(400, "The form named one field twice. Nothing was changed.")
        fields[name] = value.replace("\r\n", "\n").replace("\r", "\n")
    return fields
