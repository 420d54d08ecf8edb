"""The log: one JSON object a line, constant event names, nothing foreign unescaped (F43)."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from typing import Any

import pytest
import structlog

from bouncemilter.daemon import log
from tests.daemon.conftest import Host, Manager, running
from tests.rig import mail

EVIL = '550 5.1.1 \x1b[31mred\x1b]0;title\x07 \x00\x9b1m "q" \\ {"event":"x"} \u202e\u2066\ufeff <{}>: user unknown'


@pytest.fixture
def stream(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What the daemon writes on standard output, from level debug up."""
    found = io.StringIO()
    monkeypatch.setattr(sys, "stdout", found)
    log.configure("debug")
    return found


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """The objects; each line must be one, in printable ASCII."""
    text = stream.getvalue()
    assert re.fullmatch(r"[\x20-\x7e\n]*", text)
    found = [json.loads(line) for line in text.splitlines()]
    for each in found:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", each["event"]), each
        assert each["level"] in ("debug", "info", "warning", "error")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", each["timestamp"])
    return found


async def test_hostile_report(host: Host, manager: Manager, stream: io.StringIO) -> None:
    """A report full of terminal controls, line ends and bidi overrides makes one harmless line."""
    to = "b+jan=klient.test@bounces.own.test"
    folded = EVIL.replace("{}", "jan@klient.test") + "\r\n\t\x1b[2J\r\n {event}"
    report = mail.dsn(to, "jan@klient.test", "550 5.1.1 gone").decode()
    report = report.replace("Diagnostic-Code: smtp; 550 5.1.1 gone", f"Diagnostic-Code: smtp; {folded}")
    report = report.replace("Final-Recipient: rfc822; jan", "Final-Recipient: rfc822; \x1b[1mjan\u202e")
    async with running(host, manager):
        assert (await host.deliver(to, report.encode().replace(b"\r\n", b"\n"))).startswith("250")
    found = lines(stream)
    recorded = [each for each in found if each["event"] == "event_recorded"]
    assert len(recorded) == 1
    assert recorded[0]["address"] == "jan@klient.test"
    assert {"started", "stopped"} <= {each["event"] for each in found}


def test_foreign_values(stream: io.StringIO) -> None:
    """Values are escaped twice: for JSON, and for whoever prints what the JSON holds."""
    structlog.get_logger().info("some_event", said="a\r\nb\x1b[31m\u202e\udc80ż", number=5)
    (found,) = lines(stream)
    assert found["said"] == "a\\x0d\\x0ab\\x1b[31m\\u202e\\udc80ż"
    assert found["number"] == 5


def test_exceptions(stream: io.StringIO) -> None:
    """An exception with its trace is one line, too."""
    try:
        {}["x\n\x1b"]
    except KeyError:
        structlog.get_logger().exception("internal_error")
        logging.getLogger("uvicorn.error").exception("a\nb\x1b")
    own, library = lines(stream)
    assert "KeyError" in own["exception"]
    assert (library["event"], library["message"]) == ("library_message", "a\\x0ab\\x1b")
    assert "KeyError" in library["exception"]


def test_level(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies below the level is left out; of libraries, what lies below a warning."""
    monkeypatch.setattr(sys, "stdout", stream)  # between a fixture and its test, pytest sets its own
    logging.getLogger("asyncio").info("x")
    structlog.get_logger().debug("seen")
    log.configure("error")
    structlog.get_logger().warning("unseen")
    logging.getLogger("asyncio").warning("x")
    structlog.get_logger().error("seen_too")
    assert [each["event"] for each in lines(stream)] == ["seen", "seen_too"]
