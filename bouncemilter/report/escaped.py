"""Octets that a mail system wrote as escapes: Exim prints what is not ASCII in octal (`skrzynka pe\\305\\202na`)."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import text
from bouncemilter.report import charset

_OCTAL: Final = re.compile(r"\\([23][0-7]{2})")
_RUN: Final = re.compile(r"(?:\\[23][0-7]{2})+")


def decoded(words: str) -> str:
    """`words` with octal escapes of octets above 127 as the characters that they are; as it is where there are none.

    The octets of all escapes together tell their charset: UTF-8, else as of any text that declares none.
    """
    if "\\" not in words or not _OCTAL.search(words) or not words.isascii():
        return words
    raw = _RUN.sub(lambda run: _octets(run[0]).decode("latin-1"), words).encode("latin-1")
    return text.decode(raw, charset.guess(raw))


def _octets(run: str) -> bytes:
    return bytes(int(each, 8) for each in _OCTAL.findall(run))
