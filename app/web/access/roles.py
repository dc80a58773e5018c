"""The four roles and what each may do: the one table, in one place (assurance §11.1).

A page, an endpoint and a query ask :func:`may`; nobody compares a role by name. What a
permission opens is still bounded by reach: a worker's notes are those of sessions they
are rostered for (:mod:`app.web.access.reach`).
"""

from enum import StrEnum
from typing import Protocol


class Role(StrEnum):
    """What a signed-in person is here as (assurance §11.1)."""

    WORKER = "worker"
    SESSION_LEAD = "session_lead"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    ADMINISTRATOR = "administrator"


ROLE_TITLES = {
    Role.WORKER: "Worker",
    Role.SESSION_LEAD: "Session lead",
    Role.SAFEGUARDING_LEAD: "Safeguarding lead",
    Role.ADMINISTRATOR: "Administrator",
}


class Permission(StrEnum):
    """Something a role may do. The value says it in words."""

    SEE_OWN_SESSIONS = "see the sessions they work in or lead"
    SEE_ALL_SESSIONS = "see every session"
    PLAN_SESSIONS = "plan sessions and invite clients"
    PRESS = "press on the live page and the checklist of their sessions"
    SEE_PEOPLE = "see workers, clients and groups"
    ENTER_PEOPLE = "enter and change people, one-to-ones and groups"
    WRITE_NOTES = "write session notes"
    READ_RECORDS = "read notes, attendance and records within reach"
    CONFIRM_ATTENDANCE = "correct and confirm attendance"
    EXPORT_SESSION = "export one session"
    EXPORT_TERM = "export many sessions at once"
    RAISE_CONCERN = "raise a concern"
    READ_CONCERNS = "read concerns"
    ERASE_PEOPLE = "erase a person for good"
    MANAGE_CONTACTS = "enter and confirm alarm contacts"
    CHANGE_POLICY = "change the organisation's policy"
    CONNECT_PLATFORMS = "connect platforms and mail"
    MANAGE_ACCOUNTS = "invite people, change roles, close accounts"


_WORKER = frozenset(
    {
        Permission.SEE_OWN_SESSIONS,
        Permission.PRESS,
        Permission.SEE_PEOPLE,
        Permission.WRITE_NOTES,
        Permission.READ_RECORDS,
        Permission.CONFIRM_ATTENDANCE,
        Permission.EXPORT_SESSION,
        Permission.RAISE_CONCERN,
    }
)
_SESSION_LEAD = _WORKER | {
    Permission.PLAN_SESSIONS,
    Permission.ENTER_PEOPLE,
    Permission.EXPORT_TERM,
}

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.WORKER: _WORKER,
    Role.SESSION_LEAD: _SESSION_LEAD,
    Role.SAFEGUARDING_LEAD: _SESSION_LEAD
    | {
        Permission.SEE_ALL_SESSIONS,
        Permission.READ_CONCERNS,
        Permission.ERASE_PEOPLE,
        Permission.MANAGE_CONTACTS,
        Permission.CHANGE_POLICY,
    },
    # No content: nothing about a client, not even that there is a session (§11.1).
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.RAISE_CONCERN,
            Permission.MANAGE_CONTACTS,
            Permission.CHANGE_POLICY,
            Permission.CONNECT_PLATFORMS,
            Permission.MANAGE_ACCOUNTS,
        }
    ),
}


class HasRole(Protocol):
    """Anything that carries a role, such as a signed-in browser."""

    @property
    def role(self) -> str: ...


def may(somebody: HasRole | None, permission: Permission) -> bool:
    """Whether they may; nobody, and a role that is not known, may nothing."""
    if somebody is None or somebody.role not in set(Role):
        return False
    return permission in PERMISSIONS[Role(somebody.role)]


def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that include it."""
    return frozenset(role for role in Role if permission in PERMISSIONS[role])
