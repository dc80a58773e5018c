"""What sending mail needs, and what is wrong with what was given."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from integrations.mail.message import BadAddress, check_address

Security = Literal["starttls", "tls", "plain"]

# A relay on the same machine is the one place where no TLS is no risk.
_SAME_MACHINE = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class MailSettings:
    """One mail server and the sender's address.

    `security`: "starttls" (port 587, refused when the server does not offer it),
    "tls" (port 465), or "plain" for a relay on this machine. `tls` replaces the
    usual certificate authorities. `deadline` covers one mail from connect to the
    server's last word.
    """

    host: str
    sender: str
    port: int = 587
    security: Security = "starttls"
    sender_name: str = ""
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False, compare=False)
    deadline: timedelta = timedelta(seconds=10)

    def faults(self) -> tuple[str, ...]:
        """Every fault of these settings as a sentence; none means usable."""
        found = []
        if not self.host.strip():
            found.append("The mail server has no name.")
        if not 0 < self.port < 65536:
            found.append(f"The mail server's port {self.port} is not a port.")
        try:
            check_address(self.sender)
        except BadAddress as bad:
            found.append(f"The sender's address: {bad}")
        if self.security not in ("starttls", "tls", "plain"):
            found.append("The mail server's security must be starttls, tls or plain.")
        if self.security == "plain" and self.host not in _SAME_MACHINE:
            found.append("Mail without TLS is sent to a relay on this machine only.")
        if (self.username is None) != (self.password is None):
            found.append("The mail server's user name and password go together.")
        if self.username == "" or self.password == "":
            found.append("The mail server's user name or password is empty.")
        return tuple(found)
