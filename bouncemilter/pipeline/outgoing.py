"""Outgoing mail: who must not get it, and the return path that it leaves with.

`OutgoingPipeline.refusal` answers at each RCPT, from any thread; `OutgoingPipeline.decide` at the end of a message, on
the event loop. What a later bounce is judged by (the recipients of a message token), and that a recipient was taken
out, is on disk before the mail server is told.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client import Counter

from bouncemilter import address, domain, enforcement
from bouncemilter.enforcement import Refusal
from bouncemilter.model import Cause, Sent, Withheld, Withholding
from bouncemilter.model.sent import NAME_LENGTH
from bouncemilter.pipeline.sentlog import SentLog
from bouncemilter.returnpath import Signer, foreign
from bouncemilter.store import Store, StoreUnavailable, Suppressions
from bouncemilter.stream import OnSuppressed, Origin, Stream, StreamKind, owner

OUTGOING: Final = Counter(
    "bouncemilter_outgoing_messages_total",
    "Outgoing messages of streams that were let go, by the return path that they were given",
    ["stream_kind", "signed"],
)
WITHHELD: Final = Counter(
    "bouncemilter_withheld_total",
    "Recipients of outgoing mail that are suppressed, and what was done",
    ["cause", "action"],
)

UNCONFIRMED: Final = "unconfirmed"
"""The cause where the store could not be asked."""
_LIST_ID: Final = re.compile(r"<([^<>\s]+)>")
_MANAGER: Final = re.compile(r"owner-.|.+-(bounces?|owner|return|request)\Z", re.IGNORECASE)
"""Local parts of the envelope senders of Mailman, Sympa and majordomo; their mail has `Precedence: list`, too."""

_log = structlog.get_logger()


class OutgoingUnavailable(Exception):  # noqa: N818  (an outcome)
    """What must be on disk before the mail leaves could not be written; the text says why."""


def refusable(stream: Stream, origin: Origin) -> bool:
    """Whether a suppressed recipient of a message is refused; else it is taken out.

    Never on Postfix's non_smtpd path: there a refusal at RCPT is a configuration error, and the mail hangs.
    """
    return stream.on_suppressed is OnSuppressed.REFUSE and not origin.local


@dataclass(frozen=True, slots=True)
class OutgoingOptions:
    """The settings of outgoing mail."""

    streams: tuple[Stream, ...] = ()
    signers: Mapping[str, Signer] = field(default_factory=dict)
    """By return path (`prefix@domain`); those without keys are not in it."""
    fold_local_part: bool = True
    observing: bool = False
    """Whether nobody is refused, and only told who would be."""


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """An outgoing message at its end."""

    stream: Stream
    origin: Origin
    recipients: tuple[str, ...]
    """Those that nothing was known against at RCPT."""
    suppressed: Mapping[str, Refusal] = field(default_factory=dict)
    """Those that are to be taken out, with the reason."""
    alone: bool = True
    """Whether the message goes to nobody but these."""
    removable: bool = True
    """Whether the mail server lets single recipients be taken out."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """The first value of From, List-ID, Precedence and the stream's campaign headers, by name in lower case."""

    @property
    def refusable(self) -> bool:
        """Whether its suppressed recipients are refused; else they are taken out."""
        return refusable(self.stream, self.origin)

    @property
    def sender_domain(self) -> str:
        """The domain (A-label) of From; empty where there is none."""
        try:
            _, mailbox = email.utils.parseaddr(self.headers.get("from", ""))
        except RecursionError:  # hundreds of opening parentheses
            return ""
        return address.domain_key(mailbox.rpartition("@")[2])

    @property
    def list_id(self) -> str:
        """RFC 2919, without angle brackets and in lower case; else the stream's own list."""
        written = self.headers.get("list-id", "")
        named = _LIST_ID.search(written)
        return (named[1] if named else written.strip() or self.stream.list_id).lower()

    @property
    def campaign(self) -> str:
        """The name of the mailing, by the first of the stream's headers that is there, as long as it is counted under.

        A report knows what a return path was signed for by the hash of the name that was counted.
        """
        for name in self.stream.campaign_headers:
            value = self.headers.get(name.lower(), "").strip()
            if value:
                return (value.partition(":")[0] if name.lower() == "feedback-id" else value)[:NAME_LENGTH]
        return ""


@dataclass(frozen=True, slots=True)
class OutgoingDecision:
    """What becomes of an outgoing message."""

    sender: str = ""
    """The envelope sender that it leaves with; empty where it keeps its own."""
    suppressed: Mapping[str, Refusal] = field(default_factory=dict)
    """Whom it must not go to, with the reason."""


