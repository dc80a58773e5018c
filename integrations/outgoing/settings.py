"""What an outgoing webhook needs, and what is wrong with what was given."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta

from integrations.address import HTTPS_PORT, RefusedAddress, check_url
from integrations.outgoing.sign import BadSecret, key_of


@dataclass(frozen=True, slots=True)
class OutgoingTarget:
    """Where alarms are posted and how they are signed.

    `secrets`: the current one first, then one still accepted during a rotation.
    `ports`: the ports an https address may use. `allow_test_hosts` lets 127.0.0.1
    through, for tests and rehearsals. `tls` replaces the usual certificate
    authorities. `deadline` covers one attempt from the name to the end of the answer.
    The address is not in the repr: gateways put keys into paths.
    """

    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    ports: frozenset[int] = frozenset({HTTPS_PORT})
    allow_test_hosts: bool = False
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    deadline: timedelta = timedelta(seconds=10)

    def faults(self) -> tuple[str, ...]:
        """Every fault of these settings as a sentence; none means usable."""
        found = []
        try:
            check_url(
                self.url, allow_test_hosts=self.allow_test_hosts, ports=self.ports
            )
        except RefusedAddress as refused:
            found.append(refused.sentence)
        if not self.secrets:
            found.append("The outgoing webhook has no secret.")
        for secret in self.secrets:
            try:
                key_of(secret)
            except BadSecret as bad:
                found.append(str(bad))
        return tuple(found)
