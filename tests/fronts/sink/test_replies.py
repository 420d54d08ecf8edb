"""F21, F11, F40: which replies follow the content, and how many."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bouncemilter.fronts.sink import Sink
from bouncemilter.fronts.sink.forward import Forwarder
from bouncemilter.model import Disposition
from tests.rig.lmtp import Client

MAIL = b"Subject: x\r\n\r\nx\r\n"
OK = "250 2.0.0 OK"
LATER = "451 4.3.0 Temporary failure, try again later"


def addresses(count: int) -> list[str]:
    return [f"bounces+{number}=example.pl@bounces.example.com" for number in range(count)]


async def deliver(sink: Sink, recipients: list[str], *, lmtp: bool = True, content: bytes = MAIL) -> list[str]:
    """The replies to one message; nothing may follow them, and the connection must still answer."""
    async with Client(sink.addresses[int(lmtp)], lmtp=lmtp) as client:
        await client.hello()
        replies = await client.deliver("", recipients, content)
        assert await client.quit() == "221 Bye"
    return replies


@pytest.mark.parametrize("count", [1, 3, 1000])
async def test_lmtp_success(sink: Sink, pipeline: Any, count: int) -> None:
    """F21: LMTP gives one reply for each recipient; a reply for the message as a whole would fail this."""
    assert await deliver(sink, addresses(count)) == [OK] * count
    assert pipeline.flights[0].settled == (Disposition.DISCARD,) * count


async def test_lmtp_mixed(sink: Sink, pipeline: Any) -> None:
    """F21: replies come in the order of the recipients, duplicates and refused ones among them."""
    one, two, three = addresses(3)
    pipeline.dispositions = {two: Disposition.TEMPFAIL}
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        codes = [reply[:3] for reply in await client.envelope("", [one, two, "x@example.org", one, three, two])]
        assert codes == ["250", "250", "250", "550", "250", "250", "250"]
        assert await client.data(MAIL) == [OK, LATER, OK, OK, LATER]
        assert await client.quit() == "221 Bye"
    assert pipeline.flights[0].envelope.recipients == (one, two, three)
    assert pipeline.flights[0].settled == (Disposition.DISCARD, Disposition.TEMPFAIL, Disposition.DISCARD)


async def test_too_many(sink: Sink) -> None:
    """The 1001st recipient is deferred at RCPT; the thousand before it are answered."""
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        assert (await client.envelope("", addresses(1001)))[-1].startswith("452 4.5.3")
        assert await client.data(MAIL) == [OK] * 1000


@pytest.mark.parametrize("lmtp", [False, True])
@pytest.mark.parametrize("size", [1000, 1001, 1_500_000])
async def test_oversize(make_sink: Callable[..., Any], pipeline: Any, lmtp: bool, size: int) -> None:
    """F21: a message over the limit is read to its end and refused for each recipient; at the limit it is taken."""
    sink = await make_sink(max_message_size=1000)
    content = b"Subject: x\r\n\r\n" + b"x" * (size - 16) + b"\r\n"
    replies = await deliver(sink, addresses(3), lmtp=lmtp, content=content)
    assert replies == [OK if size == 1000 else "552 5.3.4 Message too big"] * (3 if lmtp else 1)
    assert len(pipeline.flights) == (size == 1000)


@pytest.mark.parametrize("lmtp", [False, True])
async def test_exception(sink: Sink, pipeline: Any, lmtp: bool) -> None:
    """F11: an exception is 451 for each recipient with a constant text, its detail goes to the log, the flight ends."""
    pipeline.error = RuntimeError("secret detail")
    with capture_logs() as logs:
        assert await deliver(sink, addresses(3), lmtp=lmtp) == [LATER] * (3 if lmtp else 1)
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["internal_error"]
    assert pipeline.flights[0].left
    assert pipeline.flights[0].settled is None


async def test_connection_lives(sink: Sink, pipeline: Any) -> None:
    """F11: after an exception, in RCPT or behind the content, the connection serves the next message."""
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        pipeline.error = pipeline.ownership_error = RuntimeError("secret detail")
        assert (await client.envelope("", addresses(1)))[1] == LATER
        pipeline.ownership_error = None
        await client.cmd("RSET")
        assert await client.deliver("", addresses(1), MAIL) == [LATER]
        pipeline.error = None
        assert await client.deliver("", addresses(1), MAIL) == [OK]


def fail(*_: Any, **__: Any) -> None:
    raise LookupError("secret detail")


async def short() -> tuple[Disposition, ...]:
    return (Disposition.DISCARD,)


@pytest.mark.parametrize("fault", [{"settle": fail}, {"process": short}])
async def test_flight_fault(sink: Sink, pipeline: Any, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]) -> None:
    """F11: wherever a flight fails, or says too little, each recipient is deferred."""
    make = pipeline.open

    def faulty(*arguments: Any) -> Any:
        flight = make(*arguments)
        for name, broken in fault.items():
            setattr(flight, name, broken)
        return flight

    monkeypatch.setattr(pipeline, "open", faulty)
    assert await deliver(sink, addresses(3)) == [LATER] * 3


async def test_forward_fault(sink: Sink, pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """F11: a fault while passing on defers those that were to be passed, and is settled so."""
    monkeypatch.setattr(Forwarder, "_route", fail)
    one, two = addresses(2)
    pipeline.dispositions = {one: Disposition.PASS}
    assert await deliver(sink, [one, two]) == [LATER, OK]
    assert pipeline.flights[0].settled == (Disposition.TEMPFAIL, Disposition.DISCARD)


async def test_process_timeout(make_sink: Callable[..., Any], pipeline: Any) -> None:
    """A pipeline that hangs is given up after a while: each recipient is deferred, and settled so."""
    sink = await make_sink(process_seconds=0.05)
    pipeline.gate.clear()
    assert await deliver(sink, addresses(3)) == [LATER] * 3
    assert pipeline.flights[0].settled == (Disposition.TEMPFAIL,) * 3


async def test_no_room(sink: Sink, pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without room for what is over the kept octets the message is read to its end and deferred."""

    def full(**_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with capture_logs() as logs:
        assert await deliver(sink, addresses(2), content=b"x" * 2_000_000) == [LATER] * 2
    assert "spool_failed" in [line["event"] for line in logs]
    assert not pipeline.flights


async def test_smtp(sink: Sink, pipeline: Any, tmp_path: Path) -> None:
    """F40: SMTP says 250 if all are settled, else 451 for the message; nothing is passed on then."""
    one, two = addresses(2)
    assert await deliver(sink, [one, two, one], lmtp=False) == [OK]
    pipeline.dispositions = {one: Disposition.PASS, two: Disposition.TEMPFAIL}
    assert await deliver(sink, [one, two, "abuse@bounces.example.com"], lmtp=False) == [LATER]
    assert pipeline.flights[1].settled == (Disposition.TEMPFAIL, Disposition.TEMPFAIL)
    assert not list((tmp_path / "passed" / "new").iterdir())
