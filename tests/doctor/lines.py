"""The lines of `config postfix` in the forms that tests need."""

from __future__ import annotations

import re
from pathlib import Path

from bouncemilter.mta.postfix.snippet import Snippet


def parameters(found: Snippet) -> dict[str, str]:
    """The parameters of the main.cf part."""
    return dict(re.findall(r"(?m)^(\w+) = (.*)$", found.main))


def write_tables(found: Snippet) -> None:
    """Write the tables where main.cf looks for them."""
    for each in found.tables:
        Path(each.path).write_text("".join(f"{line}\n" for line in each.lines))
