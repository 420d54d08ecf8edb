"""Opening a list, whatever it is: told by its content, not by its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from bouncemilter.lists.column import ListOptions
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import MailingList
from bouncemilter.lists.source import Source
from bouncemilter.lists.textlist import TextList
from bouncemilter.lists.workbook import Workbook


def open_list(path: Path, options: ListOptions = ListOptions()) -> MailingList:  # noqa: B008  (frozen)
    """The list in a file, whose column of addresses is known. ListError says why it can't be used; OSError."""
    if path.is_dir():
        raise ListError(f"{path}: a folder, no list")
    if not path.is_file():
        path.stat()
        raise ListError(f"{path}: no plain file")
    found = open_records(Source(path), options)
    _ = found.layout
    return found


def open_records(source: Source, options: ListOptions = ListOptions()) -> MailingList:  # noqa: B008  (frozen)
    """A list whose columns may mean anything. ListError where it is none; OSError."""
    with source.open() as file:
        is_archive = file.read(4) == b"PK\x03\x04" and zipfile.is_zipfile(file)
    return Workbook(source, options) if is_archive else TextList(source, options)
