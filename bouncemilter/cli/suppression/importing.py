"""`suppression import`: lists of others, in batches that can be undone."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from bouncemilter import limits, text
from bouncemilter.assembly.pipeline import classifier
from bouncemilter.cli import configuration, listing, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import operator
from bouncemilter.cli.progress import bar
from bouncemilter.cli.spool import PipedList, is_input
from bouncemilter.cli.storage import with_store
from bouncemilter.cli.suppression import options
from bouncemilter.exchange import reading
from bouncemilter.exchange.admission import KEPT, ImportFilter, ImportOptions
from bouncemilter.exchange.blame import Judge
from bouncemilter.exchange.spool import Spool
from bouncemilter.lists import ListError, ListOptions, Source
from bouncemilter.model import Cause, Scope
from bouncemilter.settings import Settings
from bouncemilter.store import Batch, NoSuchBatchError, Progress, Store, StoreUnavailable

_STEP = 1000
"""Rows after which the bar moves."""
_SHOWN = 20


@click.command("import")
@configuration.option
@click.argument("file", required=False, metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--format",
    "form",
    type=click.Choice(reading.FORMATS),
    default="auto",
    show_default=True,
    help="Whose export it is.",
)
@listing.layout_options
@options.word(Cause, "--cause", help="Of rows that name none (else manual), and of the sender's own fault.")
@options.reach
@click.option("--note", default="", help="For the record of each.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.option("--undo", default="", metavar="BATCH", help="End what an import has made, and nothing else.")
@click.option("--batches", is_flag=True, help="List the imports, newest first.")
@options.as_json
def import_(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    config: Path,
    file: Path | None,
    form: str,
    list_options: ListOptions,
    cause: Cause | None,
    reach: tuple[Scope, str] | None,
    note: str,
    dry_run: bool,
    undo: str,
    batches: bool,
    as_json: bool,
) -> None:
    """Suppress the addresses of a list; `-` reads standard input. Exit 1: some rows could not be read.

    CSV in UTF-8, UTF-16, windows-1250 or ISO-8859-2 with any delimiter, Excel, JSON, JSON lines, or an address a line.
    What is suppressed already stays as it is. All is read before anything is written.
    """
    if sum((file is not None, bool(undo), batches)) != 1:
        raise click.UsageError("name one of FILE, --undo BATCH, --batches")
    if batches:
        _list(with_store(config, lambda store, _: store.imports.batches()), as_json=as_json)
    elif undo:
        _undo(config, undo, as_json=as_json)
    else:
        assert file is not None
        import_options = ImportOptions(cause, reach, options.note(note))
        _Import(file, form, list_options, import_options, dry_run=dry_run).run(config, as_json=as_json)


class _Import:
    """One file on its way into the store."""

    def __init__(
        self, file: Path, form: str, list_options: ListOptions, import_options: ImportOptions, *, dry_run: bool
    ) -> None:
        self._name = "standard input" if str(file) == "-" else text.clean(file.name, limits.SUBJECT)
        self._file = file
        self._form = form
        self._list_options = list_options
        self._options = import_options
        self._dry_run = dry_run
        self._sums = Progress(0, 0, 0, 0, 0, ())

    def run(self, config: Path, *, as_json: bool) -> None:
        """Do it, and say what was done."""

        async def work(store: Store, settings: Settings) -> dict[str, Any]:
            with Spool() as spool:
                taking = _filter(settings, self._options)
                found = self._read(source, taking, spool)
                batch = await self._write(store, spool, taking, found.format)
            return self._summary(taking, found, batch)

        try:
            with _opened(self._file) as source:
                summary = with_store(config, work)
        except ListError as error:
            raise Failure(f"{error}; nothing was imported", Exit.DATA) from None
        except OSError as error:
            raise Failure(f"{self._file}: {error.strerror or error}", Exit.IO) from None
        if as_json:
            show.json_line(summary)
        else:
            _tell(summary, dry_run=self._dry_run)
        raise SystemExit(Exit.NO if summary["rejected"] else Exit.OK)

    def _read(self, source: Source, taking: ImportFilter, spool: Spool) -> reading.Reading:
        """Check all rows; what is known of the list then."""
        found = reading.read(source, self._form, self._list_options)
        with bar("reading", 0) as advance:
            for place, (number, entry) in enumerate(found.rows, 1):
                for row in taking.rows(number, entry):
                    spool.add(row)
                if not place % _STEP:
                    advance(_STEP)
        if taking.rejected and not taking.taken and not taking.skipped:
            number, reason = taking.faults[0]
            raise ListError(f"{source.path}: no row can be read; {found.unit} {number}: {reason}")
        return found

    async def _write(self, store: Store, spool: Spool, taking: ImportFilter, form: str) -> Batch | None:
        imports, by = store.imports, operator()
        if self._dry_run:
            with bar("comparing", spool.rows) as advance:
                async for progress in imports.preview(spool):
                    self._add(progress)
                    advance(progress.rows)
            return None
        batch = await imports.begin(
            by=by, file_name=self._name, format_=form, skipped=sum(taking.skipped.values()), rejected=taking.rejected
        )
        try:
            with bar("writing", spool.rows) as advance:
                async for progress in imports.add(batch, by, spool):
                    self._add(progress)
                    advance(progress.rows)
            return await imports.finish(batch)
        except NoSuchBatchError:
            raise Failure(f"import {batch} was undone meanwhile", Exit.TEMPORARY) from None
        except StoreUnavailable as error:
            words = f"{self._sums.rows} of {spool.rows} rows are written as batch {batch}"
            ways = f"import the file again, or: suppression import --undo {batch}"
            raise Failure(f"the store can't be used just now: {error}\n{words}\n{ways}", Exit.TEMPORARY) from None

    def _add(self, more: Progress) -> None:
        now = self._sums
        self._sums = Progress(
            now.rows + more.rows,
            now.added + more.added,
            now.known + more.known,
            now.skipped + more.skipped,
            now.beside + more.beside,
            (*now.named, *more.named)[:KEPT],
        )

    def _summary(self, taking: ImportFilter, found: reading.Reading, batch: Batch | None) -> dict[str, Any]:
        sums, unit = self._sums, found.unit
        skipped = dict(taking.skipped) | ({"expired": sums.skipped} if sums.skipped else {})
        return {
            "file": self._name,
            "format": found.format,
            "partial": found.partial,
            "causes": {cause.value: number for cause, number in taking.taken.most_common()},
            "batch": batch.id if batch else None,
            "added": sums.added,
            "known": sums.known,
            "beside": sums.beside,
            "skipped": skipped,
            "rejected": taking.rejected,
            "undated": taking.undated,
            "conflicts": [{unit: each.line, **_conflict(asdict(each))} for each in sums.named],
            "faults": [{unit: number, "reason": reason} for number, reason in taking.faults],
        }


def _conflict(each: dict[str, Any]) -> dict[str, Any]:
    return {"address": each["address_key"], "cause": str(each["cause"]), "already": list(each["others"])}


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[Source]:
    """The list, opened while the command still is who called it."""
    if is_input(file):
        with PipedList(file) as piped:
            yield Source(Path("standard input") if str(file) == "-" else file, piped.file)
    else:
        with file.open("rb") as opened:
            yield Source(file, opened)


def _filter(settings: Settings, import_options: ImportOptions) -> ImportFilter:
    policy = settings.policy
    expiry = dt.timedelta(days=policy.soft_expiry_days)
    return ImportFilter(
        Judge(classifier(settings)), import_options, policy.fold_local_part, expiry, dt.datetime.now(dt.UTC)
    )


def _tell(summary: dict[str, Any], *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    causes = ", ".join(f"{cause} {number}" for cause, number in summary["causes"].items())
    show.line(f"{summary['file']}: format {summary['format']}{causes and f', as {causes}'}")
    if summary["partial"]:
        click.echo("bouncemilter: the file says that it is one page of many; import the others, too", err=True)
    show.line(f"{summary['added']} {would}added, {summary['known']} were suppressed already or stand there twice")
    if summary["beside"]:
        show.line(f"{summary['beside']} of those added are suppressed otherwise, too; both are kept")
        for each in summary["conflicts"][:_SHOWN]:
            place = next(f"{unit} {number}" for unit, number in each.items() if unit in ("line", "row", "item"))
            show.line(f"  {place}: {each['address']}: {each['cause']}, beside {', '.join(each['already'])}")
    for reason, number in summary["skipped"].items():
        show.line(f"{number} skipped: {reason}")
    if summary["undated"]:
        show.line(f"{summary['undated']} without a date that can be read: they count from now")
    if summary["batch"]:
        show.line(f"batch {summary['batch']}; to undo it: bouncemilter suppression import --undo {summary['batch']}")
    if summary["rejected"]:
        for fault in summary["faults"][:_SHOWN]:
            (unit, number), (_, reason) = fault.items()
            click.echo(text.visible(f"bouncemilter: {unit} {number}: {reason}"), err=True)
        click.echo(f"bouncemilter: {summary['rejected']} rows could not be read; the others were taken", err=True)


def _undo(config: Path, batch: str, *, as_json: bool) -> None:
    by = operator()

    async def end(store: Store, _: Settings) -> int:
        ended = 0
        with bar("ending", 0) as advance:
            async for number in store.imports.undo(batch, by=by):
                ended += number
                advance(number)
        return ended

    try:
        ended = with_store(config, end)
    except NoSuchBatchError:
        raise Failure(f"no import {show.cell(batch)}; --batches lists them", Exit.NO) from None
    if as_json:
        show.json_line({"batch": batch, "ended": ended})
    else:
        show.line(f"{ended} suppressions of import {batch} ended")


def _list(found: tuple[Batch, ...], *, as_json: bool) -> None:
    if as_json:
        for each in found:
            show.json_line(each)
    elif found:
        headings = ("batch", "at", "by", "file", "format", "added", "known", "beside", "skipped", "rejected", "state")
        show.table(headings, (_row(each) for each in found))


def _row(each: Batch) -> tuple[object, ...]:
    state = "whole" if each.finished_at else "broken off, or running"
    if each.undone_at:
        state = f"undone by {each.undone_by}"
    counts = (each.added, each.known, each.beside, each.skipped, each.rejected)
    return (each.id, each.at, each.by, each.file_name, each.format, *counts, state)
