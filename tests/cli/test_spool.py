"""Lists that come and go through pipes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bouncemilter.cli import main
from tests.cli.conftest import Home

LIST = "id;email\r\n1;dead@wp.pl\r\n2;ola@wp.pl\r\n"
CLEAN = "id;email\r\n2;ola@wp.pl\r\n"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of our own for what lies on the disk meanwhile."""
    found = tmp_path / "tmp"
    found.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(found))
    return found


def run(home: Home, *arguments: str, given: bytes = LIST.encode()) -> Result:
    home.run("suppression", "add", "dead@wp.pl")
    return CliRunner().invoke(main, ["scrub", *arguments, "--config", str(home.config)], given, catch_exceptions=False)


def test_filter(home: Home, temporary: Path) -> None:
    """From standard input the cleaned list goes to standard output, alone, and the figures to standard error."""
    done = run(home, "-")
    assert (done.exit_code, done.stdout_bytes.decode()) == (0, CLEAN)
    assert "2 addresses: 1 taken out, 1 kept" in done.stderr
    assert list(temporary.iterdir()) == []
    assert json.loads(run(home, "-", "--json", "--report").stderr)["rejected"] == 1
    assert json.loads(run(home, "-", "--json", "--dry-run").stdout)["rejected"] == 1


def test_to_a_file(home: Home) -> None:
    """What is read from a pipe can be written to files, which are for their owner alone."""
    out, rejected = home.folder / "out.csv", home.folder / "rejected.csv"
    done = run(home, "-", "--output", str(out), "--rejected", str(rejected))
    assert (done.exit_code, out.read_bytes().decode()) == (0, CLEAN)
    assert "dead@wp.pl" in rejected.read_text()
    assert rejected.stat().st_mode & 0o077 == 0
    assert "1 kept in" in done.stdout


@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_to_standard_output(home: Home, name: str) -> None:
    """A file's cleaned list goes to standard output where that is asked for, and no file of that name is made."""
    path = home.folder / "l.csv"
    path.write_bytes(LIST.encode())
    assert run(home, str(path), "--output", name).stdout_bytes.decode() == CLEAN
    assert {each.name for each in home.folder.iterdir()} == {"l.csv", "state", "tmp", "bouncemilter.toml"}
    assert "no list was written" in run(home, str(path), "--output", name, "--dry-run").stdout


def test_named_pipe(home: Home) -> None:
    """A pipe with a name, such as a shell's `<(zcat list.gz)`, is read to its end."""
    pipe = home.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(LIST.encode()))
    writer.start()
    done = run(home, str(pipe))
    writer.join()
    assert done.stdout_bytes.decode() == CLEAN


def test_bad_input(home: Home, temporary: Path) -> None:
    """An error says what was read, nothing is printed, and nothing is left over."""
    for given, words in ((b"\x00\x01\x02" * 99, "the piped list: a binary file"), (b"", "the piped list: empty")):
        done = run(home, "-", given=given)
        assert (done.exit_code, done.stdout, words in done.stderr) == (65, "", True)
    assert list(temporary.iterdir()) == []


def test_usage(home: Home) -> None:
    """A pipe can't be changed in place, and carries one thing."""
    for arguments in (("-", "--in-place"), ("-", "--rejected", "-")):
        assert run(home, *arguments).exit_code == 2
    for more in (("--output", "-", "--json"), ("--rejected", "-")):
        assert CliRunner().invoke(main, ["validate", "-", "--no-dns", *more], LIST).exit_code == 2


def test_validate(home: Home) -> None:
    """`validate` reads a pipe and writes to one."""
    given = "email\njan@wp.pl\nnic\n"
    done = CliRunner().invoke(main, ["validate", "-", "--no-dns", "--output", "-"], given)
    assert (done.exit_code, done.stdout) == (0, "email\njan@wp.pl\n")
    assert "2 addresses: 1 ok, 0 risky, 1 invalid" in done.stderr
    assert "2 addresses" in CliRunner().invoke(main, ["validate", "-", "--no-dns"], given).stdout


def test_reader_gone(home: Home) -> None:
    """A reader that goes away ends the command without a traceback."""
    home.run("suppression", "add", "dead@wp.pl")
    given = "dead@wp.pl\n" + "ola@wp.pl\n" * 100_000
    arguments = [sys.executable, "-m", "bouncemilter", "scrub", "-", "--config", str(home.config)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(given.encode())
        process.stdin.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode != 0


def test_killed(home: Home, temporary: Path) -> None:
    """Killed while the pipe is open, it leaves nothing of the list on the disk under any name."""
    arguments = [sys.executable, "-m", "bouncemilter", "scrub", "-", "--config", str(home.config)]
    environment = os.environ | {"TMPDIR": str(temporary)}
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment) as process:
        assert process.stdin is not None
        process.stdin.write(b"ola@wp.pl\n" * 100_000)  # more than a pipe holds: it is being read
        process.kill()
    assert list(temporary.iterdir()) == []
