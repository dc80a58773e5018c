"""L01, L02, L05: which addresses the bot may post to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.address import (
    CheckedUrl,
    RefusedAddress,
    check_addresses,
    check_url,
)

GATEWAY = "https://sms.gateway.example/alarms?key=1"


def refusal(url: str, *, allow_test_hosts: bool = False) -> str:
    with pytest.raises(RefusedAddress) as refused:
        check_url(url, allow_test_hosts=allow_test_hosts)
    return refused.value.sentence


def test_a_plain_gateway_is_read_into_its_parts() -> None:
    url = check_url(GATEWAY)
    assert url == CheckedUrl("https", "sms.gateway.example", 443, "/alarms?key=1")
    assert (url.literal, url.authority) == (False, "sms.gateway.example")
    assert url.shown == "https://sms.gateway.example"
    assert url.at("93.184.216.34") == "https://93.184.216.34/alarms?key=1"
    assert url.at("2606:2800::1") == "https://[2606:2800::1]/alarms?key=1"


def test_a_listed_port_is_kept_in_address_and_host_header() -> None:
    url = check_url("https://sms.gateway.example:8443/", ports={443, 8443})
    assert url.authority == "sms.gateway.example:8443"
    assert url.at("93.184.216.34") == "https://93.184.216.34:8443/"


def test_capitals_a_last_dot_and_letters_in_the_path_are_written_plainly() -> None:
    url = check_url("HTTPS://SMS.Gateway.EXAMPLE./alärm?für=Anna")
    assert url == CheckedUrl(
        "https", "sms.gateway.example", 443, "/al%C3%A4rm?f%C3%BCr=Anna"
    )


def test_a_public_ip_address_needs_no_name() -> None:
    assert check_url("https://93.184.216.34").literal
    url = check_url("https://[2606:2800:0::1]:443/x")
    assert (url.host, url.authority) == ("2606:2800::1", "[2606:2800::1]")


@pytest.mark.parametrize(
    "scheme", ["http", "ftp", "file", "gopher", "ws", "javascript"]
)
def test_l01_only_https(scheme: str) -> None:
    said = "The address must begin with https://."
    assert refusal(f"{scheme}://sms.gateway.example/") == said


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b:1::a00:1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[::127.0.0.1]",
        "169.254.169.254",
        "168.63.129.16",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.9",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[5f00::1]",
        "127。0。0。1",
        "①②⑦.0.0.1",
    ],
)
def test_l02_an_address_inside_is_refused_as_written(host: str) -> None:
    assert refusal(f"https://{host}/").endswith("is not on the public internet.")


@pytest.mark.parametrize(
    "host", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.0x1", "1.2.3.4.5"]
)
def test_l02_a_number_that_only_some_read_as_an_address_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/") == "The host is a number; write it as a name."


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST.",
        "metadata.google.internal",
        "printer.local",
        "box.home.arpa",
        "gateway",
        "x.localhost",
    ],
)
def test_l02_a_name_inside_a_network_is_refused(host: str) -> None:
    assert refusal(f"https://{host}/").endswith("not a public one.")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://user:pass@sms.example/", "user name or an @"),
        ("https://@sms.example/", "user name or an @"),
        ("https://good.example@evil.example/", "user name or an @"),
        ("https://evil.example#good.example", "holds a #"),
        ("https://evil.example/#", "holds a #"),
        ("https://evil.example\\@good.example/", "backslash"),
        ("https:\\\\evil.example", "backslash"),
        ("https://good.example /", "a space"),
        ("https://good\texample.org/", "not seen"),
        ("https://good.example/\r\nHost: evil", "not seen"),
        ("https://good.exam\u200bple/", "not seen"),
        ("https://good.example/\u202e", "not seen"),
        ("https://good.example/\ud800", "not seen"),
        ("https://evil%2egood.example/", "behind a %"),
        ("https://[fe80::1%25eth0]/", "behind a %"),
        ("https://", "names no host"),
        ("https:///path", "names no host"),
        ("sms.gateway.example/alarms", "names no host"),
        ("https://[::1", "not written as a web address"),
        ("https://[v1.x]/", "not an IPv6 address"),
        ("https://a..example/", "not a proper name"),
        ("https://under_score.example/", "not a proper name"),
        ("https://-dash.example/", "not a proper name"),
        ("https://" + "a" * 64 + ".example/", "not a proper name"),
        ("https://sms.example:22/", "Port 22 is not allowed; allowed: 443."),
        ("https://sms.example:8443/", "Port 8443 is not allowed"),
        ("https://sms.example:65536/", "not a number below"),
        ("https://sms.example:port/", "not a number below"),
        ("", "names no host"),
    ],
)
def test_l05_a_trick_is_refused_with_a_sentence(url: str, said: str) -> None:
    assert said in refusal(url)


def test_l05_a_look_alike_name_is_shown_as_punycode() -> None:
    cyrillic = check_url("https://g\u0430teway.example/")
    assert cyrillic.host == "xn--gteway-3nf.example"
    assert cyrillic.shown == "https://xn--gteway-3nf.example"


def test_a_long_address_is_refused_just_above_the_limit() -> None:
    start = "https://sms.gateway.example/"
    check_url(start + "x" * (2048 - len(start)))
    assert "longer than" in refusal(start + "x" * (2049 - len(start)))


def test_a_refusal_never_repeats_the_path() -> None:
    assert "s3cret" not in refusal("https://10.0.0.1/hooks/s3cret")


def test_the_test_switch_lets_this_machine_through_and_nothing_else() -> None:
    plain = check_url("http://127.0.0.1:8099/x", allow_test_hosts=True)
    assert plain.at("127.0.0.1") == "http://127.0.0.1:8099/x"
    assert check_url("https://127.0.0.1:8443/", allow_test_hosts=True).port == 8443
    assert (
        check_url("http://127.0.0.1/", allow_test_hosts=True).authority == "127.0.0.1"
    )
    for url in (
        "http://127.0.0.2/",
        "http://127.evil.example/",
        "http://[::1]/",
        "http://localhost/",
        "http://10.0.0.1/",
        "http://sms.gateway.example/",
        "https://sms.gateway.example:8443/",
        "ftp://127.0.0.1/",
        "https://2130706433/",
        "https://[::ffff:127.0.0.1]/",
    ):
        refusal(url, allow_test_hosts=True)


def test_one_inside_address_among_public_ones_refuses_them_all() -> None:
    with pytest.raises(RefusedAddress):
        check_addresses(["93.184.216.34", "10.0.0.1"])


def test_public_answers_come_back_in_order() -> None:
    answers = [
        "2606:2800:0::1",
        "93.184.216.34",
        "::ffff:93.184.216.35",
        "64:ff9b::93.184.216.34",
    ]
    assert check_addresses(answers) == [
        "2606:2800::1",
        "93.184.216.34",
        "93.184.216.35",
        "64:ff9b::5db8:d822",
    ]


def test_no_answer_and_no_address_are_refused() -> None:
    with pytest.raises(RefusedAddress, match="no address"):
        check_addresses([])
    for written in ("gateway", "2606:2800::1%2", "", "1.2.3"):
        with pytest.raises(RefusedAddress, match="no proper address"):
            check_addresses([written])


def test_the_test_switch_for_answers_means_one_address() -> None:
    assert check_addresses(["127.0.0.1"], allow_test_hosts=True) == ["127.0.0.1"]
    for answers in (["127.0.0.2"], ["::1"], ["127.0.0.1", "10.0.0.1"]):
        with pytest.raises(RefusedAddress):
            check_addresses(answers, allow_test_hosts=True)


INSIDE_V4 = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
]
INSIDE_V6 = [
    "::/16",
    "100::/64",
    "2001:db8::/32",
    "2001::/32",
    "2002::/16",
    "3fff::/20",
    "fc00::/7",
    "fe80::/10",
    "ff00::/8",
]

inside_v4 = st.sampled_from(INSIDE_V4).flatmap(
    lambda network: st.ip_addresses(network=network)
)
inside_v6 = st.sampled_from(INSIDE_V6).flatmap(
    lambda network: st.ip_addresses(network=network)
)


@given(inside_v4, st.sampled_from(["{}", "::ffff:{}", "64:ff9b::{}", "::{}"]))
def test_no_inside_ipv4_address_passes_in_any_dress(
    address: ipaddress.IPv4Address, dress: str
) -> None:
    with pytest.raises(RefusedAddress):
        check_addresses([dress.format(address)])


@given(inside_v6)
def test_no_inside_ipv6_address_passes(address: ipaddress.IPv6Address) -> None:
    with pytest.raises(RefusedAddress):
        check_addresses([str(address)])


@given(st.text(max_size=40), st.booleans())
def test_any_text_is_read_or_refused_and_nothing_else(text: str, whole: bool) -> None:
    try:
        url = check_url(text if whole else f"https://{text}")
    except RefusedAddress:
        return
    assert url.host.isascii()
    assert url.target.isascii()
    assert url.port == 443
