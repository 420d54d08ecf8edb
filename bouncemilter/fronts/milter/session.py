"""One session with the MTA: what each callback of the protocol does and answers.

Only mail for recipients of ours is read, and the headers of outgoing mail of a stream. All callbacks before the end of
the message answer CONTINUE, ACCEPT or SKIP, but for two: a suppressed recipient of outgoing mail is refused at RCPT,
and a message of ours that can't be taken is put off at DATA. Not on Postfix's non_smtpd path, where both wait for the
end: there an earlier refusal is a configuration error to Postfix, and the mail hangs.

libmilter moves a session between threads: nothing here belongs to a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import milter
import structlog
from prometheus_client import Counter

from bouncemilter.fronts.label import UNREAD
from bouncemilter.fronts.milter.admission import Admission
from bouncemilter.fronts.milter.message import Message, bare
from bouncemilter.fronts.milter.negotiation import Negotiated
from bouncemilter.fronts.milter.nudge import SECONDS, Nudge
from bouncemilter.fronts.milter.options import MilterOptions
from bouncemilter.fronts.milter.outgoing import OutgoingTransaction, refuse
from bouncemilter.fronts.milter.outgoing import carry_out as carry_out_outgoing
from bouncemilter.fronts.milter.replies import Tagging, carry_out, defer, ending
from bouncemilter.model import Disposition, Front, Source
from bouncemilter.pipeline import OutgoingUnavailable
from bouncemilter.stream import Origin

if TYPE_CHECKING:
    from bouncemilter.pipeline import Flight, OutgoingPipeline, Pipeline

ACCEPTED_EARLY = Counter(
    "bouncemilter_milter_accepted_early_total",
    "Messages that were accepted unread because no recipient is ours, by the stage at which that was said.",
    ["stage"],
)
PUT_OFF = Counter(
    "bouncemilter_milter_put_off_total",
    "Messages of ours that were answered with TEMPFAIL by the front itself, not by the pipeline.",
    ["reason"],
)
for _stage in ("data", "header", "eoh", "eom"):
    ACCEPTED_EARLY.labels(_stage)
for _reason in ("draining", "full", "broken", "timeout"):
    PUT_OFF.labels(_reason)

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """What all sessions share."""

    pipeline: Pipeline
    outgoing: OutgoingPipeline
    loop: asyncio.AbstractEventLoop
    """Where the pipeline runs."""
    options: MilterOptions
    admission: Admission
    nudge: Nudge


class Session:
    """The state of one connection from the MTA. Each callback gets libmilter's context and returns an SMFIS value."""

    __slots__ = ("_client", "_local", "_message", "_service", "_source", "negotiated")

    def __init__(self, service: Service, negotiated: Negotiated) -> None:
        self.negotiated = negotiated
        self._service = service
        self._client = ""
        self._source = Source.UNKNOWN
        self._local = False
        self._message: Message | None = None

    def connect(self, _context: Any, hostname: str, _family: int, address: tuple[Any, ...] | str | None) -> int:
        """Who the MTA's client is. Postfix names its own reports and local submissions `localhost` with port 0."""
        self.reset()
        self._source = Source.REMOTE
        self._local = False
        if isinstance(address, tuple):
            self._client = str(address[0])
            self._local = hostname == "localhost" and address[1] == 0
        return int(milter.CONTINUE)

    def mail(self, context: Any, sender: bytes, *_parameters: bytes) -> int:
        """A message begins; the one before it has ended, whatever the MTA said."""
        self.reset()
        # smtpd always writes the brackets, so nobody outside can look local.
        local = self._local and not sender.startswith(b"<")
        self._message = Message(bare(sender), local=local)
        self._message.outgoing = self._outgoing(context, self._message)
        return int(milter.CONTINUE)

    def _outgoing(self, context: Any, message: Message) -> OutgoingTransaction | None:
        """Where the message is of a stream, what will be known of it."""
        if not self._service.outgoing.active:
            return None
        origin = Origin(
            client="" if message.local else self._client,
            daemon_name=_macro(context, "{daemon_name}"),
            sasl_login=_macro(context, "{auth_authen}"),
            local=message.local,
            sender=message.sender,
        )
        stream = self._service.outgoing.owner(origin)
        return OutgoingTransaction(stream, origin) if stream else None

    def rcpt(self, context: Any, recipient: bytes, *_parameters: bytes) -> int:
        """Remember a recipient that is ours, never refusing it; refuse a suppressed one of outgoing mail."""
        message = self._message
        if message is None:
            return int(milter.CONTINUE)
        address = bare(recipient)
        owner = self._service.pipeline.ownership(address)
        # What is no UTF-8 can't be named to `delrcpt` either (RFC 6531 section 3.3 allows nothing else).
        if owner not in self._service.options.taken or not _is_utf8(recipient):
            return self._other(context, message, recipient, address)
        if not message.ours:
            message.admitted = self._service.admission.admit()
        message.ours[recipient.decode()] = address
        return int(milter.CONTINUE)

    def _other(self, context: Any, message: Message, recipient: bytes, address: str) -> int:
        """A recipient that isn't ours: of outgoing mail, or of mail that is none of our business."""
        outgoing = message.outgoing
        if outgoing is None or not _is_utf8(recipient):
            message.others = True
            return int(milter.CONTINUE)
        refusal = self._service.outgoing.refusal(outgoing.stream, outgoing.origin, address)
        # A session that is older than the streams has no replies to RCPT: there it is found at the end.
        if refusal is not None and outgoing.refuses and not self.negotiated.silent("rcpt"):
            self._service.outgoing.record_refusal(outgoing.stream, address, refusal)
            return refuse(context, outgoing, refusal)
        outgoing.recipients[recipient.decode()] = address
        if refusal is not None:
            outgoing.suppressed[recipient.decode()] = refusal
        return int(milter.CONTINUE)

    def data(self, context: Any) -> int:
        """All recipients are known."""
        message = self._message
        if message is None or not message.matters:
            return self._accept_early("data")
        if message.ours and self._reason(message) and not message.local:
            return self._put_off(context, message)
        return int(milter.CONTINUE)

    def header(self, _context: Any, name: str, value: bytes) -> int:
        """Keep a header field."""
        message = self._message
        if message is None or not message.matters:
            return self._accept_early("header")
        message.header(name, value, leading_space=self.negotiated.leading_space)
        return int(milter.CONTINUE)

    def eoh(self, _context: Any) -> int:
        """Keep the empty line."""
        message = self._message
        if message is None or not message.matters:
            return self._accept_early("eoh")
        if message.ours:
            message.keep(b"\r\n")
        return int(milter.CONTINUE)

    def body(self, _context: Any, chunk: bytes) -> int:
        """Keep a piece of the body, and ask for no more than is kept."""
        message = self._message
        if message is None:
            return int(milter.CONTINUE)
        if message.ours:
            message.keep(chunk)
        enough = message.full or not message.ours
        return int(milter.SKIP if enough and self.negotiated.skip else milter.CONTINUE)

    def eom(self, context: Any) -> int:
        """The message is whole: hand it to the pipeline, wait for the commit, and answer."""
        message = self._message
        if message is None or not message.matters:
            return self._accept_early("eom")
        reply = int(milter.ACCEPT)
        if message.ours:
            reply = self._put_off(context, message) if self._reason(message) else self._settle(context, message)
        outgoing = message.outgoing
        if outgoing is not None and (outgoing.recipients or message.broken) and reply == milter.ACCEPT:
            reply = self._let_go(context, message, outgoing)
        self.reset()
        return reply

    def abort(self, _context: Any) -> int:
        """The message is given up. Comes twice, or without a message, as it pleases the MTA."""
        self.reset()
        return int(milter.CONTINUE)

    def close(self, _context: Any) -> int:
        """The connection has ended."""
        self.reset()
        return int(milter.CONTINUE)

    def reset(self) -> None:
        """Forget the message, if there is one."""
        message, self._message = self._message, None
        if message is not None and message.admitted:
            self._service.admission.release()

    def failed(self, context: Any, stage: str) -> int:
        """The answer after an exception at `stage`: nothing of ours is lost, and nobody else is hindered."""
        message = self._message
        matters = message is not None and message.matters
        if message is not None:
            message.broken = True
        if stage in ("eom", "abort", "close"):
            self.reset()
        elif stage == "mail":
            self.reset()
            self._message = Message("", local=self._local)
            self._message.broken = True
        if stage == "eom" and matters:
            return defer(context)
        if stage in ("data", "header", "eoh", "eom") and not matters:
            return int(milter.ACCEPT)
        return int(milter.CONTINUE)

    def _settle(self, context: Any, message: Message) -> int:
        envelope = message.envelope(self._client, Source.LOCAL if message.local else self._source)
        with self._service.pipeline.open(envelope, bytes(message.head), message.size) as flight:
            dispositions = self._dispositions(flight, len(message.ours), context.getsymval("i") or "")
            others = message.others or bool(message.outgoing and message.outgoing.recipients)
            end = ending(message.ours, dispositions, others=others, negotiated=self.negotiated)
            label = flight.kind or UNREAD
            reply = carry_out(context, end, Tagging(label, message.marks, self.negotiated))
            flight.settle(end.dispositions)
        return reply

    def _dispositions(self, flight: Flight, count: int, queue_id: str) -> Sequence[Disposition]:
        try:
            return self._wait(flight.process())
        except TimeoutError:
            # The commit may still happen; then the retry is a duplicate and counts once.
            log.warning("process_timeout", front="milter", queue_id=queue_id)
            return (self._service.pipeline.on_error(Front.MILTER),) * count

    def _let_go(self, context: Any, message: Message, outgoing: OutgoingTransaction) -> int:
        """Sign, count and thin out an outgoing message once what must be on disk is there."""
        if message.broken:
            return self._put_off(context, message)
        try:
            with self._service.admission.busy():
                alone = not message.others and not message.ours
                sent = outgoing.message(alone=alone, removable=self.negotiated.can_delete)
                decision = self._wait(self._service.outgoing.decide(sent))
                return carry_out_outgoing(context, outgoing, decision, alone=alone, negotiated=self.negotiated)
        except (TimeoutError, OutgoingUnavailable) as error:
            log.warning("outgoing_unavailable", stream=outgoing.stream.name, error=str(error) or "no answer in time")
            if self._service.pipeline.on_error(Front.MILTER) is Disposition.PASS:
                return int(milter.ACCEPT)
            return defer(context)

    def _wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """What `coroutine` returns once it has run on the loop; TimeoutError, with the coroutine cancelled."""
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._service.loop)
        except RuntimeError:  # the loop is closed
            coroutine.close()
            raise
        patience = self._service.options.process_timeout
        while patience > 0:
            try:
                return future.result(min(SECONDS, patience))
            except TimeoutError:
                if future.done():
                    raise
                patience -= SECONDS
                self._service.nudge()
        future.cancel()
        PUT_OFF.labels("timeout").inc()
        raise TimeoutError

    def _reason(self, message: Message) -> str:
        """Why this message can't be taken; empty where it can."""
        if message.broken:
            return "broken"
        if message.admitted:
            return ""
        return "draining" if self._service.admission.draining else "full"

    def _put_off(self, context: Any, message: Message) -> int:
        PUT_OFF.labels(self._reason(message)).inc()
        return defer(context)

    def _accept_early(self, stage: str) -> int:
        ACCEPTED_EARLY.labels(stage).inc()
        return int(milter.ACCEPT)


def _macro(context: Any, name: str) -> str:
    """What the MTA says of itself or its client; empty where it does not."""
    return str(context.getsymval(name) or "")


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
