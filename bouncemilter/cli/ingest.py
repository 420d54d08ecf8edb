"""`ingest`: the bounces that already lie in a mailbox."""

from __future__ import annotations

import dataclasses
import datetime as dt
import getpass
import logging
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import click
import structlog

from bouncemilter import address
from bouncemilter.assembly.pipeline import classifier, pipeline_options
from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.progress import bar
from bouncemilter.cli.storage import with_store
from bouncemilter.fronts.mailbox import (
    After,
    Fault,
    MailboxError,
    MailboxOptions,
    MessageOutcome,
    Secret,
    Security,
    SourceKind,
    Summary,
)
from bouncemilter.fronts.mailbox.files import kind_of
from bouncemilter.fronts.mailbox.poll import Poll, PollOptions
from bouncemilter.pipeline import Pipeline
from bouncemilter.settings import Settings
from bouncemilter.settings.checks.mailboxes import impossible
from bouncemilter.settings.sections import mailbox
from bouncemilter.store import Store

PASSWORD_VARIABLE: Final = "BOUNCEMILTER_MAILBOX_PASSWORD"  # noqa: S105  (a name)

_SCHEMES: Final = {
    "imaps": (SourceKind.IMAP, Security.TLS),
    "imap": (SourceKind.IMAP, Security.STARTTLS),
    "pop3s": (SourceKind.POP3, Security.TLS),
    "pop3": (SourceKind.POP3, Security.STARTTLS),
}
_EXITS: Final = {
    Fault.SETTING: Exit.CONFIGURATION,
    Fault.LOGIN: Exit.PERMISSION,
    Fault.UNREACHABLE: Exit.UNAVAILABLE,
    Fault.BROKEN_OFF: Exit.TEMPORARY,
    Fault.BUSY: Exit.TEMPORARY,
    Fault.DISK: Exit.IO,
    Fault.DATA: Exit.DATA,
    Fault.STORE: Exit.TEMPORARY,
}
_WORDS: Final = {
    MessageOutcome.RECOGNISED: "returns of yours, now on disk",
    MessageOutcome.KNOWN: "returns that were known already",
    MessageOutcome.LEFT: "left alone: what people wrote, reports, challenges, and what `also_pass` names",
    MessageOutcome.UNTIED: "left alone: returns that can't be tied to mail of yours",
    MessageOutcome.NOT_OURS: "left alone: to no address of yours (see --address)",
    MessageOutcome.TOO_OLD: "left alone: older than --since",
    MessageOutcome.FAILED: "failed, and tried again the next time",
    MessageOutcome.VANISHED: "vanished before they could be read",
}


