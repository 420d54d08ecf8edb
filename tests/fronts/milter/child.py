"""A process with a milter front on a scripted pipeline: libmilter can't be restarted in one process.

`python child.py SOCKET TRACE [OPTION=VALUE …]`. The script is in the mail itself: of `bounce+WORD…@bounces.test` the
WORD says what the pipeline does with that recipient (`discard`, `pass`, `tempfail`, `slow`, `hang`, `open-fails`,
`process-fails`, `settle-fails`, `short`), and a client host `fault.STAGE.test` makes the callback STAGE raise. What
happens is appended to TRACE, one JSON object a line: the log's events, and `opened`, `settled`, `left` of the flights.
SIGTERM drains and stops; the exit code is 0 only then.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Self

import milter as libmilter
import structlog
from prometheus_client import REGISTRY

from bouncemilter import address
from bouncemilter.enforcement import Refusal
from bouncemilter.fronts.milter import MilterFront, MilterOptions, SocketError
from bouncemilter.fronts.milter import callbacks as callbacks_module
from bouncemilter.fronts.milter.nudge import Nudge
from bouncemilter.fronts.milter.session import Session
from bouncemilter.model import Disposition, Envelope, Front, Kind
from bouncemilter.pipeline import OutgoingDecision, OutgoingMessage, OutgoingUnavailable
from bouncemilter.returnpath import Ownership, Recognizer, ReturnPath
from bouncemilter.stream import OnSuppressed, Origin, Stream, StreamKind

_GRACE = 10.0


class Trace:
    """Appends JSON lines to a file."""

    def __init__(self, path: str) -> None:
        self._file = Path(path).open("a", encoding="utf-8")  # noqa: SIM115
        self._lock = threading.Lock()

    def write(self, what: str, **values: Any) -> None:
        with self._lock:
            self._file.write(json.dumps({"event": what, **values}, default=str) + "\n")
            self._file.flush()

    def log(self, _logger: object, _method: str, event: dict[str, Any]) -> str:
        event.pop("exc_info", None)
        self.write(**{"what": event.pop("event"), **event})
        raise structlog.DropEvent


class ScriptedFlight:
    def __init__(self, trace: Trace, envelope: Envelope, gate: asyncio.Event) -> None:
        self._trace = trace
        self._envelope = envelope
        self._gate = gate
        self._settled = False
        self.kind: Kind | None = None
        self._words = [_word(each) for each in envelope.recipients]

    async def process(self) -> tuple[Disposition, ...]:
        if "process-fails" in self._words:
            raise RuntimeError("private detail")
        if "slow" in self._words:
            self._trace.write("waiting", recipients=self._envelope.recipients)
            await self._gate.wait()
        if "hang" in self._words:
            await asyncio.Event().wait()
        if "short" in self._words:
            return ()
        self.kind = Kind.MAIL if "pass" in self._words else Kind.BOUNCE
        named = {each.value for each in Disposition}
        return tuple(Disposition(word) if word in named else Disposition.DISCARD for word in self._words)

    def settle(self, dispositions: Any) -> None:
        if "settle-fails" in self._words:
            raise RuntimeError("private detail")
        self._settled = True
        self._trace.write("settled", recipients=self._envelope.recipients, dispositions=list(dispositions))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._settled:
            self._trace.write("left", recipients=self._envelope.recipients)


class ScriptedPipeline:
    def __init__(self, trace: Trace, gate: asyncio.Event) -> None:
        self._trace = trace
        self._gate = gate
        self._recognizer = Recognizer([ReturnPath("bounces.test", "bounce")], ["zwroty@example.pl"])

    def ownership(self, recipient: str) -> Ownership | None:
        if recipient.startswith("explode@"):
            raise RuntimeError("private detail")
        return self._recognizer.ownership(recipient)

    def on_error(self, _front: Front) -> Disposition:
        return Disposition.TEMPFAIL

    def open(self, envelope: Envelope, head: bytes, size: int) -> ScriptedFlight:
        if any(_word(each) == "open-fails" for each in envelope.recipients):
            raise RuntimeError("private detail")
        self._trace.write(
            "opened",
            sender=envelope.sender,
            recipients=envelope.recipients,
            front=envelope.front,
            source=envelope.source,
            client=envelope.client,
            head=base64.b64encode(head).decode() if len(head) < 100_000 else "",
            kept=len(head),
            size=size,
        )
        return ScriptedFlight(self._trace, envelope, self._gate)


class ScriptedOutgoing:
    """Mail of `news@example.com` is of a stream; of its recipients `gone@…` is suppressed, `late@…` only at the end.

    `drop=true` drops them instead of refusing them; a recipient `unavailable@…` makes the store fail. With
    `streams="late"` there are no streams until a session has been agreed on.
    """

    def __init__(self, trace: Trace, settings: dict[str, Any]) -> None:
        self._trace = trace
        streams = settings.pop("streams", False)
        self._answers = iter([False] if streams == "late" else [])
        self._active = bool(streams)
        how = OnSuppressed.DROP if settings.pop("drop", False) else OnSuppressed.REFUSE
        self._stream = Stream("news", StreamKind.BULK, on_suppressed=how)

    @property
    def active(self) -> bool:
        return next(self._answers, self._active)

    def owner(self, origin: Origin) -> Stream | None:
        self._trace.write("origin", **dataclasses.asdict(origin))
        return self._stream if origin.sender == "news@example.com" else None

    def refusal(self, _stream: Stream, _origin: Origin, recipient: str) -> Refusal | None:
        return Refusal(None) if address.unadorned(recipient).startswith("gone@") else None

    def record_refusal(self, _stream: Stream, recipient: str, _refusal: Refusal) -> None:
        self._trace.write("refused", recipients=[recipient])

    async def decide(self, message: OutgoingMessage) -> OutgoingDecision:
        if any(each.startswith("unavailable@") for each in message.recipients):
            raise OutgoingUnavailable("the store is down")
        late = {each: Refusal(None) for each in message.recipients if each.startswith("late@")}
        suppressed = {**message.suppressed, **late}
        self._trace.write(
            "outgoing",
            recipients=message.recipients,
            suppressed=list(suppressed),
            domain=message.sender_domain,
            list_id=message.list_id,
            campaign=message.campaign,
        )
        return OutgoingDecision("b+token@bounces.test", suppressed)


def _word(recipient: str) -> str:
    return recipient.partition("@")[0].partition("+")[2].partition("+")[0]


def _plant_faults() -> None:
    """Make the callbacks of sessions from `fault.STAGE.test` raise."""
    stages: dict[int, str] = {}
    connect = Session.connect

    def planted_connect(self: Session, context: Any, hostname: str, *rest: Any) -> int:
        stages.pop(id(self), None)  # a new session may lie where an old one lay
        if hostname.startswith("fault."):
            stages[id(self)] = hostname.split(".")[1]
        if stages.get(id(self)) == "connect":
            raise RuntimeError("private detail")
        return connect(self, context, hostname, *rest)

    Session.connect = planted_connect
    for stage in ("mail", "rcpt", "data", "header", "eoh", "body", "eom", "abort", "close"):
        original = getattr(Session, stage)

        def planted(self: Session, context: Any, *rest: Any, _stage: str = stage, _original: Any = original) -> int:
            if stages.get(id(self)) == _stage:
                raise RuntimeError("private detail")
            return _original(self, context, *rest)

        setattr(Session, stage, planted)


def _watch_nudges(trace: Trace) -> None:
    original = Nudge.__call__

    def watched(self: Nudge) -> None:
        trace.write("nudged")
        original(self)

    Nudge.__call__ = watched


def _no_negotiation(*_: Any) -> Any:
    raise RuntimeError("private detail")


async def _serve(path: str, trace: Trace, settings: dict[str, Any]) -> int:
    loop = asyncio.get_running_loop()
    gate, ended = asyncio.Event(), asyncio.Event()
    if settings.pop("negotiation_fails", False):
        callbacks_module.negotiate = _no_negotiation
    ends_by_itself = settings.pop("ends_by_itself", False)
    outgoing = ScriptedOutgoing(trace, settings)
    options = MilterOptions(socket=path, **settings)
    front = MilterFront(options, ScriptedPipeline(trace, gate), outgoing, loop, on_exit=lambda _: ended.set())
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGUSR1, gate.set)
    loop.add_signal_handler(signal.SIGUSR2, lambda: trace.write("metrics", **_metrics()))
    try:
        front.start()
    except SocketError as error:
        sys.stderr.write(f"{error}\n")
        return 78
    trace.write("ready")
    if ends_by_itself:
        await gate.wait()
        threading.Thread(target=libmilter.stop, daemon=True).start()
    await ended.wait()
    alive = front.alive
    drained = await front.drain(_GRACE)
    await front.stop()
    trace.write("metrics", **_metrics())
    return 0 if drained and alive and not front.alive else 1


def _metrics() -> dict[str, float]:
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name.startswith(("bouncemilter_milter", "bouncemilter_internal_errors"))
    }


def main() -> int:
    path, trace_path, *pairs = sys.argv[1:]
    trace = Trace(trace_path)
    structlog.configure(processors=[trace.log])
    _plant_faults()
    _watch_nudges(trace)
    fields = {each.name for each in dataclasses.fields(MilterOptions)} | {
        "negotiation_fails",
        "ends_by_itself",
        "streams",
        "drop",
    }
    settings = {name: json.loads(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    assert settings.keys() <= fields
    return asyncio.run(_serve(path, trace, settings))


if __name__ == "__main__":
    sys.exit(main())
