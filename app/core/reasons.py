"""What may not be a reason: a camera that is off (guidance T4)."""

import re
from collections.abc import Iterable

CAMERA_IS_NO_REASON = (
    "A camera that is off is never a reason (guidance T4: faces are optional if workers "
    "know who it is). Check who it is another way, or name what else happened."
)


def _words(text: str) -> frozenset[str]:
    plain = re.sub(r"['\u2018\u2019]", "", text.casefold())
    return frozenset(re.findall(r"[^\W_]+", plain))


_CAMERA = _words("cam cams camera cameras video webcam webcams face picture")
# Words that add nothing to "the camera is off"; any other word is another reason.
_FILLER = _words(
    """
    a again all always an and any are as asked asking at be been being black blank but by
    can cannot cant covered dark did didnt disabled do does doesnt for from had has have
    having he her hers hid hidden hide hides hiding him his i in is isnt it its just keep
    keeping keeps kept leave leaves leaving left let me muted my never no none not now of
    off on or our out own please put puts refuse refused refuses refusing she show
    showing shown shows so still stopped switch switched switches switching that the their
    them there they this to today too turn turned turning turns up us want wanted wants was
    wasnt we were werent when will with without wont would wouldnt you your
    client member participant person young
    """
)


def camera_problem(text: str, names: Iterable[str] = ()) -> str:
    """Why this text cannot be a reason: it speaks of nothing but a camera being off.

    ``names`` of people add nothing either. "" when the text may stand.
    """
    words = _words(text)
    said = words - _FILLER
    for name in names:
        said -= {word + end for word in _words(name) for end in ("", "s")}
    if said and said <= _CAMERA:
        return CAMERA_IS_NO_REASON
    return ""
