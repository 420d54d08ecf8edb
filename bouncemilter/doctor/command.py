"""Running the MTA's own commands."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"
"""sbin too: a login shell of an ordinary user may lack it."""
SECONDS: Final = 30.0
"""postconf takes 2 s where the host's own name is not in DNS."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a command said."""

    code: int
    """Its exit code; 127 where there is no such command."""
    out: str = ""
    err: str = ""


Run = Callable[[tuple[str, ...], bytes], Awaitable[Output]]
"""Runs a command with that standard input; the tests give one that knows its answers."""


async def run(argv: tuple[str, ...], stdin: bytes = b"") -> Output:
    """Run a command and wait for it. Raises TimeoutError after 30 s, when the command has been ended."""
    environment = {**os.environ, "PATH": PATH, "LC_ALL": "C"}
    pipe = asyncio.subprocess.PIPE
    try:
        process = await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe, stderr=pipe, env=environment)
    except FileNotFoundError:
        return Output(127, err=f"{argv[0]}: not found")
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), SECONDS)
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Output(process.returncode or 0, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
