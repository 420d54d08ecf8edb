"""An outgoing message of a stream as it comes in over the milter protocol: who gets it, and what its headers say.

Its body is not read. No I/O.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import milter
from prometheus_client import Counter

from bouncemilter import enforcement, text
from bouncemilter.enforcement import Refusal
from bouncemilter.fronts.milter.negotiation import Negotiated
from bouncemilter.fronts.milter.replies import take_out
from bouncemilter.pipeline import OutgoingDecision, OutgoingMessage
from bouncemilter.pipeline.outgoing import refusable
from bouncemilter.stream import Origin, Stream

UNCHANGED = Counter(
    "bouncemilter_milter_unchanged_total",
    "Outgoing messages that the mail server does not let us change as decided, by what it does not offer.",
    ["missing"],
)
for _missing in ("chgfrom", "delrcpt"):
    UNCHANGED.labels(_missing)

_VALUE: Final = 1024
"""Characters of a header value that are looked at: an address, a list, the name of a mailing."""
_OF_THE_LIST: Final = ("from", "list-id", "precedence")


@dataclass(slots=True)
class OutgoingTransaction:
    """What is known of one message between MAIL and its end."""

    stream: Stream
    origin: Origin
    recipients: dict[str, str] = field(default_factory=dict)
    """The argument of RCPT, which `delrcpt` wants back → the address; those that have not been refused."""
    suppressed: dict[str, Refusal] = field(default_factory=dict)
    """Those of `recipients` that will be taken out at the end, with the reason."""
    headers: dict[str, str] = field(default_factory=dict)
    """The first field of each name that matters, by its name in lower case."""

    @property
    def refuses(self) -> bool:
        """Whether a suppressed recipient is answered with 550 in reply to RCPT."""
        return refusable(self.stream, self.origin)

    def header(self, name: str, value: bytes) -> None:
        """Keep a header field if it is one of those that matter."""
        key = name.lower()
        if key in self.headers:
            return
        if key in _OF_THE_LIST or any(key == each.lower() for each in self.stream.campaign_headers):
            self.headers[key] = text.clean(text.decode(value[:_VALUE]), _VALUE).strip()

    def message(self, *, alone: bool, removable: bool) -> OutgoingMessage:
        """What the pipeline is told at the end of the message; the arguments as of OutgoingMessage."""
        return OutgoingMessage(
            stream=self.stream,
            origin=self.origin,
            recipients=tuple(each for argument, each in self.recipients.items() if argument not in self.suppressed),
            suppressed={self.recipients[argument]: refusal for argument, refusal in self.suppressed.items()},
            alone=alone,
            removable=removable,
            headers=self.headers,
        )


def refuse(context: Any, outgoing: OutgoingTransaction, refusal: Refusal) -> int:
    """REJECT with 550 5.7.1; code and enhanced code are of one class, or Postfix gives up the session."""
    words = refusal.text(authenticated=outgoing.origin.authenticated)
    context.setreply(enforcement.REPLY_CODE, enforcement.STATUS, words)
    return int(milter.REJECT)


def carry_out(
    context: Any, outgoing: OutgoingTransaction, decision: OutgoingDecision, *, alone: bool, negotiated: Negotiated
) -> int:
    """Change the message as decided; the reply to return.

    `alone`: whether nobody but those of `outgoing` gets the message. `milter.error` where the connection broke.
    """
    gone = [argument for argument, each in outgoing.recipients.items() if each in decision.suppressed]
    if alone and gone and len(gone) == len(outgoing.recipients):
        if not outgoing.refuses:
            return int(milter.DISCARD)
        return refuse(context, outgoing, next(iter(decision.suppressed.values())))
    if gone and not negotiated.can_delete:
        UNCHANGED.labels("delrcpt").inc()
        gone = []
    for argument in gone:
        take_out(context, argument)
    if decision.sender and not negotiated.can_change_sender:
        UNCHANGED.labels("chgfrom").inc()
    elif decision.sender:
        context.chgfrom(f"<{decision.sender}>")
    return int(milter.ACCEPT)
