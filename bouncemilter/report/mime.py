"""A bounded one-pass MIME splitter on bytes (RFC 2045, RFC 2046).

It finds the leaves of a message in order and looks inside no returned message: a report's own parts are what counts.
Every limit of limits.py ends the work with its defect; what was found until then stands. Offsets into one buffer,
nothing is copied or decoded before it is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Defect
from bouncemilter.report import charset as charsets
from bouncemilter.report import encoding, markup
from bouncemilter.report.header import Headers, parameters

TEXT: Final = 64 * 1024
"""Octets of one text part that are decoded: 100 recipients of 600 octets each."""
FALSE_DELIMITERS: Final = 1000
"""Lines that begin like a delimiter and are none; more of them come from an attacker only."""

_FIELD: Final = re.compile(rb"[!-9;-~]{1,200}+[ \t]*:")
_GUESSED: Final = re.compile(rb"\n--([^\s-][^\n]{0,199})\n(?=[Cc]ontent-|\n)")
_MESSAGES: Final = frozenset((b"message/rfc822", b"message/global", b"message/news"))
_HEADER_PARTS: Final = frozenset(
    (b"text/rfc822-headers", b"message/global-headers", b"text/rfc822-header", b"message/rfc822-headers")
)


def normalise(raw: bytes) -> bytes:
    """`raw` with `\\n` as its only line end, whatever mixture of CR, LF and CRLF (and CR CR LF) it had."""
    if b"\r" not in raw:
        return raw
    data = raw.replace(b"\r\r\n", b"\n").replace(b"\r\n", b"\n")
    return data.replace(b"\r", b"\n") if b"\r" in data else data


def body_start(data: bytes, start: int, end: int) -> int:
    """Where the body of an entity begins whose header block begins at `start`; `end` where it has none."""
    if data[start : start + 1] == b"\n":
        return start + 1
    if not _FIELD.match(data, start, end):
        return start
    at = data.find(b"\n\n", start, end)
    return at + 2 if at >= 0 else end


class Part:
    """A leaf: its content type in lower case, its headers, and where its body lies."""

    __slots__ = ("_data", "_defects", "_text", "content_type", "end", "headers", "start")

    def __init__(
        self, data: bytes, headers: Headers, start: int, end: int, content_type: bytes, defects: set[Defect]
    ) -> None:
        self._data = data
        self._defects = defects
        self._text: str | None = None
        self.headers = headers
        self.start = start
        self.end = end
        self.content_type = content_type

    @property
    def is_text(self) -> bool:
        """Whether people read it: text/plain, text/html and the like, not headers and no attachment."""
        return self.content_type.startswith(b"text/") and self.content_type not in _HEADER_PARTS

    @property
    def is_message(self) -> bool:
        """Whether it holds a whole message."""
        return self.content_type in _MESSAGES

    @property
    def is_headers(self) -> bool:
        """Whether it holds the header block of a message."""
        return self.content_type in _HEADER_PARTS

    @property
    def is_attachment(self) -> bool:
        """Whether its sender meant it as a file."""
        return self.headers.token(b"content-disposition") == b"attachment"

    def content(self, limit: int = TEXT) -> bytes:
        """The body, its transfer encoding undone, at most about `limit` octets."""
        name = self.headers.token(b"content-transfer-encoding")
        raw = self._data[self.start : min(self.end, self.start + 3 * limit)]
        return encoding.decode(raw, name, limit, self._defects)

    def parameter(self, name: bytes) -> bytes:
        """One parameter of its Content-Type, empty where absent."""
        return parameters(self.headers.raw(b"content-type"), self._defects).get(name, b"")

    @property
    def text(self) -> str:
        """The body as text with `\\n` line ends, HTML as plain text; decoded once."""
        if self._text is None:
            self._text = self._decoded()
        return self._text

    def _decoded(self) -> str:
        raw = self.content()
        charset = "" if raw.isascii() and b"\x1b" not in raw else self._charset(raw)
        found = text.decode(raw, charset)
        if "\r" in found:
            found = found.replace("\r\n", "\n").replace("\r", "\n")
        return markup.to_text(found) if self.content_type == b"text/html" else found

    def _charset(self, raw: bytes) -> str:
        """The declared charset; the likely one where none, or ASCII, is declared for what is not ASCII."""
        declared = self.parameter(b"charset").decode("ascii", "replace")
        known = text.charset(declared) if declared else None
        if declared and known is None:
            self._defects.add(Defect.BAD_CHARSET)
        return declared if known not in (None, "us-ascii") else charsets.guess(raw)

    def message_headers(self) -> Headers:
        """The headers of the message (or header block) that this part holds."""
        content = normalise(self.content(limits.HEADER_BLOCK + 1)).lstrip(b"\n")
        if content.startswith(b"From "):
            content = content.partition(b"\n")[2]
        end = content.find(b"\n\n")
        return Headers(content[:end] if end >= 0 else content, self._defects)


class Splitter:
    """Collects the leaves of one message."""

    def __init__(self, data: bytes, defects: set[Defect], is_late: Callable[[], bool] = bool) -> None:
        self._is_late = is_late
        self.leaves: list[Part] = []
        self._data = data
        self._defects = defects
        self._inside = False  # whether a returned message is walked through

    def walk(self, headers: Headers, start: int, end: int) -> None:
        """Split the entity with these headers and the body `start`:`end` into leaves."""
        self._entity(headers, start, end, depth=1)

    def _entity(self, headers: Headers, start: int, end: int, depth: int) -> None:
        declared = headers.raw(b"content-type")
        content_type = declared.partition(b";")[0].strip().lower() or b"text/plain"
        if content_type.startswith(b"multipart/"):
            if depth > limits.MIME_DEPTH:
                self._defects.add(Defect.LIMIT_DEPTH)
            else:
                self._multipart(declared, start, end, depth)
            return
        self._leaf(headers, start, end, content_type)
        if content_type in _MESSAGES and (self._inside or self._is_deep(start, end)):
            self._look_inside(start, end, depth)

    def _is_deep(self, start: int, end: int) -> bool:
        """Whether there may be too much depth: nothing is nested deeper than composite types are named."""
        data = self._data
        return data.count(b"ultipart/", start, end) + data.count(b"essage/", start, end) >= limits.MIME_DEPTH

    def _leaf(self, headers: Headers, start: int, end: int, content_type: bytes) -> None:
        if len(self.leaves) >= limits.MIME_PARTS:
            self._defects.add(Defect.LIMIT_PARTS)
            return
        self.leaves.append(Part(self._data, headers, start, end, content_type, self._defects))

    def _look_inside(self, start: int, end: int, depth: int) -> None:
        """Walk through a returned message for its depth alone; its parts are nobody's business."""
        if depth > limits.MIME_DEPTH:
            self._defects.add(Defect.LIMIT_DEPTH)
            return
        mine, inside = self.leaves, self._inside
        self.leaves, self._inside = [], True
        body = body_start(self._data, start, end)
        self._entity(Headers(self._data[start:body], self._defects), body, end, depth + 1)
        self.leaves, self._inside = mine, inside

    def _multipart(self, declared: bytes, start: int, end: int, depth: int) -> None:
        boundary = parameters(declared, self._defects).get(b"boundary", b"").rstrip()
        spans = self._spans(boundary, start, end) if boundary else []
        if not spans:
            self._defects.add(Defect.NO_BOUNDARY)
            guessed = _GUESSED.search(self._data, max(start - 1, 0), min(end, start + TEXT))
            spans = self._spans(guessed[1].rstrip(), start, end) if guessed else []
        if not spans:
            self._leaf(Headers(b"", self._defects), start, end, b"text/plain")
        for first, last in spans:
            if self._is_late() or (Defect.LIMIT_PARTS in self._defects and len(self.leaves) >= limits.MIME_PARTS):
                return
            body = body_start(self._data, first, last)
            self._entity(Headers(self._data[first:body], self._defects), body, last, depth + 1)

    def _spans(self, boundary: bytes, start: int, end: int) -> list[tuple[int, int]]:
        """Where the parts between the delimiter lines lie, headers included (RFC 2046 section 5.1.1)."""
        data, delimiter = self._data, b"\n--" + boundary
        spans: list[tuple[int, int]] = []
        opened = -1
        false = 0
        at = data.find(delimiter, max(start - 1, 0), end)
        while at >= 0:
            after = at + len(delimiter)
            following = data[after : after + 2]
            closing = following == b"--"
            if not closing and following[:1] not in (b"\n", b" ", b"\t", b""):
                false += 1
                at = data.find(delimiter, after, end) if false < FALSE_DELIMITERS else -1
                continue
            if opened >= 0:
                spans.append((opened, at))
            if closing:
                return spans
            if len(spans) > limits.MIME_PARTS:
                self._defects.add(Defect.LIMIT_PARTS)
                return spans
            line_end = data.find(b"\n", after, end)
            opened = line_end + 1 if line_end >= 0 else end
            # The newline before a delimiter belongs to it, so an empty part shares it with the line above.
            at = data.find(delimiter, max(opened - 1, 0), end)
        if opened >= 0:
            self._defects.add(Defect.UNCLOSED_MULTIPART)
            spans.append((opened, end))
        return spans
