"""Does /metrics answer, and is the store well by its own account?"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok
from bouncemilter.doctor.sockets import connect

SECONDS: Final = 10.0
"""Prometheus's own scrape_timeout."""
BYTES: Final = 4 * 1024 * 1024
"""Of the answer that are read; ours has some 50 kB."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """Prometheus would get metrics, and they say that the store can be written."""

    address: str
    """`inet:HOST:PORT` or `unix:/absolute/path`."""
    name: str = "metrics"

    async def run(self, _context: Context) -> Finding:
        """GET /metrics."""
        look = "systemctl status bouncemilter; [web] of bouncemilter.toml"
        try:
            async with asyncio.timeout(SECONDS):
                status, body = await get(self.address, "/metrics")
        except (FileNotFoundError, ConnectionError):
            return fail(f"nobody answers at {self.address}", look)
        if status != 200 or "bouncemilter_info" not in body:
            return fail(f"{self.address} answers {status or 'no HTTP'}, without metrics of bouncemilter", look)
        if re.search(r"(?m)^bouncemilter_store_up 0", body):
            text = "the daemon cannot write its store: returned mail waits in the queue"
            return fail(text, "journalctl -u bouncemilter: the line store_down says why")
        return ok(f"{self.address} serves /metrics, the store is up")


async def get(address: str, path: str) -> tuple[int, str]:
    """Status and body; status 0 where it is no HTTP. HTTP/1.0: the body ends with the connection."""
    reader, writer = await connect(address)
    try:
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
