"""Which tests have to notice a mistake in which module, and the mistakes that are none."""

from pathlib import Path

RULES = "app/core/rules"
ACCESS = [
    "tests/web/test_access.py",
    "tests/web/test_access_headers.py",
    "tests/web/test_access_roles.py",
    "tests/web/test_pages_access.py",
]
PAIRS: dict[str, list[str]] = {
    **{
        f"{RULES}/{name}.py": [
            f"tests/core/rules/test_{name}.py",
            f"tests/core/rules/test_{name}_edges.py",
        ]
        for name in ("never_alone", "entry", "ladder")
    },
    **{f"app/web/access/{name}.py": ACCESS for name in ("reach", "roles", "policy")},
}
LISTED = Path(__file__).with_name("equivalent.txt")


def equivalent(path: str) -> dict[str, str]:
    """Name of the mistake -> why it changes nothing anybody could notice.

    Each stands on a line of its own with the module in front; its reason is indented
    below it. Raises ValueError for one without a reason.
    """
    found: dict[str, str] = {}
    name = ""
    for line in LISTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            where, _, name = line.partition(" :: ")
            if where == path:
                found[name] = ""
        elif name in found:
            found[name] = f"{found[name]} {line.strip()}".strip()
    if "" in found.values():
        raise ValueError(f"a mistake in {path} is listed without a reason")
    return found
