"""`scrub`: a mailing list without the addresses that are suppressed."""

from __future__ import annotations

import contextlib
import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from bouncemilter import address, enforcement, limits, text
from bouncemilter.cli import configuration, listing, show, spool, stream_option
from bouncemilter.cli.exits import Exit
from bouncemilter.cli.progress import bar
from bouncemilter.cli.spool import StandardOutput
from bouncemilter.cli.storage import with_store
from bouncemilter.lists import Keep, Layout, ListOptions, Table, addresses, open_list
from bouncemilter.model import Suppression
from bouncemilter.replacement import Replacement
from bouncemilter.settings import Settings
from bouncemilter.store import RefusedAddresses, Store, roster

HEADINGS: Final = ("record", "address", "cause", "category", "since", "until", "scope", "reason", "by")
_ROWS: Final = 5000
_SHOWN: Final = 10


@dataclass(slots=True)
class _Hit:
    """A record that is taken out."""

    record: int
    written: str
    key: str
    entry: int
    """As in RefusedAddresses.entries."""


@dataclass(slots=True)
class _Scrubbing:
    """What is found while a list is read."""

    refused: RefusedAddresses
    fold: bool
    addresses: int = 0
    """Records with an address."""
    unread: int = 0
    """Records whose cell holds something else."""
    first_unread: int = 0
    elsewhere: int = 0
    hits: list[_Hit] = field(default_factory=list)

    def keep(self) -> Keep:
        """Whether a record stays, for MailingList.copy. It runs once for each of a million records."""
        entries, elsewhere, fold, key_of = self.refused.entries, self.refused.elsewhere, self.fold, address.key
        pseudonym = self.refused.pseudonym

        def keep(record: int, cell: str) -> bool:
            key = key_of(cell, fold_local_part=fold)
            if not key:
                return self._keep_odd(record, cell)
            self.addresses += 1
            entry = entries.get(key)
            if entry is None and pseudonym:
                entry = entries.get(name := pseudonym(key))
                if entry is None and name in elsewhere:
                    self.elsewhere += 1
            if entry is None:
                if elsewhere and key in elsewhere:
                    self.elsewhere += 1
                return True
            return self._keep_refused(record, cell, key, entry)

        return keep

    def _keep_odd(self, record: int, cell: str) -> bool:
        """A cell that is no bare address: with several, one that is refused is enough."""
        found = addresses(cell)
        if not found:
            if cell:
                self.unread += 1
                self.first_unread = self.first_unread or record
            return True
        self.addresses += 1
        keys = [address.key(each, fold_local_part=self.fold) for each in found]
        for key in keys:
            names = self._names(key)
            entry = next((self.refused.entries[name] for name in names if name in self.refused.entries), None)
            if entry is not None and not self._keep_refused(record, cell, key, entry):
                return False
        self.elsewhere += any(name in self.refused.elsewhere for key in keys for name in self._names(key))
        return True

    def _names(self, key: str) -> tuple[str, ...]:
        """The names under which an address may be suppressed."""
        return (key, self.refused.pseudonym(key)) if self.refused.pseudonym else (key,)

    def _keep_refused(self, record: int, cell: str, key: str, entry: int) -> bool:
        if enforcement.never_refused(key):
            return True
        self.hits.append(_Hit(record, cell, key, entry))
        return False


