"""What the sink counts."""

from typing import Any

from prometheus_client import REGISTRY

from bouncemilter.model import Disposition
from tests.rig.lmtp import Client

OURS = "bounces+anna=example.net@bounces.example.com"
MAIL = b"Subject: x\r\n\r\nx\r\n"


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


async def test_counts(sink: Any, pipeline: Any) -> None:
    """Connections, refused recipients, passed mail and what lies in the Maildir are counted under closed labels."""
    names = [
        ("bouncemilter_sink_connections_total", {"protocol": "lmtp", "outcome": "accepted"}, 1),
        ("bouncemilter_sink_recipients_rejected_total", {"reason": "not_ours"}, 2),
        ("bouncemilter_sink_recipients_rejected_total", {"reason": "syntax"}, 1),
        ("bouncemilter_sink_passed_total", {"route": "maildir", "why": "role"}, 1),
        ("bouncemilter_sink_passed_total", {"route": "maildir", "why": "pipeline"}, 1),
    ]
    before = [value(name, **labels) for name, labels, _ in names]
    pipeline.disposition = Disposition.PASS
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.envelope("", [OURS, "a@example.org", "b@example.org", "postmaster@bounces.example.com"])
        assert (await client.cmd("RCPT TO:<nobody")).startswith("501")
        await client.data(MAIL)
    after = [value(name, **labels) for name, labels, _ in names]
    assert [new - old for old, new in zip(before, after, strict=True)] == [added for _, _, added in names]
    assert value("bouncemilter_passed_maildir_messages") == 2


async def test_faults(sink: Any, pipeline: Any) -> None:
    """Each exception of ours is counted."""
    before = value("bouncemilter_internal_errors_total", front="sink")
    pipeline.error = RuntimeError("secret detail")
    async with Client(sink.addresses[1], lmtp=True) as client:
        await client.hello()
        await client.deliver("", [OURS], MAIL)
    assert value("bouncemilter_internal_errors_total", front="sink") == before + 1
