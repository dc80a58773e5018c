"""What the mails about accounts say: (subject, text). No names of clients, ever."""

from app.config import Settings
from app.store import accounts


def address(settings: Settings, text: str) -> str:
    """Where a link by mail leads."""
    return f"{settings.base_url.rstrip('/')}/password/{text}"


def invitation(settings: Settings, text: str) -> tuple[str, str]:
    """To somebody who gets an account."""
    days = accounts.INVITATION_LASTS.days
    return (
        f"{settings.organisation_name}: your account for online sessions",
        f"{settings.organisation_name} uses Chaperone to keep its online group sessions "
        "safe, and you get an account.\n\n"
        "Open this page and choose how you will sign in:\n"
        f"{address(settings, text)}\n\n"
        f"It works once, for {days} days, for you alone: do not pass it on. If you did not "
        "expect this, ask whoever looks after your online sessions.\n",
    )


def reset(settings: Settings, text: str) -> tuple[str, str]:
    """To somebody who asked for a new password."""
    minutes = int(accounts.RESET_LASTS.total_seconds() / 60)
    return (
        f"{settings.organisation_name}: choose a new password",
        "Somebody, we hope you, asked for a new password for Chaperone.\n\n"
        "Choose it on this page:\n"
        f"{address(settings, text)}\n\n"
        f"It works once, within {minutes} minutes. If it was not you, do nothing: your "
        "password stays as it is.\n",
    )


def changed(settings: Settings) -> tuple[str, str]:
    """To somebody whose account just got a new way in (ASVS 5.0 V6.3.7)."""
    return (
        f"{settings.organisation_name}: the way you sign in was changed",
        "The password of your Chaperone account was changed, or another account was "
        "joined to it, and every browser was signed out.\n\n"
        "If it was not you, choose a new password now and tell whoever looks after "
        "Chaperone:\n"
        f"{settings.base_url.rstrip('/')}/sign-in/forgotten\n",
    )
