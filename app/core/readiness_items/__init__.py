"""The automatic items of the checklist: one small pure function each.

A pack (``checklists/*.toml``) names them by id and says what each weighs. To add one:
a function here, its id in the family's ``CHECKS``, a table in ``checklists/project.toml``.
"""

from app.core.readiness_items import hands, people, preparation, settings
from app.core.readiness_items.finding import Check

CHECKS: dict[str, Check] = {
    **preparation.CHECKS,
    **people.CHECKS,
    **settings.CHECKS,
    **hands.CHECKS,
}
