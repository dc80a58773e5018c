"""N11 and its kin: whatever is in a name, one mail goes to one person."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.mail.message import (
    BadAddress,
    Mail,
    check_address,
    message_id,
    one_line,
    write,
)

SENDER = "bot@charity.example"
MAIL = Mail(
    to="anna@charity.example",
    to_name="Anna Lead",
    subject="Alarm: nobody with the group",
    text="Nobody has been with Tuesday's group since 19:04:10.\nOpen the room now.\n",
    message_id_seed="al_17/1",
    written_at=datetime(2026, 11, 17, 19, 4, 10, tzinfo=UTC),
)


def read(written: bytes) -> EmailMessage:
    message = message_from_bytes(written, policy=SMTP)
    assert isinstance(message, EmailMessage)
    return message


def test_a_plain_mail_word_for_word() -> None:
    assert write(MAIL, SENDER, "Chaperone").decode("ascii").split("\r\n") == [
        "From: Chaperone <bot@charity.example>",
        "To: Anna Lead <anna@charity.example>",
        "Subject: Alarm: nobody with the group",
        "Date: Tue, 17 Nov 2026 19:04:10 +0000",
        f"Message-ID: {message_id('al_17/1', SENDER)}",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 7bit",
        "MIME-Version: 1.0",
        "",
        "Nobody has been with Tuesday's group since 19:04:10.",
        "Open the room now.",
        "",
    ]


def test_the_message_id_is_stable_per_seed_and_tells_nothing() -> None:
    first = message_id("al_17/1", SENDER)
    assert first == message_id("al_17/1", SENDER)
    assert first != message_id("al_17/2", SENDER)
    assert first.startswith("<")
    assert first.endswith("@charity.example>")
    assert "al_17" not in first
    assert message_id("Anna\r\nBcc: all@\ud800", SENDER).isprintable()


def test_the_date_is_written_in_utc_and_needs_a_zone() -> None:
    there = MAIL.written_at.astimezone(timezone(timedelta(hours=2)))
    assert write(replace(MAIL, written_at=there), SENDER) == write(MAIL, SENDER)
    with pytest.raises(ValueError, match="zone"):
        write(replace(MAIL, written_at=there.replace(tzinfo=None)), SENDER)


def test_text_html_and_calendar_stand_side_by_side() -> None:
    ics = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    whole = read(write(replace(MAIL, html="<p>Grüße</p>", ics=ics), SENDER))
    assert [part.get_content_type() for part in whole.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    *_, html, calendar = whole.walk()
    assert html.get_content().strip() == "<p>Grüße</p>"
    assert calendar["content-type"].params["method"] == "REQUEST"
    assert calendar.get_filename() == "session.ics"
    assert calendar.get_content().split() == ics.split()


def test_a_calendar_without_a_method_is_published() -> None:
    ics = "BEGIN:VCALENDAR\r\nX-METHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    *_, calendar = read(write(replace(MAIL, ics=ics), SENDER)).walk()
    assert calendar["content-type"].params["method"] == "PUBLISH"


@pytest.mark.parametrize(
    "name",
    [
        "Eve\r\nBcc: all@charity.example",
        "Eve\nTo: all@charity.example",
        "Eve\rCc: all@charity.example",
        "Eve\u2028Bcc: all@charity.example",
        "Eve\x00\x0b\x0c\x85Bcc: all@charity.example",
        "Eve <all@charity.example>, Anna",
        '"Eve" <all@charity.example>',
        "Łucja, ßam, <all@charity.example> " * 9,
        '"Eve" <all@charity.example>, ' + "b" * 79,
        "=?utf-8?q?Eve=0D=0ABcc=3A_all=40charity.example?=",
        "=1+1",
        "<script>alert(1)</script>",
    ],
)
def test_n11_no_name_adds_a_header_or_a_recipient(name: str) -> None:
    whole = read(write(replace(MAIL, to_name=name, subject=name), SENDER, name))
    [(_, to)] = getaddresses([str(whole["To"])])
    assert to == "anna@charity.example"
    assert sorted(whole.keys()) == sorted(read(write(MAIL, SENDER)).keys())
    assert [one.addr_spec for one in whole["To"].addresses] == ["anna@charity.example"]
    assert [one.addr_spec for one in whole["From"].addresses] == [SENDER]


def test_a_subject_keeps_its_words_and_loses_its_line_breaks() -> None:
    whole = read(write(replace(MAIL, subject="Ben\r\nBcc: all@x\t=1+1 \u202e"), SENDER))
    assert whole["Subject"] == "Ben Bcc: all@x =1+1"


def test_a_typed_encoded_word_stays_asleep() -> None:
    typed = "=?utf-8?q?Eve=0D=0ABcc=3A_all?="
    whole = read(write(replace(MAIL, to_name=typed, subject=typed), SENDER))
    assert whole["Subject"] == "= ?utf-8?q?Eve=0D=0ABcc=3A_all?="
    assert "Eve=0D=0A" in whole["To"].addresses[0].display_name


def test_names_in_any_script_arrive_whole() -> None:
    mail = replace(
        MAIL, to_name="Zoë Łącka-O'Brien", subject="Grüße an 松本 🎈", text="Ça va, Zoë"
    )
    written = write(mail, SENDER)
    assert written.isascii()
    whole = read(written)
    assert whole.get_content().strip() == "Ça va, Zoë"
    assert whole["To"].addresses[0].display_name == "Zoë Łącka-O'Brien"
    assert whole["Subject"] == "Grüße an 松本 🎈"


@pytest.mark.parametrize(("size", "kept"), [(199, 199), (200, 200), (201, 200)])
def test_a_subject_ends_at_200_letters(size: int, kept: int) -> None:
    whole = read(write(replace(MAIL, subject="x" * size), SENDER))
    assert len(whole["Subject"].replace(" ", "")) == kept


def test_broken_characters_do_not_stop_an_alarm() -> None:
    broken = "Eve \ud83d joined"
    whole = read(
        write(replace(MAIL, to_name=broken, subject=broken, text=broken), SENDER)
    )
    assert whole["Subject"] == "Eve ? joined"
    assert whole.get_content().strip() == "Eve ? joined"


def test_a_body_cannot_end_the_mail_early_or_run_over_the_line() -> None:
    text = "a\n.\nMAIL FROM:<x>\r.\r\n" + "x" * 5000 + "é"
    written = write(replace(MAIL, text=text), SENDER)
    assert max(map(len, written.split(b"\r\n"))) <= 998
    assert b"\n" not in written.replace(b"\r\n", b"")
    assert b"\r" not in written.replace(b"\r\n", b"")
    assert read(written).get_content().split() == text.split()


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("anna@charity.example", "anna@charity.example"),
        ("anna.lead+zoom@charity.example", "anna.lead+zoom@charity.example"),
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("Anna@CHARITY.example", "Anna@charity.example"),
    ],
)
def test_an_address_as_it_goes_over_the_wire(address: str, wire: str) -> None:
    assert check_address(address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "@charity.example",
        "anna@",
        "anna@localhost",
        "anna@charity.example.",
        "anna@[127.0.0.1]",
        "a@b@charity.example",
        "anna@charity.example,eve@evil.example",
        "anna@charity.example eve@evil.example",
        "Anna <anna@charity.example>",
        "anna@charity.example\r\nBcc: eve@evil.example",
        "anna@charity.example\n",
        "anna\x00@charity.example",
        '"anna lead"@charity.example',
        "änna@charity.example",
        ".anna@charity.example",
        "an..na@charity.example",
        "a" * 65 + "@charity.example",
        "anna@" + "a." * 125 + "example",
        "a" * 64 + "@" + "b." * 92 + "example",
        "anna@under_score.example",
        "\ud800@charity.example",
        "anna@\ud800.example",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    with pytest.raises(BadAddress):
        check_address(address)


def test_an_address_has_64_letters_before_the_at_and_254_in_all() -> None:
    assert check_address("a" * 64 + "@charity.example")
    assert check_address("a" * 64 + "@" + "b." * 91 + "example")


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_name_and_any_text_make_one_mail_to_one_person(
    name: str, text: str
) -> None:
    mail = replace(MAIL, to_name=name, subject=name, text=text, html=text)
    whole = read(write(mail, SENDER, name))
    assert [address for _, address in getaddresses([str(whole["To"])])] == [MAIL.to]
    assert whole["Bcc"] is None
    assert one_line(name).isprintable()
