"""Faults that the real thing can't be brought to: loaded into the daemon by PYTHONPATH, switched on by files.

In the folder $BOUNCEMILTER_FAULTS: `hold_after_commit`: the answer waits after the commit, for as long as the file is
there. `raise_in_read`: reading a message raises.
"""

import asyncio
import os
from pathlib import Path
from typing import Any

from bouncemilter import report
from bouncemilter.store import Store

FOLDER = Path(os.environ["BOUNCEMILTER_FAULTS"])
_record = Store.record
_read = report.read


async def _held(*arguments: Any, **options: Any) -> Any:
    recorded = await _record(*arguments, **options)
    while (FOLDER / "hold_after_commit").exists():  # noqa: ASYNC110  (another process takes the file away)
        await asyncio.sleep(0.02)
    return recorded


def _raising(*arguments: Any, **options: Any) -> Any:
    if (FOLDER / "raise_in_read").exists():
        raise ZeroDivisionError("the secret detail")
    return _read(*arguments, **options)


Store.record = _held  # type: ignore[method-assign]
report.read = _raising
