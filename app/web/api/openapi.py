"""The description of the interface at ``/api/v1/openapi.json``."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.web.access import SCOPES, Needs, open_to_all

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {"type": "string", "description": "One plain sentence."},
        "fields": {
            "type": "object",
            "description": "Field -> sentence.",
            "additionalProperties": {"type": "string"},
        },
    },
}
VERSION = "1"
_STATUSES = {
    "400": "The request could not be read.",
    "401": "No token, or one that is not known.",
    "403": "The token lacks the scope.",
    "404": "There is no such thing.",
    "409": "Somebody else changed it meanwhile.",
    "413": "Too large.",
    "415": "Not JSON.",
    "422": "Some of it cannot be taken; `fields` says why.",
    "429": "Too many wrong tokens.",
    "502": "The platform refused; the sentence says what to do.",
    "503": "Not just now; try again.",
}


@open_to_all("describes the interface; holds no data")
async def describe(request: Request) -> Response:
    """OpenAPI 3.1."""
    return JSONResponse(request.app.openapi())


def install(application: FastAPI) -> None:
    """Give the application its description."""

    def openapi() -> dict[str, Any]:
        if application.openapi_schema is None:
            application.openapi_schema = _whole(application)
        return application.openapi_schema

    application.openapi = openapi  # type: ignore[method-assign]


def _whole(application: FastAPI) -> dict[str, Any]:
    routes = [r for r in application.routes if isinstance(r, APIRoute)]
    schema = get_openapi(
        title="Chaperone",
        version=VERSION,
        description="Scopes of a token:\n\n"
        + "\n".join(f"- `{scope}`: {says}" for scope, says in SCOPES.items()),
        routes=routes,
    )
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    parts.setdefault("schemas", {})["Error"] = _ERROR
    for route in routes:
        for method in route.methods or ():
            _dress(schema["paths"][route.path_format][method.lower()], route)
    return schema


def _dress(operation: dict[str, Any], route: APIRoute) -> None:
    scopes = [
        one.call.policy.scope
        for one in route.dependant.dependencies
        if isinstance(one.call, Needs)
    ]
    operation["security"] = [{"token": []}]
    operation["x-scopes"] = scopes
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for status, says in _STATUSES.items():
        operation["responses"][status] = {"description": says, "content": content}
