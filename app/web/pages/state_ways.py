"""The ways to the pages of whoever looks after Chaperone, each with what a role must include."""

from app.web.access import Permission
from app.web.pages import (
    connect,
    contacts_page,
    mail_page,
    policy_page,
    policy_preview,
    state,
)
from app.web.pages.ways import Page, looks, sends

CONTACTS, CONNECT = Permission.MANAGE_CONTACTS, Permission.CONNECT_PLATFORMS
POLICY = Permission.CHANGE_POLICY
PLATFORM, CONTACT = "/settings/platforms/{platform}", "/contacts/{contact_id}"
PREVIEW = "/settings/policy/preview"

PAGES: tuple[Page, ...] = (
    looks("/settings", state.page, CONTACTS),
    looks("/settings/platforms", connect.listed, CONNECT),
    looks(PLATFORM, connect.page, CONNECT),
    sends(f"{PLATFORM}/test", connect.test, connect.page, CONNECT, once=False),
    looks("/settings/mail", mail_page.page, CONNECT),
    sends("/settings/mail/test", mail_page.send, mail_page.page, CONNECT),
    looks("/contacts", contacts_page.page, CONTACTS),
    sends("/contacts", contacts_page.add, contacts_page.page, CONTACTS),
    sends(f"{CONTACT}/code", contacts_page.send_code, contacts_page.page, CONTACTS),
    sends(f"{CONTACT}/confirm", contacts_page.confirm, contacts_page.page, CONTACTS),
    sends(f"{CONTACT}/remove", contacts_page.remove, contacts_page.page, CONTACTS),
    looks("/settings/policy", policy_page.page, POLICY),
    sends("/settings/policy", policy_page.keep, policy_preview.back, POLICY),
    sends(PREVIEW, policy_preview.start, policy_page.page, POLICY),
    looks(f"{PREVIEW}/{{preview_id}}", policy_preview.page, POLICY),
)