@click.command("scrub")
@configuration.option
@listing.options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The cleaned list, `-` for standard output; else LIST with `.clean` before its suffix.",
)
@click.option("--in-place", is_flag=True, help="Replace LIST; what it was stays as LIST.bak.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path),
    help="Write who was taken out and why: CSV, or JSON lines by its name (.jsonl).",
)
@click.option(
    "--stream", "stream", default="", metavar="NAME", help="Whom mail of this [[stream]] would be refused to."
)
@click.option("--sender", default="", metavar="DOMAIN", help="Also who wants nothing from this From domain.")
@click.option("--list", "list_id", default="", metavar="LIST-ID", help="Also who has left this list.")
@click.option("--report", is_flag=True, help="Show what was taken out by cause, category and domain.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--dry-run", is_flag=True, help="Write nothing.")
@click.option("--exit-code", is_flag=True, help="End with 1 if anything was taken out.")
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path,
    path: Path,
    list_options: ListOptions,
    output: Path | None,
    in_place: bool,
    rejected: Path | None,
    stream: str,
    sender: str,
    list_id: str,
    report: bool,
    as_json: bool,
    dry_run: bool,
    exit_code: bool,
) -> None:
    """Take the suppressed addresses out of a mailing list: CSV, TSV, plain text or Excel.

    Column, delimiter and encoding are found out; every other record stays as it is. Without --stream, --sender or
    --list only what holds for all mail counts. What an incident holds back stays. The files appear whole or not at all.

    LIST `-` is standard input; the cleaned list then goes to standard output, and the figures to standard error.

    Exit codes: 0 done, 1 with --exit-code if anything was taken out, 2 usage, 65 the list can't be used, 74 a file
    can't be read or written, 75 try again later, 77 no permission, 78 configuration.
    """
    if in_place and output:
        raise click.UsageError("--in-place and --output exclude each other")
    piped = spool.is_input(path)
    if in_place and piped:
        raise click.UsageError("--in-place needs a LIST that is a file")
    target = path if in_place else output or (Path("-") if piped else listing.beside(path, "clean"))
    listing.refuse_clash(path, None if in_place else target, rejected)

    async def load(store: Store, settings: Settings) -> _Scrubbing:
        wanted = stream_option.mailing(
            settings, stream, address.domain_key(sender), text.clean(list_id.strip("<> "), limits.SUBJECT)
        )
        return _Scrubbing(await store.roster.refused(wanted.rank), settings.policy.fold_local_part)

    with listing.faults(path, target, rejected), _without_collector(), contextlib.ExitStack() as stack:
        found = open_list(stack.enter_context(listing.source(path)), list_options)
        scrubbing = with_store(config, load, lasting=False)
        outcome = listing.Outcome(stack, found.path)
        out = None if dry_run else outcome.file(target)
        refused = None if dry_run else outcome.file(rejected)
        with bar("reading the list", found.size) as advance:
            found.copy(out.file if out else None, scrubbing.keep(), advance)
        categories = _evidence(config, scrubbing, refused) if refused or report or as_json else Counter()
        written = not dry_run and not (in_place and not scrubbing.hits)
        if not written:
            outcome.leave(out)
        outcome.settle(path.with_name(f"{path.name}.bak") if in_place and written else None)
    summary = _summary(path, found.layout, scrubbing, categories)
    with listing.figures_beside(target if written else None):
        if as_json:
            files = {"output": str(target) if written else None, "rejected_to": str(rejected) if refused else None}
            show.json_line(summary | files)
        else:
            listing.print_layout(path, found.layout)
            _print(summary, scrubbing, str(target) if written else "", report=report)
    if exit_code and scrubbing.hits:
        raise SystemExit(Exit.NO)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """A million rows make no cycles, but have Python look for them again and again: a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _evidence(config: Path, scrubbing: _Scrubbing, out: Replacement | StandardOutput | None) -> Counter[str]:
    """Write why each was taken out; how many there are of each category."""
    counts: Counter[str] = Counter()

    async def tell(store: Store, _: Settings) -> None:
        table = Table(out.file, out.path, HEADINGS) if out else None
        for start in range(0, len(scrubbing.hits), _ROWS):
            hits = scrubbing.hits[start : start + _ROWS]
            # The store was closed meanwhile; but no suppression is ever deleted, and a forgotten one keeps its row.
            found = await store.roster.evidence([roster.number(each.entry) for each in hits])
            counts.update(found[roster.number(each.entry)].category or "none" for each in hits)
            if table:
                table.add(_rows(hits, found))

    with_store(config, tell, lasting=False)
    return counts


def _rows(hits: list[_Hit], found: dict[int, Suppression]) -> Iterator[tuple[object, ...]]:
    for hit in hits:
        why = found[roster.number(hit.entry)]
        yield (
            hit.record,
            _address(hit),
            why.cause.value,
            why.category.value if why.category else "",
            f"{why.created_at:%Y-%m-%d}",
            f"{why.expires_at:%Y-%m-%d}" if why.expires_at else "",
            f"{why.scope} {why.scope_value}".strip(),
            why.note or why.reason,
            why.created_by,
        )


def _address(hit: _Hit) -> str:
    """The address as it was written; its key where the cell has more."""
    if hit.written.lower() == hit.key:
        return hit.written
    return text.visible(str(address.split(hit.written) or hit.key))


def _summary(path: Path, layout: Layout, scrubbing: _Scrubbing, categories: Counter[str]) -> dict[str, object]:
    hits = scrubbing.hits
    living = scrubbing.addresses - len(hits)
    domains = Counter(each.key.rpartition("@")[2] for each in hits)
    return {
        "list": str(path),
        "format": layout.format,
        "encoding": layout.encoding or None,
        "delimiter": layout.delimiter or None,
        "sheet": layout.sheet or None,
        "column": layout.name,
        "addresses": scrubbing.addresses,
        "kept": living,
        "rejected": len(hits),
        "living_before": round(living / scrubbing.addresses, 4) if scrubbing.addresses else None,
        "unread": scrubbing.unread,
        "first_unread_record": scrubbing.first_unread or None,
        "suppressed_elsewhere": scrubbing.elsewhere,
        "suppressions": len(scrubbing.refused.entries) + len(scrubbing.refused.elsewhere),
        "by_cause": dict(Counter(enforcement.RANKS[roster.rank(each.entry)].value for each in hits).most_common()),
        "by_category": dict(categories.most_common()),
        "by_domain": dict(domains.most_common(_SHOWN)),
    }


def _print(summary: dict[str, object], scrubbing: _Scrubbing, target: str, *, report: bool) -> None:
    show.line(
        f"{summary['addresses']} addresses: {summary['rejected']} taken out, {summary['kept']} kept"
        + (f" in {target}" if target else "; no list was written")
    )
    if scrubbing.addresses:
        living = _percent(scrubbing.addresses - len(scrubbing.hits), scrubbing.addresses)
        show.line(f"of the list as it was {living} may be written to (98 % delivered is the target)")
    if not summary["suppressions"]:
        show.line("the store suppresses nobody: is it the right one?")
    if scrubbing.unread:
        show.line(
            f"no e-mail address in {scrubbing.unread} records, the first: {scrubbing.first_unread}; they were kept"
        )
    if scrubbing.elsewhere:
        show.line(
            f"suppressed for a sender or list that was not named, and kept: {scrubbing.elsewhere}; "
            "give --stream, --sender or --list"
        )
    if report and scrubbing.hits:
        for heading in ("cause", "category", "domain"):
            show.line("")
            counts = summary[f"by_{heading}"]
            assert isinstance(counts, dict)
            rows = [(name, count, _percent(count, scrubbing.addresses)) for name, count in counts.items()]
            show.table((heading, "taken out", "of the list"), rows)


def _percent(part: int, whole: int) -> str:
    # 99.98 % must not look like all of them.
    return f"{min(100 * part / whole, 100.0 if part == whole else 99.9):.1f} %"
