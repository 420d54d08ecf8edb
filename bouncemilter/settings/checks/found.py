"""What a check finds."""

from __future__ import annotations

from collections.abc import Iterator

Found = Iterator[tuple[str, str]]
"""Key and text of each fault."""
