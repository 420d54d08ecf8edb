"""Streams: whose message it is."""

from __future__ import annotations

import pytest

from bouncemilter.stream import Match, Origin, Stream, StreamKind, owner

SUBMITTED = Origin(client="192.0.2.7", daemon_name="ORIGINATING", sasl_login="shop", sender="News@Example.com")


@pytest.mark.parametrize(
    ("match", "origin", "expected"),
    [
        (Match(daemon_name=("ORIGINATING",)), SUBMITTED, True),
        (Match(daemon_name=("smtpd",)), SUBMITTED, False),
        (Match(daemon_name=("smtpd", "ORIGINATING")), SUBMITTED, True),
        (Match(sasl_login=("shop",)), SUBMITTED, True),
        (Match(sasl_login=("jan",)), SUBMITTED, False),
        (Match(client=("192.0.2.0/24",)), SUBMITTED, True),
        (Match(client=("198.51.100.0/24", "2001:db8::/32")), SUBMITTED, False),
        (Match(client=("192.0.2.0/24",)), Origin(client="::ffff:192.0.2.7"), True),
        (Match(client=("2001:db8::/32",)), Origin(client="2001:db8::1"), True),
        (Match(client=("0.0.0.0/0",)), Origin(client=""), False),
        (Match(local_user=True), Origin(local=True), True),
        (Match(local_user=True), SUBMITTED, False),
        (Match(sender=("news@example.com",)), SUBMITTED, True),
        (Match(sender=("jan@example.com",)), SUBMITTED, False),
        (Match(sender_domain=("example.com",)), SUBMITTED, True),
        (Match(sender_domain=("example.com",)), Origin(sender="a@sub.example.com"), False),
        (Match(sender_domain=("example.com",)), Origin(sender=""), False),
        # All that is given must hold.
        (Match(daemon_name=("ORIGINATING",), sender_domain=("example.org",)), SUBMITTED, False),
        (Match(daemon_name=("ORIGINATING",), sender_domain=("example.com",)), SUBMITTED, True),
    ],
)
def test_match(match: Match, origin: Origin, expected: bool) -> None:
    """A message belongs to a stream if it has everything that the stream asks for, and of each list one."""
    assert match.matches(origin) is expected


def test_first_stream_wins() -> None:
    """The first stream that matches owns the message, and the later ones have no say."""
    bulk = Stream("news", StreamKind.BULK, Match(sasl_login=("shop",)))
    other = Stream("other", StreamKind.TRANSACTIONAL, Match(daemon_name=("ORIGINATING",)))
    assert owner((bulk, other), SUBMITTED) is bulk
    assert owner((other, bulk), SUBMITTED) is other
    assert owner((bulk, other), Origin(client="192.0.2.7")) is None


def test_personal_mail_is_nobodys() -> None:
    """A personal stream takes its mail out of the hands of those after it."""
    personal = Stream("people", StreamKind.PERSONAL, Match(sender=("jan@example.com",)))
    bulk = Stream("news", StreamKind.BULK, Match(sender_domain=("example.com",)))
    assert owner((personal, bulk), Origin(sender="jan@example.com")) is None
    assert owner((personal, bulk), Origin(sender="news@example.com")) is bulk


def test_a_name_comes_first() -> None:
    """A client that names a stream gets it; a name of none, or of a personal one, leaves it to what matches."""
    personal = Stream("people", StreamKind.PERSONAL, Match(sender=("jan@example.com",)))
    news = Stream("news", StreamKind.BULK, Match(sender=("news@example.com",)))
    assert owner((personal, news), Origin(), "news") is news
    assert owner((personal, news), Origin(sender="news@example.com"), "people") is news
    assert owner((personal, news), Origin(), "people") is None
    assert owner((personal, news), Origin(), "nothing") is None


def test_notifications_are_nobodys() -> None:
    """Mail from the null reverse-path is of no stream, by whatever way it comes; where nobody says, it is not meant."""
    stream = Stream("all", StreamKind.BULK, Match(client=("192.0.2.0/24",)))
    assert owner((stream,), Origin(client="192.0.2.7", sender="")) is None
    assert owner((stream,), Origin(client="192.0.2.7", sender=""), "all") is None
    assert owner((stream,), Origin(client="192.0.2.7")) is stream


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match(sender=("a@example.com",)), False),
        (Match(sender_domain=("example.com",)), False),
        (Match(daemon_name=("O",), sender_domain=("example.com",)), True),
        (Match(local_user=True), True),
    ],
)
def test_says_who(match: Match, expected: bool) -> None:
    """An envelope sender proves nothing; how the mail came in does."""
    assert match.says_who is expected


@pytest.mark.parametrize(
    ("origin", "expected"), [(SUBMITTED, True), (Origin(local=True), True), (Origin(client="192.0.2.7"), False)]
)
def test_authenticated(origin: Origin, expected: bool) -> None:
    """Who logged in, or runs programs on this host, may be told why an address is refused."""
    assert origin.authenticated is expected
