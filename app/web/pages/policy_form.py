"""The form of the policy: what stands in it, what was typed, what differs from before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.checklist import FIXED, Pack
from app.core.policy import Mode, Policy, Weight
from app.store.policies import KINDS, merged, unsafe
from app.web.pages import policy_parts
from app.web.pages.forms import BadForm, Refusal
from app.web.pages.policy_fields import SHIPPED
from app.web.words import DOES

FORM = "policy"
MODES = (
    (Mode.WATCH, "Watch: writes it down"),
    (Mode.ASK, "Ask: asks a worker to do it"),
    (Mode.ACT, "Act: does it"),
)
WEIGHTS = (
    (Weight.BLOCK, "Stops the session"),
    (Weight.WARN, "Warns"),
    (Weight.INFORM, "Informs"),
)
_MODES = {str(mode): words for mode, words in MODES}
_WEIGHTS = {str(weight): words for weight, words in WEIGHTS}
AS_THE_CHECKLIST = "As the checklist says"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the checklist, and whether its weight may be changed."""

    id: str
    text: str
    clause: str
    weight: str
    fixed: bool


@dataclass(frozen=True, slots=True)
class Difference:
    """What another policy says of one thing."""

    title: str
    before: str
    after: str


def lines(pack: Pack) -> list[Line]:
    """The lines of the checklist."""
    return [
        Line(
            item.id,
            item.text,
            item.clause,
            _WEIGHTS[str(item.weight)],
            item.id in FIXED,
        )
        for item in pack.items
    ]


def values(policy: Policy, pack: Pack) -> dict[str, str]:
    """Every field of the form -> what stands in it for this policy."""
    found = {one.name: one.shown(policy) for one in policy_parts.fields()}
    found |= {f"mode_{kind}": str(policy.mode(kind)) for kind in KINDS}
    for line in lines(pack):
        if not line.fixed:
            found[f"weight_{line.id}"] = str(policy.weights.get(line.id, ""))
    return found


def read(form: Mapping[str, str], pack: Pack) -> dict[str, Any]:
    """What the form says differently from the policy as shipped.

    Raises Refusal with every fault, and BadForm for what our page cannot have sent.
    """
    faults = dict[str, str]()
    known = values(SHIPPED, pack)
    if not set(known) <= set(form):
        raise BadForm(400, "The form is not whole. Open the page again.")
    changes: dict[str, Any] = {}
    for field in policy_parts.fields():
        value, fault = field.read(form[field.name])
        if fault:
            faults[field.name] = fault
        elif form[field.name].strip() != known[field.name]:
            changes[field.name] = value
    modes = _chosen(form, known, "mode_", _MODES, faults)
    weights = _chosen(form, known, "weight_", {"": "", **_WEIGHTS}, faults)
    changes |= {"modes": modes} if modes else {}
    changes |= {"weights": weights} if weights else {}
    if faults:
        raise Refusal(faults, FORM)
    if wrong := unsafe(changes):
        raise Refusal({"": " ".join(wrong)}, FORM)
    return changes


def _chosen(
    form: Mapping[str, str],
    known: Mapping[str, str],
    prefix: str,
    words: Mapping[str, str],
    faults: dict[str, str],
) -> dict[str, str]:
    found = {}
    for name, as_shipped in known.items():
        if not name.startswith(prefix):
            continue
        if form[name] not in words:
            faults[name] = "Choose one of the words of the list."
        elif form[name] != as_shipped:
            found[name.removeprefix(prefix)] = form[name]
    return found


def differences(before: Policy, after: Policy, pack: Pack) -> Sequence[Difference]:
    """Everything the two say differently, in the order of the page."""
    found = [
        Difference(one.title, one.told(before), one.told(after))
        for one in policy_parts.fields()
        if one.shown(before) != one.shown(after)
    ]
    for kind in KINDS:
        old, new = before.mode(kind), after.mode(kind)
        if old != new:
            found.append(Difference(DOES[kind], _MODES[old], _MODES[new]))
    for line in lines(pack):
        was, is_now = before.weights.get(line.id), after.weights.get(line.id)
        if was != is_now:
            found.append(Difference(line.text, _weight(was), _weight(is_now)))
    return found


def _weight(weight: Weight | None) -> str:
    return AS_THE_CHECKLIST if weight is None else _WEIGHTS[str(weight)]


def policy(changes: Mapping[str, Any], version: int) -> Policy:
    """The policy of a version."""
    return merged(changes, {}, version)
