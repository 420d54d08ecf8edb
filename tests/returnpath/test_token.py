"""Signed return paths (F39): what a token says, and when it says nothing."""

from __future__ import annotations

import datetime as dt
import hmac
import string
from typing import Any

import pytest

from bouncemilter.returnpath import (
    LONGEST_DOMAIN,
    LONGEST_PREFIX,
    Form,
    KeyRing,
    Purpose,
    Reason,
    Refused,
    ReturnPath,
    SignedPath,
    Signer,
    Verified,
    Verifier,
    campaign_hash,
    token,
)
from bouncemilter.returnpath.seal import Seal
from tests.returnpath.site import DAY, KEYS, NOON, PATH, SECRET, key, signer, verifier

NONCE = bytes([1, 2, 3])
FORGED = Refused(Reason.FORGED)
UNSIGNED = Refused(Reason.UNSIGNED)
EXPIRED = Refused(Reason.EXPIRED)

LITERAL = "b+jan=example.com=fkkz44vjqcaqd2lmoxvsozmx3l@bounces.example.pl"
UNSUBSCRIBE = "b+jan=example.com=fkkz44vjqcaqdjcx6zuduanczm@bounces.example.pl"
HASHED = "b+jkkz44vjqcaqdeahavctq7qfc4pkn243pja@bounces.example.pl"
MESSAGE = "b+nkkz44vjqcaqdaqcqmbyiju6r6zsrtga3z@bounces.example.pl"


def mint(recipient: str = "jan@example.com", **changed: Any) -> str:
    return signer().mint(recipient, **{"campaign": "spring", "day": DAY, "nonce": NONCE, **changed})


def verify(address: str, at: dt.datetime = NOON, **changed: Any) -> Verified | Refused:
    return verifier().verify(address, at=at, **changed)


def test_vectors() -> None:
    """Tokens are what the docstring says that they are, for ever: other hosts and later versions read them."""
    assert mint() == LITERAL
    assert mint(purpose=Purpose.UNSUBSCRIBE) == UNSUBSCRIBE
    assert mint('"o\'neil"@żółw.example') == HASHED
    minted = signer().mint_message(campaign="spring", day=DAY, nonce=bytes(range(1, 9)))
    assert minted == (MESSAGE, "0102030405060708")
    assert campaign_hash("spring") == 3990867
    for vector in (LITERAL, UNSUBSCRIBE, HASHED, MESSAGE):
        assert f"    {vector}\n" in (token.__doc__ or "")


def test_literal() -> None:
    """A literal token says everything that it was minted with."""
    found = verify(LITERAL, NOON + dt.timedelta(days=3))
    assert isinstance(found, Verified)
    assert (found.form, found.purpose, found.path, found.recipient) == (
        Form.LITERAL,
        Purpose.RETURN,
        PATH,
        "jan@example.com",
    )
    assert (found.recipient_hash, found.campaign, found.nonce) == ("", campaign_hash("spring"), "010203")
    assert (found.day, found.age, found.key_id) == (DAY, dt.timedelta(days=3, hours=12), 5)
    assert found.matches("<Jan@Example.COM>")
    assert not found.matches("ewa@example.com")
    assert not found.matches("")


def test_hashed() -> None:
    """A hashed token knows its recipient among all addresses, in whatever way it is written."""
    found = verify(HASHED)
    assert isinstance(found, Verified)
    assert (found.form, found.recipient, found.nonce) == (Form.HASHED, "", "010203")
    assert found.matches("O'Neil@xn--w-uga1v8h.example")
    assert found.matches("<o'neil@ŻÓŁW.example.>")
    for other in ("oneil@żółw.example", "o'neil@zolw.example", "", "<>", "o'neil"):
        assert not found.matches(other)
    assert found.recipient_hash == signer().recipient_hash("o'neil@żółw.example")
    assert found.recipient_hash != signer().recipient_hash("oneil@żółw.example")


def test_message() -> None:
    """A message token knows no recipient; its nonce names the record."""
    found = verify(MESSAGE)
    assert isinstance(found, Verified)
    assert (found.form, found.recipient, found.recipient_hash) == (Form.MESSAGE, "", "")
    assert found.nonce == "0102030405060708"
    assert not found.matches("jan@example.com")
    assert not found.matches("")


