"""The schema's versions: which one a database has, and how it gets the newest."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

SCRIPTS: Final = Path(__file__).with_name("migrations")

# Alembic keeps the migration that runs in module globals.
_one_at_a_time = threading.Lock()


def head() -> str:
    """The newest revision that this program knows."""
    newest = _directory().get_current_head()
    assert newest is not None
    return newest


def known(revision: str | None) -> bool:
    """Whether this program knows `revision`; it does not know a newer program's, nor a database without one."""
    return revision in {script.revision for script in _directory().walk_revisions()}


def steps(revision: str | None) -> list[tuple[str, str]]:
    """What brings a database of `revision` to the newest: revision and purpose of each step, in order."""
    found = [(script.revision, script.doc) for script in _directory().iterate_revisions("head", revision or "base")]
    return found[::-1]


def revision(connection: sa.Connection) -> str | None:
    """The revision of a database; None where it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: sa.Connection, to: str = "head") -> None:
    """Bring a database to a revision, the newest unless told, within the transaction of `connection`."""
    config = _config()
    config.attributes["connection"] = connection
    with _one_at_a_time:
        command.upgrade(config, to)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _directory() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
