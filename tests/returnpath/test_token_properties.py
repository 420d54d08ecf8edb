"""What holds for every recipient and every token (F39)."""

from __future__ import annotations

import datetime as dt
import random

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bouncemilter import address
from bouncemilter.returnpath import (
    LONGEST_PREFIX,
    Form,
    Key,
    KeyRing,
    Purpose,
    Recognizer,
    Refused,
    ReturnPath,
    SignedPath,
    Signer,
    Verified,
    Verifier,
    campaign_hash,
    foreign,
)
from tests.returnpath.site import KEYS, NOON, PATH, signer, verifier

ATEXT = "abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+-/=?^_`{|}~."
LOCAL_PARTS = st.one_of(
    st.text("abcxyz019", min_size=1, max_size=12),
    st.text(ATEXT, min_size=1, max_size=64),
    st.text("ab.+-_=", min_size=1, max_size=20),
    st.text("abcżółwćñ漢字", min_size=1, max_size=21),
    st.text('ab @,;:<>()[]"\\', max_size=20).map(
        lambda inside: '"' + inside.replace("\\", "\\\\").replace('"', '\\"') + '"'
    ),
)
LABELS = st.one_of(
    st.text("abcxyz0189-_", min_size=1, max_size=20),
    st.sampled_from(["żółw", "münchen", "例え", "xn--w-uga1v8h", "PL"]),
)
DOMAINS = st.one_of(
    st.lists(LABELS, min_size=1, max_size=4).map(".".join), st.sampled_from(["[192.0.2.1]", "[IPv6:2001:db8::1]"])
)
RECIPIENTS = st.tuples(LOCAL_PARTS, DOMAINS).map("@".join).filter(address.key)
SHORT = st.from_regex(r"[a-c=+]{1,8}@[a-c]{1,8}\.pl", fullmatch=True)
PREFIXES = st.from_regex(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_PREFIX - 1}}}", fullmatch=True)
PATHS = st.builds(
    ReturnPath,
    st.sampled_from(["bounces.example.pl", "r.example.com", "Zwroty.Żółw.PL"]),
    PREFIXES,
    st.sampled_from(["+=", "-="]),
)
SECRETS = st.binary(min_size=32, max_size=32)
RINGS = st.builds(lambda number, secret: KeyRing([Key(number, NOON, secret)]), st.integers(0, 15), SECRETS)
DAYS = st.dates(dt.date(1970, 1, 2), dt.date(2200, 1, 1))
PURPOSES = st.sampled_from(Purpose)


def noon(day: dt.date, days: int = 0) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC) + dt.timedelta(days=days)


def shuffled_case(text: str, seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choice((char.lower(), char.upper())) for char in text)


@given(RECIPIENTS, PATHS, RINGS, DAYS, PURPOSES, st.text(max_size=20), st.integers(0, 30), st.integers(0, 1 << 32))
def test_round_trip(  # noqa: PLR0917
    recipient: str,
    path: ReturnPath,
    keys: KeyRing,
    day: dt.date,
    purpose: Purpose,
    campaign: str,
    age: int,
    seed: int,
) -> None:
    """Every recipient comes back, at every path with every key, in whatever case the token was carried."""
    minted = Signer(path, keys).mint(recipient, campaign=campaign, day=day, purpose=purpose)
    local, _, domain = minted.rpartition("@")
    assert len(local) <= 64
    assert address.split(minted)
    assert minted.isascii()
    check = Verifier([SignedPath(path, keys)])
    for written in (minted, minted.upper(), minted.lower(), f"<{shuffled_case(local, seed)}@{domain}>"):
        found = check.verify(written, at=noon(day, age), purpose=purpose)
        assert isinstance(found, Verified)
        assert found.matches(recipient)
        assert found.recipient == (address.key(recipient) if found.form is Form.LITERAL else "")
        assert (found.day, found.campaign, found.path) == (day, campaign_hash(campaign), path)


