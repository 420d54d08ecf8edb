"""Opening the store for a command: it works with the daemon up or down."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from bouncemilter.cli import configuration
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.cli.identity import acting_as_owner, become_owner
from bouncemilter.settings import Settings
from bouncemilter.store import Store, StoreRefused, StoreUnavailable

_Result = TypeVar("_Result")


def with_store(config: Path, work: Callable[[Store, Settings], Awaitable[_Result]], *, lasting: bool = True) -> _Result:
    """Do `work` on the store that the configuration names; its failures become exit codes.

    So do those of rules and keys that the configuration names: as root, only their owner can say if he can read them.
    `lasting`: as root, the command is the store's owner from now on; else only during `work`.
    """
    # The state folder alone matters here: sockets and their folders are the daemon's concern.
    settings = configuration.read(config, environment=False)
    if lasting:
        become_owner(settings.state_directory)

    async def run() -> _Result:
        async with await Store.open(
            settings.store_url,
            busy_timeout=settings.store.busy_timeout_s,
            check=False,
        ) as store:
            return await work(store, settings)

    try:
        with contextlib.nullcontext() if lasting else acting_as_owner(settings.state_directory):
            return asyncio.run(run())
    except (StoreRefused, *configuration.UNUSABLE) as error:
        raise Failure(str(error), Exit.CONFIGURATION) from None
    except StoreUnavailable as error:
        raise Failure(f"the store can't be used just now: {error}", Exit.TEMPORARY) from None
