"""What is remembered of a mailbox: kept over restarts, held by one reader, never in the way."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from bouncemilter.fronts.mailbox import Fault, MailboxError, memory
from bouncemilter.fronts.mailbox.memory import LEFT, RECOGNISED, Memory


def opened(folder: Path) -> Memory:
    found = Memory(folder, "abc")
    found.open()
    return found


def test_kept(tmp_path: Path) -> None:
    """What was learnt is known to the next reader; what has gone from the mailbox is forgotten."""
    one = opened(tmp_path)
    one.learn({"1": LEFT, "2": RECOGNISED, "zażółć@x.test": LEFT})
    one.set_note("beyond:leave", "2")
    one.close()
    two = opened(tmp_path)
    assert [two.outcome(key) for key in ("1", "2", "zażółć@x.test", "3")] == [LEFT, RECOGNISED, LEFT, None]
    two.keep_only(["2", "4"])
    assert two.note("beyond:leave") == "2"
    two.close()
    three = opened(tmp_path)
    assert [three.outcome(key) for key in ("1", "2")] == [None, RECOGNISED]
    three.forget()
    assert (three.outcome("2"), three.note("beyond:leave")) == (None, "")
    three.close()


def test_no_names(tmp_path: Path) -> None:
    """A message's name, which may be an address, stands in no file; others can't read the files."""
    one = opened(tmp_path)
    one.learn({"jan@klient.test": LEFT})
    one.close()
    for path in (tmp_path / memory.FOLDER).iterdir():
        assert b"klient" not in path.read_bytes()
    assert stat.S_IMODE((tmp_path / memory.FOLDER).stat().st_mode) == 0o700


def test_one_reader(tmp_path: Path) -> None:
    """A second reader is told so, and gets it once the first has closed."""
    one = opened(tmp_path)
    with pytest.raises(MailboxError) as caught:
        opened(tmp_path)
    assert caught.value.fault is Fault.BUSY
    one.close()
    opened(tmp_path).close()


def test_damaged(tmp_path: Path) -> None:
    """A damaged file is made anew: nothing is lost but the knowledge of what need not be read."""
    one = opened(tmp_path)
    one.learn({"1": LEFT})
    one.close()
    (tmp_path / memory.FOLDER / "abc.db").write_bytes(b"no database " * 1000)
    two = opened(tmp_path)
    assert two.outcome("1") is None
    two.learn({"1": LEFT})
    two.close()


def test_no_room(tmp_path: Path) -> None:
    """Where it can't be written, the error names the place."""
    (tmp_path / memory.FOLDER).write_text("in the way")
    with pytest.raises(MailboxError, match=memory.FOLDER) as caught:
        opened(tmp_path)
    assert caught.value.fault is Fault.DISK
