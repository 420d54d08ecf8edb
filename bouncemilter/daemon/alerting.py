"""Looking at the host once a minute, and writing to the operator when it is worth it. Mail never waits for it."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
import zoneinfo
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import aiosmtplib
import structlog
from prometheus_client import REGISTRY, Counter

from bouncemilter import address, replacement
from bouncemilter.alert import letter
from bouncemilter.alert.watch import Alert, AlertKind, AlertResult, AlertState
from bouncemilter.assembly import health
from bouncemilter.assembly.host import host_name
from bouncemilter.endpoint import Endpoint
from bouncemilter.health import host, stored
from bouncemilter.health.findings import HealthFinding, examine
from bouncemilter.health.gauges import Sample, gauges
from bouncemilter.health.snapshot import Snapshot
from bouncemilter.language import Language
from bouncemilter.settings import Settings
from bouncemilter.settings.types import AlertSettings
from bouncemilter.statistics import totals
from bouncemilter.store import Store, StoreUnavailable

ALERTS: Final = Counter(
    "bouncemilter_alerts_total", "Mails to the operator, by what became of them", ["kind", "outcome"]
)

LOOK_SECONDS: Final = 60.0
SMTP_SECONDS: Final = 300.0
"""For handing one mail to the mail server, which may read it by a spam filter first: what is given up too early may
come all the same, and then comes twice."""
STORE_SECONDS: Final = 120.0
"""For what the store is asked at one look, and for a digest."""
STATE_FILE: Final = "alerts.json"

_log = structlog.get_logger()


def declare() -> None:
    """Make the label values appear from the start."""
    for kind in AlertKind:
        for outcome in AlertResult:
            ALERTS.labels(kind, outcome)


class Alerter:
    """Writes what must be known at once, and the digest."""

    def __init__(
        self,
        store: Store,
        settings: Callable[[], Settings],
        obstacles: Callable[[], list[str]],
        clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        """`settings`: those of now. `obstacles`: why no mail can be taken now."""
        self._loaded = False
        self._store = store
        self._settings = settings
        self._obstacles = obstacles
        self._clock = clock
        self._state = AlertState()
        self._kept: dict[str, Any] | None = None
        """What stands in the file; None where that is not known."""
        self._held: set[str] = set()

    async def run(self) -> None:
        """Look, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._settings().alerts.mail_to:
                continue
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001  (whatever it is, the next look may do better)
                _log.warning("alert_failed", kind="", error=repr(error))

    async def look(self) -> None:
        """Look once, and send what is due."""
        settings, now = self._settings(), self._clock()
        if not self._loaded:
            self._state = await asyncio.to_thread(_load, settings.state_directory / STATE_FILE)
            self._loaded = True
        state, held = self._state, set[str]()
        findings = await self._findings(settings, now)
        for alert in list(state.due(findings, now)):
            if state.waits(alert.kind, now):
                continue
            if state.admits(alert.kind, now):
                await self._send(alert, settings, now)
            else:
                self._hold(alert)
                held |= alert.keys
        self._held = held
        await self._digest(findings, settings, now)
        await self._keep(settings)

    async def _keep(self, settings: Settings) -> None:
        kept = self._state.to_dict()
        if kept != self._kept:
            written = await asyncio.to_thread(_save, settings.state_directory / STATE_FILE, kept)
            self._kept = kept if written else None

    async def _findings(self, settings: Settings, now: dt.datetime) -> tuple[HealthFinding, ...]:
        seen = await asyncio.to_thread(host.look, health.files(settings), now)
        obstacles = tuple(self._obstacles())
        seen = dataclasses.replace(seen, ready=not obstacles, obstacles=obstacles, gauges=gauges(_samples()))
        return examine(await self._asked(seen), health.limits(settings), _language(settings.alerts))

    async def _asked(self, seen: Snapshot) -> Snapshot:
        try:
            async with asyncio.timeout(STORE_SECONDS):
                return await stored.look(self._store, seen)
        except (StoreUnavailable, TimeoutError) as error:
            return dataclasses.replace(seen, store_error=str(error) or "no answer")

    async def _digest(self, findings: Sequence[HealthFinding], settings: Settings, now: dt.datetime) -> None:
        alerts, state = settings.alerts, self._state
        zone = zoneinfo.ZoneInfo(alerts.time_zone)
        local = now.astimezone(zone)
        today = local.date()
        if alerts.digest != "daily" or local.hour < alerts.digest_hour or not state.digest_due(today):
            return
        if state.waits(AlertKind.DIGEST, now):
            return
        try:
            async with asyncio.timeout(STORE_SECONDS):
                found = await totals.count(self._store, now, zone, last=today - dt.timedelta(days=1))
        except (StoreUnavailable, TimeoutError) as error:
            self._failed(AlertKind.DIGEST, now, f"the store: {str(error) or 'no answer'}")
            return
        counted = letter.digest(found, _language(alerts))
        await self._send(Alert(AlertKind.DIGEST, tuple(findings)), settings, now, counted, digest=today)

    def _hold(self, alert: Alert) -> None:
        if not alert.keys <= self._held:
            ALERTS.labels(alert.kind, AlertResult.HELD).inc()
            _log.info("alert_held", kind=alert.kind, about=sorted(alert.keys))

    async def _send(
        self,
        alert: Alert,
        settings: Settings,
        now: dt.datetime,
        extra: Sequence[str] = (),
        *,
        digest: dt.date | None = None,
    ) -> None:
        """`digest`: the day whose digest it is."""
        alerts = settings.alerts
        name = settings.hostname or host_name()
        subject, body = letter.compose(alert, name, _language(alerts), extra)
        sender = _written(alerts.mail_from or f"bouncemilter@{name}")
        recipients = [_written(each) for each in alerts.mail_to]
        try:
            raw = letter.message(subject, body, sender, recipients, now)
            async with asyncio.timeout(SMTP_SECONDS):
                await _submit(alerts.smtp, name, recipients, raw)
        except Exception as error:  # noqa: BLE001  (a mail that can't be sent is tried again, whatever the reason)
            self._failed(alert.kind, now, str(error) or repr(error))
            return
        self._state.sent(alert, now)
        self._state.digest = digest or self._state.digest
        ALERTS.labels(alert.kind, AlertResult.SENT).inc()
        _log.info("alert_sent", kind=alert.kind, about=sorted(alert.keys))
        await self._keep(settings)  # at once: a stop while the next one is on its way must not tell this one again

    def _failed(self, kind: AlertKind, now: dt.datetime, error: str) -> None:
        self._state.failed(kind, now)
        ALERTS.labels(kind, AlertResult.FAILED).inc()
        _log.warning("alert_failed", kind=kind, error=error)


