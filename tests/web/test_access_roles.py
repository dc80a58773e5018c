"""The table of roles: four of them, and the administrator reads nothing of anybody."""

from dataclasses import dataclass

from app.web.access import PERMISSIONS, ROLE_TITLES, Permission, Role, may, roles_with


@dataclass
class Somebody:
    role: str


# What tells of a client, or lets one act upon them.
CONTENT = {
    Permission.SEE_OWN_SESSIONS,
    Permission.SEE_ALL_SESSIONS,
    Permission.PLAN_SESSIONS,
    Permission.PRESS,
    Permission.SEE_PEOPLE,
    Permission.ENTER_PEOPLE,
    Permission.WRITE_NOTES,
    Permission.READ_RECORDS,
    Permission.CONFIRM_ATTENDANCE,
    Permission.EXPORT_SESSION,
    Permission.EXPORT_TERM,
    Permission.READ_CONCERNS,
    Permission.ERASE_PEOPLE,
}


def test_the_table_is_whole() -> None:
    assert set(PERMISSIONS) == set(ROLE_TITLES) == set(Role)
    assert set().union(*PERMISSIONS.values()) == set(Permission)


def test_an_administrator_has_no_content_and_nobody_else_has_accounts() -> None:
    assert PERMISSIONS[Role.ADMINISTRATOR] & CONTENT == set()
    assert roles_with(Permission.MANAGE_ACCOUNTS) == {Role.ADMINISTRATOR}
    assert roles_with(Permission.CONNECT_PLATFORMS) == {Role.ADMINISTRATOR}


def test_each_step_up_has_what_the_one_below_has() -> None:
    worker, lead, safeguarding = (
        PERMISSIONS[role]
        for role in (Role.WORKER, Role.SESSION_LEAD, Role.SAFEGUARDING_LEAD)
    )
    assert worker < lead < safeguarding
    assert roles_with(Permission.READ_CONCERNS) == {Role.SAFEGUARDING_LEAD}
    assert roles_with(Permission.ERASE_PEOPLE) == {Role.SAFEGUARDING_LEAD}
    assert roles_with(Permission.SEE_ALL_SESSIONS) == {Role.SAFEGUARDING_LEAD}


def test_everybody_may_raise_a_concern() -> None:
    assert roles_with(Permission.RAISE_CONCERN) == set(Role)


def test_nobody_and_an_unknown_role_may_nothing() -> None:
    nobody = (None, Somebody(""), Somebody("owner"), Somebody("administrator "))
    assert not any(may(one, what) for one in nobody for what in Permission)
    assert may(Somebody("worker"), Permission.PRESS)
