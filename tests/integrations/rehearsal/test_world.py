"""The World behaves at its door, with its host rights and its clock like Zoom."""

from datetime import timedelta

import pytest

from app.clock import ManualClock
from integrations.rehearsal.people import Account
from integrations.rehearsal.rooms import WAITING_ROOM, Kind, Refused, Role
from integrations.rehearsal.world import World
from tests.integrations.rehearsal.stage import CAST, IS_WORKER, Stage


def test_an_evening_from_door_to_door(stage: Stage) -> None:
    world = stage.world
    assert world.arrive(stage.id, "ben", link=stage.links["ben"]) is None
    world.start_meeting(stage.id)
    ben = world.connection(stage.id, "ben")
    assert ben is not None
    assert ben.where == WAITING_ROOM
    assert stage.inside() == ["anna"]
    world.admit(stage.id, "ben")
    sam = world.arrive(stage.id, "sam")
    assert sam is not None
    assert (sam.where, sam.role) == ("main", Role.CO_HOST)
    stage.wait(60)
    world.leave(stage.id, "ben")
    world.leave(stage.id, "sam")
    world.leave(stage.id, "anna")
    assert stage.inside() == []
    assert stage.meeting.status == "waiting"
    assert stage.told()[-6:] == [
        "Sam Okoro is in the room.",
        "Sam Okoro is now co-host.",
        "Ben is out of the room (left).",
        "Sam Okoro is out of the room (left).",
        "Anna Price is out of the room (left).",
        "The meeting is over.",
    ]


@pytest.mark.parametrize("status", ["pending", "cancelled", "denied"])
def test_a_closed_link_opens_no_door(stage: Stage, status: str) -> None:
    stage.open()
    registrant = stage.meeting.registrant_of(stage.links["dev"])
    assert registrant is not None
    if status == "pending":
        registrant.status = status
    else:
        stage.world.set_registration(stage.id, registrant.id, status)
    with pytest.raises(Refused, match=status):
        stage.world.arrive(stage.id, "dev", link=stage.links["dev"])
    assert stage.told()[-1] == f"Dev is turned away: the personal link is {status}."


def test_a_cancelled_link_puts_nobody_out_and_opens_again(stage: Stage) -> None:
    stage.open("dev")
    registrant = stage.meeting.registrant_of(stage.links["dev"])
    assert registrant is not None
    stage.world.set_registration(stage.id, registrant.id, "cancelled")
    assert stage.inside() == ["anna", "dev"]
    stage.world.leave(stage.id, "dev")
    stage.world.set_registration(stage.id, registrant.id, "approved")
    stage.come("dev")
    assert stage.inside() == ["anna", "dev"]


def test_invite_only_turns_the_plain_link_away(stage: Stage) -> None:
    stage.open()
    with pytest.raises(Refused, match="registration is required"):
        stage.world.arrive(stage.id, "eve", via="open")


def test_without_registration_the_plain_link_is_enough(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"approval_type": 2, "waiting_room": False})
    stage.open()
    stage.world.arrive(stage.id, "eve", via="open")
    assert stage.inside() == ["anna", "eve"]


def test_one_device_a_link(stage: Stage) -> None:
    stage.open("dev")
    with pytest.raises(Refused, match="another device"):
        stage.come("dev")
    stage.meeting.settings["allow_multiple_devices"] = True
    stage.come("dev")
    assert stage.inside() == ["anna", "dev", "dev"]


def test_removed_may_come_back_unless_the_account_bars_them(clock: ManualClock) -> None:
    lenient = Stage(clock)
    lenient.open("dev")
    lenient.world.remove(lenient.id, "dev")
    lenient.come("dev")
    assert lenient.inside() == ["anna", "dev"]
    strict = Stage(clock, Account(removed_may_rejoin=False))
    strict.open("dev")
    strict.world.remove(strict.id, "dev")
    with pytest.raises(Refused, match="removed by the host"):
        strict.come("dev")


