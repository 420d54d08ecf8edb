"""A milter front in a child process, and what it traced."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.rig.milter import MilterClient

ROOT = Path(__file__).parents[3]
_WAIT = 20.0


class Child:
    """The process of child.py on a unix socket in `folder`."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.socket = folder / "milter.sock"
        self._trace = folder / "trace"
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(Path(__file__).with_name("child.py")),
                str(settings.pop("socket", f"unix:{self.socket}")),
                str(self._trace),
                *(f"{name}={json.dumps(value)}" for name, value in settings.items()),
            ],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
        )

    def client(self) -> MilterClient:
        return MilterClient(str(self.socket))

    def session(self, **offer: int) -> MilterClient:
        """A client that has negotiated and connected."""
        return self.client().open(**offer)

    def trace(self, event: str = "", recipient: str = "") -> list[dict[str, Any]]:
        """What was traced so far, of one kind and about one recipient if they are named."""
        text = self._trace.read_text() if self._trace.exists() else ""
        lines = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        return [
            line
            for line in lines
            if event in ("", line["event"]) and (not recipient or recipient in line.get("recipients", ()))
        ]

    def wait_for(self, event: str, recipient: str = "") -> dict[str, Any]:
        """The first such line, as soon as it is there."""
        return self._until(lambda: self.trace(event, recipient))[0]

    def metrics(self) -> dict[str, float]:
        """The front's metrics now: name and labels → value."""
        before = len(self.trace("metrics"))
        self.signal(signal.SIGUSR2)
        return self._until(lambda: self.trace("metrics")[before:])[0]

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def memory(self) -> int:
        """The most resident memory the process ever had, in KiB."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def end(self) -> tuple[int, str]:
        """Wait for the process; its exit code and what it wrote to stderr."""
        _, errors = self._process.communicate(timeout=_WAIT)
        return self._process.returncode, errors.decode()

    def kill(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()

    def _until(self, found: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
        deadline = time.monotonic() + _WAIT
        while not (lines := found()):
            assert self._process.poll() is None, self._process.communicate()[1].decode()
            assert time.monotonic() < deadline, self.trace()
            time.sleep(0.01)
        return lines


Start = Callable[..., Child]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for a unix socket."""
    with tempfile.TemporaryDirectory(prefix="milter-") as path:
        yield Path(path)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts a child of the test's own, with MilterOptions by name, and waits until it serves."""
    with contextlib.ExitStack() as stack:

        def begin(*, ready: bool = True, **settings: Any) -> Child:
            child = Child(folder, **settings)
            stack.callback(child.kill)
            if ready:
                child.wait_for("ready")
            return child

        yield begin


@contextlib.contextmanager
def running(**settings: Any) -> Iterator[Child]:
    """A child with MilterOptions, and the script's own settings, by name."""
    with tempfile.TemporaryDirectory(prefix="milter-") as path:
        child = Child(Path(path), **settings)
        try:
            child.wait_for("ready")
            yield child
        finally:
            child.kill()


@pytest.fixture(scope="session")
def milter() -> Iterator[Child]:
    """One child for all tests that leave it as it was; each has recipients of its own."""
    with running() as child:
        yield child
