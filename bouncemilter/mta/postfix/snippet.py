"""What `bouncemilter config postfix` prints: every line that Postfix needs, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from bouncemilter.mta.postfix import main_cf, master_cf
from bouncemilter.mta.postfix.lookup_tables import LookupTable, tables
from bouncemilter.mta.site import Site


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines for each file, with their explanations as comments."""

    main: str
    """For main.cf."""
    master: str
    """For master.cf; empty where nothing is needed there."""
    tables: tuple[LookupTable, ...]
    """The lookup tables, to be written as they are."""

    @property
    def maps(self) -> str:
        """The lookup tables, each headed by the name of its file."""
        return "\n".join(f"# {table.path}\n" + "".join(f"{line}\n" for line in table.lines) for table in self.tables)

    def __str__(self) -> str:
        files = f"lookup tables: mkdir {PurePosixPath(self.tables[0].path).parent}, and one file each"
        parts = [(files, self.maps), ("main.cf", self.main), ("master.cf", self.master)]
        return "\n".join(f"##### {title}\n\n{text}" for title, text in parts if text)


def snippet(site: Site) -> Snippet:
    """The lines for `site`. Raises ValueError where neither a sink nor a milter listens."""
    if not site.sink and not site.milter:
        raise ValueError("neither an LMTP sink nor a milter is configured")
    return Snippet(main_cf.render(site), master_cf.render(site), tables(site))
