"""The oracle: who was alone, and who attended, to the second."""

from datetime import timedelta

from app.clock import ManualClock
from tests.integrations.rehearsal.stage import Stage


def test_a_room_with_a_worker_is_never_alone(stage: Stage) -> None:
    stage.open("ben", "chloe")
    stage.wait(600)
    stage.world.leave(stage.id, "ben")
    stage.world.end(stage.id)
    assert stage.alone() == []


def test_alone_from_the_last_workers_leave_to_the_end(stage: Stage) -> None:
    stage.open("ben", "chloe")
    stage.world.arrive(stage.id, "sam")
    stage.wait(10)
    stage.world.leave(stage.id, "sam")
    stage.wait(10)
    stage.world.leave(stage.id, "anna", "disconnected")
    stage.wait(61)
    stage.world.end(stage.id)
    stage.wait(100)
    assert stage.alone() == [(61.0, "main")]


def test_alone_until_the_worker_is_back(stage: Stage) -> None:
    stage.open("ben")
    stage.world.leave(stage.id, "anna", "disconnected")
    stage.wait(40)
    stage.world.arrive(stage.id, "anna")
    stage.wait(40)
    stage.world.leave(stage.id, "anna")
    stage.wait(5)
    assert stage.alone() == [(40.0, "main"), (5.0, "main")]


def test_a_silent_drop_counts_from_the_platforms_notice(stage: Stage) -> None:
    stage.open("ben")
    stage.world.drop_silently(stage.id, "anna", timedelta(seconds=70))
    stage.wait(100)
    assert stage.alone() == [(30.0, "main")]


def test_the_waiting_room_is_not_the_room(stage: Stage) -> None:
    stage.open("ben")
    stage.world.arrive(stage.id, "chloe", link=stage.links["chloe"])
    stage.world.put_in_waiting_room(stage.id, "ben")
    stage.wait(60)
    assert stage.alone() == []


def test_a_worker_in_the_waiting_room_guards_nobody(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"alternative_hosts": ""})
    stage.open("ben")
    stage.world.arrive(stage.id, "sam")
    stage.world.leave(stage.id, "anna")
    stage.wait(20)
    assert stage.alone() == [(20.0, "main")]


def test_a_recorder_alone_holds_nobody_at_risk(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"approval_type": 2, "waiting_room": False})
    stage.world.start_meeting(stage.id)
    stage.world.arrive(stage.id, "notes", via="open")
    stage.world.leave(stage.id, "anna")
    stage.wait(60)
    assert stage.alone() == []


def test_a_recorder_guards_nobody(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"approval_type": 2, "waiting_room": False})
    stage.world.start_meeting(stage.id)
    stage.world.arrive(stage.id, "notes", via="open")
    stage.world.arrive(stage.id, "ben", via="open")
    stage.world.leave(stage.id, "anna")
    stage.wait(60)
    assert stage.alone() == [(60.0, "main")]


def test_each_breakout_room_is_judged_by_itself(stage: Stage) -> None:
    stage.open("ben", "chloe", "dev")
    stage.world.arrive(stage.id, "sam")
    rooms = stage.world.breakouts(
        stage.id, {"Blue": ["ben", "sam"], "Green": ["chloe", "dev"]}
    )
    stage.wait(30)
    stage.world.move_to(stage.id, "sam", rooms["Green"])
    stage.wait(12)
    stage.world.close_breakouts(stage.id)
    stage.wait(60)
    assert stage.alone() == [(30.0, rooms["Green"]), (12.0, rooms["Blue"])]


def test_attendance_joins_devices_and_leaves_out_waiting(clock: ManualClock) -> None:
    stage = Stage(clock, settings={"allow_multiple_devices": True})
    began = clock.now()
    stage.open()
    stage.world.arrive(stage.id, "dev", link=stage.links["dev"])
    stage.wait(10)
    stage.world.admit(stage.id, "dev")
    stage.wait(10)
    second = stage.come("dev")
    stage.wait(10)
    first = stage.world.in_room(stage.id)[1]
    stage.world.leave(stage.id, first)
    stage.wait(10)
    stage.world.leave(stage.id, second)
    stage.wait(10)
    stage.come("dev")
    stage.wait(10)
    shown = {
        key: [
            ((each.start - began).total_seconds(), (each.end - began).total_seconds())
            for each in times
        ]
        for key, times in stage.world.attendance(stage.id).items()
    }
    assert shown == {"anna": [(0.0, 60.0)], "dev": [(10.0, 40.0), (50.0, 60.0)]}
