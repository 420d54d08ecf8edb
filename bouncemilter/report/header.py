"""One header block, looked up lazily: names are searched in the bytes, and only what is asked for is decoded.

RFC 5322 (fields, folding), RFC 2047 (encoded words), RFC 2231 (parameters). Every value is cut at limits.HEADER_LINE.
"""

from __future__ import annotations

import binascii
import re
from itertools import islice
from typing import Final

from bouncemilter import address, limits, text
from bouncemilter.model import Defect
from bouncemilter.report import charset as charsets

_FIELD: Final = re.compile(rb"^([!-9;-~]{1,80}+)[ \t]*:([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_WORD: Final = re.compile(rb"=\?([A-Za-z0-9_.:-]{1,40})(?:\*[A-Za-z0-9-]{1,20})?\?([bBqQ])\?([^?]{0,998})\?=")
_HEX: Final = re.compile(rb"=([0-9A-Fa-f]{2})")
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")
_PARAMETER: Final = re.compile(
    rb";[ \t]*([A-Za-z0-9!#$&+.^_`|~-]{1,64}+)(?:\*(\d{1,3}))?(\*)?[ \t]*=[ \t]*"
    rb'(?:"((?:[^"\\]|\\.)*+)"?|([^;\s]*+))',
    re.DOTALL,
)
_QUOTED_PAIR: Final = re.compile(rb"\\(.)", re.DOTALL)
_ANGLE: Final = re.compile(r"<[ \t]*([^<>\s]*)[ \t]*>")
PLAIN: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,3}[A-Za-z0-9-]{1,63}\Z")
"""The address that needs no closer look: ASCII, no quotes, within all limits."""
_LOCAL: Final = rb"[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}"
_ADDRESS: Final = _LOCAL + rb"@(?:[A-Za-z0-9-]{1,63}\.){1,3}[A-Za-z0-9-]{1,63}"
_PLAINLY: Final = re.compile(rb"[^<]*+<(" + _ADDRESS + rb")>|(" + _ADDRESS + rb")\Z")
"""A field with a plain address in the first angle brackets, or alone: most are."""
_COMMENT: Final = re.compile(r"\([^()]*\)")
_BARE: Final = re.compile(r'[^\s<>()",:;]+@[^\s<>()",:;]+')


PARAMETERS: Final = 64
"""Parameters of one field that are looked at, continuations included; real ones have six."""
REPEATS: Final = 16
"""Values of one repeated field that are looked at."""


class Headers:
    """A header block with `\\n` line ends, its fields found in one pass. Names are given in lower case."""

    __slots__ = ("_defects", "_fields", "_first", "block")

    def __init__(self, block: bytes, defects: set[Defect]) -> None:
        if len(block) > limits.HEADER_BLOCK:
            defects.add(Defect.LIMIT_HEADER)
            block = block[: limits.HEADER_BLOCK]
        self.block = block
        self._defects = defects
        self._fields: list[tuple[bytes, bytes]] = _FIELD.findall(block)
        self._first = {name.lower(): value for name, value in reversed(self._fields)}

    def __contains__(self, name: bytes) -> bool:
        return name in self._first

    def raw(self, name: bytes) -> bytes:
        """The first value of field `name`, unfolded; empty where absent."""
        value = self._first.get(name)
        return self._value(value) if value else b""

    def all(self, name: bytes) -> list[bytes]:
        """The values of a repeated field, unfolded, at most REPEATS."""
        values = (value for written, value in self._fields if written.lower() == name)
        return [self._value(value) for value in islice(values, REPEATS)]

    def any_of(self, names: frozenset[bytes]) -> bool:
        """Whether one of these fields is there."""
        return not names.isdisjoint(self._first)

    def token(self, name: bytes) -> bytes:
        """The value in lower case, without parameters and comments: `auto-replied`, `multipart/report`."""
        value = self.raw(name)
        return value.partition(b";")[0].partition(b"(")[0].strip().lower() if value else b""

    def text(self, name: bytes, limit: int = limits.SUBJECT) -> str:
        """The first value of field `name` decoded and cleaned, at most `limit` characters."""
        value = self.raw(name)
        return text.clean(decode(value, self._defects), limit) if value else ""

    def address(self, name: bytes) -> str:
        """The first mailbox of an address field, or an empty string."""
        value = self.raw(name)
        if b"@" not in value:
            return ""
        if b"=?" not in value and value.isascii() and b"\x1b" not in value and (plain := _PLAINLY.match(value)):
            return (plain[1] or plain[2]).decode("ascii")
        return mailbox(decode(value, self._defects))

    def _value(self, value: bytes) -> bytes:
        value = value.strip()
        if b"\n" in value:
            value = value.replace(b"\n", b"")
        if len(value) > limits.HEADER_LINE:
            self._defects.add(Defect.LIMIT_LINE)
            value = value[: limits.HEADER_LINE]
        return value


