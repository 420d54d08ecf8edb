"""MAPI properties as a `.msg` file keeps them ([MS-OXMSG] section 2.4), and the tags that matter ([MS-OXPROPS])."""

from __future__ import annotations

import datetime as dt
import struct
from enum import IntEnum
from typing import Final

from bouncemilter import text
from bouncemilter.outlook.compound import Storage

_ENTRY: Final = struct.Struct("<HHL8s")
_TABLE_BYTES: Final = 64 * 1024
"""Of a property table: 4,000 properties; Outlook writes some 150."""
_EPOCH: Final = dt.datetime(1601, 1, 1, tzinfo=dt.UTC)

_INTEGER, _STRING8, _UNICODE, _BINARY, _TIME = 0x0003, 0x001E, 0x001F, 0x0102, 0x0040


class Tag(IntEnum):
    """Property ids, by the names of MAPI's headers."""

    MESSAGE_CLASS = 0x001A
    REPORT_TIME = 0x0032
    SUBJECT = 0x0037
    CLIENT_SUBMIT_TIME = 0x0039
    ORIGINAL_SUBJECT = 0x0049
    ORIGINAL_SENDER_EMAIL = 0x0067
    RECEIVED_BY_EMAIL = 0x0076
    TRANSPORT_HEADERS = 0x007D
    NDR_DIAGNOSIS = 0x0C05
    SENDER_NAME = 0x0C1A
    SUPPLEMENTARY_INFO = 0x0C1B
    SENDER_EMAIL = 0x0C1F
    NDR_STATUS = 0x0C20
    REMOTE_MTA = 0x0C21
    DELIVERY_TIME = 0x0E06
    BODY = 0x1000
    REPORT_TEXT = 0x1001
    HTML = 0x1013
    MESSAGE_ID = 0x1035
    IN_REPLY_TO = 0x1042
    ORIGINAL_MESSAGE_ID = 0x1046
    DISPLAY_NAME = 0x3001
    EMAIL = 0x3003
    ATTACH_DATA = 0x3701
    ATTACH_FILENAME = 0x3704
    ATTACH_METHOD = 0x3705
    ATTACH_LONG_FILENAME = 0x3707
    ATTACH_MIME_TAG = 0x370E
    SMTP_ADDRESS = 0x39FE
    INTERNET_CODEPAGE = 0x3FDE
    MESSAGE_CODEPAGE = 0x3FFD
    SENDER_SMTP = 0x5D01
    RECEIVED_BY_SMTP = 0x5D07
    REPORTING_MTA = 0x6820


ROOT, EMBEDDED, ROW = 32, 24, 8
"""Octets before the table: of the message itself, of one within it, of a recipient or attachment."""


class Properties:
    """The properties of one folder."""

    def __init__(self, storage: Storage, head: int, codepage: int = 0) -> None:
        """`head` is ROOT, EMBEDDED or ROW; `codepage` that of the message around it. Raises OutlookError."""
        self._storage = storage
        self._fixed: dict[tuple[int, int], bytes] = {}
        table = storage.stream("__properties_version1.0", _TABLE_BYTES) or b""
        for at in range(head, len(table) - _ENTRY.size + 1, _ENTRY.size):
            kind, tag, _, value = _ENTRY.unpack_from(table, at)
            self._fixed.setdefault((tag, kind), value)
        self.codepage = codepage or self.integer(Tag.INTERNET_CODEPAGE) or self.integer(Tag.MESSAGE_CODEPAGE) or 0

    def integer(self, tag: Tag) -> int | None:
        """A whole number."""
        value = self._fixed.get((tag, _INTEGER))
        return int.from_bytes(value[:4], "little", signed=True) if value else None

    def time(self, tag: Tag) -> dt.datetime | None:
        """A moment, UTC."""
        value = self._fixed.get((tag, _TIME))
        if not value:
            return None
        try:
            return _EPOCH + dt.timedelta(microseconds=int.from_bytes(value, "little") // 10)
        except OverflowError:
            return None

    def text(self, tag: Tag, limit: int) -> str:
        """A text of at most `limit` characters, as it is written; empty where absent."""
        found = self._storage.stream(_name(tag, _UNICODE), 2 * limit)
        if found is not None:
            return found.decode("utf-16-le", "replace").rstrip("\0")
        found = self._storage.stream(_name(tag, _STRING8), limit)
        return text.decode(found, _charset(self.codepage)).rstrip("\0") if found else ""

    def line(self, *tags: Tag, limit: int = 998) -> str:
        """The first of these texts that is not empty, on one line and cleaned."""
        return next((found for tag in tags if (found := text.clean(self.text(tag, limit), limit))), "")

    def binary(self, tag: Tag, limit: int) -> bytes:
        """The first `limit` octets of binary data; empty where absent."""
        return self._storage.stream(_name(tag, _BINARY), limit) or b""

    def folder(self, tag: Tag) -> Storage | None:
        """An object: of an attachment, the message that it is."""
        return self._storage.folder(f"__substg1.0_{tag:04X}000D")


def _name(tag: int, kind: int) -> str:
    return f"__substg1.0_{tag:04X}{kind:04X}"


def _charset(codepage: int) -> str:
    """The MIME name of a Windows code page; empty where it says nothing."""
    if codepage == 65001:
        return "utf-8"
    if 28591 <= codepage <= 28605:
        return f"iso-8859-{codepage - 28590}"
    return {932: "cp932", 936: "gbk", 949: "euc-kr", 950: "big5", 20866: "koi8-r", 50220: "iso-2022-jp"}.get(
        codepage, f"windows-{codepage}" if 1250 <= codepage <= 1258 else ""
    )
