"""Every route carries a policy, or the application does not start."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount, Route

from app.web.access.roles import HasRole, Role


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may use a route: anybody (``why`` says the reason), a scope, or some roles."""

    scope: str = ""
    roles: frozenset[Role] = frozenset()
    why: str = ""

    def allows(self, somebody: HasRole) -> bool:
        """Whether it is open to all, or to this person's role."""
        return bool(self.why) or somebody.role in self.roles


T = TypeVar("T", bound=Callable[..., Any])


def open_to_all(why: str) -> Callable[[T], T]:
    """Mark an endpoint that needs no credentials, with the reason."""
    return marked(Policy(why=why))


def marked(policy: Policy) -> Callable[[T], T]:
    """Mark an endpoint that enforces its policy itself (pages with their own frame)."""

    def mark(endpoint: T) -> T:
        endpoint.policy = policy  # type: ignore[attr-defined]
        return endpoint

    return mark


class NoPolicy(Exception):
    """Routes nobody decided about; the application must not start."""


def check_policies(routes: Iterable[BaseRoute]) -> dict[str, Policy]:
    """Route path (and methods) -> policy. Raises NoPolicy naming every bare route."""
    found = {name: _policy_of(route) for name, route in _named(routes)}
    bare = sorted(name for name, policy in found.items() if policy is None)
    if bare:
        raise NoPolicy(f"No policy for: {', '.join(bare)}.")
    return {name: policy for name, policy in found.items() if policy is not None}


def _named(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, BaseRoute]]:
    for route in routes:
        methods = ",".join(sorted(getattr(route, "methods", None) or ()))
        yield f"{methods} {getattr(route, 'path', route)}".strip(), route


def _policy_of(route: BaseRoute) -> Policy | None:
    if isinstance(route, APIRoute):
        for dependency in route.dependant.dependencies:
            policy = getattr(dependency.call, "policy", None)
            if isinstance(policy, Policy):
                return policy
    holder = route.app if isinstance(route, Mount) else None
    if isinstance(route, Route):
        holder = route.endpoint
    policy = getattr(holder, "policy", None)
    return policy if isinstance(policy, Policy) else None