@given(RECIPIENTS, PATHS)
def test_never_unsigned_verp(recipient: str, path: ReturnPath) -> None:
    """No token is read as unsigned VERP, which would name somebody without proof; it is ours, and wrapped."""
    minted = Signer(path, KEYS).mint(recipient, day=NOON.date())
    recognizer = Recognizer([path])
    assert recognizer.ownership(minted)
    assert recognizer.path(minted) == path
    assert recognizer.verp_recipient(minted) == ""
    assert foreign.is_wrapped(minted)


@given(RECIPIENTS, RECIPIENTS)
def test_nobody_else(recipient: str, other: str) -> None:
    """A token matches no other address than its own."""
    assume(address.key(recipient) != address.key(other))
    found = verifier().verify(signer().mint(recipient, day=NOON.date()), at=NOON)
    assert isinstance(found, Verified)
    assert not found.matches(other)


@given(SHORT, SHORT)
def test_transplanted(recipient: str, other: str) -> None:
    """The token of one recipient beside the name of another proves nothing."""
    one, two = (signer().mint(each, day=NOON.date()) for each in (recipient, other))
    token = one.partition("@")[0].rpartition("=")[2]
    names = two.partition("@")[0].rpartition("=")[0]
    assume(recipient != other)
    assert isinstance(verifier().verify(f"{names}={token}@bounces.example.pl", at=NOON), Refused)


@given(RECIPIENTS, st.data())
def test_altered(recipient: str, data: st.DataObject) -> None:
    """With a few characters altered, taken out or put in, a token proves nothing."""
    minted = signer().mint(recipient, day=NOON.date())
    start = data.draw(st.integers(0, len(minted)))
    end = data.draw(st.integers(start, min(len(minted), start + 3)))
    altered = minted[:start] + data.draw(st.text("abz27=+-.@1K\u212aż", max_size=3)) + minted[end:]
    assume(altered.translate({ord("K"): "k"}) not in (minted, f"{minted}."))
    assert isinstance(verifier().verify(altered, at=NOON), Refused)


@given(st.binary(min_size=22, max_size=22), st.sampled_from([26, 34, 35]))
def test_guessed(octets: bytes, length: int) -> None:
    """Tokens of the right form that nobody minted prove nothing."""
    letters = "".join("abcdefghijklmnopqrstuvwxyz234567"[int(char, 32)] for char in _base32(octets))[:length]
    named = "jan=example.com=" if length == 26 else ""
    assert isinstance(verifier().verify(f"b+{named}{letters}@bounces.example.pl", at=NOON), Refused)


def _base32(octets: bytes) -> str:
    value, digits = int.from_bytes(octets, "big"), ""
    for _ in range(35):
        value, digit = divmod(value, 32)
        digits += "0123456789abcdefghijklmnopqrstuv"[digit]
    return digits


@given(RECIPIENTS, SECRETS, SECRETS)
def test_other_key(recipient: str, one: bytes, other: bytes) -> None:
    """No key verifies what another one of the same id signed."""
    assume(one != other)
    mine, foreign_ring = (KeyRing([Key(5, NOON, secret)]) for secret in (one, other))
    minted = signer(keys=foreign_ring).mint(recipient, day=NOON.date())
    assert isinstance(verifier(keys=mine).verify(minted, at=NOON), Refused)


@given(RECIPIENTS, DAYS, st.integers(-40_000, 40_000))
def test_only_while_it_lives(recipient: str, day: dt.date, days: int) -> None:
    """A token is good from a day before its own to 30 days after, and at no other time."""
    found = verifier().verify(signer().mint(recipient, day=day), at=noon(day, days))
    assert isinstance(found, Verified) == (-1 <= days <= 30)


@given(st.text('bB+=.ajnk27\u212aż@<>"\\ \x00\ud800', max_size=80))
@settings(max_examples=200)
def test_anything(written: str) -> None:
    """Whatever an envelope recipient is, it is refused without an error."""
    check = Verifier([SignedPath(PATH, KEYS)])
    assert isinstance(check.verify(written, at=NOON), Refused)
    assert isinstance(check.verify(f"{written}@bounces.example.pl", at=NOON), Refused)
    assert isinstance(check.verify(f"b+{written}@bounces.example.pl", at=NOON), Refused)
