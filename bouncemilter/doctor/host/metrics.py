"""Does /metrics answer, and is the store well by its own account?"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

from bouncemilter.doctor.check import Context, Finding, fail, ok
from bouncemilter.web import client

SECONDS: Final = 10.0
"""Prometheus's own scrape_timeout."""


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
                status, body = await client.get(self.address, "/metrics")
        except (FileNotFoundError, ConnectionError):
            return fail(f"nobody answers at {self.address}", look)
        if status != 200 or client.MARK not in body:
            return fail(f"{self.address} answers {status or 'no HTTP'}, without metrics of bouncemilter", look)
        if re.search(r"(?m)^bouncemilter_store_up 0", body):
            text = "the daemon cannot write its store: returned mail waits in the queue"
            return fail(text, "journalctl -u bouncemilter: the line store_down says why")
        return ok(f"{self.address} serves /metrics, the store is up")