@pytest.mark.parametrize(
    ("recipient", "form"),
    [
        ("jan@example.com", Form.LITERAL),
        ("Jan.Kowalski+News@Example.COM", Form.LITERAL),
        ('"jan"@example.com', Form.LITERAL),
        ("a=b@example.com", Form.LITERAL),
        ("a=@example.com", Form.LITERAL),
        ("-a_@x_1.example.com", Form.LITERAL),
        ("jan@żółw.pl", Form.LITERAL),
        ("jan@localhost", Form.HASHED),
        ("jan@[192.0.2.1]", Form.HASHED),
        ("o'neil@example.com", Form.HASHED),
        ("jan%example.net@example.com", Form.HASHED),
        ("host!jan@example.com", Form.HASHED),
        ("a/b@example.com", Form.HASHED),
        ("jan..k@example.com", Form.HASHED),
        ("jan.@example.com", Form.HASHED),
        (".jan@example.com", Form.HASHED),
        ('"jan kowalski"@example.com', Form.HASHED),
        ('"a@b"@example.com', Form.HASHED),
        ("żółw@example.com", Form.HASHED),
    ],
)
def test_form(recipient: str, form: Form) -> None:
    """A recipient stands there in plain text where it is safe and there is room, else by its hash; both know it."""
    found = verify(mint(recipient).upper())
    assert isinstance(found, Verified)
    assert found.form is form
    assert found.matches(recipient)


def test_room() -> None:
    """A recipient stands in plain text up to the last octet of a local part, and not beyond."""
    fits = mint(f"{'x' * 23}@example.com").partition("@")[0]
    assert len(fits) == 64
    assert fits.startswith("b+xxx")
    assert "=" not in mint(f"{'x' * 24}@example.com")


@pytest.mark.parametrize(
    "recipient", ["", "jan", "@example.com", "jan@", "jan kowalski@example.com", "a@b@", "\ud800@x"]
)
def test_no_address(recipient: str) -> None:
    """What is no address gets no token."""
    with pytest.raises(ValueError, match="no e-mail address"):
        mint(recipient)


@pytest.mark.parametrize("nonce", [b"", b"12", b"1234"])
def test_wrong_nonce(nonce: bytes) -> None:
    """A nonce of another length would be cut, and not be what its record says."""
    with pytest.raises(ValueError, match="3 octets"):
        mint(nonce=nonce)
    with pytest.raises(ValueError, match="8 octets"):
        signer().mint_message(day=DAY, nonce=nonce)


def test_random_nonces() -> None:
    """Messages differ without anybody's doing."""
    assert len({signer().mint("jan@example.com", day=DAY) for _ in range(20)}) == 20
    assert len({signer().mint_message(day=DAY).nonce for _ in range(20)}) == 20


CHARACTERS = string.ascii_lowercase + string.digits + "=+-._K\u212a\u017f"


@pytest.mark.parametrize("address", [LITERAL, HASHED, MESSAGE])
def test_each_character_altered(address: str) -> None:
    """With any one character another, left out or put in, prefix and domain included, nothing is proved."""
    assert isinstance(verify(address), Verified)
    for place in range(len(address) + 1):
        rest = address[place + 1 :]
        altered = {address[:place] + other + rest for other in CHARACTERS}
        altered |= {address[:place] + other + address[place:] for other in CHARACTERS}
        altered.add(address[:place] + rest)
        for each in altered - {address, address + "."}:  # the domain's last dot says nothing
            if each.lower() == address and each.isascii():
                continue
            assert isinstance(verify(each), Refused), each


@pytest.mark.parametrize("address", [LITERAL, HASHED, MESSAGE])
def test_truncated(address: str) -> None:
    """However much is cut off, at either end of the local part, nothing is proved."""
    local, _, domain = address.partition("@")
    for length in range(len(local)):
        assert isinstance(verify(f"{local[:length]}@{domain}"), Refused)
        assert isinstance(verify(f"b+{local[len(local) - length :]}@{domain}"), Refused) or length == len(local) - 2
    for extended in (f"{local}a", f"{local}=", f"{local}.", f"{local}+x", f"b+{local}", f"{local}{local[2:]}"):
        assert isinstance(verify(f"{extended}@{domain}"), Refused)


