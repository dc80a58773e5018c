"""What an invitation says: when, with whom, the person's own link, the rules, real help.

No name of another young person, and no name of the group in the subject or the calendar:
both are often seen by others.
"""

from dataclasses import dataclass
from datetime import datetime

from app.config import Settings
from app.core.names import plain
from app.core.plan import Plan
from app.web.words import Zone, length
from integrations.mail import calendar


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom an invitation is for. ``link`` "" for a worker who comes by account."""

    person_id: str
    name: str
    link: str
    role: str = ""


def subject(settings: Settings, plan: Plan) -> str:
    """The subject, which a lock screen may show."""
    zone = Zone(plan.zone)
    day, clock = zone.short_day(plan.starts_at), zone.clock(plan.starts_at)
    return f"{settings.organisation_name}: online session on {day}, {clock}"


def text(
    settings: Settings, plan: Plan, invited: Invited, lead: str, opens: datetime
) -> str:
    """The invitation of one person, to send or to copy."""
    parts = _for_worker if invited.role else _for_client
    return parts(settings, plan, invited, lead, opens)


def _when(plan: Plan) -> str:
    zone = Zone(plan.zone)
    return (
        f"{zone.day(plan.starts_at)}, {zone.clock(plan.starts_at)} to "
        f"{zone.clock(plan.ends_at)} ({zone.says(plan.starts_at)})"
    )


def _for_client(
    settings: Settings, plan: Plan, invited: Invited, lead: str, opens: datetime
) -> str:
    zone = Zone(plan.zone)
    lines = [
        f"Hello {plain(invited.name)},",
        "",
        f"you are invited to our online session: {_when(plan)}.",
        f"What it is for: {plan.purpose}" if plan.purpose else "",
        f"{plain(lead)} leads it." if lead else "",
        "",
        "Your own link:",
        invited.link,
        "It is for you alone: it tells us that it is you. Please do not pass it on.",
        f"You can knock from {zone.clock(opens)}; a worker lets you in.",
    ]
    if plan.ground_rules.rules:
        lines += ["", "What the group agreed:", plan.ground_rules.text()]
    lines += [
        "",
        "You cannot come, or something worries you? Tell us by the way you know us. We "
        "cannot always answer at once.",
        settings.emergency_line,
        "",
        settings.organisation_name,
    ]
    return "\n".join(_tidy(lines))


def _for_worker(
    settings: Settings, plan: Plan, invited: Invited, _lead: str, opens: datetime
) -> str:
    page = f"{settings.base_url.rstrip('/')}/sessions/{plan.session_id}"
    early = length(plan.starts_at - opens)
    lines = [
        f"Hello {plain(invited.name)},",
        "",
        f"you are {invited.role} in an online session: {_when(plan)}.",
        "",
        "Plan, checklist and live page:",
        page,
    ]
    if invited.link:
        lines += [
            "",
            "Your own link into the meeting:",
            invited.link,
            "It counts as you. Give it to nobody.",
        ]
    else:
        lines += ["", "Join by your own account; it proves that it is you."]
    lines += ["", f"The room opens {early} before. {settings.emergency_line}"]
    return "\n".join(_tidy(lines))


def _tidy(lines: list[str]) -> list[str]:
    """Without the second of two empty lines."""
    return [
        line for place, line in enumerate(lines) if line or (place and lines[place - 1])
    ]


def appointment(settings: Settings, plan: Plan, now: datetime) -> str:
    """The calendar object of a session, the same for everybody."""
    host = settings.base_url.split("//", 1)[-1].split("/", 1)[0].split(":", 1)[0]
    return calendar.write(
        calendar.Appointment(
            uid=f"{plan.session_id}@{host}",
            sequence=plan.version,
            starts_at=plan.starts_at,
            ends_at=plan.ends_at,
            summary=f"Online session, {settings.organisation_name}",
            description=f"Your own link is in the mail. {settings.emergency_line}",
            written_at=now,
        )
    )
