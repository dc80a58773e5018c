"""Under which keys the sealed values lie, and which key nothing needs any more."""

from collections.abc import Mapping

from sqlalchemy.exc import SQLAlchemyError

from app.checkup.finding import Finding
from app.privacy import sealed
from app.store.database import Store


async def keys(store: Store) -> list[Finding]:
    """Count the values of each key; say when an older one can be taken off."""
    try:
        found: dict[str, int] = await store.read(sealed.counted)
    except SQLAlchemyError:
        return []  # What is wrong with the store is told under its own name.
    first, *older = store.keys.key_ids
    lost = {key: number for key, number in found.items() if key not in (first, *older)}
    left = {key: found[key] for key in older if found.get(key)}
    if lost:
        return [
            Finding(
                "keys",
                "fault",
                f"{_lying(lost)}; CHAPERONE_SECRET_KEY does not have it.",
                "Add that key after the others, with a comma between.",
            )
        ]
    if left:
        return [
            Finding(
                "keys",
                "warn",
                f"{_lying(left)}; the first key is {first}.",
                "Stop the service, then: chaperone re-encrypt.",
            )
        ]
    if older:
        return [await _removable(store, older)]
    return [Finding("keys", "ok", f"{_lying({first: found.get(first, 0)})}.")]


async def _removable(store: Store, older: list[str]) -> Finding:
    bound: sealed.BoundToOldKeys = await store.read(
        lambda db: sealed.bound_to_old_keys(db, store)
    )
    return Finding(
        "keys",
        "warn",
        f"Nothing lies under {' or '.join(older)} any more. Made before the change: "
        f"{bound.tokens} API tokens, {bound.identities} accounts joined to a provider.",
        "Make these tokens anew and invite these accounts again, then take the older "
        "key off CHAPERONE_SECRET_KEY: what was made under it stops working.",
    )


def _lying(found: Mapping[str, int]) -> str:
    return ", ".join(
        f"{number} values lie under key {key}" for key, number in found.items()
    )