@pytest.mark.parametrize(
    "other",
    [
        ReturnPath("bounces.example.pl", "c"),
        ReturnPath("bounces.example.com", "b"),
        ReturnPath("mail.bounces.example.pl", "b"),
        ReturnPath("bounces.example.pl", "b-news"),
    ],
)
@pytest.mark.parametrize("address", [LITERAL, HASHED, MESSAGE])
def test_other_path(other: ReturnPath, address: str) -> None:
    """A token of one return path is not valid at another, even where both have the same keys."""
    local = address.partition("@")[0].removeprefix("b+")
    both = Verifier([SignedPath(PATH, KEYS), SignedPath(other, KEYS)])
    assert both.verify(f"{other.prefix}+{local}@{other.domain}", at=NOON) == FORGED
    assert isinstance(both.verify(address, at=NOON), Verified)


@pytest.mark.parametrize("address", [LITERAL, HASHED, MESSAGE])
def test_other_site(address: str) -> None:
    """A token of another site's key is not valid, whether its key id is known here or not."""
    same_id, other_id = KeyRing([key(5, bytes(32))]), KeyRing([key(6)])
    assert verifier(keys=same_id).verify(address, at=NOON) == FORGED
    assert verifier(keys=other_id).verify(address, at=NOON) == FORGED


def test_other_purpose() -> None:
    """A return path can't be used to unsubscribe, nor the other way round."""
    assert verify(LITERAL, purpose=Purpose.UNSUBSCRIBE) == FORGED
    assert verify(UNSUBSCRIBE) == FORGED
    found = verify(UNSUBSCRIBE, purpose=Purpose.UNSUBSCRIBE)
    assert isinstance(found, Verified)
    assert found.purpose is Purpose.UNSUBSCRIBE


def test_other_recipient() -> None:
    """The token of one recipient says nothing of another, and a hashed one can't be made a literal one."""
    assert verify(LITERAL.replace("jan=", "ewa=")) == FORGED
    assert verify(LITERAL.replace("jan=example.com=", "jan=example=")) == UNSIGNED
    assert verify(LITERAL.replace("jan=example.com=", "")) == UNSIGNED
    assert verify(HASHED.replace("b+", "b+jan=example.com=")) == UNSIGNED


@pytest.mark.parametrize(
    "address",
    [
        "",
        "<>",
        "jan",
        "b@bounces.example.pl",
        "b+@bounces.example.pl",
        "b+jan=example.com@bounces.example.pl",
        f"b+jan=example.com={'a' * 26}@bounces.example.pl",
        f"b+{'1' * 35}@bounces.example.pl",
        f"b+{'_' * 34}@bounces.example.pl",
        "postmaster@bounces.example.pl",
        LITERAL.replace("example.pl", "example.net"),
        LITERAL.replace("b+", "b-"),
        LITERAL.replace("z", "ｚ"),
        "x" * 10_000,
        "b+\ud800@bounces.example.pl",
        "b+\x00@bounces.example.pl",
    ],
)
def test_not_of_the_form(address: str) -> None:
    """What has not the form of a token, or is not at a signed path, is unsigned: nothing was forged."""
    assert verify(address) == UNSIGNED


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-11-20T23:59:59", FORGED),
        ("2026-11-21T00:00:00", None),
        ("2026-11-22T00:00:00", None),
        ("2026-12-22T23:59:59", None),
        ("2026-12-23T00:00:00", EXPIRED),
        ("2027-11-22T00:00:00", EXPIRED),
        ("2029-09-09T23:59:59", EXPIRED),
        ("2029-09-11T00:00:00", FORGED),
        ("2029-10-01T00:00:00", FORGED),
        ("1969-01-01T00:00:00", FORGED),
        ("9999-12-31T23:59:59", FORGED),
    ],
)
@pytest.mark.parametrize("address", [LITERAL, HASHED, MESSAGE])
def test_life(address: str, at: str, expected: Refused | None) -> None:
    """A token is good from a day before its own to 30 days after it, and never again when its 1,024 days come round."""
    found = verify(address, dt.datetime.fromisoformat(f"{at}+00:00"))
    assert found == expected if expected else isinstance(found, Verified)


