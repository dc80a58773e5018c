"""Who and what the recorded payloads are about, as plain values to compare with."""

from datetime import UTC, datetime
from typing import Any

from app.core.events import MeetingRef

EVENING = "eigRfbCZRTKCSkZxrNIT2g=="
PLANNED = "4e5qSevJzaTypgXZAss03g=="
SIDE_ROOM = "hVqsQlYSvslqwBbTXAp9GQ=="


def room(instance: str = EVENING, meeting_id: str = "81000000019") -> MeetingRef:
    return MeetingRef(platform="zoom", meeting_id=meeting_id, instance=instance)


def at(clock: str, day: str = "2026-11-17") -> datetime:
    """`19:00:00` or `19:00:00.5`, UTC."""
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=UTC)


Fields = dict[str, Any]

ANNA: Fields = {
    "uuid": "55579B55-7896-D0CE-1764-C47FED644F9B",
    "user_id": "33555456",
    "platform_user_id": "VVebVXiW0M4XZMR_7WRPmw",
    "name": "Anna Price",
    "email": "anna.price@charity.example",
}
SAM: Fields = {
    "uuid": "E96E02D8-E47F-2A7C-03BE-5117B3ED175C",
    "user_id": "33559552",
    "platform_user_id": "6W4C2OR_KnwDvlEXs-0XXA",
    "name": "Sam Okoro",
    "email": "sam.okoro@charity.example",
}
BEN: Fields = {
    "uuid": "6700869C-8FF7-480E-34A7-0A708B028700",
    "user_id": "33556480",
    "registrant_id": "u39sNSmXx0kms4CVQmuXvQ",
    "name": "Ben",
    "email": "ben@family.example",
}
BEN_AGAIN: Fields = {
    **BEN,
    "uuid": "C08889AD-1609-C998-4EC3-9433059AA2C8",
    "user_id": "33566720",
}
CHLOE: Fields = {
    "uuid": "EC5C41C1-27A4-84EB-C9CC-0B3CA2942546",
    "user_id": "33557504",
    "registrant_id": "KnwRDdYtbmGDo9sKZPkk2A",
    "name": "Chloe",
    "email": "chloe@family.example",
}
CHLOE_UNREGISTERED: Fields = {**CHLOE, "registrant_id": ""}
DEV: Fields = {
    "uuid": "EF260E9A-A3C6-73AF-240D-17A266048036",
    "user_id": "33562624",
    "registrant_id": "9j0tI0b08HyFYoQhcN6S1A",
    "name": "Dev",
    "email": "dev@family.example",
}
DEVS_PHONE: Fields = {
    **DEV,
    "uuid": "CBE8D20B-5CCA-328D-B21E-11E2A263C420",
    "user_id": "33567744",
    "name": "iPhone",
}
EVE: Fields = {
    "uuid": "85262ADF-7451-8BBB-70C7-CB94CD6159D9",
    "user_id": "33558528",
    "name": "Eve",
}
EVE_AGAIN: Fields = {
    **EVE,
    "uuid": "D14DE67C-7BC0-6463-3EDA-C920FB3667F0",
    "user_id": "33568768",
}
CALLER: Fields = {
    "uuid": "45569DA5-7F4B-7BF4-72D7-A864EF478145",
    "user_id": "33560576",
    "name": "••••••••0123",
    "phone": "••••••••0123",
    "by_phone": True,
}


def side(who: Fields, seat: str) -> Fields:
    """The same person with the seat number of a side room."""
    return {**who, "user_id": seat, "parent_user_id": who["user_id"]}
