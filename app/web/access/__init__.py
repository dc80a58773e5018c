"""Who may do what. Every route carries a policy, or the application does not start.

Programs come with a bearer token that has scopes (:mod:`.tokens`); people come with an
account or a single-use link, which open a browser session with a role (:mod:`.roles`,
:mod:`.browsers`; assurance §11.1). Deny by default; nothing is decided by a request's own
address or Host.
"""

from app.web.access.before import (
    form_token,
    form_token_holds,
    give_before,
    known_as,
    remember,
)
from app.web.access.browsers import (
    NeedsRole,
    cookie_called,
    cookie_name,
    cookie_of,
    drop_cookie,
    give_cookie,
    set_cookie,
    sign_out,
    visitor,
)
from app.web.access.forgery import (
    csrf_holds,
    csrf_shown,
    from_our_page,
    safe_next,
    says_where_from,
)
from app.web.access.policy import (
    NoPolicy,
    Policy,
    check_policies,
    marked,
    open_to_all,
)
from app.web.access.reach import in_reach
from app.web.access.roles import (
    PERMISSIONS,
    ROLE_TITLES,
    Permission,
    Role,
    may,
    roles_with,
)
from app.web.access.tokens import SCOPES, Needs, address_of, wrong_try

__all__ = [
    "PERMISSIONS",
    "ROLE_TITLES",
    "SCOPES",
    "Needs",
    "NeedsRole",
    "NoPolicy",
    "Permission",
    "Policy",
    "Role",
    "address_of",
    "check_policies",
    "cookie_called",
    "cookie_name",
    "cookie_of",
    "csrf_holds",
    "csrf_shown",
    "drop_cookie",
    "form_token",
    "form_token_holds",
    "from_our_page",
    "give_before",
    "give_cookie",
    "in_reach",
    "known_as",
    "marked",
    "may",
    "open_to_all",
    "remember",
    "roles_with",
    "safe_next",
    "says_where_from",
    "set_cookie",
    "sign_out",
    "visitor",
    "wrong_try",
]
