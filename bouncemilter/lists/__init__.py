"""Mailing lists in files: CSV, TSV, plain text and Excel workbooks, read and written without changing what stays."""

from bouncemilter.lists.cell import addresses, has_hidden
from bouncemilter.lists.column import Wish
from bouncemilter.lists.encoding import ENCODINGS
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import Keep, Layout, MailingList
from bouncemilter.lists.opening import open_list
from bouncemilter.lists.replacement import Replacement, backup
from bouncemilter.lists.table import Table

__all__ = [
    "ENCODINGS",
    "Keep",
    "Layout",
    "ListError",
    "MailingList",
    "Replacement",
    "Table",
    "Wish",
    "addresses",
    "backup",
    "has_hidden",
    "open_list",
]
