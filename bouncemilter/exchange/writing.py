"""Our list, written: CSV, JSON lines, a map for Postfix."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

import idna

from bouncemilter import enforcement
from bouncemilter.exchange.own import COLUMNS, guarded
from bouncemilter.model import Standing, Suppression
from bouncemilter.stream import Stream


def heading() -> str:
    """The first record of our CSV (RFC 4180, UTF-8)."""
    return _record(COLUMNS)


def row(each: Suppression, *, raw: bool) -> str:
    """A record of it; `raw`: cells as they are, also those that a spreadsheet would run."""
    cells = [_cell(each, name) for name in COLUMNS]
    return _record(cells if raw else [guarded(cell) for cell in cells])


def _record(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    return line.getvalue()


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


def refused(address_key: str, found: tuple[Suppression, ...], stream: Stream | None) -> enforcement.Refusal | None:
    """Whether a table that is not told the sender may refuse an address; `found`: its suppressions in force.

    Without a stream: what is suppressed for all mail. With one: what it refuses for each of its sender domains.
    """
    if enforcement.never_refused(address_key):
        return None
    if stream is None:
        reaching = (each for each in found if enforcement.applies(each, sender_domain="", list_id=""))
        everywhere = enforcement.strongest(reaching)
        return enforcement.Refusal(everywhere) if everywhere else None
    standing, domains = Standing(found), stream.match.sender_domain or ("",)
    answers = [enforcement.refusal(standing, address_key, stream, sender_domain=each, list_id="") for each in domains]
    return answers[0] if all(answers) else None