def test_clock_ahead() -> None:
    """Where the host that signs is ahead, a token is younger than nothing; without slack it is not good yet."""
    before = NOON - dt.timedelta(days=1)
    found = verify(LITERAL, before)
    assert isinstance(found, Verified)
    assert found.age == dt.timedelta(hours=-12)
    exact = Verifier([SignedPath(PATH, KEYS)], slack=dt.timedelta())
    assert exact.verify(LITERAL, at=before) == FORGED


def test_time_zone() -> None:
    """The time of an event is a moment, in whatever zone, and a moment without one is a mistake of ours."""
    last = dt.datetime(2026, 12, 23, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    assert isinstance(verify(LITERAL, last), Verified)
    with pytest.raises(TypeError):
        verify(LITERAL, dt.datetime(2026, 11, 22))  # noqa: DTZ001


@pytest.mark.parametrize(("days", "good"), [(6, True), (7, True), (8, False)])
def test_own_life(days: int, good: bool) -> None:
    """Each return path has a life of its own for its tokens."""
    short = Verifier([SignedPath(PATH, KEYS, dt.timedelta(days=7))])
    found = short.verify(LITERAL, at=NOON + dt.timedelta(days=days))
    assert isinstance(found, Verified) if good else found == EXPIRED


@pytest.mark.parametrize("days", [-1, 366, 1024])
def test_impossible_life(days: int) -> None:
    """A life that the day in a token can't tell from another one is an error."""
    with pytest.raises(ValueError, match="at most 365 days"):
        SignedPath(PATH, KEYS, dt.timedelta(days=days))


def test_rotation() -> None:
    """After a rotation the new key signs, and what the former one signed is good until the next rotation."""
    first, second, third = key(5), key(6, bytes(32), "2026-11-10"), key(7, SECRET[::-1], "2026-11-20")
    after = KeyRing([first, second])
    assert after.signing is second
    found = verifier(keys=after).verify(LITERAL, at=NOON)
    assert isinstance(found, Verified)
    assert found.key_id == 5
    found = verifier(keys=after).verify(signer(keys=after).mint("jan@example.com", day=DAY), at=NOON)
    assert isinstance(found, Verified)
    assert found.key_id == 6
    assert verifier(keys=KeyRing([second, third])).verify(LITERAL, at=NOON) == FORGED


def test_hash_outlives_rotation() -> None:
    """A hashed token of the former key still knows its recipient."""
    found = verifier(keys=KeyRing([key(5), key(6, bytes(32), "2026-11-10")])).verify(HASHED, at=NOON)
    assert isinstance(found, Verified)
    assert found.matches("o'neil@żółw.example")


def test_local_part_not_folded() -> None:
    """Where local parts are not folded, capitals are kept by the hash, which no change of case touches."""
    exact = verifier(fold_local_part=False)
    mixed = signer(fold_local_part=False).mint("Jan@Example.com", day=DAY)
    lower = signer(fold_local_part=False).mint("jan@example.com", day=DAY)
    for address, own, other in (
        (mixed, "Jan@example.com", "jan@example.com"),
        (lower, "jan@example.com", "Jan@example.com"),
    ):
        for written in (address, address.upper(), address.swapcase()):
            found = exact.verify(written, at=NOON)
            assert isinstance(found, Verified)
            assert found.matches(own)
            assert not found.matches(other)


@pytest.mark.parametrize("delimiters", ["+=", "-="])
@pytest.mark.parametrize("length", [1, LONGEST_PREFIX])
def test_prefix_lengths(length: int, delimiters: str) -> None:
    """With the longest prefix no local part is over 64 octets, and all forms are good."""
    path = ReturnPath("bounces.example.pl", "P" * length, delimiters)
    minted = [signer(path).mint(each, day=DAY) for each in ("a@b.pl", "a@" + "b" * 60 + ".pl")]
    minted.append(signer(path).mint_message(day=DAY).address)
    lengths = [len(each.partition("@")[0]) for each in minted]
    assert max(lengths) <= 64
    assert length < LONGEST_PREFIX or max(lengths) == 64
    for each in minted:
        assert isinstance(verifier(path).verify(each, at=NOON), Verified)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        (ReturnPath("bounces.example.pl", "b" * (LONGEST_PREFIX + 1)), "prefix .* at most 28"),
        (ReturnPath("bounces.example.pl", "żółw"), "prefix .* ASCII"),
        (ReturnPath(f"{'a.' * 94}pl", "b"), f"domain .* at most {LONGEST_DOMAIN}"),
    ],
)
def test_no_room(path: ReturnPath, said: str) -> None:
    """A return path that leaves no room for tokens can't be signed, and says so."""
    with pytest.raises(ValueError, match=said):
        Signer(path, KEYS)
    with pytest.raises(ValueError, match=said):
        SignedPath(path, KEYS)


