"""Checks of who comes: workers (guidance S2, S3) and invited clients (T8, T9, B6, H1, H4)."""

from collections import Counter
from dataclasses import replace
from datetime import datetime

from app.core.gates import one_to_ones_count
from app.core.plan import InvitedClient, Plan, Role, WorkerSlot
from app.core.policy import Weight
from app.core.presses import LinkState
from app.core.readiness_items.finding import (
    Check,
    Finding,
    Result,
    each_client,
    listed,
    passed,
    planned,
)
from app.core.session import GroupSession


def one_lead(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """Exactly one lead (guidance S3)."""
    leads = {w.person_id for w in plan.workers if w.role is Role.LEAD}
    return passed(len(leads) == 1, f"Lead workers planned: {len(leads)}.")


def support_worker(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """At least one support worker who is not the lead (guidance S3)."""
    leads = {w.person_id for w in plan.workers if w.role is Role.LEAD}
    support = {w.person_id for w in plan.workers if w.role is Role.SUPPORT} - leads
    return passed(bool(support), f"Support workers planned: {len(support)}.")


def two_workers(session: GroupSession, plan: Plan, _: datetime) -> Finding:
    """Enough workers in the room by plan; standby does not count (guidance S2).

    Blocks the start of a group under 18; weighs less for adults.
    """
    needed = session.policy.workers_needed
    there = {w.person_id for w in plan.workers if w.role is not Role.STANDBY}
    return passed(
        len(there) >= needed,
        f"Workers planned for the room: {len(there)}; needed: {needed}.",
        None if plan.under_18 else Weight.WARN,
    )


def workers_proved(session: GroupSession, plan: Plan, _: datetime) -> Finding:
    """Each worker can be told from a stranger with their name (S2, 002.15, A2).

    By an account that a manager entered, or by an own link. A shared account proves
    nobody until its user presses "I am in", so that is enough of a way (DESIGN §5,
    line 17); the same account for two workers that is not marked as shared is a fault.
    """
    if not plan.workers:
        return Finding(Result.FAULT, "No worker is planned.")
    own = Counter(
        w.platform_user_id
        for w in plan.workers
        if w.platform_user_id and not w.shared_login
    )
    unproved = [
        (w, why) for w in plan.workers if (why := _why_unproved(session, w, own))
    ]
    if not unproved:
        count = len(plan.workers)
        return Finding(Result.OK, f"Workers with an account or an own link: {count}.")
    only_standby = all(w.role is Role.STANDBY for w, _ in unproved)
    return Finding(
        Result.FAULT,
        listed(f"{w.person_id}: {why}" for w, why in unproved),
        Weight.WARN if only_standby else None,
    )


def _why_unproved(session: GroupSession, worker: WorkerSlot, own: Counter[str]) -> str:
    if _has_link(session, worker.person_id):
        return ""
    if not worker.platform_user_id:
        return "neither an account nor an own link"
    if own[worker.platform_user_id] > 1:
        return "the same account as another worker, not marked as shared"
    return ""


def _has_link(session: GroupSession, person_id: str) -> bool:
    return any(
        link.person_id == person_id and link.state is not LinkState.CANCELLED
        for link in session.links.values()
    )


def one_to_one(session: GroupSession, plan: Plan, now: datetime) -> Finding:
    """Each invited client had the talks that the policy asks for (guidance T9)."""
    needed = session.policy.one_to_ones_needed

    def lacking(client: InvitedClient) -> str:
        held = one_to_ones_count(session.policy, client, now.date())
        return "" if held >= needed else f"{held} of {needed} one-to-one talks"

    return each_client(plan, lacking, "Clients with their one-to-one talks")


def consent(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """Consent to take part is on file (guidance B6)."""
    return each_client(
        plan,
        lambda c: "" if c.consent_to_take_part else "no consent to take part",
        "Clients with consent to take part",
    )


def known_to_worker(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """Each invited client is known to a worker (guidance T8)."""
    return each_client(
        plan,
        lambda c: "" if c.known_to else "no worker knows this client",
        "Clients known to a worker",
    )


def client_links(session: GroupSession, plan: Plan, _: datetime) -> Finding:
    """Each invited client has an own link (guidance S8, K01)."""
    return each_client(
        plan,
        lambda c: "" if _has_link(session, c.person_id) else "no own link yet",
        "Clients with an own link",
    )


def risk_assessment(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """The session's risks were looked at; a must with a high-risk client (R1)."""
    high = any(c.high_risk for c in plan.clients)
    return passed(
        plan.risk_assessment,
        f"Risk assessment on file: {_yes(plan.risk_assessment)}; "
        f"a high-risk client is invited: {_yes(high)}.",
        Weight.BLOCK if high else None,
    )


def high_risk_reviewed(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """Each high-risk client's own assessment was reviewed (guidance H1)."""
    return each_client(
        plan,
        lambda c: (
            "high risk, not reviewed" if c.high_risk and not c.risk_reviewed else ""
        ),
        "Clients without a high risk, or with a reviewed one",
    )


def client_contacts(_: GroupSession, plan: Plan, __: datetime) -> Finding:
    """A contact and a referrer for each client; a must where the risk is high (H4)."""

    def lacking(client: InvitedClient) -> str:
        gaps = (
            "" if client.has_contact else "no contact",
            "" if client.has_referrer else "no referrer",
        )
        return " and ".join(gap for gap in gaps if gap)

    found = each_client(plan, lacking, "Clients with a contact and a referrer")
    high = any(c.high_risk and lacking(c) for c in plan.clients)
    return replace(found, weight=Weight.BLOCK if high else None)


def _yes(value: bool) -> str:
    return "yes" if value else "no"


CHECKS: dict[str, Check] = {
    "one_lead": planned(one_lead),
    "support_worker": planned(support_worker),
    "two_workers": planned(two_workers),
    "workers_proved": planned(workers_proved),
    "one_to_one": planned(one_to_one),
    "consent": planned(consent),
    "known_to_worker": planned(known_to_worker),
    "client_links": planned(client_links),
    "risk_assessment": planned(risk_assessment),
    "high_risk_reviewed": planned(high_risk_reviewed),
    "client_contacts": planned(client_contacts),
}
