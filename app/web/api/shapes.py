"""What requests of the interface look like, and how they are read: one meaning only.

Fields are strict (no ``"yes"`` for true, no number for a date), unknown fields are
refused (S06), and JSON that two parsers could read differently is refused (S07).
"""

import re
from collections.abc import Callable, Coroutine
from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Path, Query
from fastapi.routing import APIRoute
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    WithJsonSchema,
)
from starlette.requests import Request
from starlette.responses import Response

from app.web.errors import Answer
from integrations.strict_json import RefusedJson, read_object

API = "/api/v1"
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII
)


def _iso_date(value: Any) -> date:
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # 31 April looks like a date but is none
    raise ValueError("Enter a day of the calendar as year-month-day: 2026-11-17.")


def _iso_time(value: Any) -> datetime:
    if isinstance(value, str) and _TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            pass  # as above
    raise ValueError("Enter a day and a time: 2026-11-17T19:00.")


def _moment(value: Any) -> datetime:
    found = _iso_time(value)
    if found.tzinfo is None:
        raise ValueError("Say the offset from UTC too: 2026-11-17T19:00Z.")
    return found


IsoDate = Annotated[
    date,
    BeforeValidator(_iso_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]
LocalTime = Annotated[
    datetime,
    BeforeValidator(_iso_time),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?$",
            "description": "Local time in the session's zone, or a time with an offset.",
        }
    ),
]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(max_length=5_000)]
MOST = 2**31 - 1
Version = Annotated[int, Path(ge=1, le=MOST)]
Limit = Annotated[int, Query(ge=1, le=500)]
After = Annotated[str, Query(max_length=200)]


class Entered(BaseModel):
    """What a program sends."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    def given(self, *leave_out: str) -> dict[str, Any]:
        """The fields that were sent, by name."""
        return {
            name: getattr(self, name)
            for name in self.model_fields_set
            if name not in leave_out
        }


class Done(BaseModel):
    """It is stored."""

    done: bool = True


T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """Some rows; ``next`` is what ``after`` must be for more, null at the end."""

    items: list[T]
    next: str | None = None


def page(items: list[T], limit: int, key: Callable[[T], str]) -> "Page[T]":
    """One page of ``limit`` rows from a list that may hold one more."""
    more = len(items) > limit
    kept = items[:limit]
    return Page(items=kept, next=key(kept[-1]) if more else None)


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            value, proper = read_object(await self.body())
        except RefusedJson as refused:
            raise Answer(400, _WHY.get(refused.reason, _NOT_JSON)) from refused
        if not proper:
            raise Answer(400, "This is not UTF-8.")
        return value


_NOT_JSON = "This is not one JSON object."
_WHY = {
    "duplicate_key": "A field stands there twice.",
    "non_finite": "A number is too large.",
    "too_deep": "This is nested too deep.",
}


class StrictRoute(APIRoute):
    """A route that reads JSON strictly and refuses a query field given twice (S07)."""

    def get_route_handler(
        self,
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        take = super().get_route_handler()

        async def strict(request: Request) -> Response:
            names = [name for name, _ in request.query_params.multi_items()]
            if len(set(names)) != len(names) or ";" in request.url.query:
                raise Answer(400, "A field stands in the address twice.")
            if "\0" in "".join([*request.query_params.values(), request.url.path]):
                raise Answer(400, "Take out the control characters.")
            unknown = set(names) - self._query_names
            if unknown:
                raise Answer(400, "There is no such field in this address.")
            await _check_kind(request)
            return await take(_StrictRequest(request.scope, request.receive))

        return strict

    @property
    def _query_names(self) -> set[str]:
        return {field.alias for field in self.dependant.query_params}


async def _check_kind(request: Request) -> None:
    if request.method in ("GET", "HEAD", "DELETE"):
        return
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json" and (
        kind or request.headers.get("content-length", "0") != "0"
    ):
        raise Answer(415, "Send JSON (Content-Type: application/json).")
