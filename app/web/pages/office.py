"""The ways to the pages about people, groups and plans, each with what a role must include."""

from app.web.access import Permission
from app.web.pages import (
    concern,
    groups,
    imports,
    invitations,
    one_to_ones,
    people,
    people_erase,
    people_forms,
    planning,
)
from app.web.pages.visit import Shows
from app.web.pages.ways import For, Page, looks, sends

SEE, ENTER = Permission.SEE_PEOPLE, Permission.ENTER_PEOPLE
ERASE = Permission.ERASE_PEOPLE
ONE, GROUP = "/people/{person_id}", "/groups/{group_id}"

PEOPLE: tuple[Page, ...] = (
    looks("/people", people.page, SEE),
    looks("/people/new", people_forms.new, ENTER),
    looks("/people/export", people.export, ENTER),
    looks("/people/import", imports.page, ENTER),
    looks("/people/import/example", imports.example, ENTER),
    sends(
        "/people/import/look",
        imports.preview,
        imports.preview_again,
        ENTER,
        once=False,
    ),
    sends("/people/import", imports.enter, imports.preview_again, ENTER),
    sends("/people", people_forms.add, people_forms.new, ENTER),
    looks(ONE, people.person, SEE),
    looks(f"{ONE}/change", people_forms.change_form, ENTER),
    sends(f"{ONE}/change", people_forms.change, people_forms.change_form, ENTER),
    sends(f"{ONE}/leave", people_forms.leave, people.person, ENTER),
    sends(f"{ONE}/return", people_forms.come_back, people.person, ENTER),
    looks(f"{ONE}/erase", people_erase.page, ERASE),
    sends(f"{ONE}/erase", people_erase.erase, people_erase.page, ERASE),
    sends(f"{ONE}/consents", one_to_ones.add_consent, people.person, ENTER),
    sends(
        f"{ONE}/consents/{{consent_id}}/withdraw",
        one_to_ones.withdraw,
        people.person,
        ENTER,
    ),
    sends(
        f"{ONE}/consents/{{consent_id}}/undo",
        one_to_ones.give_again,
        people.person,
        ENTER,
    ),
    sends(f"{ONE}/one-to-ones", one_to_ones.add, people.person, ENTER),
    sends(
        f"{ONE}/one-to-ones/{{talk_id}}/take-back",
        one_to_ones.take_back,
        people.person,
        ENTER,
    ),
    looks("/groups", groups.page, SEE),
    looks("/groups/new", groups.new, ENTER),
    sends("/groups", groups.add, groups.new, ENTER),
    looks(GROUP, groups.group, SEE),
    looks(f"{GROUP}/change", groups.change_form, ENTER),
    sends(f"{GROUP}/change", groups.change, groups.change_form, ENTER),
    looks(f"{GROUP}/rules", groups.rules_form, ENTER),
    sends(f"{GROUP}/rules", groups.agree, groups.rules_form, ENTER),
)

PLAN = Permission.PLAN_SESSIONS
SESSION, INVITE = "/sessions/{session_id}", "/sessions/{session_id}/invitations"


def _invites(path: str, answer: Shows, *, once: bool = True) -> Page:
    back = invitations.page
    return sends(f"{INVITE}/{path}", answer, back, PLAN, For.PART, once=once)


PLANNING: tuple[Page, ...] = (
    looks("/plan", planning.page, PLAN),
    sends("/plan", planning.add, planning.page, PLAN),
    looks(f"{SESSION}/plan", planning.change_form, PLAN, For.PART),
    sends(f"{SESSION}/plan", planning.change, planning.change_form, PLAN, For.PART),
    looks(f"{SESSION}/cancel", planning.ask_cancel, PLAN, For.PART),
    sends(f"{SESSION}/cancel", planning.cancel, planning.ask_cancel, PLAN, For.PART),
    looks(INVITE, invitations.page, PLAN, For.PART),
    _invites("prepare", invitations.prepare),
    _invites("except", invitations.give_exception),
    _invites("send", invitations.send),
    _invites("text", invitations.show_text, once=False),
    _invites("handed", invitations.handed_over),
)

RAISE, READ = Permission.RAISE_CONCERN, Permission.READ_CONCERNS

CONCERNS: tuple[Page, ...] = (
    looks("/concern", concern.page, RAISE),
    sends("/concern", concern.send, concern.page, RAISE),
    sends("/concern/draft", concern.keep, concern.page, RAISE, once=False),
    sends("/concern/discard", concern.throw_away, concern.page, RAISE),
    looks("/concern/raised/{concern_id}", concern.raised, RAISE),
    looks("/concerns", concern.listed, READ),
    looks("/concerns/{concern_id}", concern.read, READ),
    sends("/concerns/{concern_id}/take", concern.take, concern.read, READ),
)
