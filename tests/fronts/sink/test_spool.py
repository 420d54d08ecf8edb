"""Where the content of a message lies."""

from pathlib import Path

import pytest

from bouncemilter import limits
from bouncemilter.fronts.sink.spool import Spool


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


@pytest.mark.parametrize("size", [limits.KEPT_BYTES - 1, limits.KEPT_BYTES, limits.KEPT_BYTES + 1])
async def test_head_and_rest(tmp_path: Path, size: int) -> None:
    """Head and rest together are what was written; only what is beyond the kept octets is in a file, without a name."""
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with Spool(10**7, tmp_path) as spool:
        for at in range(0, size, 70_000):
            await spool.write(content[at : at + 70_000])
        assert len(spool.head) == min(size, limits.KEPT_BYTES)
        assert spool.head + b"".join(spool.rest()) == content
        assert spool.size == size
        assert names(tmp_path) == []


async def test_oversize() -> None:
    """What is over the limit is counted and not kept."""
    with Spool(1000) as spool:
        for _ in range(11):
            await spool.write(b"x" * 100)
        assert spool.oversize
        assert spool.size == 1100
        assert spool.head == b""


async def test_left() -> None:
    """A reader that is behind when the spool is left fails, and never takes a part for the whole."""
    with Spool(10**7) as spool:
        await spool.write(b"x" * 2_000_000)
        rest = spool.rest()
        next(rest)
    with pytest.raises(ValueError, match="closed"):
        next(rest)