def mailbox(value: str) -> str:
    """The first address of an address list: in angle brackets, else bare; empty where there is none."""
    for match in _ANGLE.finditer(value):
        if PLAIN.match(match[1]):
            return match[1]
        if address.split(match[1]):
            return text.clean(match[1], limits.ADDRESS)
    found = _BARE.search(_COMMENT.sub(" ", value)) or _BARE.search(value)
    bare = found[0].strip(".'") if found else ""
    return text.clean(bare, limits.ADDRESS) if bare and address.split(bare) else ""


def decode(value: bytes, defects: set[Defect]) -> str:
    """A field's bytes as text, encoded words resolved (RFC 2047); never raises."""
    if b"=?" not in value:
        if value.isascii() and b"\x1b" not in value:
            return value.decode("ascii")
        return text.decode(value, charsets.guess(value))
    out: list[str] = []
    run = bytearray()
    run_charset = ""
    position = 0
    for match in _WORD.finditer(value):
        gap = value[position : match.start()]
        charset = match[1].decode("ascii")
        # White space between encoded words is not shown, and software splits characters between words of one charset.
        apart = bool(gap.strip()) or position == 0
        if run and (apart or charset.lower() != run_charset):
            out.append(_text(bytes(run), run_charset, defects))
            run.clear()
        if apart:
            out.append(text.decode(gap))
        run += _word(match[2], match[3], defects)
        run_charset = charset.lower()
        position = match.end()
    if run:
        out.append(_text(bytes(run), run_charset, defects))
    out.append(text.decode(value[position:]))
    return "".join(out)


def _text(raw: bytes, charset: str, defects: set[Defect]) -> str:
    if text.charset(charset) is None:
        defects.add(Defect.BAD_CHARSET)
    return text.decode(raw, charset)


def _word(encoding: bytes, payload: bytes, defects: set[Defect]) -> bytes:
    if encoding in b"qQ":
        return _HEX.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), payload.replace(b"_", b" "))
    try:
        return binascii.a2b_base64(payload + b"==")
    except binascii.Error:
        defects.add(Defect.BAD_ENCODING)
        return b""


def parameters(value: bytes, defects: set[Defect]) -> dict[bytes, bytes]:
    """The parameters of a structured field, names in lower case, RFC 2231 continuations joined.

    The first of a repeated name wins.
    """
    plain: dict[bytes, bytes] = {}
    pieces: dict[bytes, dict[int, bytes]] = {}
    for count, match in enumerate(_PARAMETER.finditer(value)):
        if count >= PARAMETERS:
            defects.add(Defect.LIMIT_LINE)
            break
        name = match[1].lower()
        content = (
            match[5] if match[4] is None else _QUOTED_PAIR.sub(rb"\1", match[4]) if b"\\" in match[4] else match[4]
        )
        if match[3]:
            content = _extended(content, first=not match[2] or match[2] == b"0")
        if match[2]:
            pieces.setdefault(name, {}).setdefault(int(match[2]), content)
        else:
            plain.setdefault(name, content)
    for name, numbered in pieces.items():
        plain.setdefault(name, b"".join(numbered[index] for index in sorted(numbered)))
    return plain


def _extended(content: bytes, *, first: bool) -> bytes:
    """An extended value (`utf-8'pl'%C5%82`) as bytes; its charset is of no use for what is read here."""
    if first and content.count(b"'") >= 2:
        content = content.split(b"'", 2)[2]
    return _PERCENT.sub(lambda match: bytes.fromhex(match[1].decode("ascii")), content)
