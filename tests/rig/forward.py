"""Mails that people forward as attachment."""

from __future__ import annotations

import base64
import itertools

_numbers = itertools.count(1)

REVIEW = "review@bounces.own.test"


def forward(*parts: bytes, sender: str = "szef@own.test", to: str = REVIEW) -> bytes:
    """A letter with these parts behind its text; each begins with its own headers. With LF line ends."""
    number = next(_numbers)
    boundary = f"forward-{number}"
    text = b"Content-Type: text/plain; charset=utf-8\n\nCo to jest?\n"
    body = b"".join(f"--{boundary}\n".encode() + each + b"\n" for each in (text, *parts))
    head = f"""\
From: Szef <{sender}>
To: {to}
Subject: Fwd: zwrot
Message-ID: <forward.{number}@own.test>
Date: Mon, 05 Jan 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="{boundary}"

"""
    return head.encode() + body + f"--{boundary}--\n".encode()


def message(mail: bytes) -> bytes:
    """As most mail programs attach a mail."""
    return b"Content-Type: message/rfc822\nContent-Disposition: attachment\n\n" + mail


def file(name: str, content: bytes, content_type: str = "application/octet-stream") -> bytes:
    """A file that was saved before. `name` as it stands in the header."""
    head = f'Content-Type: {content_type}; name="{name}"\nContent-Transfer-Encoding: base64\n'
    return f"{head}Content-Disposition: attachment\n\n".encode() + base64.encodebytes(content)
