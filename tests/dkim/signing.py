"""Signs header blocks as dkimpy signs mail, with a pair of keys that is for tests only."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any
from unittest import mock

import dkim

from bouncemilter.dkim import Key, load

KEYS = Path(__file__).parent / "keys"
RECORD = KEYS / "test-only.txt"
NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
KEY: Key = load("own.test", "bulk", RECORD)
HEADERS = """\
Received: from web.own.test by mx.own.test (Postfix) with ESMTP id 4ZQ; Sun,  1 Mar 2026 12:00:00 +0100
From: Sklep =?utf-8?Q?=C5=BB=C3=B3=C5=82w?= <news@own.test>
To: Jan Kowalski <jan@klient.test>
Subject: Oferta na marzec,
\tdla Ciebie
Date: Sun, 01 Mar 2026 12:00:00 +0100
Message-ID: <1@own.test>
"""
SIGNED = ("From", "To", "Subject", "Date", "Message-ID")


class _Signer(dkim.DKIM):
    """dkimpy's signer, with other tags."""

    tags: dict[bytes, bytes | None]

    def gen_header(
        self, fields: list[tuple[bytes, bytes]], include_headers: tuple[bytes, ...], *rest: Any, **more: Any
    ) -> bytes:
        if h := self.tags.get(b"h"):
            include_headers = tuple(h.split(b":"))
        first = [(name, self.tags.get(name, value)) for name, value in fields if name != b"b"]
        new = [(name, value) for name, value in self.tags.items() if name not in dict(fields)]
        changed = [(name, value) for name, value in [*first, *new] if value is not None]
        return super().gen_header([*changed, (b"b", b"0" * 60)], include_headers, *rest, **more)


def signature(
    headers: str = HEADERS,
    names: tuple[str, ...] = SIGNED,
    at: dt.datetime = NOON,
    form: str = "relaxed",
    key: str = "test-only",
    **tags: str | None,
) -> str:
    """The DKIM-Signature field of some headers, with its line end; a tag that is None is left out."""
    signer = _Signer(
        headers.replace("\n", "\r\n").encode() + b"\r\nTekst.\r\n",
        signature_algorithm=(tags.get("a") or "rsa-sha256").encode(),
    )
    signer.tags = {name.encode(): value.encode() if value is not None else None for name, value in tags.items()}
    with mock.patch("dkim.time.time", return_value=at.timestamp()):
        field = signer.sign(
            (tags.get("s") or "bulk").encode(),
            (tags.get("d") or "own.test").encode(),
            (KEYS / f"{key}.private.pem").read_bytes(),
            canonicalize=(form.encode(), form.encode()),
            include_headers=[each.encode() for each in names],
        )
    return field.replace(b"\r\n", b"\n").decode()


def signed(headers: str = HEADERS, **changes: Any) -> str:
    """The headers below their signature."""
    return signature(headers, **changes) + headers
