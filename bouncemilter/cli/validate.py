"""`validate`: a mailing list before its first mailing."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click

from bouncemilter import text
from bouncemilter.cli import language, listing, show, spool
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.progress import bar
from bouncemilter.language import Language
from bouncemilter.lists import Keep, ListOptions, MailingList, Table, addresses, has_hidden, open_list
from bouncemilter.settings.checks.domains import free_mail_domains
from bouncemilter.validation import (
    Checker,
    DomainFileError,
    MailHosts,
    MailHostStatus,
    Reason,
    ResolverError,
    Result,
    Validity,
    disposable_domains,
    verdict,
    words,
)

HEADINGS: Final = ("record", "address", "verdict", "reasons", "suggestion", "meaning")
_ROWS: Final = 5000
_SHOWN: Final = 20


@dataclass(slots=True)
class _Validation:
    """What is found while a list is read for the second time."""

    checker: Checker
    said: Mapping[str, MailHostStatus]
    strict: bool
    """Whether the risky are left out, too."""
    table: Table | None
    """Takes those left out."""
    language: Language
    as_json: bool
    verdicts: Counter[Validity] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    left_out: int = 0
    examples: list[Result] = field(default_factory=list)
    """The first ones with a suggestion."""
    rows: list[tuple[object, ...]] = field(default_factory=list)

    def keep(self) -> Keep:
        """Whether a record stays, for MailingList.copy: one without an address does."""

        def keep(record: int, cell: str) -> bool:
            if not cell:
                return True
            found = () if has_hidden(cell) else addresses(cell)
            results = [self.checker.check(each, self.said) for each in found or (cell,)]
            for each in results:
                self._count(record, each)
            stays = self._stays(results)
            if not stays:
                self.left_out += 1
                self._reject(record, results)
            return stays

        return keep

    def flush(self) -> None:
        """Write what waits."""
        if self.table:
            self.table.add(self.rows)
        self.rows.clear()

    def _count(self, record: int, result: Result) -> None:
        self.verdicts[result.verdict] += 1
        self.reasons.update(result.reasons)
        if result.suggestion and len(self.examples) < _SHOWN:
            self.examples.append(result)
        if self.as_json:
            show.json_line({"record": record, **show.plain(result)})

    def _stays(self, results: Sequence[Result]) -> bool:
        """Whether a record with these addresses stays: with only good ones, and one at least that is new."""
        new = [each for each in results if Reason.DUPLICATE not in each.reasons]
        worst = Validity.OK if self.strict else Validity.RISKY
        stays = bool(new) and all(each.verdict in (Validity.OK, worst) for each in results)
        if not stays and len(results) > 1:
            for each in new:  # what goes with another address may come again by itself
                self.checker.forget(each.address)
        return stays

    def _reject(self, record: int, results: Iterable[Result]) -> None:
        if self.table is None:
            return
        for each in results:
            meaning = "; ".join(words(reason, self.language) for reason in each.reasons)
            names = " ".join(each.reasons)
            self.rows.append((record, text.visible(each.address), each.verdict.value, names, each.suggestion, meaning))
        if len(self.rows) >= _ROWS:
            self.flush()


@click.command("validate")
@listing.options
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write the list without invalid addresses and duplicates; `-` is standard output.",
)
@click.option("--strict", is_flag=True, help="Leave risky addresses out of it, too.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path),
    help="Write who was left out and why: CSV, or JSON lines by its name (.jsonl).",
)
@click.option("--no-dns", is_flag=True, help="Ask nothing of DNS.")
@click.option("--resolver", default="", metavar="HOST:PORT", help="The resolver to ask; else those of this host.")
@click.option("--concurrency", type=click.IntRange(1, 1000), default=100, show_default=True, help="Domains at a time.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 60), default=5.0, show_default=True, help="Seconds of a question."
)
@click.option(
    "--disposable",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="More domains of throw-away mailboxes, one a line.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each address.")
@language.option
@click.option("--exit-code", is_flag=True, help="End with 1 if anything is invalid.")
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    path: Path,
    list_options: ListOptions,
    output: Path | None,
    strict: bool,
    rejected: Path | None,
    no_dns: bool,
    resolver: str,
    concurrency: int,
    timeout: float,
    disposable: tuple[Path, ...],
    as_json: bool,
    lang: Language,
    exit_code: bool,
) -> None:
    """Check the addresses of a mailing list before its first mailing: CSV, TSV, plain text or Excel.

    Each is ok, risky or invalid: syntax (RFC 5321, RFC 6531, IDN), whether the domain takes mail (MX, null MX), likely
    typing errors with what was meant, roles, throw-away mailboxes, what looks like a spam trap or made up, duplicates.
    Needs no configuration and no store. LIST `-` is standard input.

    No mail server is asked whether a mailbox exists. That is what address harvesters do: providers answer yes to all or
    no to all, greylist it, and put the host that asks on blocklists. Send, and let the bounces tell.

    Exit codes: 0 done, 1 with --exit-code if anything is invalid, 2 usage, 65 the list can't be used, 69 DNS answers
    nothing, 74 a file can't be read or written.
    """
    if as_json and spool.is_output(output):
        raise click.UsageError("--json and --output - both need standard output")
    listing.refuse_clash(path, output, rejected)
    with listing.faults(path, output, rejected), contextlib.ExitStack() as stack:
        found = open_list(stack.enter_context(listing.source(path)), list_options)
        checker = _checker(disposable)
        said = {} if no_dns else _ask(found, checker, _Asking(resolver, concurrency, timeout))
        outcome = listing.Outcome(stack, found.path)
        out, refused = outcome.file(output), outcome.file(rejected)
        table = Table(refused.file, refused.path, HEADINGS) if refused else None
        validation = _Validation(checker, said, strict, table, lang, as_json)
        # What is printed for each address is a bar already.
        with bar("checking", 0 if as_json else found.size) as advance:
            found.copy(out.file if out else None, validation.keep(), advance)
        validation.flush()
        outcome.settle()
    if not as_json:
        with listing.figures_beside(output):
            listing.print_layout(path, found.layout)
            _print(validation, str(output) if output else "")
    if exit_code and validation.verdicts[Validity.INVALID]:
        raise SystemExit(Exit.NO)


@dataclass(frozen=True, slots=True)
class _Asking:
    """How DNS is asked."""

    resolver: str
    concurrency: int
    seconds: float


def _checker(files: tuple[Path, ...]) -> Checker:
    try:
        return Checker(known=free_mail_domains(), disposable=disposable_domains(*files))
    except DomainFileError as error:
        raise Failure(str(error), Exit.DATA) from None


def _ask(found: MailingList, checker: Checker, options: _Asking) -> dict[str, MailHostStatus]:
    """What DNS says of all domains of a list. Failure 69: it says nothing of any."""
    domains: dict[str, None] = {}

    def collect(_record: int, cell: str) -> bool:
        for each in addresses(cell):
            domains[checker.domain(each)] = None
        return True

    with bar("reading the list", found.size) as advance:
        found.copy(None, collect, advance)
    domains.pop("", None)

    async def ask() -> dict[str, MailHostStatus]:
        hosts = MailHosts(options.resolver, concurrency=options.concurrency, seconds=options.seconds)
        with bar("asking DNS", len(domains)) as advance:
            return await hosts.find(domains, advance)

    try:
        said = asyncio.run(ask())
    except ResolverError as error:
        raise Failure(str(error), Exit.USAGE) from None
    if said and set(said.values()) == {MailHostStatus.UNANSWERED}:
        raise Failure("DNS answers nothing: nothing was checked (--no-dns goes without it)", Exit.UNAVAILABLE)
    return said


def _print(validation: _Validation, target: str) -> None:
    counts = validation.verdicts
    shown = ", ".join(f"{counts[each]} {each}" for each in Validity)
    show.line(f"{counts.total()} addresses: {shown}")
    if target:
        show.line(f"{target}: {validation.left_out} records left out")
    if validation.reasons:
        show.line("")
        rows = (
            (reason, verdict([reason]), count, words(reason, validation.language))
            for reason, count in validation.reasons.most_common()
        )
        show.table(("reason", "verdict", "addresses", "meaning"), rows)
    if validation.examples:
        show.line("")
        show.table(("address", "perhaps"), ((each.address, each.suggestion) for each in validation.examples))
