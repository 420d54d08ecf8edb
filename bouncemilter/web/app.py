"""The pages: /metrics for Prometheus, /healthz and /readyz for whoever watches the process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class Health(Protocol):
    """What the pages ask of the daemon."""

    def obstacles(self) -> list[str]:
        """Why no mail can be taken now, in constant words; empty when all is well."""
        ...


def application(health: Health, refresh: Callable[[], Awaitable[None]]) -> Starlette:
    """The ASGI application; `refresh` brings the gauges that mirror the store up to date before each scrape."""

    async def metrics(_: Request) -> Response:
        await refresh()
        return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST, headers=_HEADERS)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok\n", headers=_HEADERS)

    async def readyz(_: Request) -> Response:
        obstacles = health.obstacles()
        text = "".join(f"{each}\n" for each in obstacles) or "ready\n"
        return PlainTextResponse(text, status_code=503 if obstacles else 200, headers=_HEADERS)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])
