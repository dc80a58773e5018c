"""Addresses the bot may post to: checked as written, and again as resolved.

Pure: whoever opens the connection resolves the name, hands every answer to
`check_addresses` and connects to one of the addresses it gets back, so that a name
which changes its answer between check and connect gains nothing.

Sources: RFC 6890 and the IANA special-purpose registries (which addresses are
global), RFC 6052 and RFC 8215 (NAT64), UTS 46 (how a name in any script is read).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from urllib.parse import SplitResult, quote, urlsplit

import idna

HTTPS_PORT = 443
MOST_CHARACTERS = 2048
TEST_HOST = "127.0.0.1"

# Names that never leave the machine, the site or the cloud they are asked in.
_INSIDE = (".localhost", ".local", ".internal", ".home.arpa")
# What C libraries read as an IPv4 address although it is not written as one.
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")

# What ipaddress calls global, in some Python or in all, and is of no use to a gateway.
_REFUSED_V4 = tuple(
    map(
        IPv4Network,
        (
            "168.63.129.16/32",  # Azure's own services inside every machine
            "192.0.0.0/24",
            "192.88.99.0/24",
        ),
    )
)
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    map(
        IPv6Network,
        (
            "2002::/16",  # 6to4: an IPv4 address in disguise
            "3fff::/20",
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddress(ValueError):
    """The bot does not connect there; `sentence` tells a person why.

    The sentence names the host at most: a path may hold somebody's secret.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class CheckedUrl:
    """A URL whose writing is safe; its resolved addresses are still to be checked.

    `host` is ASCII: a name in lower case (punycode where it had other letters) or
    a canonical IP address without brackets. `target` is path and query.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def literal(self) -> bool:
        """The host is an IP address, so there is nothing to resolve."""
        return _ip(self.host) is not None

    @property
    def authority(self) -> str:
        """What the Host header says (RFC 9110 §7.2)."""
        return self._authority(self.host)

    @property
    def shown(self) -> str:
        """Scheme, host and port for a person to read; the path stays out of sight."""
        return f"{self.scheme}://{self.authority}"

    def at(self, address: str) -> str:
        """The same URL with a checked address in place of the name."""
        return f"{self.scheme}://{self._authority(address)}{self.target}"

    def _authority(self, host: str) -> str:
        bracketed = f"[{host}]" if ":" in host else host
        usual = HTTPS_PORT if self.scheme == "https" else 80
        return bracketed if self.port == usual else f"{bracketed}:{self.port}"


def check_url(
    url: str,
    *,
    allow_test_hosts: bool = False,
    ports: Collection[int] = (HTTPS_PORT,),
) -> CheckedUrl:
    """Read a URL strictly: https, a listed port, a public host, no tricks.

    `allow_test_hosts` lets `127.0.0.1` through, on any port and by http too, and
    nothing else. Raises RefusedAddress.
    """
    parts = _split(url)
    host = _host(parts.netloc, parts.hostname or "")
    test_host = allow_test_hosts and host == TEST_HOST
    if parts.scheme != "https" and not (test_host and parts.scheme == "http"):
        raise RefusedAddress("The address must begin with https://.")
    port = _port(parts)
    if port not in ports and not test_host:
        listed = ", ".join(str(one) for one in sorted(ports))
        raise RefusedAddress(f"Port {port} is not allowed; allowed: {listed}.")
    if _ip(host) is not None:
        check_addresses([host], allow_test_hosts=allow_test_hosts)
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    if parts.query:
        target += "?" + quote(parts.query, safe="/?%:@!$&'()*+,;=-._~")
    return CheckedUrl(parts.scheme, host, port, target)


def check_addresses(
    addresses: Sequence[str], *, allow_test_hosts: bool = False
) -> list[str]:
    """Every answer of a name server must be a global address; one bad one refuses all.

    Returns the addresses in canonical writing (IPv4 inside IPv6 as IPv4), in the
    order given. Raises RefusedAddress, also for no answer at all.
    """
    if not addresses:
        raise RefusedAddress("The name of the host leads to no address.")
    checked = []
    for written in addresses:
        address = _ip(written)
        if address is None:
            raise RefusedAddress("The name of the host leads to no proper address.")
        test_host = allow_test_hosts and str(address) == TEST_HOST
        if not test_host and not _is_global(address):
            raise RefusedAddress(
                f"The address leads to {address}, which is not on the public internet."
            )
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        checked.append(str(mapped or address))
    return checked


def _split(url: str) -> SplitResult:
    if len(url) > MOST_CHARACTERS:
        raise RefusedAddress(f"The address is longer than {MOST_CHARACTERS} letters.")
    # Browsers, libraries and name servers disagree about these, and urlsplit drops
    # some of them without a word (https://url.spec.whatwg.org/#url-parsing).
    if "\\" in url or " " in url or not url.isprintable():
        raise RefusedAddress(
            "The address holds a space, a backslash or a character that is not seen."
        )
    if "#" in url:
        raise RefusedAddress("The address holds a #; leave it and what follows out.")
    try:
        parts = urlsplit(url)
        _ = parts.hostname
    except ValueError:
        raise RefusedAddress("The address is not written as a web address.") from None
    if "@" in parts.netloc:
        raise RefusedAddress("The address holds a user name or an @ before the host.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise RefusedAddress("The port is not a number below 65536.") from None
    if port is not None:
        return port
    return HTTPS_PORT if parts.scheme == "https" else 80


def _host(netloc: str, written: str) -> str:
    if not written or "%" in written:
        raise RefusedAddress("The address names no host, or hides it behind a %.")
    if netloc.startswith("["):
        address = _ip(written)
        if address is None:
            raise RefusedAddress("The host in brackets is not an IPv6 address.")
        return str(address)
    try:
        host = idna.encode(written, uts46=True).decode("ascii")
    except UnicodeError:
        raise RefusedAddress("The host is not a proper name.") from None
    host = host.removesuffix(".").lower()
    # Only now: full-width digits and dots have become plain ones.
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        address = _ip(host)
        if address is None:
            raise RefusedAddress("The host is a number; write it as a name.")
        return str(address)
    if "." not in host or host.endswith(_INSIDE):
        raise RefusedAddress(f"{host} is a name inside a network, not a public one.")
    return host


def _ip(written: str) -> IPv4Address | IPv6Address | None:
    if "%" in written:
        return None
    try:
        return ip_address(written)
    except ValueError:
        return None


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address):
        inside = address.ipv4_mapped
        if address in _NAT64:
            inside = IPv4Address(int(address) & 0xFFFFFFFF)
        if inside is None:
            return (
                address in _GLOBAL_V6
                and address.is_global
                and not any(address in network for network in _REFUSED_V6)
            )
        address = inside
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in _REFUSED_V4)
    )