class OutgoingPipeline:
    """What outgoing mail has to pass."""

    def __init__(self, store: Store, suppressions: Suppressions, sent: SentLog, options: OutgoingOptions) -> None:
        self._store = store
        self._suppressions = suppressions
        self._sent = sent
        self._options = options

    def configure(self, options: OutgoingOptions) -> None:
        """Take new settings for the messages that come from now on."""
        self._options = options

    @property
    def active(self) -> bool:
        """Whether there is any stream."""
        return bool(self._options.streams)

    def owner(self, origin: Origin, name: str = "") -> Stream | None:
        """The stream that a message belongs to, as of stream.owner; None where it is none of our business."""
        return owner(self._options.streams, origin, name)

    def refusal(self, stream: Stream, origin: Origin, recipient: str) -> Refusal | None:
        """Whether a recipient is to be refused at RCPT. For callers on other threads than the event loop's."""
        key = self._key(recipient)
        if not key or self._options.observing:  # who only observes is told once, at the end of the message
            return None
        standing = self._suppressions.standing(key)
        return enforcement.refusal(standing, key, stream, sender_domain=origin.sender_domain, list_id="")

    async def refusal_on_loop(self, stream: Stream, origin: Origin, recipient: str) -> Refusal | None:
        """The same for callers on the event loop that see no more of the message than this."""
        return await self._consider(stream, recipient, origin.sender_domain)

    def record_refusal(self, stream: Stream, recipient: str, refusal: Refusal) -> None:
        """Say that a recipient was refused. For callers on any thread."""
        self._sent.withhold(self._announced(stream, recipient, refusal, Withholding.REFUSED))

    async def decide(self, message: OutgoingMessage) -> OutgoingDecision:
        """What a message leaves with; what must be known of it later is on disk. Raises OutgoingUnavailable."""
        suppressed = dict(message.suppressed)
        sender_domain, list_id = message.sender_domain, message.list_id
        for recipient in message.recipients:
            found = await self._consider(message.stream, recipient, sender_domain, list_id, strict=True)
            if found is not None:
                suppressed[recipient] = found
        remaining = tuple(each for each in message.recipients if each not in suppressed)
        now = dt.datetime.now(dt.UTC)
        try:
            await self._withhold(message, suppressed, remaining)
            sender = await self._sign(message, remaining, now) if remaining else ""
        except StoreUnavailable as error:
            raise OutgoingUnavailable(str(error)) from error
        self._count(message, remaining, now, signed=bool(sender))
        return OutgoingDecision(sender, suppressed)

    async def _withhold(
        self, message: OutgoingMessage, suppressed: Mapping[str, Refusal], remaining: Sequence[str]
    ) -> None:
        """Recipients are about to be taken out of a message: nobody else will ever say so."""
        to_nobody = message.alone and not remaining
        if not (message.removable or to_nobody):
            return
        action = Withholding.REFUSED if message.refusable and to_nobody else Withholding.DROPPED
        await self._store.sent.record_withheld(
            [self._announced(message.stream, recipient, each, action) for recipient, each in suppressed.items()]
        )

    def _count(self, message: OutgoingMessage, recipients: Sequence[str], now: dt.datetime, *, signed: bool) -> None:
        stream = message.stream
        token = ("recipient" if len(recipients) == 1 else "message") if signed else "no"
        if recipients:
            OUTGOING.labels(stream.kind, token).inc()
        campaign = self._sent.name("campaign", message.campaign, now)
        list_id = self._sent.name("list", message.list_id, now)
        sender_domain = self._sent.name("sender", message.sender_domain, now)
        self._sent.add(
            Sent(
                address_key=key,
                at=now,
                stream=stream.name,
                list_id=list_id,
                campaign=campaign,
                sender_domain=sender_domain,
                provider=domain.registrable(key.rpartition("@")[2]),
            )
            for key in filter(None, map(self._key, recipients))
        )

    def _announced(self, stream: Stream, recipient: str, refusal: Refusal, action: Withholding) -> Withheld:
        cause = refusal.suppression.cause if refusal.suppression else ""
        WITHHELD.labels(cause or UNCONFIRMED, action).inc()
        key = self._key(recipient)
        _log.info("recipient_suppressed", action=action, stream=stream.name, address=key, cause=cause or UNCONFIRMED)
        return Withheld(dt.datetime.now(dt.UTC).date(), key, stream.name, action, cause)

    async def _consider(
        self, stream: Stream, recipient: str, sender_domain: str, list_id: str = "", *, strict: bool = False
    ) -> Refusal | None:
        """`strict`: raise OutgoingUnavailable where nobody can say how the recipient stands."""
        key = self._key(recipient)
        if not key:
            return None
        standing = await self._suppressions.standing_on_loop(key)
        if strict and standing.unknown and not self._options.observing:
            raise OutgoingUnavailable("the suppressions have not been read yet, and the store gives no answer")
        found = enforcement.refusal(standing, key, stream, sender_domain=sender_domain, list_id=list_id)
        if found is not None and self._options.observing:
            self._sent.withhold(self._announced(stream, key, found, Withholding.OBSERVED))
            return None
        return found

    async def _sign(self, message: OutgoingMessage, recipients: Sequence[str], now: dt.datetime) -> str:
        """The signed return path; empty where the sender stays."""
        path = message.stream.return_path
        signer = self._options.signers.get(str(path)) if path else None
        if signer is None or not self._is_signable(message):
            return ""
        keys = [key for key in map(self._key, recipients) if key]
        if len(recipients) == len(keys) == 1:
            return signer.mint(keys[0], campaign=message.campaign, day=now.date())
        minted = signer.mint_message(campaign=message.campaign, day=now.date())
        await self._store.sent.record_message(minted.nonce, keys)
        return minted.address

    @staticmethod
    def _is_signable(message: OutgoingMessage) -> bool:
        """Whether nobody else reads the returns of this message: neither a machine's own report nor a list manager."""
        sender = message.origin.sender or ""
        managed = message.headers.get("precedence", "").lower() == "list"
        manager = managed and _MANAGER.match(sender.rpartition("@")[0])
        return bool(sender) and not manager and not foreign.is_wrapped(sender)

    def _key(self, recipient: str) -> str:
        """The key of whom the mail server will deliver to; empty where that is no address."""
        fold = self._options.fold_local_part
        found = address.key(recipient, fold_local_part=fold)
        return found or address.key(address.unadorned(recipient), fold_local_part=fold)


def declare() -> None:
    """Make the label values appear from the start."""
    for kind in (StreamKind.BULK, StreamKind.TRANSACTIONAL):
        for signed in ("recipient", "message", "no"):
            OUTGOING.labels(kind, signed)
    for cause in (UNCONFIRMED, *Cause):
        for action in Withholding:
            WITHHELD.labels(cause, action)
