"""The message as the readers see it: headers, leaves and text, each found when it is first asked for."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Defect, Returned
from bouncemilter.report import below, quoting, returned
from bouncemilter.report.deadline import Deadline
from bouncemilter.report.header import Headers
from bouncemilter.report.lazy import lazy
from bouncemilter.report.mime import Part, Splitter, body_start, normalise
from bouncemilter.report.spelling import fold

_DAEMON: Final = re.compile(
    r"(?i)\A(?:mailer[-_. ]?daemon|mdaemon|mail[-_. ]?daemon|mail[-_. ]?delivery|mail delivery|mmdf|smtpd|mta|ndr|"
    r"bounce[sd]?|undeliver\w*|non-?delivery)\b"
)
_POSTMASTER: Final = re.compile(r"(?i)\A(?:postmaster|post[-_]?office|mailadmin|mail-?system)\b")
_MACHINE: Final = re.compile(r"(?i)\A(?:mailer-daemon|mdaemon)@")
# The return paths of list managers and BATV are no person's (`news-bounces@`, `prvs=1267=ndr@`).
_ROBOT: Final = re.compile(
    r"(?i)\A<?(?:prvs=|srs[01][=+-]|bounce|owner-|postmaster@|no-?reply@)|-(?:admin|bounces?|owner|errors?|"
    r"request)(?:[+=][^@]*)?@"
)


def split_head(raw: bytes) -> tuple[bytes, int]:
    """`raw` with `\\n` line ends and without an mbox line, and where its body begins."""
    data = normalise(raw)
    if data[:1] in (b"\n", b" ", b"\t"):
        data = data.lstrip(b"\n \t")
    if data.startswith((b"From ", b">From ")):
        data = data.partition(b"\n")[2]
    return data, body_start(data, 0, len(data))


class Message:
    """One message; `defects` grows while it is read."""

    def __init__(self, raw: bytes, *, truncated: bool = False, deadline: Deadline | None = None) -> None:
        self.defects: set[Defect] = set()
        self.deadline = deadline or Deadline()
        if len(raw) > limits.KEPT_BYTES:
            raw = raw[: limits.KEPT_BYTES]
            truncated = True
        if truncated:
            self.defects.add(Defect.TRUNCATED)
        self.data, self.body_at = split_head(raw)
        self.headers = Headers(self.data[: self.body_at], self.defects)
        self.content_type = self.headers.token(b"content-type") or b"text/plain"

    def is_late(self) -> bool:
        """Whether the time for it is over: what was read until now stands, and the defect says so."""
        if not self.deadline.passed():
            return False
        self.defects.add(Defect.LIMIT_TIME)
        return True

    @lazy
    def parts(self) -> list[Part]:
        """The leaves in order; the message itself where it is no multipart."""
        splitter = Splitter(self.data, self.defects, self.is_late)
        splitter.walk(self.headers, self.body_at, len(self.data))
        return splitter.leaves

    def part(self, *content_types: bytes) -> Part | None:
        """The first leaf of one of these types."""
        types = self._types
        for each in content_types:
            if each in types:
                return types[each]
        return None

    @lazy
    def _types(self) -> dict[bytes, Part]:
        found: dict[bytes, Part] = {}
        for part in self.parts:
            found.setdefault(part.content_type, part)
        return found

    @lazy
    def notice(self) -> Part | None:
        """The first part that people read: plain text where there is some, else HTML; none that is empty."""
        markup: list[Part] = []
        for part in self.parts:
            if part.is_text and not part.is_attachment:
                if part.content_type == b"text/html":
                    markup.append(part)
                elif part.text and not part.text.isspace():
                    return part
        return next((part for part in markup if part.text and not part.text.isspace()), None)

    @lazy
    def text(self) -> str:
        """What people read first in it, with `\\n` line ends; empty where there is no text."""
        return self.notice.text if self.notice else ""

    @lazy
    def _cut(self) -> tuple[str, str]:
        return below.cut(self.text)

    @property
    def notice_text(self) -> str:
        """The text above a returned message: all of it where nothing came back in it."""
        return self._cut[0]

    @property
    def returned_text(self) -> str:
        """The returned message in the text, its headers first; empty where there is none."""
        return self._cut[1]

    @lazy
    def returned_part(self) -> Headers | None:
        """The headers of the returned message where it is a part of its own."""
        part = next((part for part in self.parts if part.is_message or part.is_headers), None)
        return part.message_headers() if part else None

    @lazy
    def returned_below(self) -> Headers | None:
        """The headers of the returned message where they stand in the text of a free-form report."""
        block = self.returned_text.partition("\n\n")[0]
        return Headers(block.encode("utf-8", "replace"), self.defects) if self.returned_text else None

    @lazy
    def returned(self) -> Returned | None:
        """The returned message of any report: its part, else what follows in the text; None where nothing came back."""
        headers = self.returned_part or self.returned_below
        return returned.read(headers) if headers else None

    @lazy
    def own_text(self) -> str:
        """What its author wrote, without what is quoted in it."""
        return quoting.written(self.text)

    @lazy
    def said(self) -> str:
        """What its author wrote, without what stands in quotation marks: a text that somebody talks about."""
        return quoting.without_quotations(self.own_text)

    @lazy
    def folded(self) -> str:
        """The beginning of its text in lower case with single spaces, as phrases are sought in it."""
        return fold(self.text)

    @lazy
    def own_folded(self) -> str:
        """The same of what its author wrote."""
        return fold(self.own_text)

    @lazy
    def said_folded(self) -> str:
        """The same without what stands in quotation marks."""
        return self.own_folded if self.said == self.own_text else fold(self.said)

    @lazy
    def subject(self) -> str:
        """The subject, decoded and cleaned."""
        return self.headers.text(b"subject")

    @lazy
    def author(self) -> str:
        """The From field, decoded and cleaned: name and address."""
        return self.headers.text(b"from")

    @lazy
    def sender(self) -> str:
        """The address in From."""
        return self.headers.address(b"from")

    @lazy
    def message_id(self) -> str:
        """Its Message-ID where whole, else empty."""
        return text.whole_message_id(self.headers.text(b"message-id", limits.MESSAGE_ID))

    @lazy
    def top_received(self) -> str:
        """The topmost Received field."""
        return self.headers.text(b"received", limits.DIAGNOSTIC)

    @lazy
    def auto_submitted(self) -> bytes:
        """The keyword of Auto-Submitted (RFC 3834 section 5), empty where absent or `no`."""
        keyword = self.headers.token(b"auto-submitted")
        return b"" if keyword.startswith(b"no") else keyword

    @lazy
    def _return_path(self) -> str:
        return text.decode(self.headers.raw(b"return-path")).strip()

    @lazy
    def null_sender(self) -> bool:
        """Whether a Return-Path shows the null reverse-path, or a daemon's."""
        path = self._return_path.lstrip("<")
        return self._return_path == "<>" or bool(_DAEMON.match(path) and not _ROBOT.match(path))

    @lazy
    def personal_return_path(self) -> bool:
        """Whether a Return-Path shows an ordinary address: reports of an MTA have none (RFC 5321 section 6.1)."""
        return "@" in self._return_path and not self.null_sender and not _ROBOT.search(self._return_path)

    @lazy
    def from_daemon(self) -> bool:
        """Whether From names a mail system: mailer-daemon@, `Mail Delivery Subsystem <…>`.

        A name alone is anybody's, and proves nothing above an address that takes answers.
        """
        by_name = _DAEMON.match(self.author.strip("<> \"'")) and not self.personal_return_path
        return bool(_DAEMON.match(self.sender) or by_name)

    @lazy
    def made_by_machine(self) -> bool:
        """Whether a header says what no person's mail program writes: a report's type, a mail system's own fields."""
        return (
            self.content_type == b"multipart/report"
            or b"x-failed-recipients" in self.headers
            or bool(_MACHINE.match(self.sender))
        )

    @lazy
    def from_postmaster(self) -> bool:
        """Whether From names a postmaster: often a mail system, sometimes a person."""
        return bool(_POSTMASTER.match(self.sender) or _POSTMASTER.match(self.author.strip("<> \"'")))
