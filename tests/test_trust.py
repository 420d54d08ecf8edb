"""Trust: what evidence ties a report to mail of ours, and what only looks like it (F24, F38)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from bouncemilter import trust
from bouncemilter.model import Envelope, Front, Kind, Report, Returned, Source, Trust
from bouncemilter.trust import Evidence, Proof

OURS = Evidence(frozenset({"example.com", "xn--w-uga1v8h.pl"}), frozenset({"mx.example.com"}))
LOCAL_USERS = dataclasses.replace(OURS, trust_local_users=True)
OWN_RECEIVED = "by mx.example.com (Postfix) id 4ZQx1Y0XYZz9s; Sun,  1 Mar 2026 12:00:00 +0100 (CET)"


def envelope(**fields: Any) -> Envelope:
    values: dict[str, Any] = {
        "front": Front.SINK,
        "sender": "",
        "recipients": ("b@bounces.example.com",),
        "received_at": dt.datetime(2026, 3, 1, tzinfo=dt.UTC),
        "source": Source.LOCAL,
    }
    return Envelope(**(values | fields))


def tier(got: Envelope, report: Report, verp: str = "", evidence: Evidence = OURS) -> tuple[Trust, str]:
    return tuple(trust.assess(got, report, Proof(verp), evidence))  # type: ignore[return-value]


def bounce(received: str = "", **returned: str) -> Report:
    return Report(Kind.BOUNCE, top_received=received, returned=Returned(**returned) if returned else None)


OWN_HEADERS = {"sender": "news@example.com", "message_id": "<1@example.com>"}


@pytest.mark.parametrize(
    "received",
    [
        OWN_RECEIVED,
        "  by MX.Example.COM (Postfix)\tid 4ZQx1Y0XYZz9s; Sun, 1 Mar 2026 12:00:00 +0100",
        "BY mx.example.com (Postfix/Debian) id 4ZQ",
    ],
)
def test_local(received: str) -> None:
    """A report that our own mail server made, and that came to the sink as such, is `local`."""
    assert tier(envelope(), bounce(received)) == (Trust.LOCAL, "own_mta")


@pytest.mark.parametrize(
    ("changed", "received"),
    [
        ({"sender": "jan@example.com"}, OWN_RECEIVED),
        ({"source": Source.REMOTE}, OWN_RECEIVED),
        ({"source": Source.UNKNOWN}, OWN_RECEIVED),
        ({"front": Front.MILTER}, OWN_RECEIVED),
        ({"front": Front.MAILBOX}, OWN_RECEIVED),
        ({}, ""),
        ({}, "by mx.example.com (Postfix, from userid 1000) id 4ZQ; Sun, 1 Mar 2026 12:00:00 +0100"),
        ({}, "by mx.example.com (Postfix, FROM USERID 33) id 4ZQ"),
        ({}, f"from localhost (localhost [127.0.0.1]) {OWN_RECEIVED}"),
        ({}, f"from mx.example.com ({OWN_RECEIVED}) by relay.example.net (Postfix) with ESMTP id 4ZQ"),
        ({}, "by mx.example.net (Postfix) id 4ZQ; Sun, 1 Mar 2026 12:00:00 +0100"),
        ({}, "by mx.example.com.evil.net (Postfix) id 4ZQ"),
        ({}, "by evil-mx.example.com (Postfix) id 4ZQ"),
        ({}, "by mx.example.com id 4ZQ"),
        ({}, "by mx.example.com; (Postfix) id 4ZQ"),
        ({}, "by evil.net (by mx.example.com (Postfix)) id 4ZQ"),
        ({}, f"Received: {OWN_RECEIVED}"),
        ({}, "by (Postfix) mx.example.com"),
    ],
)
def test_forged_local(changed: dict[str, Any], received: str) -> None:
    """With any part of the evidence missing or another's, the report is not `local`."""
    assert tier(envelope(**changed), bounce(received)) == (Trust.NONE, "no_evidence")


def test_local_without_names() -> None:
    """Without a name of our own no Received header is ours."""
    assert tier(envelope(), bounce(OWN_RECEIVED), evidence=Evidence())[0] is Trust.NONE


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, Trust.LOCAL),
        ({"sender": "root@example.com"}, Trust.NONE),
        ({"source": Source.REMOTE}, Trust.NONE),
        ({"source": Source.UNKNOWN}, Trust.NONE),
        ({"front": Front.MAILBOX}, Trust.NONE),
        ({"front": Front.SINK}, Trust.NONE),
    ],
)
def test_local_users(changed: dict[str, Any], expected: Trust) -> None:
    """Where local users are trusted, the milter's null-sender mail of this host is `local`, and nothing else is."""
    got = envelope(**({"front": Front.MILTER} | changed))
    assert tier(got, bounce(), evidence=LOCAL_USERS)[0] is expected


