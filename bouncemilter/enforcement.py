"""Which mail must not leave: a pure function of what is known of the recipient and the stream that the mail is of.

A bulk stream honours every suppression that reaches its mail. A transactional one (invoices, passwords) passes those
who have only unsubscribed, from a list or from all that a sender writes: nobody opts out of an invoice. It refuses
dead and full mailboxes unless it is set otherwise, and always those who have complained of the sender or block it:
the next message to them costs the reputation that the others need. What an operator has suppressed by hand holds for
both. `postmaster@` and `abuse@` are never refused (RFC 5321 section 4.5.1, RFC 2142).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from bouncemilter.model import Cause, Scope, Standing, Suppression
from bouncemilter.returnpath import PASSED_LOCAL_PARTS
from bouncemilter.stream import Stream, StreamKind

REPLY_CODE: Final = "550"
STATUS: Final = "5.7.1"
"""RFC 3463 section 3.8: delivery not authorized, message refused. Ours to say; the mailbox itself is not told of."""
MARK: Final = "suppressed: bouncemilter"
"""How every refusal begins; the rule `own.refusal` knows it when it comes back, so that it is never counted."""

RANKS: Final = (
    Cause.MANUAL,
    Cause.HARD,
    Cause.COMPLAINT,
    Cause.BLOCKED_BY_RECIPIENT,
    Cause.UNSUBSCRIBE,
    Cause.SOFT,
)
"""Which cause is told where there are several: the operator's word first, what passes by itself last."""
_DEAD: Final = (Cause.HARD, Cause.SOFT)


@dataclass(frozen=True, slots=True)
class Refusal:
    """That a recipient is refused, and because of what."""

    suppression: Suppression | None
    """None where the store could not be asked."""

    def text(self, *, authenticated: bool) -> str:
        """The words after `550 5.7.1`: printable ASCII without `%`, and nothing in them that a stranger wrote.

        Only a client that is `authenticated` learns why: strangers shall not find out whose mailbox is dead.
        """
        words = f"{MARK} sends nothing to this address"
        if not authenticated or self.suppression is None:
            return words
        found = self.suppression
        reasons = [found.cause, found.category, f"since {found.created_at:%Y-%m-%d}"]
        return f"{words} ({', '.join(filter(None, reasons))})"


def refusal(
    standing: Standing, address_key: str, stream: Stream, *, sender_domain: str, list_id: str
) -> Refusal | None:
    """Whether mail of `stream` to `address_key` is refused.

    `sender_domain`: A-label in lower case, of the envelope sender at RCPT, of the From header at the end of the
    message. `list_id`: the message's List-ID where it is known by then, else empty: the stream's own counts.
    """
    if stream.kind is StreamKind.PERSONAL or never_refused(address_key):
        return None
    reaching = (
        each
        for each in standing.suppressions
        if applies(each, sender_domain=sender_domain, list_id=list_id or stream.list_id) and honours(stream, each.cause)
    )
    found = strongest(reaching)
    if found is None and standing.unconfirmed and _honours_unconfirmed(stream):
        return Refusal(None)
    return Refusal(found) if found else None


def never_refused(address_key: str) -> bool:
    """Whether an address must stay within reach, whatever came back from it."""
    return address_key.rpartition("@")[0].lower() in PASSED_LOCAL_PARTS


def certain_refusal(address_key: str, found: tuple[Suppression, ...], stream: Stream | None) -> Refusal | None:
    """Whether mail to `address_key` is refused whoever of the stream's senders it is from; of no stream: all mail.

    For look-up tables, which are not told the sender. `found`: the address's suppressions in force.
    """
    if never_refused(address_key):
        return None
    if stream is None:
        everywhere = strongest(each for each in found if each.scope is Scope.GLOBAL)
        return Refusal(everywhere) if everywhere else None
    standing, domains = Standing(found), stream.match.domains or ("",)
    answers = [refusal(standing, address_key, stream, sender_domain=each, list_id="") for each in domains]
    return answers[0] if all(answers) else None


@dataclass(frozen=True, slots=True)
class Mailing:
    """What will be sent, as far as it is known before: enough to say which suppressions reach it."""

    stream: Stream
    sender_domains: tuple[str, ...] = ()
    """A-labels in lower case; any of them may be the sender's."""
    list_id: str = ""

    def rank(self, scope: Scope, scope_value: str, cause: Cause) -> int | None:
        """The place in RANKS of a suppression of this kind where it refuses the mailing; else None."""
        if not honours(self.stream, cause):
            return None
        domains = self.sender_domains or ("",)
        if any(reaches(scope, scope_value, sender_domain=each, list_id=self.list_id) for each in domains):
            return RANKS.index(cause)
        return None


def applies(suppression: Suppression, *, sender_domain: str, list_id: str) -> bool:
    """Whether the scope of a suppression takes in mail of this domain and list."""
    return reaches(suppression.scope, suppression.scope_value, sender_domain=sender_domain, list_id=list_id)


def reaches(scope: Scope, scope_value: str, *, sender_domain: str, list_id: str) -> bool:
    """Whether a scope takes in mail of this domain and list; an empty value is nobody's."""
    if scope is Scope.GLOBAL:
        return True
    value = sender_domain if scope is Scope.SENDER else list_id
    return bool(value) and scope_value.lower() == value.lower()


def honours(stream: Stream, cause: Cause) -> bool:
    """Whether a stream's mail is refused for this cause, where the scope takes it in."""
    if stream.kind is StreamKind.TRANSACTIONAL:
        return cause is not Cause.UNSUBSCRIBE and (stream.refuse_dead or cause not in _DEAD)
    return stream.kind is StreamKind.BULK


def strongest(suppressions: Iterable[Suppression]) -> Suppression | None:
    """The one that is told: by cause, then the oldest; None of none."""
    return min(suppressions, key=lambda each: (RANKS.index(each.cause), each.id), default=None)


def _honours_unconfirmed(stream: Stream) -> bool:
    """Whether a stream refuses what is only known to be suppressed for all mail, by whatever cause."""
    return stream.kind is StreamKind.BULK or stream.refuse_dead