@pytest.mark.parametrize(
    ("mode", "who", "placed", "waits"),
    [
        ("custom", "everyone", 1, ["ben", "sam"]),
        ("custom", "users_not_in_account", 0, ["ben"]),
        ("custom", "users_not_on_invite", 0, []),
        ("follow_setting", "users_not_on_invite", 0, ["ben", "sam"]),
        ("follow_setting", "everyone", 1, ["ben"]),
    ],
)
def test_who_waits_follows_the_effective_setting(
    clock: ManualClock, mode: str, who: str, placed: int, waits: list[str]
) -> None:
    options = {"mode": mode, "who_goes_to_waiting_room": who}
    stage = Stage(
        clock, settings={"waiting_room_options": options, "alternative_hosts": ""}
    )
    security = {"participants_to_place_in_waiting_room": placed}
    stage.world.change_user_settings(
        "anna", {"meeting_security": {"waiting_room_settings": security}}
    )
    stage.open()
    stage.world.arrive(stage.id, "ben", link=stage.links["ben"])
    stage.world.arrive(stage.id, "sam", via="account")
    assert stage.meeting.live is not None
    assert [each.person.key for each in stage.meeting.live.waiting()] == waits


def test_join_before_host_opens_only_without_a_waiting_room(clock: ManualClock) -> None:
    closed = Stage(clock, settings={"join_before_host": True})
    assert closed.world.arrive(closed.id, "ben", link=closed.links["ben"]) is None
    opened = Stage(clock, settings={"join_before_host": True, "waiting_room": False})
    opened.world.arrive(opened.id, "ben", link=opened.links["ben"])
    opened.wait(30)
    assert (opened.inside(), opened.alone()) == (["ben"], [(30.0, "main")])


def test_whoever_waits_for_a_host_may_give_up(stage: Stage) -> None:
    stage.world.arrive(stage.id, "ben", link=stage.links["ben"])
    stage.world.give_up_waiting(stage.id, "ben")
    stage.open()
    assert stage.world.connection(stage.id, "ben") is None


@pytest.mark.parametrize(
    ("others", "heir"),
    [
        (["ben", "chloe", "sam as co-host"], "sam"),
        (["ben", "sam as colleague"], "sam"),
        (["ben", "chloe"], "ben"),
    ],
)
def test_the_host_drops_and_the_rights_pass_on(
    clock: ManualClock, others: list[str], heir: str
) -> None:
    colleague = "sam as colleague" in others
    stage = Stage(
        clock, settings={"alternative_hosts": "" if colleague else CAST[1].email}
    )
    stage.open()
    for other in others:
        key = other.split()[0]
        if key == "sam":
            stage.world.arrive(stage.id, "sam")
            if colleague:
                stage.world.admit(stage.id, "sam")
        else:
            stage.come(key)
    stage.world.leave(stage.id, "anna", "disconnected")
    assert stage.meeting.live is not None
    host = stage.meeting.live.host()
    assert host is not None
    assert host.person.key == heir


def test_a_co_host_comes_before_a_colleague(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"alternative_hosts": ""})
    stage.open("chloe")
    stage.world.arrive(stage.id, "sam")
    stage.world.admit(stage.id, "sam")
    stage.world.make_cohost(stage.id, "chloe")
    stage.world.leave(stage.id, "anna", "disconnected")
    roles = {each.person.key: each.role for each in stage.world.in_room(stage.id)}
    assert roles == {"chloe": Role.HOST, "sam": Role.ATTENDEE}


def test_an_account_may_crown_nobody(clock: ManualClock) -> None:
    stage = Stage(clock, Account(anyone_may_be_crowned=False))
    stage.open("ben")
    stage.world.leave(stage.id, "anna")
    assert stage.meeting.live is not None
    assert stage.meeting.live.host() is None


def test_the_returning_host_takes_the_rights_back(stage: Stage) -> None:
    stage.open("ben")
    stage.world.leave(stage.id, "anna", "disconnected")
    stage.world.arrive(stage.id, "anna")
    ben = stage.world.connection(stage.id, "ben")
    anna = stage.world.connection(stage.id, "anna")
    assert ben is not None
    assert anna is not None
    assert (ben.role, anna.role) == (Role.ATTENDEE, Role.HOST)


@pytest.mark.parametrize(("passed", "still_there"), [(69.9, True), (70.0, False)])
def test_a_dead_client_stays_on_the_roster_until_noticed(
    stage: Stage, passed: float, still_there: bool
) -> None:
    stage.open("ben")
    stage.world.drop_silently(stage.id, "anna", timedelta(seconds=70))
    stage.wait(passed)
    assert ("anna" in stage.inside()) is still_there


def test_a_silent_drop_is_noticed_after_60_to_90_seconds(stage: Stage) -> None:
    stage.open("ben")
    stage.world.drop_silently(stage.id, "anna")
    noticed = stage.world.next_change_at()
    assert noticed is not None
    assert 60 <= (noticed - stage.clock.now()).total_seconds() <= 90


