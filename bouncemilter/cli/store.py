"""`store`: copies of the store, checks, putting a copy back, and new schema versions."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import click

from bouncemilter.cli import configuration, show
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import acting_as_owner, become_owner
from bouncemilter.settings import Settings
from bouncemilter.store import BadFile, StoreRefused, StoreUnavailable, upkeep


@click.group("store")
def command() -> None:
    """The store's file: copies, checks, putting a copy back, and new schema versions."""


@command.command("backup")
@configuration.option
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE where it is there.")
def backup(config: Path, file: Path, force: bool) -> None:
    """Copy the store into FILE, also while the daemon runs and writes.

    The copy is the store at one moment, checked, in one file that only its owner reads. It appears whole or not at all.
    It holds addresses and what servers said about them: keep it as you keep the store.
    """
    settings, path = _store(config)
    with _faults(), contextlib.ExitStack() as closing:
        # Opened as the store's owner, so that none of its files becomes root's; the copy is that of who calls.
        with acting_as_owner(settings.state_directory):
            snapshot = upkeep.Snapshot(path, settings.store.busy_timeout_s)
        closing.callback(_close, snapshot, settings)
        octets = snapshot.write(file, overwrite=force)
    show.line(f"{file}: {octets:,} octets")


@command.command("restore")
@configuration.option
@click.argument("file", type=click.Path(path_type=Path))
def restore(config: Path, file: Path) -> None:
    """Put the copy FILE in the store's place. Stop the daemon first.

    FILE is read through before anything is changed. The file that was there is kept beside the store.
    """
    settings, path = _store(config)
    log = file.with_name(f"{file.name}-wal")
    try:
        if log.exists() and log.stat().st_size:
            raise Failure(f"{log}: FILE lacks what is in there; make copies by `bouncemilter store backup`", Exit.DATA)
        source = file.open("rb")
    except OSError as error:
        raise Failure(f"{file}: {error.strerror}", Exit.IO) from None
    with source, _faults():
        become_owner(settings.state_directory)
        kept = upkeep.restore(source, file, path, settings.store.busy_timeout_s, dt.datetime.now(dt.UTC))
    show.line(f"{path}: restored from {file}")
    if kept:
        show.line(f"what was there is kept: {kept}")


@command.command("check")
@configuration.option
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(config: Path, file: Path | None, as_json: bool) -> None:
    """Read the store through, or its copy FILE, and say what is in it: exit 0 if it is sound, 1 if not.

    Changes nothing, and works while the daemon runs.
    """
    settings, path = _store(config)
    if file is None:
        become_owner(settings.state_directory)
    with _faults():
        found = upkeep.look(file or path, settings.store.busy_timeout_s)
    if as_json:
        show.json_line(found)
    else:
        _print(found)
    raise SystemExit(Exit.NO if found.problems else Exit.OK)


@command.command("migrate")
@configuration.option
@click.option("--dry-run", is_flag=True, help="Only say which steps are due.")
def migrate(config: Path, dry_run: bool) -> None:
    """Bring the store of an older bouncemilter up to date, after a copy beside it. Stop the daemon first.

    The daemon does the same when it starts.
    """
    settings, path = _store(config)
    become_owner(settings.state_directory)
    with _faults():
        steps = upkeep.pending(path, settings.store.busy_timeout_s)
        if not steps:
            show.line(f"{path}: up to date")
            return
        for version, purpose in steps:
            show.line(f"schema {version}: {purpose}")
        if dry_run:
            return
        copy = upkeep.migrate(path, settings.store.busy_timeout_s)
    show.line(f"{path}: done; as it was: {copy}")


def _store(config: Path) -> tuple[Settings, Path]:
    settings = configuration.read(config, environment=False)
    try:
        return settings, upkeep.path_of(settings.store_url)
    except StoreRefused as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None


def _close(snapshot: upkeep.Snapshot, settings: Settings) -> None:
    with acting_as_owner(settings.state_directory):
        snapshot.close()


@contextlib.contextmanager
def _faults() -> Iterator[None]:
    """Errors of the store and of files as exit codes."""
    try:
        yield
    except BadFile as error:
        raise Failure(str(error), Exit.IO if isinstance(error.__cause__, OSError) else Exit.DATA) from None
    except StoreRefused as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None
    except StoreUnavailable as error:
        raise Failure(str(error), Exit.TEMPORARY) from None


def _print(found: upkeep.Condition) -> None:
    age = "" if found.schema == found.newest else f" (this program writes {found.newest})"
    show.line(f"{found.file}: {found.octets:,} octets, schema {found.schema or 'unknown'}{age}")
    for table, rows in found.rows.items():
        show.line(f"  {table:20} {rows:>12,}")
    for problem in found.problems or ("sound",):
        show.line(problem)
