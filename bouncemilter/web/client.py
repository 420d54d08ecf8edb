"""Asking the daemon's own pages, on this host."""

from __future__ import annotations

import asyncio
import re
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from bouncemilter.endpoint import Endpoint
from bouncemilter.health.gauges import Sample

SECONDS: Final = 5.0
"""For an answer; on this host it takes a few milliseconds."""
BYTES: Final = 4 * 1024 * 1024
"""Of the answer that are read; /metrics has some 50 kB."""
MARK: Final = "bouncemilter_info"
"""A metric of ours that every daemon has: where it is missing, somebody else answers."""


async def get(address: str, path: str) -> tuple[int, str]:
    """Status and body of a page at `inet:HOST:PORT` or `unix:/absolute/path`; status 0 where it is no HTTP. OSError:
    nobody answers.
    """
    reader, writer = await Endpoint.parse(address).open()
    try:
        # Of HTTP/1.0 the body ends with the connection.
        writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\nAccept: text/plain\r\n\r\n".encode())
        await writer.drain()
        raw = b""
        while len(raw) < BYTES and (piece := await reader.read(65536)):
            raw += piece
    finally:
        writer.close()
    head, _, body = raw.decode("utf-8", "replace").partition("\r\n\r\n")
    found = re.match(r"HTTP/1\.[01] (\d{3})", head)
    return (int(found[1]) if found else 0), body


async def readiness(address: str) -> tuple[bool | None, tuple[str, ...]]:
    """What /readyz says, and the obstacles; None where it says nothing."""
    status, body = await _page(address, "/readyz")
    if status not in (200, 503):
        return None, ()
    return status == 200, tuple(body.split("\n")[:-1]) if status == 503 else ()


async def samples(address: str) -> list[Sample] | None:
    """The figures of /metrics; None where no daemon of ours gives them."""
    status, body = await _page(address, "/metrics")
    if status != 200 or MARK not in body:
        return None
    try:
        families = list(text_string_to_metric_families(body))
    except ValueError:
        return None
    return [Sample(each.name, dict(each.labels), each.value) for family in families for each in family.samples]


async def _page(address: str, path: str) -> tuple[int, str]:
    try:
        async with asyncio.timeout(SECONDS):
            return await get(address, path)
    except (OSError, TimeoutError):
        return 0, ""