def test_a_dead_client_that_is_removed_first_leaves_once(stage: Stage) -> None:
    stage.open("ben")
    stage.world.drop_silently(stage.id, "ben", timedelta(seconds=70))
    stage.world.remove(stage.id, "ben")
    kinds: list[Kind] = []
    stage.world.listeners.append(lambda happening: kinds.append(happening.kind))
    stage.wait(80)
    assert kinds == []


def test_a_rejoin_before_the_late_leave_keeps_the_new_connection(stage: Stage) -> None:
    stage.open()
    old = stage.come("ben")
    heard: list[tuple[Kind, str]] = []
    stage.world.listeners.append(
        lambda happening: heard.append(
            (happening.kind, getattr(happening.connection, "user_id", ""))
        )
    )
    stage.world.drop_silently(stage.id, old, timedelta(seconds=70))
    stage.meeting.settings["allow_multiple_devices"] = True
    stage.wait(20)
    new = stage.come("ben")
    stage.wait(60)
    assert old.participant_uuid != new.participant_uuid
    assert [each for each in heard if each[0] in (Kind.JOINED, Kind.LEFT)] == [
        (Kind.JOINED, new.user_id),
        (Kind.LEFT, old.user_id),
    ]
    assert stage.inside() == ["anna", "ben"]


def test_an_end_for_all_is_told_before_the_leaves(stage: Stage) -> None:
    stage.open("ben")
    kinds: list[Kind] = []
    stage.world.listeners.append(lambda happening: kinds.append(happening.kind))
    stage.world.end(stage.id)
    assert kinds == [Kind.ENDED, Kind.LEFT, Kind.LEFT]
    with pytest.raises(Refused, match="not running"):
        stage.world.end(stage.id)


def test_a_reopened_meeting_is_a_new_instance(stage: Stage) -> None:
    stage.open("ben")
    stage.world.end(stage.id)
    stage.wait(60)
    stage.open("ben")
    first, second = stage.meeting.instances
    assert first.uuid != second.uuid
    assert stage.inside() == ["anna", "ben"]


def test_awkward_instances_need_double_encoding(clock: ManualClock) -> None:
    stage = Stage(clock, Account(awkward_uuids=True))
    stage.open()
    uuid = stage.meeting.instances[0].uuid
    assert uuid.startswith("//")


def test_an_unplanned_meeting_belongs_to_nobody(stage: Stage) -> None:
    meeting = stage.world.start_instant_meeting("sam")
    assert (meeting.type, meeting.status, meeting.topic) == (
        1,
        "started",
        "Sam Okoro's meeting",
    )


def test_the_host_rights_can_be_handed_to_a_young_person(stage: Stage) -> None:
    stage.open("chloe")
    stage.world.make_host(stage.id, "chloe")
    roles = {each.person.key: each.role for each in stage.world.in_room(stage.id)}
    assert roles == {"anna": Role.CO_HOST, "chloe": Role.HOST}


def test_the_host_cannot_be_put_in_the_waiting_room(stage: Stage) -> None:
    stage.open("dev")
    with pytest.raises(Refused):
        stage.world.put_in_waiting_room(stage.id, "anna")
    stage.world.put_in_waiting_room(stage.id, "dev")
    assert stage.inside() == ["anna"]


def test_a_caller_is_nobody_until_bound(stage: Stage) -> None:
    stage.open("chloe")
    caller = stage.world.phone_in(stage.id, "chloe")
    assert caller is not None
    stage.world.admit(stage.id, caller)
    assert (caller.name, caller.registrant_id) == ("447700900456", "")
    chloe = stage.world.in_room(stage.id)[1]
    stage.world.bind(stage.id, caller, chloe)
    assert caller.registrant_id == chloe.registrant_id


def test_the_same_seed_plays_the_same_evening(clock: ManualClock) -> None:
    def play() -> list[str]:
        stage = Stage(ManualClock(clock.now()))
        stage.open("ben", "chloe")
        return [each.participant_uuid for each in stage.world.in_room(stage.id)]

    assert play() == play()


def test_nobody_can_act_on_somebody_who_is_not_there(stage: Stage) -> None:
    stage.open()
    with pytest.raises(Refused, match="not in this meeting"):
        stage.world.admit(stage.id, "ben")
    world = World(stage.clock)
    with pytest.raises(Refused, match="does not exist"):
        world.alone_intervals(1, IS_WORKER)
