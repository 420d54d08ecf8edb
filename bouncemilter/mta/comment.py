"""Comments in the configuration of mail servers that `config` prints."""

from __future__ import annotations

from textwrap import dedent, indent


def comment(text: str, mark: str = "# ") -> str:
    """`text`, its indentation taken off, with `mark` before each line and an empty line above."""
    return "\n" + indent(dedent(text).strip(), mark)
