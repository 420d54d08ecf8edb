"""What a provider's deliverability desk asks for: who refused what, when, in which words; and nobody's name."""

from __future__ import annotations

import datetime as dt
import io
import json
import secrets
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from bouncemilter import csvfile
from bouncemilter.model import Event
from bouncemilter.statistics.anonymous import Anonymizer
from bouncemilter.statistics.compiling import refusals
from bouncemilter.statistics.query import Query
from bouncemilter.store.figures import Figures

HEADINGS: Final = (
    "at",
    "kind",
    "category",
    "reply_code",
    "status",
    "phase",
    "host",
    "recipient",
    "sender_domain",
    "message_id",
    "report_message_id",
    "words",
)
_README: Final = """\
Refusals of mail to {provider}, from {first} to {last} ({zone}), as our mail server got them.
Odmowy przyjęcia poczty przez {provider}, od {first} do {last} ({zone}), tak jak dostał je nasz serwer.

  refusals.csv, refusals.jsonl   one line a refusal: when (UTC), which host, reply code and enhanced status code, the
                                 server's own words, our Message-ID, the Message-ID of the report
                                 po wierszu na odmowę: kiedy (UTC), który host, kody odpowiedzi, słowa serwera, nasz
                                 Message-ID, Message-ID raportu
  counts.csv                     how many, by reason / ile, według przyczyn

Replaced, so that no person can be told / Zastąpione, żeby nie dało się rozpoznać osób:
  - the local part of each address, by a mark such as person-0123456789: the same mark is the same address within this
    bundle, and nowhere else / lokalna część każdego adresu, oznaczeniem jak person-0123456789: to samo oznaczenie to
    ten sam adres, ale tylko w tej paczce; abuse@, postmaster@ and their like stay / abuse@, postmaster@ itp. zostają
  - the names in a recipient's address where the server repeats them, by [name]
    / imiona i nazwiska z adresu odbiorcy, jeśli serwer je powtarza, przez [name]
Left out / Pominięte: subjects, texts of messages, return paths / tematy, treść wiadomości, adresy zwrotne.
Nothing else was changed / Niczego więcej nie zmieniono.
"""


async def collect(source: Figures, query: Query) -> list[tuple[str, ...]]:
    """The refusals that `query` asks for, oldest first, without persons. StoreUnavailable while the database can't be
    used.
    """
    persons = Anonymizer(secrets.token_bytes(32))
    return sorted([row(each, persons) async for each in refusals(source, query)])


def row(event: Event, persons: Anonymizer) -> tuple[str, ...]:
    """One refusal, in the order of HEADINGS."""

    def told(text: str) -> str:
        return persons.words(text, event.address_key)

    return (
        event.at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        event.kind,
        event.category or "",
        event.reply_code,
        event.status,
        event.phase,
        event.remote_host,
        persons.address(event.address_key),
        event.sender_domain,
        _message_id(event.returned.message_id, persons, event),
        _message_id(event.report_message_id, persons, event),
        told(event.diagnostic),
    )


def write(rows: Sequence[tuple[str, ...]], query: Query) -> bytes:
    """The bundle, a ZIP file, of the rows that `query` has found."""
    counts = Counter((each[2], each[3], each[4]) for each in rows)
    readme = _README.format(provider=query.provider, first=query.first, last=query.last, zone=query.zone)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("README.txt", readme)
        file.writestr("refusals.csv", csvfile.encoded([HEADINGS, *rows]))
        file.writestr("refusals.jsonl", "".join(f"{json.dumps(_object(each))}\n" for each in rows))
        lines = [(*key, n) for key, n in counts.most_common()]
        file.writestr("counts.csv", csvfile.encoded([("category", "reply_code", "status", "messages"), *lines]))
    return out.getvalue()


def _object(values: tuple[str, ...]) -> dict[str, Any]:
    return dict(zip(HEADINGS, values, strict=True))


def _message_id(written: str, persons: Anonymizer, event: Event) -> str:
    """A Message-ID names a host behind its at sign, and a person only where the recipient's address stands in it."""
    inner = written.strip("<>")
    local, _, domain = inner.rpartition("@")
    # What looks like an address in it is one: `<jan=wp.pl.17@…>` is not, and the name in it goes below.
    told = persons.words(local, event.address_key)
    return f"<{told}@{domain}>" if local else persons.words(inner, event.address_key)