@click.command("ingest")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--move", metavar="FOLDER", help="Move what was recognised and stored (IMAP, Maildir, folders).")
@click.option("--delete", is_flag=True, help="Delete what was recognised and stored.")
@click.option("--address", "own", help="Whose mailbox it is, for mails that name no address of yours.")
@click.option("--since", metavar="DAYS", type=click.IntRange(1), help="Leave older mails alone.")
@click.option("--limit", metavar="N", type=click.IntRange(1), help="Read N mails of each mailbox at most.")
@click.option("--again", is_flag=True, help="Read what earlier runs have settled, too.")
@click.option("--dry-run", is_flag=True, help="Say what is there; store, remember, move and delete nothing.")
@click.option("--password-file", type=click.Path(path_type=Path), help="Its first line is the password.")
@click.option("--token-file", type=click.Path(path_type=Path), help="An OAuth access token (XOAUTH2).")
@click.option("--ca-file", type=click.Path(path_type=Path), help="Believe these certificate authorities (PEM).")
@click.option("--tls", type=click.Choice([each.value for each in Security]), help="Instead of what the URL means.")
@click.option("--allow-unencrypted", is_flag=True, help="Send the password in clear to another host.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mailbox.")
@configuration.option
def command(  # noqa: PLR0913, PLR0917  (one parameter an option)
    sources: tuple[str, ...],
    move: str | None,
    delete: bool,
    own: str | None,
    since: int | None,
    limit: int | None,
    again: bool,
    dry_run: bool,
    password_file: Path | None,
    token_file: Path | None,
    ca_file: Path | None,
    tls: str | None,
    allow_unencrypted: bool,
    as_json: bool,
    config: Path,
) -> None:
    """Read the bounces that already lie in a mailbox. Nothing is changed there without --move or --delete.

    SOURCE is the name of a [[mailbox]]; a URL: imaps://USER@HOST[:PORT][/FOLDER], pop3s://USER@HOST, or imap: and
    pop3: with STARTTLS; the path of a Maildir, an mbox, a mail or a folder of mails (Outlook's .msg, too); or `-` for
    an mbox or a mail on standard input. An @ in USER may be written as it is, or as %40. The password comes from
    --password-file, --token-file, the environment variable BOUNCEMILTER_MAILBOX_PASSWORD, or is asked for.

    What was settled is remembered: a run that was broken off, and the next one, go on from there. What people wrote
    is never moved or deleted. Failures older than 32 days are recorded, never counted.

    Exit codes: 0 done, 65 some mails failed, 69 no connection, 74 I/O error, 75 broken off, busy or store down: run it
    again, 77 login refused, 78 no such mailbox or folder.
    """
    if move and delete:
        raise click.UsageError("give either --move or --delete.")
    if own is not None and not address.key(own):
        raise click.UsageError(f"--address: not an address: {own}")
    settings = configuration.read(config, environment=False)
    secret = Secret(
        token_file=str(token_file.absolute()) if token_file else "",
        password_file=str(password_file.absolute()) if password_file else "",
    )
    after = After.MOVE if move else After.DELETE if delete else None
    given = _Given(after, move or "", own or "", secret, tls, ca_file, allow_unencrypted)
    found = [_mailbox(each, settings, given) for each in sources]
    moment = dt.datetime.now(dt.UTC) - dt.timedelta(days=since) if since else None
    wanted = PollOptions(moment, limit, dry_run, again)
    _quiet()
    summaries, code = with_store(config, lambda store, now: _read_all(store, now, found, wanted))
    for summary in summaries:
        if as_json:
            show.json_line({**summary.to_dict(), "dry_run": dry_run})
        elif summary.read or not summary.error:
            _table(summary, dry_run=dry_run)
    for summary in summaries:
        if summary.error:
            Failure(f"mailbox {summary.mailbox}: {summary.error}", code).show()
    if code is not Exit.OK:
        raise SystemExit(code)


@dataclass(frozen=True, slots=True)
class _Given:
    """What the options of the command say of each mailbox."""

    after: After | None
    move_to: str
    address: str
    secret: Secret
    """For mailboxes that are given by URL."""
    tls: str | None
    """The same."""
    ca_file: Path | None
    allow_unencrypted: bool


def _mailbox(source: str, settings: Settings, given: _Given) -> MailboxOptions:
    """A mailbox by name, URL or path, with its password. Failure where it can't be read like that."""
    options = _changed(_configured(source, settings) or _written(source, given), given)
    faults = [f"{options.name}: {name}: {text}" for name, text in impossible(options)]
    if faults:
        raise Failure("\n".join(faults), Exit.USAGE)
    return _with_password(options)


def _configured(name: str, settings: Settings) -> MailboxOptions | None:
    return next((mailbox(each) for each in settings.mailbox if each.name == name), None)


def _written(written: str, given: _Given) -> MailboxOptions:
    """A mailbox by URL or path."""
    scheme, found, _ = written.partition("://")
    if not found:
        try:
            kind = kind_of(written)
        except MailboxError as error:
            raise Failure(str(error), _EXITS[error.fault]) from None
        return MailboxOptions(written, kind, path=written if written == "-" else str(Path(written).absolute()))
    if scheme.lower() not in _SCHEMES:
        raise click.UsageError(f"{scheme}: not one of {', '.join(_SCHEMES)}")
    kind, security = _SCHEMES[scheme.lower()]
    try:
        url = urlsplit(written)
        user, _, _ = url.netloc.rpartition("@")
        host, port = url.hostname or "", url.port or 0
    except ValueError as error:
        raise click.UsageError(f"{written}: {error}") from None
    if "?" in written or "#" in written:
        raise click.UsageError(f"{written}: in a URL, write %3F for ? and %23 for #.")
    if ":" in user:
        raise click.UsageError("a password does not belong into a URL, which other users of this host can see.")
    folder = unquote(url.path.removeprefix("/")) or "INBOX"
    shown = f"{scheme}://{host}/{folder}" if kind is SourceKind.IMAP else f"{scheme}://{host}"
    return MailboxOptions(
        shown,
        kind,
        host=host,
        port=port,
        security=Security(given.tls) if given.tls else security,
        user=unquote(user),
        secret=given.secret,
        folder=folder,
    )


