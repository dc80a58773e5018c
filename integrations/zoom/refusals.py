"""What Zoom's refusals mean, in sentences an administrator can act on.

Zoom's own words stay out, but for names of permissions: they may hold an address.
Codes: developers.zoom.us/docs/api/meetings/ and .../docs/integrations/oauth-error-messages/.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.base import PermanentFailure, PlatformFailure, TemporaryFailure
from integrations.zoom import scopes
from integrations.zoom.limits import read_retry_after


class Refused(PermanentFailure):
    """Zoom answered 4xx. `status` and `code` as it said; code 0 when it said none.

    `words` are Zoom's own: to look something up in, never to show or to log.
    """

    def __init__(
        self, message: str, fix: str, status: int, code: int, words: str = ""
    ) -> None:
        super().__init__(message, fix)
        self.status = status
        self.code = code
        self.words = words

    @property
    def unknown_meeting(self) -> bool:
        return self.status == 404 or self.code == 3001

    @property
    def lacks_scope(self) -> bool:
        return lacks_scope(self.code, self.words)


_SCOPE_CODES = frozenset({4700, 4711})
_KNOWN: Mapping[int, tuple[str, str]] = {
    200: (
        "Zoom says the account's plan does not include this.",
        "Ask the Zoom administrator which plan the account has; this needs a higher"
        " one, or a feature that Zoom support switches on.",
    ),
    300: (
        "Zoom does not allow this for the account or the meeting.",
        "Check that the meeting exists and runs; some calls work only after Zoom's"
        " Developer Support has switched them on for the account.",
    ),
    1001: (
        "Zoom does not know this user.",
        "Check CHAPERONE_ZOOM_HOST_USER: it must be an active user of the account.",
    ),
    1010: (
        "Zoom says this user is not part of the account.",
        "Check that the meeting belongs to the account of the app.",
    ),
    2314: (
        "Zoom says the app may not do this in this meeting.",
        "Check that the meeting's host belongs to the account of the app.",
    ),
    3000: (
        "Zoom cannot do this with this meeting.",
        "Check in Zoom's web portal that the meeting asks for registration.",
    ),
    3001: (
        "Zoom does not know this meeting.",
        "Check the meeting id; the meeting may have been deleted.",
    ),
    3043: (
        "Registration of this meeting is full.",
        "Cancel links that are no longer needed.",
    ),
    3063: (
        "Zoom cannot end meetings that run on the organisation's own servers.",
        "Plan the session in the cloud.",
    ),
    3161: (
        "Zoom says this host may not host meetings.",
        "Give the host user a licence, or plan the meeting under another user.",
    ),
    4400: ("Zoom has no live stream to stop in this meeting.", ""),
    12702: ("Zoom no longer keeps the list of a meeting this old.", ""),
}
_CREDENTIALS = (
    "Check account id, client id and client secret of the Server-to-Server OAuth app at"
    " marketplace.zoom.us, and that the app is activated."
)


def lacks_scope(code: int, message: str) -> bool:
    """The answer is about a missing permission, whatever its status."""
    return code in _SCOPE_CODES or "scope" in message.lower()


def code_and_words(body: Mapping[str, Any]) -> tuple[int, str]:
    """Zoom's error code (0 for none) and message."""
    code, words = body.get("code"), body.get("message", body.get("reason"))
    return (
        code if type(code) is int else 0,
        words if isinstance(words, str) else "",
    )


def failure(
    status: int,
    body: Mapping[str, Any],
    retry_after: str | None,
    now: datetime,
    *,
    scope: str = "",
) -> PlatformFailure:
    """The failure that an answer outside of what was expected means."""
    code, words = code_and_words(body)
    if status == 429:
        wait = read_retry_after(retry_after, now) if retry_after else None
        return TemporaryFailure("Zoom answers that it is asked too often (429).", wait)
    if status >= 500 or status in (408, 425):
        wait = read_retry_after(retry_after, now) if retry_after else None
        return TemporaryFailure(f"Zoom has a fault of its own ({status}).", wait)
    if status < 400:
        return TemporaryFailure(f"Zoom's answer cannot be used (status {status}).")
    if lacks_scope(code, words):
        names = scopes.named_in(words) or scope or "the permission Zoom asks for"
        return Refused(
            f"Zoom has not given Chaperone the permission for this: {names}.",
            scopes.FIX.format(names=names),
            status,
            code,
            words,
        )
    if status == 401:
        return Refused("Zoom does not accept our access.", _CREDENTIALS, status, code)
    known = _KNOWN.get(code) or (_KNOWN[3001] if status == 404 else None)
    sentence, fix = known or ("Zoom refused the call.", "")
    told = f" (status {status}, code {code})" if code else f" (status {status})"
    return Refused(sentence.removesuffix(".") + told + ".", fix, status, code, words)


def no_token(
    status: int, body: Mapping[str, Any], retry_after: str | None, now: datetime
) -> PlatformFailure:
    """The failure of the token endpoint."""
    if status < 400 or status == 429 or status >= 500:
        return failure(status, body, retry_after, now)
    code, _ = code_and_words(body)
    told = f" (status {status}, code {code})" if code else f" (status {status})"
    return Refused(f"Zoom gave no access token{told}.", _CREDENTIALS, status, code)
