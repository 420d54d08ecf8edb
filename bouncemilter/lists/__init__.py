"""Mailing lists in files: CSV, TSV, plain text and Excel workbooks, read and written without changing what stays."""

from bouncemilter.lists.cell import addresses, has_hidden
from bouncemilter.lists.column import ListOptions, choose
from bouncemilter.lists.encoding import ENCODINGS, decoded
from bouncemilter.lists.errors import ListError
from bouncemilter.lists.layout import Keep, Layout, MailingList
from bouncemilter.lists.opening import open_list, open_records
from bouncemilter.lists.source import Source
from bouncemilter.lists.table import Table

__all__ = [
    "ENCODINGS",
    "Keep",
    "Layout",
    "ListError",
    "ListOptions",
    "MailingList",
    "Source",
    "Table",
    "addresses",
    "choose",
    "decoded",
    "has_hidden",
    "open_list",
    "open_records",
]