def test_local_users_by_default() -> None:
    """By default `sendmail -f '<>'` proves nothing."""
    assert tier(envelope(front=Front.MILTER), bounce(OWN_RECEIVED))[0] is Trust.NONE


@pytest.mark.parametrize("sender", ["", "jan@example.pl"])
def test_verp(sender: str) -> None:
    """An unsigned VERP address is `plausible`, by whatever sender: anybody can write one."""
    got = envelope(sender=sender, source=Source.REMOTE)
    assert tier(got, bounce(), verp="jan@example.pl") == (Trust.PLAUSIBLE, "verp")


def test_local_beats_verp() -> None:
    """Our own mail server's report to a VERP address is `local`."""
    assert tier(envelope(), bounce(OWN_RECEIVED), verp="jan@example.pl")[0] is Trust.LOCAL


@pytest.mark.parametrize(
    ("sender", "message_id", "expected"),
    [
        ("news@example.com", "<1@example.com>", Trust.PLAUSIBLE),
        ("News@EXAMPLE.COM", "<1@Mail.Example.COM>", Trust.PLAUSIBLE),
        ("news@shop.example.com", "<1@a.b.c.example.com>", Trust.PLAUSIBLE),
        ("news@żółw.pl", "<1@ŻÓŁW.pl>", Trust.PLAUSIBLE),
        ("news@xn--w-uga1v8h.pl", "<1@żółw.pl>", Trust.PLAUSIBLE),
        ("news@example.com", "", Trust.NONE),
        ("", "<1@example.com>", Trust.NONE),
        ("", "", Trust.NONE),
        ("news@example.com", "<1@example.org>", Trust.NONE),
        ("news@example.org", "<1@example.com>", Trust.NONE),
        ("news@evil-example.com", "<1@evil-example.com>", Trust.NONE),
        ("news@example.com.evil.net", "<1@example.com.evil.net>", Trust.NONE),
        ("news@example.com", "<1@evil-example.com>", Trust.NONE),
        ("news@example.com", "<example.com@evil.net>", Trust.NONE),
        ("news@example.com", "<example.com>", Trust.NONE),
        ("example.com", "<1@example.com>", Trust.NONE),
        ("news@com", "<1@com>", Trust.NONE),
        ("news@", "<@>", Trust.NONE),
        ("news@ex\u0430mple.com", "<1@example.com>", Trust.NONE),
    ],
)
def test_own_headers(sender: str, message_id: str, expected: Trust) -> None:
    """From and Message-ID must both be of our domains or below them; domains that look like ours are not ours."""
    report = bounce(sender=sender, message_id=message_id)
    assert tier(envelope(source=Source.REMOTE), report)[0] is expected


def test_reason_of_own_headers() -> None:
    """The evidence has a constant word."""
    assert tier(envelope(source=Source.REMOTE), bounce(**OWN_HEADERS)) == (Trust.PLAUSIBLE, "own_headers")


def test_nothing_is_ours() -> None:
    """Without domains of our own no header is evidence."""
    assert tier(envelope(), bounce(**OWN_HEADERS), evidence=Evidence())[0] is Trust.NONE


def test_own_from_is_not_enough() -> None:
    """The report's own From and sender say nothing: only the returned message's headers do (F38)."""
    forged = Report(Kind.BOUNCE, sender="postmaster@example.com", message_id="<1@example.com>")
    assert tier(envelope(sender="", source=Source.REMOTE), forged)[0] is Trust.NONE


@pytest.mark.parametrize(
    ("domain", "expected"),
    [("example.com", True), ("a.Example.com.", True), ("notexample.com", False), ("com", False), ("", False)],
)
def test_owns(domain: str, expected: bool) -> None:
    """Our domains and those below them are ours."""
    assert OURS.owns(domain) is expected


def test_order_of_tiers() -> None:
    """From the strongest tier to the weakest: token, local, plausible, none."""
    order = [Trust.TOKEN, Trust.LOCAL, Trust.PLAUSIBLE, Trust.NONE]
    assert all(one.at_least(other) == (i <= j) for i, one in enumerate(order) for j, other in enumerate(order))
