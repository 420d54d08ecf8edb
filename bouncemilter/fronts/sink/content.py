"""The content of a message on the wire: its end and its dots (RFC 5321 section 4.5.2), read and written without I/O."""

from __future__ import annotations

import re
from typing import Final

_END: Final = b"\r\n.\r\n"
_STRAY = re.compile(rb"\r\n|\n|\r")


class ContentDecoder:
    """Finds the end of the content and takes the transparency dots off, in pieces of any size.

    Only CRLF.CRLF ends it: a dot behind a bare LF or CR is content, or a second message could hide in the first.
    Lines may have any length.
    """

    def __init__(self) -> None:
        # The CRLF of the DATA command stands before the first line, so a dot there may be the end already.
        self._held = b"\r\n"
        self._first = True

    def feed(self, piece: bytes) -> tuple[bytes, bytes | None]:
        """The content in `piece`, and what stands behind the end, or None while the end has not come.

        Up to four octets that may belong to the end are held back until the next call.
        """
        data = self._held + piece
        end = data.find(_END)
        if end >= 0:
            self._held = b""
            return self._plain(data[: end + 2]), data[end + len(_END) :]
        keep = next((size for size in range(4, 0, -1) if data.endswith(_END[:size])), 0)
        cut = len(data) - keep
        self._held = data[cut:]
        return self._plain(data[:cut]), None

    def _plain(self, data: bytes) -> bytes:
        plain = data.replace(b"\r\n.", b"\r\n")
        if self._first and plain:
            self._first = False
            return plain[2:]
        return plain


class ContentEncoder:
    """Makes content fit to be sent behind DATA, in pieces of any size.

    Bare LF becomes CRLF and bare CR a space (Postfix's cleanup_replace_stray_cr_lf is of the same mind): what we
    forward must not end early at a server that takes them for line ends.
    """

    def __init__(self) -> None:
        self._held = b""
        self._at_line_start = True

    def feed(self, piece: bytes) -> bytes:
        """The octets to send for `piece`; a CR at its end is held back until the next call."""
        data = self._held + piece
        self._held = b""
        if data.endswith(b"\r"):
            data, self._held = data[:-1], b"\r"
        return self._encode(data)

    def finish(self) -> bytes:
        """The last octets before the lone dot: the content always ends with CRLF."""
        rest = self._encode(b" ") if self._held else b""
        return rest if self._at_line_start else rest + b"\r\n"

    def _encode(self, data: bytes) -> bytes:
        if not data:
            return b""
        if not data.count(b"\r\n") == data.count(b"\n") == data.count(b"\r"):
            data = _STRAY.sub(lambda run: b" " if run.group() == b"\r" else b"\r\n", data)
        stuffed = data.replace(b"\r\n.", b"\r\n..")
        if self._at_line_start and stuffed.startswith(b"."):
            stuffed = b"." + stuffed
        self._at_line_start = stuffed.endswith(b"\r\n")
        return stuffed
