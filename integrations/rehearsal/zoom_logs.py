"""The platform's own log of the webhooks it sent, with their bodies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from integrations.rehearsal.courier import log_row
from integrations.rehearsal.zoom_desk import (
    Answer,
    ApiError,
    Ask,
    Desk,
    Operation,
    paged,
)

LOG_KEPT = timedelta(days=7)


def webhook_logs(desk: Desk, ask: Ask) -> Answer:
    """What was sent in the last seven days, with the bodies."""
    since = _moment(ask.query.get("from", ""), ask.now - LOG_KEPT)
    soon = ask.now + timedelta(seconds=1)
    until = _moment(ask.query.get("to", ""), soon, end_of_day=True)
    rows = desk.courier.log_rows(
        max(since, ask.now - LOG_KEPT), until, ask.query.get("event", "")
    )
    wanted = ask.query.get("retry_num", "")
    shown = [
        log_row(each, desk.account, desk.courier.target)
        for each in rows
        if wanted in ("", str(each.retry_num))
    ]
    page = paged(desk, ask, "webhook_logs", shown)
    return Answer(
        200,
        {key: page[key] for key in ("next_page_token", "page_size", "webhook_logs")},
    )


def _moment(written: str, otherwise: datetime, *, end_of_day: bool = False) -> datetime:
    """A date (whole days, the last one included) or a date-time."""
    if not written:
        return otherwise
    try:
        at = datetime.fromisoformat(written)
    except ValueError as fault:
        raise ApiError(400, 300, "Validation Failed.") from fault
    if len(written) == len("2026-11-17") and end_of_day:
        at += timedelta(days=1)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


OPERATIONS = (
    Operation(
        "GET",
        "/marketplace/apps/{app_id}/webhook_logs",
        "marketplace:read:webhook_logs:admin",
        "MEDIUM",
        webhook_logs,
    ),
)
