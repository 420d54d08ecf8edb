"""Our DKIM signatures in returned headers: what verifies, for whom it speaks, and what it costs."""

from __future__ import annotations

import base64
import datetime as dt
import re
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bouncemilter import limits
from bouncemilter.dkim import LIFE, SIGNATURES, Signed, Verifier
from bouncemilter.dkim import signature as module
from tests.dkim.signing import HEADERS, KEY, NOON, SIGNED, signature, signed

JAN = "jan@klient.test"
WHOLE = signed()
DAY = dt.timedelta(days=1)


def verify(text: str | bytes, at: dt.datetime = NOON) -> Signed | None:
    """What a verifier that knows the key of bulk._domainkey.own.test makes of a header block."""
    return Verifier([KEY]).verify(text.encode() if isinstance(text, str) else text, at)


def test_good() -> None:
    """A signature by our key verifies without the body, and says for whom and for which message it speaks."""
    found = verify(WHOLE)
    assert found
    assert found.recipients == {JAN}
    assert found.message_id == "<1@own.test>"
    assert found.digest == verify(f"X-Spam: no\n{WHOLE}").digest  # type: ignore[union-attr]


@pytest.mark.parametrize("form", ["relaxed", "simple"])
def test_canonical_forms(form: str) -> None:
    """Both canonical forms are known; only the relaxed one survives new folding and white space (section 3.4.2)."""
    block = signed(form=form)
    assert verify(block)
    folded = block.replace("Subject: Oferta na marzec,\n\tdla", "SUBJECT:  Oferta \n na marzec,  dla")
    assert folded != block
    assert bool(verify(folded)) is (form == "relaxed")


def test_no_key() -> None:
    """Without keys nothing is looked at."""
    assert Verifier([]).verify(WHOLE.encode(), NOON) is None


@pytest.mark.parametrize(
    "changes", [{"d": "other.test"}, {"s": "other"}, {"key": "other-test-only"}, {"a": "rsa-sha1"}]
)
def test_not_ours(changes: dict[str, Any]) -> None:
    """Another domain, selector, key or algorithm is no signature of ours."""
    assert verify(signed(**changes)) is None


def test_case_of_names() -> None:
    """Domain and selector are names in DNS: their case is no difference."""
    assert verify(signed(d="Own.TEST", s="BULK"))


@pytest.mark.parametrize("tag", ["v", "a", "d", "s", "h", "bh"])
def test_missing_tag(tag: str) -> None:
    """A signature that lacks what it must have is none (section 3.5), though its RSA value is right."""
    assert verify(signed(**{tag: None})) is None


@pytest.mark.parametrize("b", ["", "AAAA", "A" * 344, "=" * 344, "nie base64"])
def test_no_value(b: str) -> None:
    """Nor is one without its value, or with another's."""
    assert verify(re.sub(r"b=[^;]*?(?=\n[A-Z])", f"b={b}", WHOLE, count=1)) is None
    assert verify(re.sub(r"b=[^;]*?(?=\n[A-Z])", r"\g<0>", WHOLE, count=1))


def test_longer_value() -> None:
    """An RSA value has as many octets as its key (RFC 8017 section 8.2.2): zeros before it make another one."""
    field, value, rest = re.split(r"(?<=[\s;]b=)([^;]*?)(?=\n[A-Z])", WHOLE, maxsplit=1)
    raw = base64.b64decode(re.sub(r"\s", "", value))
    assert verify(f"{field}{base64.b64encode(raw).decode()}{rest}")
    assert verify(f"{field}{base64.b64encode(bytes(3) + raw).decode()}{rest}") is None


@pytest.mark.parametrize(
    ("tags", "good"),
    [
        ({"h": "to:from:date"}, True),
        ({"h": "to:date"}, False),
        ({"h": "from" + ":to" * 127}, True),
        ({"h": "from" + ":to" * 128}, False),
        ({"v": "2"}, False),
        ({"c": "relaxed"}, True),
        ({"c": "nowsp/relaxed"}, False),
        ({"l": "0"}, True),
        ({"q": "dns/txt", "z": "From:x"}, True),
    ],
)
def test_tags(tags: dict[str, str], good: bool) -> None:
    """From must be signed (section 5.4); what is said of the body, and what is not known, is of no interest."""
    assert bool(verify(signed(**tags))) is good


@pytest.mark.parametrize("place", ["top", "bottom"])
def test_second_from(place: str) -> None:
    """A second From makes it nobody's (section 8.15)."""
    new = "From: Victim <victim@other.test>\n"
    assert verify(new + WHOLE if place == "top" else WHOLE + new) is None


