"""Every table, under one name. Everything that names or describes a person is sealed
or keyed.

How long each table's rows are kept stands in docs/data-inventory.md; a test compares the
two. The tables stand in four files by what they are about; accounts are a fifth
(:mod:`app.store.tables_accounts`).
"""

from app.store.columns import Moment
from app.store.tables_access import SignInLinkRow, TokenRow, WebSessionRow
from app.store.tables_acts import (
    ActionRow,
    AlarmRow,
    ContactRow,
    DeadlineRow,
    LeaseRow,
    OutboxRow,
    PeriodicRow,
    RememberedRow,
)
from app.store.tables_log import (
    CounterRow,
    DeliveryRow,
    LastSeenRow,
    LogPersonalRow,
    LogRow,
    QuarantineRow,
)
from app.store.tables_people import (
    GroundRulesRow,
    GroupRow,
    LinkRow,
    MeetingRow,
    NoteRow,
    OneToOneRow,
    PersonRow,
    RecordRow,
    SessionRow,
)

__all__ = [
    "ActionRow",
    "AlarmRow",
    "ContactRow",
    "CounterRow",
    "DeadlineRow",
    "DeliveryRow",
    "GroundRulesRow",
    "GroupRow",
    "LastSeenRow",
    "LeaseRow",
    "LinkRow",
    "LogPersonalRow",
    "LogRow",
    "MeetingRow",
    "Moment",
    "NoteRow",
    "OneToOneRow",
    "OutboxRow",
    "PeriodicRow",
    "PersonRow",
    "QuarantineRow",
    "RecordRow",
    "RememberedRow",
    "SessionRow",
    "SignInLinkRow",
    "TokenRow",
    "WebSessionRow",
]