def test_prefix_of_a_prefix() -> None:
    """Where one prefix begins another, each path's tokens are its own."""
    paths = [ReturnPath("r.example.pl", each, "-=") for each in ("news", "news-pl")]
    both = Verifier([SignedPath(each, KEYS) for each in paths])
    for path in paths:
        found = both.verify(signer(path).mint("jan@example.com", day=DAY), at=NOON)
        assert isinstance(found, Verified)
        assert found.path == path


def test_campaign_hash() -> None:
    """A campaign's name gives 24 bits; no name gives none, and no other name does."""
    assert campaign_hash("") == campaign_hash("  ") == 0
    assert campaign_hash("wiosna 2026") == campaign_hash(" wiosna 2026 ") != campaign_hash("Wiosna 2026")
    assert all(0 < campaign_hash(f"x{each}") < 1 << 24 for each in range(100))
    assert campaign_hash("\ud800") > 0


class TestSameWork:
    """However wrong a token is, the same is done for it and the same is said of it."""

    @pytest.fixture
    def work(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        done: list[str] = []
        mac, compare = Seal.mac, hmac.compare_digest

        def counted_mac(*arguments: Any) -> int:
            done.append("mac")
            return mac(*arguments)

        def counted_compare(one: bytes, other: bytes) -> bool:
            done.append(f"compare {len(one)} {len(other)}")
            return compare(one, other)

        monkeypatch.setattr(Seal, "mac", counted_mac)
        monkeypatch.setattr(token.hmac, "compare_digest", counted_compare)
        return done

    @pytest.mark.parametrize(
        "address",
        [
            LITERAL,
            LITERAL.replace("l@", "m@"),
            LITERAL.replace("=fkk", "=fck"),
            LITERAL.replace("=fkk", "=ekk"),
            LITERAL.replace("jan=", "ewa="),
            HASHED.replace("jkkz", "jkkk"),
            HASHED.replace("a@", "b@"),
            MESSAGE.replace("z@", "y@"),
        ],
    )
    @pytest.mark.parametrize("days", [0, 40])
    def test_same_work(self, work: list[str], address: str, days: int) -> None:
        """One MAC and one whole comparison, whether key id, head, recipient or MAC are wrong, or the day is past."""
        found = verify(address, NOON + dt.timedelta(days=days))
        assert work == ["mac", "compare 9 9"]
        if address != LITERAL:
            assert found == FORGED


def test_secrets_unshown() -> None:
    """No secret shows in anything that may be logged (F50)."""
    one = key(5, b"super-secret-octets-of-a-key-123")
    ring = KeyRing([one])
    found = verifier(keys=ring).verify(signer(keys=ring).mint("jan@example.com", day=DAY), at=NOON)
    for each in (one, ring, SignedPath(PATH, ring), signer(keys=ring), verifier(keys=ring), found):
        for shown in (repr(each), str(each), f"{each}"):
            assert "super" not in shown
            assert b"super".hex() not in shown
    assert "5 of 2026-11-01" in repr(ring)
