"""How the octets of a text are to be read: UTF-8, UTF-16, windows-1250 or ISO-8859-2; and what is no text."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bouncemilter.lists.errors import ListError
from bouncemilter.lists.source import Source

ENCODINGS: Final = ("utf-8", "utf-16-le", "utf-16-be", "windows-1250", "iso-8859-2")
_CHUNK: Final = 1 << 20
_SAMPLE: Final = 4096
_CONTROLS: Final = bytes({*range(1, 9), *range(14, 27), *range(28, 32)})
# Where the two Polish code pages differ: ą Ą ś Ś ź Ź (Unicode's mapping tables CP1250.TXT and 8859-2.TXT).
_WINDOWS_1250: Final = b"\xb9\xa5\x9c\x8c\x9f\x8f"
_ISO_8859_2: Final = b"\xb1\xa1\xb6\xa6\xbc\xac"
_REPLACED: Final = "\ufffd"
"""Stands where octets are no UTF-8."""
_MAGIC: Final = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel workbook (.xls) or one with a password; save it as .xlsx without one, or as CSV",
    ),
    (b"PK\x03\x04", "an archive, but no .xlsx workbook; save the list as .xlsx or CSV"),
    (b"\x1f\x8b", "compressed by gzip; unpack it first"),
    (b"%PDF", "a PDF; save the list as CSV"),
    (b"{\\rtf", "a text with formatting (RTF); save the list as plain text or CSV"),
    (b"SQLite format 3\0", "a database; export the list as CSV"),
    (b"\xff\xfe\x00\x00", "UTF-32; save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "UTF-32; save it as UTF-8"),
)


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding, and the carrier in which a text of it is taken apart and put together again without loss."""

    name: str
    """One of ENCODINGS."""
    bom: bytes = b""

    @property
    def carrier(self) -> str:
        """A codec that maps octets one to one: latin-1 for all that contain ASCII; UTF-16 is its own."""
        return self.name if self.name.startswith("utf-16") else "latin-1"

    @property
    def errors(self) -> str:
        """How the carrier treats what is no character: unpaired surrogates are kept."""
        return "surrogatepass" if self.name.startswith("utf-16") else "strict"

    def text(self, carried: str) -> str:
        """What is meant by a piece of the carrier."""
        if carried.isascii() or self.carrier != "latin-1":
            return carried
        return carried.encode("latin-1").decode(self.name, "replace")


def find(source: Source, wished: str = "") -> Encoding:
    """The encoding of a list; `wished` overrules all but the mark. ListError where it is no text; OSError."""
    with source.open() as file:
        start = file.read(_SAMPLE)
        _refuse_binary(source, start)
        found = _marked(start) or _unmarked_utf16(start)
        if wished and (found is None or not found.bom):
            found = Encoding(wished)
        if found and found.carrier != "latin-1":
            if source.size % 2:
                raise ListError(
                    f"{source.path}: UTF-16 with an odd number of octets ({source.size}): the file is cut off"
                )
            return found
        file.seek(0)
        looked = _scan(source, file.read)
    return found or Encoding(looked)


def decoded(source: Source, wished: str = "") -> str:
    """A whole text without its mark; what is no character is marked. ListError, OSError: as `find`."""
    found = find(source, wished)
    with source.open() as file:
        return file.read().removeprefix(found.bom).decode(found.name, "replace")


def _refuse_binary(source: Source, start: bytes) -> None:
    for magic, words in _MAGIC:
        if start.startswith(magic):
            raise ListError(f"{source.path}: {words}")


def _marked(start: bytes) -> Encoding | None:
    marks = (("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("utf-16-be", codecs.BOM_UTF16_BE))
    return next((Encoding(name, bom) for name, bom in marks if start.startswith(bom)), None)


def _unmarked_utf16(start: bytes) -> Encoding | None:
    """UTF-16 without a mark: of addresses, every other octet is zero."""
    pairs = len(start) // 2
    if pairs < 2:
        return None
    high, low = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    if low > 0.5 * pairs and 10 * high < low:
        return Encoding("utf-16-le")
    if high > 0.5 * pairs and 10 * low < high:
        return Encoding("utf-16-be")
    return None


def _scan(source: Source, read: Callable[[int], bytes]) -> str:
    """The encoding of a text that contains ASCII, by all of its octets.

    Where most of what is not ASCII is UTF-8, all is: a few records of another encoding don't change the others.
    """
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    letters = broken = windows = iso = place = lines = 0
    while chunk := read(_CHUNK):
        zero = chunk.find(0)
        if zero >= 0 or (place == 0 and _mostly_controls(chunk[:_SAMPLE])):
            lines += chunk.count(b"\n", 0, max(zero, 0)) + 1
            where = f"octet {place + max(zero, 0)}, line {lines}"
            raise ListError(f"{source.path}: a binary file, no list ({where})")
        place += len(chunk)
        lines += chunk.count(b"\n")
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        decoded = decoder.decode(chunk)
        marks = decoded.count(_REPLACED)
        broken += marks
        letters += len(decoded) - len(decoded.encode("ascii", "ignore")) - marks
        windows += len(chunk) - len(chunk.translate(None, _WINDOWS_1250))
        iso += len(chunk) - len(chunk.translate(None, _ISO_8859_2))
    broken += decoder.decode(b"", final=True).count(_REPLACED)
    if letters > broken or not broken:
        return "utf-8"
    return "windows-1250" if windows >= iso else "iso-8859-2"


def _mostly_controls(sample: bytes) -> bool:
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > max(8, len(sample) // 50)
