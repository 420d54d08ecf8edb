"""What is wrong with a list."""

from __future__ import annotations


class ListError(Exception):
    """The list can't be used as it is. The text names the file, the place and what to do."""
