"""The contract of every platform in PLATFORMS; contract.py says how one joins."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import integrations
from app.core.events import MeetingRef
from integrations import PLATFORMS
from integrations.base import Platform
from tests.integrations import contract
from tests.integrations.contract import Hidden, Sample
from tests.integrations.zoom import recorded as zoom

SAMPLES = {
    "zoom": Sample(
        settings={
            "allow_test_hosts": False,
            "zoom_room_chat": False,
            "zoom_account_id": zoom.ACCOUNT,
            "zoom_client_id": "client",
            "zoom_client_secret": Hidden("client secret"),
            "zoom_webhook_secret": Hidden(zoom.SECRET),
            "zoom_webhook_secret_old": None,
            "zoom_webhook_secret_old_until": None,
            "zoom_host_user": None,
            "zoom_app_id": None,
            "zoom_api_url": "https://api.zoom.us/v2",
            "zoom_oauth_url": "https://zoom.us/oauth/token",
        },
        secrets=("zoom_client_secret", "zoom_webhook_secret"),
        sign=zoom.signed,
        bodies={name: zoom.body(name) for name in zoom.SINGLE},
        now=zoom.HEARD,
        oldest=timedelta(hours=2),
        meeting=MeetingRef(platform="zoom", meeting_id="81000000019", instance="u"),
    ),
}
RECORDED = [(name, file) for name, each in SAMPLES.items() for file in each.bodies]

each_platform = pytest.mark.parametrize("name", sorted(PLATFORMS))


def build(name: str) -> Platform:
    return contract.build(name, SAMPLES[name])


def test_every_platform_has_a_sample() -> None:
    assert set(SAMPLES) == set(PLATFORMS)


@each_platform
def test_names_agree(name: str) -> None:
    entry, platform = PLATFORMS[name], build(name)
    assert (entry.name, entry.title) == (platform.name, platform.title)
    assert entry.name == name


@each_platform
def test_the_folder_has_the_same_files_as_the_others(name: str) -> None:
    folder = Path(integrations.__file__).parent / name
    files = {path.name for path in folder.iterdir()}
    assert {"webhook.py", "client.py", "settings.py", "README.md"} <= files


@each_platform
def test_settings_switch_it_on_and_none_do_not(name: str) -> None:
    entry, sample = PLATFORMS[name], SAMPLES[name]
    assert entry.is_on(contract.settings_of(sample))
    nothing = dict.fromkeys(sample.settings)
    assert not entry.is_on(contract.settings_of(sample, **nothing))


@each_platform
def test_an_empty_secret_refuses_to_build(name: str) -> None:
    for secret in SAMPLES[name].secrets:
        for empty in (None, Hidden("")):
            with pytest.raises(ValueError, match="secret"):
                contract.build(name, SAMPLES[name], **{secret: empty})


@pytest.mark.parametrize(
    ("until", "believed"),
    [(None, False), (zoom.HEARD, False), (zoom.HEARD + timedelta(seconds=1), True)],
)
def test_zooms_secret_before_the_last_change(
    until: datetime | None, believed: bool
) -> None:
    old = {
        "zoom_webhook_secret": Hidden("new"),
        "zoom_webhook_secret_old": Hidden(zoom.SECRET),
        "zoom_webhook_secret_old_until": until,
    }
    platform = contract.build("zoom", SAMPLES["zoom"], **old)
    raw = zoom.body("meeting.started.json")
    answered = contract.refusal(platform, zoom.signed(raw), raw, zoom.HEARD)
    assert (answered == 0) is believed


@pytest.mark.parametrize(("name", "file"), RECORDED)
def test_every_recorded_body_is_believed_and_says_something(
    name: str, file: str
) -> None:
    sample, platform = SAMPLES[name], build(name)
    raw = sample.bodies[file]
    assert platform.verify(sample.sign(raw, sample.now), raw, sample.now) is False
    assert contract.understood(platform, raw, sample.now) is not None


@each_platform
def test_forged_and_old_deliveries_are_refused(name: str) -> None:
    sample, platform = SAMPLES[name], build(name)
    raw = next(iter(sample.bodies.values()))
    for what, (headers, body) in contract.forgeries(sample, raw).items():
        answered = contract.refusal(platform, headers, body, sample.now)
        assert answered == sample.refused, what


@each_platform
def test_a_repeat_within_its_time_is_late(name: str) -> None:
    sample, platform = SAMPLES[name], build(name)
    raw = next(iter(sample.bodies.values()))
    sent = sample.now - sample.oldest
    assert platform.verify(sample.sign(raw, sent), raw, sample.now) is True
    assert platform.parse(raw, sample.now, late=True).late


@each_platform
def test_the_same_delivery_has_the_same_key(name: str) -> None:
    sample, platform = SAMPLES[name], build(name)
    keys = [
        platform.parse(raw, sample.now).dedupe_key for raw in sample.bodies.values()
    ]
    again = [
        platform.parse(raw, sample.now).dedupe_key for raw in sample.bodies.values()
    ]
    assert keys == again
    assert len(set(keys)) == len(keys)


BUILT = {name: build(name) for name in PLATFORMS}


@given(st.sampled_from(sorted(PLATFORMS)), st.binary(max_size=300))
def test_any_bytes_are_refused_or_understood(name: str, raw: bytes) -> None:
    contract.understood(BUILT[name], raw, SAMPLES[name].now)


@given(st.sampled_from(RECORDED), st.data())
def test_bodies_with_bytes_changed_are_refused_or_understood(
    which: tuple[str, str], data: st.DataObject
) -> None:
    name, file = which
    raw = bytearray(SAMPLES[name].bodies[file])
    at = data.draw(st.integers(0, len(raw) - 1))
    raw[at : at + 2] = data.draw(st.binary(max_size=3))
    contract.understood(BUILT[name], bytes(raw), SAMPLES[name].now)


HEADER = st.tuples(st.binary(max_size=30), st.binary(max_size=80))


@given(st.sampled_from(sorted(PLATFORMS)), st.lists(HEADER), st.binary(max_size=50))
def test_any_headers_are_refused(
    name: str, headers: list[tuple[bytes, bytes]], raw: bytes
) -> None:
    status = contract.refusal(BUILT[name], headers, raw, SAMPLES[name].now)
    assert status == SAMPLES[name].refused


@each_platform
def test_routes_end_with_a_person(name: str) -> None:
    platform, sample = build(name), SAMPLES[name]
    for action in contract.every_action(sample.meeting):
        for hands in contract.HANDS:
            routes = platform.routes(action, hands)
            assert routes[-1] == "person", action.kind
            assert set(routes) <= {"api", "panel", "person"}
            assert len(set(routes)) == len(routes)


@each_platform
def test_there_are_words_for_every_button(name: str) -> None:
    platform = build(name)
    otherwise = platform.press_hint("a button of next year")
    assert otherwise
    for press in contract.every_press():
        assert platform.press_hint(press) != otherwise, press


def test_the_clock_of_the_samples_is_aware() -> None:
    assert all(sample.now.tzinfo == UTC for sample in SAMPLES.values())
    assert isinstance(zoom.HEARD, datetime)