@pytest.mark.parametrize(
    ("tags", "after", "good"),
    [
        ({}, LIFE, True),
        ({}, LIFE + dt.timedelta(seconds=1), False),
        ({}, -DAY, True),
        ({}, -DAY - dt.timedelta(seconds=1), False),
        ({"x": str(int((NOON + DAY).timestamp()))}, DAY, True),
        ({"x": str(int((NOON + DAY).timestamp()))}, DAY + dt.timedelta(seconds=1), False),
        ({"x": "soon"}, 0 * DAY, False),
        ({"x": "9" * 13}, 0 * DAY, False),
        ({"t": "now"}, 0 * DAY, False),
        ({"t": "9" * 12}, 0 * DAY, False),
        ({"t": "-1"}, 0 * DAY, False),
    ],
)
def test_time(tags: dict[str, str], after: dt.timedelta, good: bool) -> None:
    """It holds for LIFE from its t=, not beyond its x=; both as of the report."""
    assert bool(verify(signed(**tags), NOON + after)) is good


@pytest.mark.parametrize(
    ("date", "after", "good"),
    [
        ("Sun, 01 Mar 2026 12:00:00 +0000", LIFE, True),
        ("Sun, 01 Mar 2026 12:00:00 +0000", LIFE + DAY, False),
        ("Sun, 01 Mar 2026 12:00:00 -0000", LIFE, True),
        ("yesterday", 0 * DAY, False),
        ("Sun, 99 Mar 99999 12:00:00 +9999", 0 * DAY, False),
        ("", 0 * DAY, False),
    ],
)
def test_time_by_date(date: str, after: dt.timedelta, good: bool) -> None:
    """Signers that write no t= are judged by the signed Date."""
    headers = HEADERS.replace("Sun, 01 Mar 2026 12:00:00 +0100", date)
    assert bool(verify(signed(headers, t=None), NOON + after)) is good


def test_unsigned_date() -> None:
    """A Date that is not signed says nothing, nor one that was put above the signed one."""
    assert verify(signed(t=None, names=("From", "To"))) is None
    late = NOON + LIFE + DAY
    assert verify(f"Date: {late:%a, %d %b %Y %H:%M:%S} +0000\n{signed(t=None)}", late) is None


@pytest.mark.parametrize(
    ("to", "recipients"),
    [
        ("jan@klient.test", {JAN}),
        ("<JAN@Klient.test>", {JAN}),
        ("Jan (w domu) <jan@klient.test>, =?utf-8?Q?Ewa?=\n <ewa@klient.test>", {JAN, "ewa@klient.test"}),
        ("jan@klient.test, ewa@klient.test", {JAN, "ewa@klient.test"}),
        ('"victim@other.test" <jan@klient.test>', {JAN}),
        ('"victim@other.test, \\"x" <jan@klient.test>', {JAN}),
        ("victim@other.test <jan@klient.test>", {JAN}),
        ("victim@other.test, Kowalski <jan@klient.test>", {JAN}),
        ('"<victim@other.test>, x" <jan@klient.test>', {JAN}),
        ("(<victim@other.test>) jan@klient.test", {JAN}),
        ("=?utf-8?Q?victim=40other.test?= <jan@klient.test>", {JAN}),
        ('"victim@other.test, <jan@klient.test>', {JAN}),
        ("undisclosed-recipients:;", set()),
        ("Lista: jan@klient.test;", set()),
        ("", set()),
    ],
)
def test_recipients(to: str, recipients: set[str]) -> None:
    """It speaks for the addresses in To, never for what a subscriber has written into his display name."""
    found = verify(signed(HEADERS.replace("Jan Kowalski <jan@klient.test>", to)))
    assert found
    assert found.recipients == recipients


def test_carbon_copy() -> None:
    """It speaks for a signed Cc too, and for none that is not signed or was added."""
    copied = HEADERS + "Cc: ewa@klient.test\n"
    found = verify(signed(copied, names=(*SIGNED, "Cc")))
    assert found
    assert found.recipients == {JAN, "ewa@klient.test"}
    unsigned = verify(signed(copied))
    assert unsigned
    assert unsigned.recipients == {JAN}


def test_to_is_not_signed() -> None:
    """Where To is not signed, it speaks for nobody; where it is, another one above it changes nothing."""
    unsigned = verify(signed(names=("From", "Date")))
    assert unsigned
    assert (unsigned.recipients, unsigned.message_id) == (frozenset(), "")
    added = verify(f"To: victim@other.test\nMessage-ID: <2@own.test>\n{WHOLE}")
    assert added
    assert (added.recipients, added.message_id) == ({JAN}, "<1@own.test>")
    assert verify(f"{WHOLE}To: victim@other.test\n") is None  # the lowest one is the signed one (section 5.4.2)


