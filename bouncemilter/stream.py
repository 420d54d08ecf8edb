"""Streams: which outgoing mail is signed, held against the suppressions and counted.

A stream says whose mail it is by the way it enters the mail server; the first one that matches owns the message. Mail
of no stream, of a stream of kind `personal`, and from the null reverse-path (bounces, automatic answers, our own
alerts; RFC 5321 section 4.5.5) is nobody's business: not signed, not refused, not counted.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Final

from bouncemilter import address
from bouncemilter.returnpath import ReturnPath


class StreamKind(StrEnum):
    """What the mail of a stream is to its recipients."""

    BULK = "bulk"
    """Newsletters and notices: every suppression counts."""
    TRANSACTIONAL = "transactional"
    """Invoices, passwords: opt-outs don't count, dead mailboxes do."""
    PERSONAL = "personal"
    """Left alone."""


class OnSuppressed(StrEnum):
    """What becomes of a suppressed recipient."""

    REFUSE = "refuse"
    """550 in reply to RCPT: the program that sends learns of it at once."""
    DROP = "drop"
    """Taken out of the message, with a row of the store: for programs that stop at the first refusal."""


CAMPAIGN_HEADERS: Final = ("X-Campaign-ID", "X-Mailer-Campaign", "Feedback-ID")
"""Where programs name the mailing, the first that is there; of Feedback-ID the first of its fields."""


@dataclass(frozen=True, slots=True)
class Origin:
    """How a message came to the mail server."""

    client: str = ""
    """The address of the SMTP client; empty on the non_smtpd path and for unix sockets."""
    daemon_name: str = ""
    """The macro `{daemon_name}`: in Postfix `milter_macro_daemon_name` of the service."""
    sasl_login: str = ""
    """The macro `{auth_authen}`: who has authenticated."""
    local: bool = False
    """Handed in by a program on this host with the command sendmail (Postfix's non_smtpd path)."""
    sender: str | None = None
    """The envelope sender, without angle brackets: empty for the null reverse-path, None where nobody says."""

    @property
    def authenticated(self) -> bool:
        """Whether it was sent by somebody who is known, and may be told why an address is refused."""
        return bool(self.sasl_login) or self.local

    @property
    def null_sender(self) -> bool:
        """Whether it is a notification from the null reverse-path, `<>`."""
        return self.sender == ""

    @property
    def sender_domain(self) -> str:
        """The domain (A-label) of the envelope sender; empty where there is none."""
        return address.domain_key((self.sender or "").rpartition("@")[2])


@dataclass(frozen=True)  # no slots: cached properties need a dictionary
class Match:
    """What a message must have to belong to a stream: everything that is given, and of each list one."""

    daemon_name: tuple[str, ...] = ()
    sasl_login: tuple[str, ...] = ()
    client: tuple[str, ...] = ()
    """Networks (CIDR)."""
    local_user: bool = False
    """Only what programs on this host hand in by the command sendmail."""
    sender: tuple[str, ...] = ()
    """Envelope senders."""
    sender_domain: tuple[str, ...] = ()
    """Domains of envelope senders; those below them are not meant."""

    def matches(self, origin: Origin) -> bool:
        """Whether a message of `origin` has everything."""
        return (
            (not self.daemon_name or origin.daemon_name in self.daemon_name)
            and (not self.sasl_login or origin.sasl_login in self.sasl_login)
            and (not self.local_user or origin.local)
            and (not self.client or self._comes_from_network(origin.client))
            and (not self.sender or address.key(origin.sender or "") in self._senders)
            and (not self.sender_domain or origin.sender_domain in self._domains)
        )

    @property
    def says_who(self) -> bool:
        """Whether anything is asked that a stranger can't write into his mail."""
        return bool(self.daemon_name or self.sasl_login or self.client or self.local_user)

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains (A-labels) that an envelope sender may be of; none where it may be of any."""
        named = self.sender_domain or tuple(each.rpartition("@")[2] for each in self.sender)
        return tuple(dict.fromkeys(map(address.domain_key, named)))

    def _comes_from_network(self, client: str) -> bool:
        try:
            host = ipaddress.ip_address(client)
        except ValueError:
            return False
        mapped = getattr(host, "ipv4_mapped", None)
        return any((mapped or host) in network for network in self._networks)

    @cached_property
    def _networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(each) for each in self.client)

    @cached_property
    def _senders(self) -> frozenset[str]:
        return frozenset(address.key(each) for each in self.sender)

    @cached_property
    def _domains(self) -> frozenset[str]:
        return frozenset(address.domain_key(each) for each in self.sender_domain)


@dataclass(frozen=True, slots=True)
class Stream:
    """One kind of outgoing mail."""

    name: str
    kind: StreamKind
    match: Match = field(default_factory=Match)
    return_path: ReturnPath | None = None
    """What its envelope senders become; None leaves them as they are."""
    list_id: str = ""
    """The list that the mail is for, where its List-ID header does not say: the value of the scope `list`."""
    campaign_headers: tuple[str, ...] = CAMPAIGN_HEADERS
    on_suppressed: OnSuppressed = OnSuppressed.REFUSE
    refuse_dead: bool = True
    """Whether a transactional stream refuses mailboxes that are dead."""

    @property
    def sender_domains(self) -> tuple[str, ...]:
        """The domains that its mail comes from, as far as its match says, else its return path."""
        return self.match.domains or (self.return_path.sender_domains if self.return_path else ())


def owner(streams: Sequence[Stream], origin: Origin, name: str = "") -> Stream | None:
    """The stream that a message belongs to: that of the `name` which the client gives, else the first that matches.

    None where that is a personal one, and for mail from the null reverse-path: what tells of mail must not be stopped.
    """
    if origin.null_sender:
        return None
    named = (each for each in streams if name and each.name == name and each.kind is not StreamKind.PERSONAL)
    matching = (each for each in streams if each.match.matches(origin))
    found = next(named, None) or next(matching, None)
    return None if found is None or found.kind is StreamKind.PERSONAL else found
