"""Opening a list, whatever it is: told by its content, not by its name."""

from __future__ import annotations

import zipfile
from pathlib import Path

from bouncemilter.lists.column import Wish
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import MailingList
from bouncemilter.lists.textlist import TextList
from bouncemilter.lists.workbook import Workbook


def open_list(path: Path, wish: Wish = Wish()) -> MailingList:  # noqa: B008  (frozen)
    """The list in a file. ListError says why it can't be used; OSError: it can't be read."""
    if path.is_dir():
        raise ListError(f"{path}: a folder, no list")
    if not path.is_file():
        path.stat()
        raise ListError(f"{path}: no plain file")
    with path.open("rb") as file:
        start = file.read(4)
    if start == b"PK\x03\x04" and zipfile.is_zipfile(path):
        return Workbook(path, wish)
    return TextList(path, wish)
