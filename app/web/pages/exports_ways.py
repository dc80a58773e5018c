"""The ways to records, register, history and exports, with what a role must include."""

from app.web.access import Permission
from app.web.pages import exports, exports_layouts, history, register
from app.web.pages.ways import For, Page, looks, sends

LAYOUTS, LAYOUT = "/records/layouts", "/records/layouts/{layout_id}"
READ, TERM = Permission.READ_RECORDS, Permission.EXPORT_TERM

RECORDS: tuple[Page, ...] = (
    looks("/records", exports.page, READ),
    sends("/records/exports", exports.start, exports.page, TERM),
    looks("/records/exports/{export_id}", exports.progress, TERM),
    looks("/records/exports/{export_id}/file", exports.download, TERM),
    looks(LAYOUTS, exports_layouts.page, TERM),
    sends(LAYOUTS, exports_layouts.save, exports_layouts.page, TERM),
    looks(LAYOUT, exports_layouts.change_form, TERM),
    sends(LAYOUT, exports_layouts.save, exports_layouts.change_form, TERM),
    sends(f"{LAYOUT}/remove", exports_layouts.remove, None, TERM),
    looks("/records/register", register.page, READ),
    looks("/records/register/csv", register.download, TERM),
    looks("/sessions/{session_id}/record/picture", register.picture, READ, For.PART),
    looks("/people/{person_id}/history", history.page, READ),
)
