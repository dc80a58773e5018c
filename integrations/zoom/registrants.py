"""Personal links: one registrant for each person, under a pseudonymous address.

developers.zoom.us/docs/api/meetings/ (meeting registrants). A cancelled link stops
the next join; it puts nobody out.
"""

from typing import Any

from integrations.base import (
    IssuedLink,
    PermanentFailure,
    PlatformFailure,
    TemporaryFailure,
)
from integrations.zoom.calls import Call, Calls, Rows, listing, meeting_path
from integrations.zoom.scopes import (
    ADD_REGISTRANT,
    CHANGE_REGISTRANT,
    LIST_REGISTRANTS,
)
from integrations.zoom.story import as_text

_ACTIONS = {"active": "approve", "suspended": "cancel", "cancelled": "cancel"}
_LONGEST_NAME = 64


class Links:
    """The registrants of one account's meetings."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._addresses: dict[tuple[str, str], str] = {}

    async def issue(self, meeting_id: str, alias: str, label: str) -> IssuedLink:
        """Make a link, or adopt the one that this address has already.

        A cancelled link is not adopted: whoever asks for a new one wants another.
        """
        for status in ("approved", "pending"):
            row = await self._find(meeting_id, status, email=alias)
            if row is not None:
                link = _link(row, "id")
                return (
                    link
                    if link.join_url
                    else await self._approve(meeting_id, link, alias)
                )
        answer = await self._calls.send(
            Call(
                method="POST",
                path=f"/meetings/{meeting_path(meeting_id)}/registrants",
                scope=ADD_REGISTRANT,
                json={
                    "first_name": label[:_LONGEST_NAME],
                    "email": alias,
                    "auto_approve": True,
                },
                ok=201,
            )
        )
        link = _link(answer.said, "registrant_id")
        self._addresses[meeting_id, link.registrant_id] = alias
        return link if link.join_url else await self._approve(meeting_id, link, alias)

    async def _approve(
        self, meeting_id: str, link: IssuedLink, alias: str
    ) -> IssuedLink:
        """Open a link that waits for approval, and read its address."""
        await self.change(meeting_id, link.registrant_id, alias, "active")
        row = await self._find(meeting_id, "approved", registrant_id=link.registrant_id)
        return link if row is None else _link(row, "id")

    async def change(
        self, meeting_id: str, registrant_id: str, alias: str, state: str
    ) -> None:
        """Make a link `active`, `suspended` or `cancelled`."""
        action = _ACTIONS.get(state)
        if action is None:
            raise PermanentFailure(f"A link cannot be {state!r}.")
        named = {"id": registrant_id}
        address = alias or await self._address(meeting_id, registrant_id)
        if address:
            named["email"] = address
        await self._calls.send(
            Call(
                method="PUT",
                path=f"/meetings/{meeting_path(meeting_id)}/registrants/status",
                scope=CHANGE_REGISTRANT,
                label="MEDIUM",
                json={"action": action, "registrants": [named]},
                ok=204,
            )
        )

    async def _address(self, meeting_id: str, registrant_id: str) -> str:
        """The address Zoom has for a registrant; "" where it does not tell."""
        key = meeting_id, registrant_id
        for status in ("approved", "pending", "denied"):
            if key in self._addresses:
                break
            try:
                await self._list(meeting_id, status)
            except PlatformFailure:
                return ""  # the id alone does, too
        return self._addresses.get(key, "")

    async def _list(self, meeting_id: str, status: str) -> Rows:
        path = f"/meetings/{meeting_path(meeting_id)}/registrants"
        rows, complete, _ = await self._calls.collect(
            listing(path, LIST_REGISTRANTS, "MEDIUM", {"status": status}), "registrants"
        )
        if not complete:
            # Half a list could make a second link for somebody who has one.
            raise TemporaryFailure("Zoom's list of registrants is not complete.")
        for row in rows:
            key = meeting_id, as_text(row.get("id"))
            self._addresses[key] = as_text(row.get("email"))
        return rows

    async def _find(
        self, meeting_id: str, status: str, *, email: str = "", registrant_id: str = ""
    ) -> dict[str, Any] | None:
        for row in await self._list(meeting_id, status):
            address = as_text(row.get("email")).casefold()
            if email and address == email.casefold():
                return dict(row)
            if registrant_id and as_text(row.get("id")) == registrant_id:
                return dict(row)
        return None


def _link(row: dict[str, Any], key: str) -> IssuedLink:
    registrant_id = as_text(row.get(key))
    if not registrant_id:
        raise TemporaryFailure("Zoom's answer holds no registrant.")
    return IssuedLink(
        registrant_id=registrant_id,
        join_url=as_text(row.get("join_url")),
        pin=as_text(row.get("participant_pin_code")),
    )
