"""Rebuilding the message of RFC 5322 that a `.msg` file stands for ([MS-OXMSG], [MS-OXCMAIL])."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from bouncemilter.outlook import header, parts, report
from bouncemilter.outlook.compound import CompoundFile, OutlookError, Storage
from bouncemilter.outlook.properties import EMBEDDED, ROOT, ROW, Properties, Tag

DEPTH: Final = 4
"""Messages within messages. A report that somebody forwards has the returned message at the third."""
ATTACHMENTS: Final = 64
"""Attachments of one message: as many as a reader looks at (limits.MIME_PARTS)."""
TEXT: Final = 64 * 1024
"""Characters of a body, and octets of an attached text: as many as a reader looks at."""
CONTENT: Final = 256 * 1024
"""Octets of an attached mail."""
_HEADERS: Final = 100 * 1024
"""Characters of the original headers (limits.HEADER_BLOCK)."""

_BY_VALUE, _EMBEDDED_MESSAGE = 1, 5
_REPORT: Final = re.compile(r"(?im)^Content-Type:[ \t]*(multipart/report\b[^\n]*(?:\n[ \t][^\n]*)*)")
_TYPE_OF_REPORT: Final = re.compile(r'(?i)report-type="?([a-z-]{1,40})')
_MAILS: Final = (".eml", ".msg")


def to_rfc822(raw: bytes) -> bytes:
    """The message that a `.msg` file holds, with `\\n` line ends. Raises OutlookError.

    Equal files give equal octets. Attachments that say nothing of a mail (pictures, documents) are left empty.
    """
    try:
        return _rebuilt(CompoundFile(raw).root, ROOT, 0)
    except OutlookError:
        raise
    except Exception as error:  # a defect of ours must name the file, and stop nothing
        raise OutlookError(f"not understood ({type(error).__name__})") from error


def _rebuilt(storage: Storage, head: int, depth: int) -> bytes:
    found = Properties(storage, head)
    kind = found.line(Tag.MESSAGE_CLASS, limit=255).lower()
    written = found.text(Tag.TRANSPORT_HEADERS, _HEADERS)
    if not (kind or written or found.line(Tag.SUBJECT)):
        raise OutlookError("no message is in it")
    bodies, attached = list(_bodies(found)), list(_attached(storage, found, depth))
    if kind.startswith("report."):
        return report.rebuilt(storage, found, written, bodies, attached, depth)
    head_fields = parts.fields(written) or header.made(found)
    pieces = bodies + attached or [parts.part("text/plain", b"")]
    return parts.multipart(head_fields, _content_type(written), pieces, depth)


def _content_type(written: str) -> str:
    """A report's own type, which Outlook takes apart into attachments; that of any other mail does not matter."""
    declared = _REPORT.search(written)
    kind = _TYPE_OF_REPORT.search(declared[1]) if declared else None
    return f"multipart/report; report-type={kind[1].lower()}" if kind else "multipart/mixed"


def _bodies(found: Properties) -> Iterator[bytes]:
    plain = found.text(Tag.BODY, TEXT)
    if plain.strip():
        yield parts.part("text/plain; charset=utf-8", plain.replace("\r\n", "\n").encode("utf-8", "replace"))
        return
    html = found.binary(Tag.HTML, TEXT) or found.text(Tag.HTML, TEXT).encode("utf-8", "replace")
    if html:
        yield parts.part("text/html", html)


def _attached(storage: Storage, around: Properties, depth: int) -> Iterator[bytes]:
    for folder in storage.folders("__attach_version1.0", ATTACHMENTS):
        found = Properties(folder, ROW, around.codepage)
        method, inner = found.integer(Tag.ATTACH_METHOD), found.folder(Tag.ATTACH_DATA)
        if method == _EMBEDDED_MESSAGE and inner:
            if depth + 1 < DEPTH:
                yield parts.message(_rebuilt(inner, EMBEDDED, depth + 1))
        elif method in (None, _BY_VALUE):
            yield _file(found)


def _file(found: Properties) -> bytes:
    name = found.line(Tag.ATTACH_LONG_FILENAME, Tag.ATTACH_FILENAME, limit=255)
    kind = parts.media_type(found.line(Tag.ATTACH_MIME_TAG, limit=255), "application/octet-stream")
    limit = 0
    if kind.startswith("message/") or name.lower().endswith(_MAILS):
        limit = CONTENT
    elif kind.startswith("text/"):
        limit = TEXT
    return parts.part(kind, found.binary(Tag.ATTACH_DATA, limit) if limit else b"", name or "attachment")
