"""Our list, written: CSV, JSON lines, a map for Postfix."""

from __future__ import annotations

import json
from typing import Any

import idna

from bouncemilter import csvfile, enforcement
from bouncemilter.exchange.own import COLUMNS
from bouncemilter.model import Suppression


def heading() -> str:
    """The first record of our CSV."""
    return csvfile.records([COLUMNS])


def row(each: Suppression, *, raw: bool) -> str:
    """A record of it; `raw`: cells as they are, also those that a spreadsheet would run."""
    return csvfile.records([[_cell(each, name) for name in COLUMNS]], raw=raw)


def _cell(each: Suppression, name: str) -> str:
    if name == "class":
        return each.category.class_ if each.category else ""
    value: Any = getattr(each, name)
    return "" if value is None else value.isoformat() if hasattr(value, "isoformat") else str(value)


def json_line(plain: object) -> str:
    """A line of JSON, ASCII."""
    return json.dumps(plain, ensure_ascii=True) + "\n"


def is_for_maps(address_key: str) -> bool:
    """Whether a look-up table of Postfix can hold an address: no quotes, and no sign that begins a comment.

    Source: postmap(1), "TABLE FORMAT".
    """
    return not address_key.startswith(("#", '"')) and address_key.split() == [address_key]


def map_lines(address_key: str, refusal: enforcement.Refusal) -> str:
    """The lines of an access table (access(5)). They never say why: who asks is not known to the table.

    An internationalised domain stands there as A-label and as U-label: Postfix looks up what the client has written.
    """
    words = refusal.text(authenticated=False)
    # Tables are asked in lower case, whatever the address.
    forms = dict.fromkeys(each.lower() for each in (address_key, _with_u_label(address_key)))
    return "".join(f"{each} {enforcement.REPLY_CODE} {enforcement.STATUS} {words}\n" for each in forms)


def _with_u_label(address_key: str) -> str:
    if "xn--" not in address_key:
        return address_key
    local, _, domain = address_key.rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}"
    except UnicodeError:  # idna's own error is one: a domain that no client can have written otherwise
        return address_key
