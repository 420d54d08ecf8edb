"""Cleaning foreign text at the border: what leaves this module may be stored, logged and shown."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits

# C0 and C1 controls, DEL, lone surrogates, zero-width and bidirectional controls, the BOM, tags and the noncharacters:
# SQLite raises on surrogates, PostgreSQL refuses NUL, terminals obey ESC, and people are fooled by bidi overrides.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
    + "]+"
)
_SPACES = re.compile(r"[ \u00a0\u2000-\u200a\u3000]{2,}|\u00a0")

CHARSETS: Final = frozenset(
    (
        "utf-8 us-ascii iso-8859-1 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 "
        "iso-8859-9 iso-8859-10 iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16 windows-1250 windows-1251 windows-1252 "
        "windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 koi8-r koi8-u iso-2022-jp "
        "iso-2022-jp-2 shift_jis euc-jp gb2312 gbk gb18030 big5 euc-kr iso-2022-kr cp437 cp850 cp852 cp866 cp932 "
        "mac-roman mac-latin2 tis-620"
    ).split()
)
"""The charsets that are decoded. Python knows others that cost seconds or run code paths of their own
(`punycode` 1.9 s for 200 kB, `idna`, `zlib`, `unicode_escape`, utf-7); those are read as latin-1."""

_ALIASES: Final = {
    "ascii": "us-ascii",
    "utf8": "utf-8",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "latin2": "iso-8859-2",
    "iso8859-1": "iso-8859-1",
    "iso8859-2": "iso-8859-2",
    "iso_8859-1": "iso-8859-1",
    "iso_8859-2": "iso-8859-2",
    "cp1250": "windows-1250",
    "cp1251": "windows-1251",
    "cp1252": "windows-1252",
    "x-sjis": "shift_jis",
    "shift-jis": "shift_jis",
    "sjis": "shift_jis",
    "windows-31j": "cp932",
    "ks_c_5601-1987": "euc-kr",
    "iso-8859-8-i": "iso-8859-8",
    "unicode-1-1-utf-8": "utf-8",
}

_MESSAGE_ID: Final = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n]")
"""What a spreadsheet takes for the start of a formula, or what looks like a guarded one."""


def charset(name: str) -> str | None:
    """The codec for a MIME charset name, or None where it is not on the allow-list."""
    folded = name.strip().strip("\"'").lower()
    folded = _ALIASES.get(folded, folded)
    return folded if folded in CHARSETS else None


def decode(raw: bytes, charset_name: str = "") -> str:
    """Bytes as text; never raises. Undeclared and unknown charsets are tried as UTF-8, then read as latin-1."""
    codec = charset(charset_name) if charset_name else None
    if codec is None or codec == "us-ascii":
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw.decode("iso-8859-1")
    return raw.decode(codec, "replace")


def clean(text: str, limit: int) -> str:
    """`text` on one line, without anything unsafe, at most `limit` characters.

    Runs of controls become one space, so that words stay apart.
    """
    if len(text) <= limit and text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()  # as most texts are
    # A slice first: what is cut off later need not be cleaned; controls never make text longer.
    piece = text if len(text) <= 4 * limit else text[: 4 * limit]
    if not piece.isprintable():  # all that is unsafe is not printable, and tabs are most of it
        piece = piece.replace("\t", " ")
        if not piece.isprintable():
            piece = _UNSAFE.sub(" ", piece)
    if "  " in piece or "\u00a0" in piece or not piece.isascii():
        piece = _SPACES.sub(" ", piece)
    return piece.strip()[:limit].rstrip()


def whole_message_id(value: str) -> str:
    """The Message-ID in `value` with its angle brackets, empty where it is absent or malformed (RFC 5322 3.6.4)."""
    match = _MESSAGE_ID.search(value)
    return match[0] if match and len(match[0]) <= limits.MESSAGE_ID else ""


def guarded(text: str) -> str:
    """`text` as a CSV cell that no spreadsheet takes for a formula: then with an apostrophe before it (OWASP).

    It can be undone: what begins with apostrophes and a formula gets one more.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell from `guarded`."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def unhidden(text: str) -> str:
    """`text` without what is unsafe, and so without what nobody sees in it: zero-width letters, marks, soft hyphens."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub("", text)


def visible(text: str) -> str:
    """`text` with every unsafe character written as an escape (`\\x1b`, `\\u202e`): for terminals and logs."""
    return _UNSAFE.sub(lambda run: "".join(_escape(char) for char in run.group()), text)


def _escape(char: str) -> str:
    code = ord(char)
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
