"""Compound files ([MS-CFB]): folders and streams, read within limits whatever the file says of itself."""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from typing import Any, Final

import olefile

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""What a compound file begins with."""
FILE_BYTES: Final = 32 * 1024 * 1024
"""The largest file that is read. Servers take mails of 25 to 35 MB; what matters of a report is a hundredth of that."""
ENTRIES: Final = 8000
"""Streams and folders of one file. A recipient has about 25; olefile's checks cost their number squared, here 0.5 s."""

_FAT_SECTORS: Final = struct.Struct("<44xL24xL")
"""How many sectors the FAT has, and how many its list, in the header."""
_NUMBERED: Final = re.compile(r"_#([0-9A-Fa-f]{8})\Z")


class OutlookError(ValueError):
    """A file is no Outlook message that can be read; the text says why."""


class _File(olefile.OleFileIO):  # type: ignore[misc]
    """Counts what it loads."""

    _loaded = 0

    def _load_direntry(self, sid: int) -> Any:
        self._loaded += 1
        if self._loaded > ENTRIES:
            raise OutlookError(f"more than {ENTRIES} streams")
        return super()._load_direntry(sid)


class Storage:
    """A folder of a compound file. Every method may raise OutlookError."""

    def __init__(self, file: CompoundFile, entry: Any) -> None:
        self._file = file
        self._entry = entry

    def stream(self, name: str, limit: int) -> bytes | None:
        """The first `limit` octets of a stream; None where there is none."""
        entry = self._entry.kids_dict.get(name.lower())
        if entry is None or entry.entry_type != olefile.STGTY_STREAM:
            return None
        return self._file.read(entry)[:limit]

    def folder(self, name: str) -> Storage | None:
        """A folder in this one."""
        entry = self._entry.kids_dict.get(name.lower())
        return Storage(self._file, entry) if entry is not None and entry.entry_type == olefile.STGTY_STORAGE else None

    def folders(self, prefix: str, limit: int) -> Iterator[Storage]:
        """The first `limit` of the folders `PREFIX_#00000000` and so on, by number."""
        found = []
        for name, entry in self._entry.kids_dict.items():
            number = _NUMBERED.search(name)
            if number and name.startswith(prefix.lower()) and entry.entry_type == olefile.STGTY_STORAGE:
                found.append((int(number[1], 16), entry))
        for _, entry in sorted(found, key=lambda each: each[0])[:limit]:
            yield Storage(self._file, entry)


class CompoundFile:
    """A whole compound file in memory."""

    def __init__(self, raw: bytes) -> None:
        """Raises OutlookError."""
        if not raw.startswith(MAGIC):
            raise OutlookError("no compound file")
        if len(raw) > FILE_BYTES:
            raise OutlookError(f"larger than {FILE_BYTES // 1024**2} MiB")
        # Streams do not overlap, so that all that may be read is no more than the file.
        self._left = len(raw)
        fat, difat = _FAT_SECTORS.unpack_from(raw.ljust(_FAT_SECTORS.size, b"\0"))
        # The list of the FAT's sectors may go in circles: olefile believes the numbers in the header.
        if max(fat, difat) * 512 > len(raw):
            raise OutlookError("damaged: its allocation table is larger than the file")
        try:
            self._ole = _File(io.BytesIO(raw), raise_defects=olefile.DEFECT_INCORRECT)
        except OutlookError:
            raise
        except Exception as error:  # noqa: BLE001  (olefile raises what its struct, index and recursion raise)
            raise _damaged(error) from None

    @property
    def root(self) -> Storage:
        """The uppermost folder."""
        return Storage(self, self._ole.root)

    def read(self, entry: Any) -> bytes:
        """A stream."""
        size = int(entry.size)
        if size == 0:
            return b""
        self._left -= size
        if self._left < 0:
            raise OutlookError("damaged: its streams are larger than the file")
        try:
            found: bytes = self._ole._open(entry.isectStart, size).read()  # noqa: SLF001  (openstream searches by name)
        except Exception as error:  # noqa: BLE001
            raise _damaged(error) from None
        return found


def _damaged(error: Exception) -> OutlookError:
    return OutlookError(f"damaged: {error}" if isinstance(error, OSError) else "damaged")
