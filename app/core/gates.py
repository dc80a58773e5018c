"""May an invitation leave, and may an invited client be let in (guidance T9, B6, H1)?

Shared by readiness (may the session start?) and entry (may this person come in?), so
that one person never passes one of them and fails the other.
"""

from datetime import date

from app.core.plan import InvitedClient, Plan
from app.core.policy import Policy


def one_to_ones_count(
    policy: Policy, client: InvitedClient, today: date | None = None
) -> int:
    """How many talks on file count towards guidance T9 under this policy.

    With ``today`` a talk that is only planned for a later day does not count.
    """
    return sum(
        (talk.worker_leads_group or not policy.one_to_one_with_group_lead)
        and (today is None or talk.held_on <= today)
        for talk in client.one_to_ones
    )


def has_one_to_one(policy: Policy, client: InvitedClient) -> bool:
    """Whether enough talks with the right worker are on file (guidance T9)."""
    return one_to_ones_count(policy, client) >= policy.one_to_ones_needed


def invitation_gate(policy: Policy, client: InvitedClient) -> tuple[str, ...]:
    """Why this client's invitation may not leave yet, as plain sentences; () when it may.

    Guidance T9 (one-to-one first), B6 (consent to take part), H1 (a high risk is looked
    at before anything else). The sentences hold no name.
    """
    return tuple(
        sentence
        for passed, sentence in (
            (has_one_to_one(policy, client), _one_to_one_missing(policy, client)),
            (
                client.consent_to_take_part,
                "No consent to take part is on file.",
            ),
            (
                client.risk_reviewed or not client.high_risk,
                "High risk, and no reviewed risk assessment of this client is on file.",
            ),
        )
        if not passed
    )


def recording_gate(plan: Plan | None) -> tuple[str, ...]:
    """Why nothing may be recorded in this session; () when recording was decided.

    Guidance 001.10 and T7: a recorded reason and the consent of everybody invited.
    """
    if plan is None:
        return ("No plan says that this session may be recorded.",)
    without = sum(not client.recording_consent for client in plan.clients)
    found: list[str] = []
    if not plan.recording_reason.strip():
        found.append("No reason for a recording is on file.")
    if without:
        found.append(
            f"{without} of {len(plan.clients)} invited clients have not consented to be "
            "recorded."
        )
    return tuple(found)


def _one_to_one_missing(policy: Policy, client: InvitedClient) -> str:
    who = (
        "a worker who leads this group"
        if policy.one_to_one_with_group_lead
        else "a worker"
    )
    have, need = one_to_ones_count(policy, client), policy.one_to_ones_needed
    return f"{have} of {need} one-to-one talks with {who} on file."
