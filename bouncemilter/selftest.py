"""The doctor's own mail: whom it goes to, and how it is told from all other mail. A leaf."""

from __future__ import annotations

from typing import Final

DOMAIN: Final = "selftest.bouncemilter.invalid"
"""Reserved by RFC 2606 section 2: never in DNS, so that a test mail can reach nobody even without its line."""
ANSWER: Final = "5.1.1 bouncemilter self-test"
"""Status and text with which the doctor's mail fails."""


def names(address_key: str) -> bool:
    """Whether an address (its key) is one of the doctor's, and nobody's mailbox."""
    return address_key.rpartition("@")[2] == DOMAIN
