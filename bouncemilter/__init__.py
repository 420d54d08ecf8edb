"""bouncemilter: bounce handling for mail servers, as a milter and as a VERP return-path sink."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bouncemilter.model import Verdict

__all__ = ["__version__", "classify_bytes"]

__version__ = "0.1.0"


def classify_bytes(mail: bytes) -> Verdict:
    """What a mail is, and for each recipient that it reports why; never raises on what it is given.

    `classify_bytes(mail).to_dict()` is the object that `bouncemilter classify --json` prints, without `source`.
    """
    # Here, because importing the package must stay cheap and reading the rules takes half a second.
    from bouncemilter import classify, limits, report  # noqa: PLC0415

    truncated = len(mail) > limits.KEPT_BYTES
    return classify.builtin().verdict(report.read(mail[: limits.KEPT_BYTES], truncated=truncated))
