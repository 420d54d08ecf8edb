"""The log's reader may be gone or asleep: mail goes on, and what was lost is told."""

import json
import os
import subprocess
import sys
import threading

import pytest

from bouncemilter.daemon import output
from bouncemilter.daemon.output import Output


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """A pipe whose reader the test plays; nobody waits for it."""
    monkeypatch.setattr(output, "PATIENCE", 0.0)
    return os.pipe()


def test_reader_gone(pipe: tuple[int, int]) -> None:
    """A line to a closed pipe raises nothing. Red if EPIPE comes out: each bounce would get a 451."""
    os.close(pipe[0])
    stream = Output(pipe[1])
    assert stream.write('{"event": "x"}\n') == 15
    os.close(pipe[1])


def test_reader_asleep(pipe: tuple[int, int]) -> None:
    """A full pipe blocks nobody; when it is read again, whole lines come, and one says how many were lost."""
    stream = Output(pipe[1])
    line = json.dumps({"event": "x", "text": "y" * 9000}) + "\n"
    writing = threading.Thread(target=lambda: [stream.write(line) for _ in range(20)], daemon=True)
    writing.start()
    writing.join(10)
    assert not writing.is_alive()
    before = os.read(pipe[0], 1 << 20)
    stream.write('{"event": "after"}\n')
    os.close(pipe[1])
    rest = (before + os.read(pipe[0], 1 << 20)).decode().splitlines()
    os.close(pipe[0])
    whole = rest.count(line.strip())
    lost = next(found for each in rest if (found := _parsed(each)).get("event") == "log_lines_lost")
    assert lost["lines"] == 20 - whole > 0
    assert _parsed(rest[-1]) == {"event": "after"}
    assert len([each for each in rest if not _parsed(each)]) <= 1  # the one that was cut off


def test_reader_slow() -> None:
    """A reader who is only slow gets every line, also those longer than a pipe takes at once."""
    reading, writing = os.pipe()
    stream = Output(writing)
    line = "z" * 200_000 + "\n"

    def write() -> None:
        stream.write(line)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading) as file:
        assert file.read() == line
    thread.join()


def _parsed(line: str) -> dict[str, object]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def test_the_log_outlives_its_reader() -> None:
    """The daemon's own log is such a stream. Red if logging to a closed pipe raises in the middle of a commit."""
    code = "from bouncemilter.daemon import log; import structlog, logging; log.configure('info')\n"
    code += "for _ in range(3): structlog.get_logger().info('x'); logging.error('y')\nprint(1, file=sys.stderr)"
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [sys.executable, "-c", "import sys\n" + code], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, b"1\n")
