"""`serve`: the daemon."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import click

from bouncemilter.cli import configuration
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import become_owner
from bouncemilter.daemon import Daemon, StartError, log
from bouncemilter.store import StoreRefused, StoreUnavailable


@click.command("serve")
@configuration.option
def command(config: Path) -> None:
    """Run the daemon in the foreground, until SIGTERM. SIGHUP reads the configuration anew."""
    settings = configuration.read(config)
    become_owner(settings.state_directory)
    os.umask(0o077)
    log.configure(settings.log.level)
    try:
        told = asyncio.run(Daemon(settings, config).run())
    except (StoreRefused, *configuration.UNUSABLE) as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None
    except (StartError, StoreUnavailable) as error:
        raise Failure(str(error), Exit.UNAVAILABLE) from None
    sys.stdout.flush()
    # libmilter's pool threads outlive it; nothing is left that an orderly interpreter shutdown could save.
    os._exit(Exit.OK if told else Exit.UNAVAILABLE)