def test_oversigned() -> None:
    """A field that is signed once more than it is there can't be added."""
    block = signed(names=(*SIGNED, "From", "To", "Cc"))
    assert verify(block)
    assert verify(f"To: victim@other.test\n{block}") is None
    assert verify(f"{block}Cc: victim@other.test\n") is None


def test_folding_of_local_parts() -> None:
    """Local parts are compared as the setting says."""
    block = signed(HEADERS.replace(JAN, "Jan@klient.test")).encode()
    kept = Verifier([KEY], fold_local_part=False).verify(block, NOON)
    assert kept
    assert kept.recipients == {"Jan@klient.test"}


def test_place_among_others() -> None:
    """Signatures of others are passed over; of ours at most SIGNATURES are tried."""
    other = signature(d="other.test")
    broken = signature(HEADERS.replace("marzec", "maj"))
    assert verify(other * 10 + WHOLE)
    assert verify(broken * (SIGNATURES - 1) + WHOLE)
    assert verify(broken * SIGNATURES + WHOLE) is None


def test_once_for_each_message() -> None:
    """One message to many envelope recipients is checked once."""
    verifier, block = Verifier([KEY]), WHOLE.encode()
    with mock.patch.object(module, "_verifies", wraps=module._verifies) as checked:
        assert all(verifier.verify(block, NOON) for _ in range(100))
    assert checked.call_count == 1


@pytest.mark.parametrize("form", ["relaxed", "simple"])
@settings(max_examples=150)
@given(data=st.data())
def test_altered(form: str, data: st.DataObject) -> None:
    """No signed field can be altered in any visible character, and the signature itself neither."""
    block = BLOCKS[form]
    places = [
        place
        for field in re.finditer(r"(?m)^(?!Received)[A-Za-z-]+:[^\n]*(?:\n[ \t][^\n]*)*", block)
        for place in range(*field.span())
        if not block[place].isspace()
    ]
    place = data.draw(st.sampled_from(places))
    new = data.draw(st.sampled_from("0Zz9;=@<"))
    altered = block[:place] + new + block[place + 1 :]
    # Names of fields and of the canonical form's host have no case.
    if altered.lower() != block.lower() or form == "simple":
        found = verify(altered)
        assert found is None or altered == block


BLOCKS = {form: signed(form=form) for form in ("relaxed", "simple")}


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(0, 1500), st.integers(0, 1500))
def test_never_raises(noise: bytes, start: int, stop: int) -> None:
    """Whatever stands in a header block, the answer is a signature or none."""
    block = WHOLE.encode()
    verify(block[:start] + noise + block[stop:])
    verify(b"DKIM-Signature: v=1; a=rsa-sha256; d=own.test; s=bulk; h=from; bh=x; b=" + noise + b"\nFrom: a\n")
    verify(b"DKIM-Signature: a=rsa-sha256; v=1; s=bulk; d=own.test; " + noise + b"; h=from:to; bh=x; b=AAAA\nFrom: a\n")


TAGS = "v=1; a=rsa-sha256; d=own.test; s=bulk; t=1772366400; bh=x; "


@pytest.mark.parametrize(
    "block",
    [
        f"DKIM-Signature: {TAGS}h=from; b={'A' * 500_000}\nFrom: a\n",
        f"DKIM-Signature: {TAGS}h=from{':x' * 200_000}; b=AAAA\nFrom: a\n",
        f"DKIM-Signature: {TAGS}h=from; b{' ' * 500_000}=AAAA\nFrom: a\n",
        f"DKIM-Signature: {TAGS}h=from;\n" + " b\n" * 160_000 + " b=AAAA\nFrom: a\n",
        "DKIM-Signature: " + TAGS + "h=from:to; b=AAAA\nFrom: a\n" + "To: a\n" * 80_000,
        ("DKIM-Signature: " + TAGS + "h=from; b=AAAA\n") * 5000 + "From: a\n",
        "DKIM-Signature:" * 30_000,
        "a:\n" * 170_000,
        "\n" * 500_000,
        ":" * 500_000,
    ],
)
def test_hostile(block: str) -> None:
    """Blocks of 512 KiB that are made to cost are no signature, whole or cut to the limit of a header block."""
    assert verify(block) is None
    assert verify(block[: limits.HEADER_BLOCK]) is None
