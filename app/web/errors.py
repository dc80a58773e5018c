"""What to say when something cannot be done: plain sentences, nothing of what was sent."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from app.engine.contract import UnknownSession
from app.store.notes import StaleNotes
from app.store.refusals import Refused, Stale, Unknown
from integrations.base import PermanentFailure, PlatformFailure, TemporaryFailure

# Shows an error as a page: (request, status, sentence).
ErrorPage = Callable[[Request, int, str], Awaitable[Response]]


class Answer(HTTPException):
    """End the request with this status and sentence; ``fields``: field -> sentence."""

    def __init__(
        self,
        status: int,
        sentence: str,
        *,
        fields: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(status, sentence, headers)
        self.fields = dict(fields or {})
        self.more = dict(more or {})


_SENTENCES = {
    400: "This request could not be read.",
    404: "There is nothing here.",
    405: "This method is not used here.",
    413: "That is too large.",
    415: "This kind of content is not taken here.",
}


def install(app: Any, error_page: ErrorPage | None = None) -> None:
    """Teach a FastAPI application these answers. Pages show theirs by ``error_page``."""

    async def answer(request: Request, problem: Exception) -> Response:
        told = translate(problem)
        path = request.url.path
        if path.startswith(("/api/", "/webhooks/")):
            body = {"error": told.detail, **told.more}
            if told.fields:
                body["fields"] = told.fields
            return JSONResponse(body, told.status_code, headers=told.headers)
        if error_page is not None:
            page = await error_page(request, told.status_code, told.detail)
            page.headers.update(told.headers or {})
            return page
        return PlainTextResponse(
            f"{told.detail}\n", told.status_code, headers=told.headers
        )

    for kind in (
        HTTPException,
        RequestValidationError,
        Refused,
        Stale,
        Unknown,
        UnknownSession,
        PlatformFailure,
        SQLAlchemyError,
    ):
        app.add_exception_handler(kind, answer)


def translate(problem: Exception) -> Answer:
    """Any foreseen problem as an answer."""
    match problem:
        case Answer():
            return problem
        case HTTPException():
            sentence = _SENTENCES.get(problem.status_code, "This cannot be done.")
            return Answer(problem.status_code, sentence, headers=problem.headers)
        case RequestValidationError():
            fields = field_faults(problem.errors())
            return Answer(422, "Some of this cannot be taken.", fields=fields)
        case Refused():
            return Answer(422, "Some of this cannot be taken.", fields=problem.faults)
        case StaleNotes():
            return Answer(409, str(problem), more=_both_texts(problem))
        case Stale():
            return Answer(409, str(problem), more={"version": problem.now_version})
        case Unknown():
            return Answer(404, f"There is no such {problem.what}.")
        case UnknownSession():
            return Answer(404, "There is no such session.")
        case TemporaryFailure():
            return Answer(503, str(problem), headers={"Retry-After": "5"})
        case PermanentFailure():
            fix = f" {problem.fix}" if problem.fix else ""
            return Answer(502, f"{problem}{fix}")
        case PlatformFailure():
            return Answer(502, str(problem))
        case SQLAlchemyError():
            sentence = "The store cannot be used just now. Nothing was changed."
            return Answer(503, sentence, headers={"Retry-After": "5"})
        case _:
            raise problem


def _both_texts(stale: StaleNotes) -> dict[str, Any]:
    """Both texts, so that nothing anybody wrote is lost (S09)."""
    return {
        "version": stale.now_version,
        "stored": {
            "text": stale.stored.text,
            "author": stale.stored.author,
            "version": stale.stored.version,
        },
        "yours": stale.typed,
    }


# --- what pydantic found, in a person's words -------------------------------------

_WORDS = {
    "missing": "This is missing.",
    "extra_forbidden": "There is no such field here.",
    "string_type": "Enter text.",
    "bool_type": "Enter true or false.",
    "int_type": "Enter a whole number.",
    "int_parsing": "Enter a whole number.",
    "json_invalid": "This is not JSON.",
    "dict_type": "Enter an object.",
    "model_type": "Enter an object.",
    "model_attributes_type": "Enter an object.",
    "list_type": "Enter a list.",
    "too_long": "There are too many entries.",
    "too_short": "There are too few entries.",
    "string_too_short": "Enter something here.",
}


def field_faults(found: Any) -> dict[str, str]:
    """Field -> one sentence. The value itself is never repeated."""
    faults: dict[str, str] = {}
    for fault in found:
        where = [str(part) for part in fault["loc"]]
        if where and where[0] in ("body", "query", "path", "header"):
            where = where[1:]
        faults.setdefault(".".join(where) or "body", _sentence(fault))
    return faults


def _sentence(fault: Mapping[str, Any]) -> str:
    kind, details = str(fault["type"]), fault.get("ctx") or {}
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in ("literal_error", "enum"):
        return f"Choose one of: {details.get('expected', '')}."
    if kind == "value_error":
        return str(details.get("error", "This cannot be read."))
    if kind == "string_too_long":
        return f"Use at most {details['max_length']} characters."
    if kind in ("greater_than_equal", "greater_than"):
        return f"Enter a number from {details.get('ge', details.get('gt'))} up."
    if kind in ("less_than_equal", "less_than"):
        return f"Enter a number up to {details.get('le', details.get('lt'))}."
    return "This cannot be read."
