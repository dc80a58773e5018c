"""Put a changed module in the place of the one that is loaded everywhere."""

import sys
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import Any


def apply(module: ModuleType, code: Any) -> None:
    """Give every function of the module its changed code, whoever holds it already.

    Constants are changed wherever the same object was imported to. Raises what the
    changed module raises when it is run: that is noticed, too.
    """
    changed = ModuleType(module.__name__)
    changed.__file__ = module.__file__
    held = sys.modules[module.__name__]
    sys.modules[module.__name__] = changed
    try:
        exec(code, changed.__dict__)
    finally:
        sys.modules[module.__name__] = held
    _functions(vars(module), vars(changed))
    _constants(module, changed)


def _functions(before: Any, after: Any) -> None:
    for name, old in list(before.items()):
        new = after.get(name)
        old, new = _bare(old), _bare(new)
        if isinstance(old, FunctionType) and isinstance(new, FunctionType):
            same = old.__module__ == new.__module__
            if same and len(old.__code__.co_freevars) == len(new.__code__.co_freevars):
                old.__code__, old.__defaults__ = new.__code__, new.__defaults__
                old.__kwdefaults__ = new.__kwdefaults__
        elif isinstance(old, type) and isinstance(new, type):
            _functions(vars(old), vars(new))


def _bare(one: Any) -> Any:
    """The function inside a property, a static method or a decorator."""
    if isinstance(one, property):
        one = one.fget
    one = getattr(one, "__func__", one)
    return getattr(one, "__wrapped__", one)


PLAIN = (int, float, str, bytes, bool, frozenset, tuple, dict, set, list)


def _constants(module: ModuleType, changed: ModuleType) -> None:
    for name, new in _plain(vars(changed)):
        old = vars(module).get(name)
        if type(old) is not type(new) or old == new or callable(old):
            continue
        for other in list(sys.modules.values()):
            space = getattr(other, "__dict__", {})
            if space.get(name) is old:
                space[name] = new


def _plain(space: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in space.items():
        kind = type(value)
        if not name.startswith("__") and (
            kind in PLAIN or kind.__module__ == "datetime"
        ):
            yield name, value
