"""Public keys from files: the DNS record's text, a zone's line, PEM; what is none says why."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from bouncemilter.dkim import PublicKeyError, load
from tests.dkim.signing import KEY, KEYS, RECORD

TEXT = RECORD.read_text()
P = TEXT.partition("p=")[2].strip()


def read(folder: Path, text: str | bytes) -> object:
    file = folder / "key.txt"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return load("Own.test", "BULK", file)


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"k=rsa; t=s; p={P[:100]} {P[100:]}",
        f"p={P};",
        f'bulk._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n\t"p={P[:200]}"\n\t"{P[200:]}" ) ; - DKIM key',
        (KEYS / "test-only.public.pem").read_text(),
    ],
)
def test_forms(tmp_path: Path, text: str) -> None:
    """The record as it is published, as opendkim-genkey writes it, or PEM: all say the same."""
    assert read(tmp_path, text) == KEY
    assert (KEY.domain, KEY.selector, KEY.modulus.bit_length(), KEY.octets, KEY.exponent) == (
        "own.test",
        "bulk",
        2048,
        256,
        65537,
    )


def _rsa(modulus: int, exponent: int) -> str:
    """An RSAPublicKey (RFC 8017 appendix A.1.1) in base64."""

    def der(tag: int, content: bytes) -> bytes:
        size = len(content)
        octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
        return bytes([tag]) + (bytes([size]) if size < 128 else bytes([128 + len(octets)]) + octets) + content

    numbers = (der(2, each.to_bytes(each.bit_length() // 8 + 1, "big")) for each in (modulus, exponent))
    return base64.b64encode(der(0x30, b"".join(numbers))).decode()


@pytest.mark.parametrize(("bits", "good"), [(1023, False), (1024, True), (4096, True), (4097, False)])
def test_sizes(tmp_path: Path, bits: int, good: bool) -> None:
    """Keys of 1024 to 4096 bits are taken (RFC 8301 section 3.2)."""
    text = f"v=DKIM1; p={_rsa((1 << bits) - 1, 65537)}"
    if good:
        read(tmp_path, text)
    else:
        with pytest.raises(PublicKeyError, match=f"key.txt: a key of {bits} bits; from 1024 to 4096 are taken"):
            read(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a DKIM record (v=DKIM1; k=rsa; p=…)"),
        ("v=DKIM2; p=AAAA", "not a DKIM record (v=DKIM1; k=rsa; p=…)"),
        ("v=DKIM1; k=rsa", "not a DKIM record (v=DKIM1; k=rsa; p=…)"),
        ("ssh-rsa AAAAB3 jan", "neither the text of a DKIM record (v=DKIM1; k=rsa; p=…) nor a public key in PEM"),
        (b"\xff\xfe\0", "neither the text of a DKIM record (v=DKIM1; k=rsa; p=…) nor a public key in PEM"),
        ("v=DKIM1; k=rsa; p=", "the key is revoked: its p= is empty"),
        ("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", "only RSA keys (k=rsa) are understood"),
        ("v=DKIM1; p=AAAA", "not an RSA public key"),
        ("v=DKIM1; p=!", "not an RSA public key"),
        ("v=DKIM1; p=MIIB", "not an RSA public key"),
        (f"v=DKIM1; p={P[:-8]}", "not an RSA public key"),
        (f"v=DKIM1; p={_rsa((1 << 2048) - 1, 1)}", "not an RSA public key"),
        (f"v=DKIM1; p={_rsa((1 << 2048) - 1, 1 << 33)}", "not an RSA public key"),
        ((KEYS / "test-only.private.pem").read_text(), "a private key; the public one is needed, and nothing else"),
    ],
)
def test_faults(tmp_path: Path, text: str | bytes, said: str) -> None:
    """What can't be used is refused with the file and the reason."""
    with pytest.raises(PublicKeyError) as caught:
        read(tmp_path, text)
    assert str(caught.value) == f"{tmp_path}/key.txt: {said}"


def test_no_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(PublicKeyError, match=r"key\.txt: No such file or directory"):
        load("own.test", "bulk", tmp_path / "key.txt")
