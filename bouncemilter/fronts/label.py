"""What passed mail is marked with, whatever front passes it on."""

from __future__ import annotations

from typing import Final

HEADER: Final = "X-Bouncemilter"
"""The header field; its value is the message's kind. Copies that came with the message are removed."""
UNREAD: Final = "passed"
"""The value where the message was not read: the store was down, and it is passed on all the same."""
