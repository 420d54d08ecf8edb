"""Whole mails: reading and classifying, against flufl.bounce and the standard library's parser alone."""

from __future__ import annotations

import email
import logging
from collections.abc import Callable
from pathlib import Path

from flufl.bounce import scan_message

from bouncemilter import classify, report
from tests.bench.rounds import interleaved, line

CORPUS = Path("../shared/corpus/mails")
CASES = Path("tests/report/cases")


def main() -> None:
    """Print the rates and the ratios."""
    logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
    folder = CORPUS if CORPUS.is_dir() else CASES
    mails = [path.read_bytes() for path in sorted(folder.glob("*.eml"))]
    classifier = classify.builtin()

    def ours(mail: bytes) -> object:
        return classifier.verdict(report.read(mail))

    def standard_library(mail: bytes) -> object:
        return email.message_from_bytes(mail)

    def flufl(mail: bytes) -> object:
        try:
            return scan_message(email.message_from_bytes(mail))
        except Exception:  # noqa: BLE001  (it does raise on a mail of the corpus; the time counts all the same)
            return None

    ways = {
        "bouncemilter": _over(mails, ours),
        "flufl.bounce": _over(mails, flufl),
        "the standard library's parser": _over(mails, standard_library),
    }
    timing = interleaved(ways)
    size = sum(map(len, mails)) / len(mails) / 1024
    print(f"reading: {len(mails)} mails of {size:.1f} KiB on average, one core")
    for name in ways:
        print(f"  {name}: {timing.rate(name, len(mails)):,.0f} mails/s")
    for other in list(ways)[1:]:
        print(line("bouncemilter", timing, "bouncemilter", other))
    _by_kind(mails, ours)


def _by_kind(mails: list[bytes], ours: Callable[[bytes], object]) -> None:
    """The rates of each kind of message: of a bounce the type says nearly all, a person's mail is read to its end."""
    kinds: dict[str, list[bytes]] = {}
    for mail in mails:
        kinds.setdefault(report.read(mail).kind, []).append(mail)
    timing = interleaved({kind: _over(kinds[kind], ours) for kind in sorted(kinds)})
    for kind in timing.seconds:
        print(f"  {kind}: {timing.rate(kind, len(kinds[kind])):,.0f} mails/s ({len(kinds[kind])} mails)")


def _over(mails: list[bytes], read: Callable[[bytes], object]) -> Callable[[], None]:
    def run() -> None:
        for mail in mails:
            read(mail)

    return run