async def _submit(server: str, host: str, recipients: Sequence[str], raw: bytes) -> None:
    """Hand a mail to the mail server, from the null sender: no bounce of it can ever come back."""
    endpoint = Endpoint.parse(server)
    where = {"socket_path": endpoint.path} if endpoint.path else {"hostname": endpoint.host, "port": endpoint.port}
    # The mail server's certificate is hardly made for 127.0.0.1; TLS is taken where it is offered.
    client = aiosmtplib.SMTP(**where, local_hostname=host, timeout=SMTP_SECONDS, validate_certs=False)
    async with client:
        refused, _ = await client.sendmail("", list(recipients), raw)
    for recipient, response in refused.items():
        _log.warning("alert_failed", kind="", error=f"{recipient}: {response.code} {response.message}")


def _written(mailbox: str) -> str:
    """With its domain as A-label, which any mail server takes (RFC 5891)."""
    local, _, domain = mailbox.rpartition("@")
    return f"{local}@{address.domain_key(domain)}"


def _samples() -> list[Sample]:
    return [
        Sample(each.name, dict(each.labels), each.value) for family in REGISTRY.collect() for each in family.samples
    ]


def _language(alerts: AlertSettings) -> Language:
    return Language(alerts.language)


def _load(path: Path) -> AlertState:
    try:
        return AlertState.from_dict(json.loads(path.read_text("utf-8")))
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        return AlertState()


def _save(path: Path, state: dict[str, Any]) -> bool:
    """Whether it could be written. Where not, it is known until the process ends."""
    try:
        replacement.write(path, json.dumps(state).encode())
    except OSError:
        return False
    return True