def _changed(options: MailboxOptions, given: _Given) -> MailboxOptions:
    """What the options of the command change, and where a password may stand."""
    if given.after:
        folder = options.kind is SourceKind.EML and given.move_to
        target = str(Path(given.move_to).absolute()) if folder else given.move_to
        options = dataclasses.replace(options, after=given.after, move_to=target or options.move_to)
    if given.address:
        options = dataclasses.replace(options, address=given.address)
    if given.ca_file:
        options = dataclasses.replace(options, ca_file=str(given.ca_file.absolute()))
    if given.allow_unencrypted:
        options = dataclasses.replace(options, allow_unencrypted=True)
    if options.kind.is_remote and options.secret == Secret():
        options = dataclasses.replace(options, secret=Secret(password_env=PASSWORD_VARIABLE))
    return options


def _with_password(options: MailboxOptions) -> MailboxOptions:
    """Ask for a password that is nowhere; and read it before we become another user, who may not."""
    if not options.kind.is_remote:
        return options
    secret = options.secret
    if secret.password_env == PASSWORD_VARIABLE and PASSWORD_VARIABLE not in os.environ and sys.stdin.isatty():
        typed = getpass.getpass(f"Password of {show.cell(options.user)} at {show.cell(options.host)}: ")
        return dataclasses.replace(options, secret=Secret(held=typed))
    try:
        found = secret.read()
    except MailboxError as error:
        raise Failure(f"mailbox {options.name}: {error}", _EXITS[error.fault]) from None
    return dataclasses.replace(options, secret=Secret(held=found.text, held_is_token=found.is_token))


async def _read_all(
    store: Store, settings: Settings, found: Sequence[MailboxOptions], wanted: PollOptions
) -> tuple[list[Summary], Exit]:
    """Read one mailbox after the other; the summaries, and the code of the first that failed."""
    pipeline = Pipeline(store, classifier(settings), pipeline_options(settings))
    summaries, code = [], Exit.OK
    for options in found:
        with bar("Reading", 1) as advance:
            poll = Poll(options, pipeline, settings.state_directory, wanted, _Progress(advance))
            try:
                await poll.run()
            except MailboxError as error:
                code = code or _EXITS[error.fault]
        if poll.summary.outcomes[MessageOutcome.FAILED]:
            code = code or Exit.DATA
        summaries.append(poll.summary)
    return summaries, code


class _Progress:
    """Turns `so many of so many` into the steps of a bar whose whole is 1."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        self._advance = advance
        self._reached = 0.0

    def __call__(self, settled: int, of: int) -> None:
        reached = settled / of if of else 1.0
        self._advance(reached - self._reached)
        self._reached = reached


def _table(summary: Summary, *, dry_run: bool) -> None:
    rows: list[tuple[object, object]] = []
    if summary.seen_before:
        rows.append(("settled by an earlier run", summary.seen_before))
    rows += [
        (_said(outcome, dry_run=dry_run), summary.outcomes[outcome])
        for outcome in MessageOutcome
        if summary.outcomes[outcome]
    ]
    rows += [(f"  {kind}", n) for kind, n in sorted(summary.kinds.items())]
    rows += [(f"    {category}", n) for category, n in sorted(summary.categories.items())]
    if not dry_run:
        rows.append(("addresses suppressed", summary.suppressed))
        rows += [(word, n) for word, n in (("moved", summary.moved), ("deleted", summary.deleted)) if n]
    if not summary.complete:
        rows.append(("the mailbox was not read to its end", ""))
    show.table(("what", "mails"), rows, title=summary.mailbox)


def _said(outcome: MessageOutcome, *, dry_run: bool) -> str:
    return "returns of yours, or likely so" if dry_run and outcome is MessageOutcome.RECOGNISED else _WORDS[outcome]


def _quiet() -> None:
    """The path's own log goes to standard error, and only what needs an eye."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )
