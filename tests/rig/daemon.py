"""The real daemon as a process of its own, with a configuration in a throwaway folder."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.rig.postfix import free_ports
from tests.rig.process import Process

START_SECONDS = 60
STOP_SECONDS = 30
LOG_TAIL = 60  # lines shown with a failure


class Daemon(Process):
    """`bouncemilter serve`, running while the context lasts.

    `folder`: where all of it lies: `state/`, `sockets/`, `bouncemilter.toml`, `log`. The sockets belong to the group
    `postfix` where that exists, as on a real host. `tables`: TOML of further tables; what stands there for `[policy]`,
    `[milter]` and so on replaces the rig's own.
    """

    def __init__(
        self,
        folder: Path,
        tables: str = "",
        *,
        preset: str = "standard",
        sink: bool = True,
        milter: bool = True,
        environment: dict[str, str] | None = None,
        state: Path | None = None,
    ) -> None:
        self.folder = folder
        self.state = state or folder / "state"
        self.config = folder / "bouncemilter.toml"
        self._log = folder / "log"
        self._environment = environment or {}
        self._process: subprocess.Popen[bytes] | None = None
        sockets = folder / "sockets"
        self.lmtp = sockets / "lmtp.sock"
        self.milter = sockets / "milter.sock"
        self.web_port = free_ports(1)[0]
        for each in (folder, self.state, sockets):
            each.mkdir(exist_ok=True)
        folder.chmod(0o755)
        if os.geteuid() == 0:  # nobody else may give files away, nor runs a Postfix that would need them
            with contextlib.suppress(LookupError):
                shutil.chown(sockets, group="postfix")
        sockets.chmod(0o2750)
        self.configure(tables, preset=preset, sink=sink, milter=milter)

    def configure(self, tables: str = "", *, preset: str = "standard", sink: bool = True, milter: bool = True) -> None:
        """Write the configuration (anew)."""
        own = {
            "sink": f'[sink]\nenabled = {str(sink).lower()}\nmta_names = ["mx.rig.test"]\n'
            f'[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{self.lmtp}"\n',
            "milter": f'[milter]\nenabled = {str(milter).lower()}\nsocket = "unix:{self.milter}"\n',
            "web": f'[web]\naddress = "inet:127.0.0.1:{self.web_port}"\n',
            "policy": f'[policy]\npreset = "{preset}"\n',
            "return_path": '[[return_path]]\ndomain = "bounces.own.test"\nprefix = "b"\n'
            'sender_domains = ["own.test"]\n',
            "inbound": '[inbound]\nown_domains = ["own.test"]\n',
            "log": '[log]\nlevel = "debug"\n',
        }
        kept = [text for name, text in own.items() if f"[{name}]" not in tables and f"[[{name}]]" not in tables]
        self.config.write_text("\n".join([f'state_directory = "{self.state}"', *kept, tables]))

    def start(self, *, ready: bool = True) -> None:
        """Start it; with `ready`, return when /readyz says so."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bouncemilter", "serve", "--config", str(self.config)],
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        if ready:
            try:
                self.wait_for(self.is_ready, START_SECONDS)
            except BaseException as error:
                error.add_note(self.report())
                self.kill()
                raise

    @property
    def pid(self) -> int:
        """Of the running process."""
        if self._process is None:
            raise RuntimeError("the daemon was never started")
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self) -> int:
        """Wait for its end; its exit code, negative for a signal."""
        if self._process is None:
            raise RuntimeError("the daemon was never started")
        return self._process.wait(STOP_SECONDS)

    def kill(self) -> None:
        """SIGKILL, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def is_ready(self) -> bool:
        """Whether /readyz answers 200. RuntimeError where the process has ended."""
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"the daemon ended with {self._process.returncode}\n{self.report()}")
        return self.get("/readyz")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a page; 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.web_port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def metric(self, name: str, **labels: str) -> float:
        """The sum of all samples of `name` that have these labels."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            sample, _, value = line.rpartition(" ")
            bare, _, rest = sample.partition("{")
            if bare == name and all(f'{key}="{wanted}"' in rest for key, wanted in labels.items()):
                total += float(value)
        return total

    def balances(self, front: str) -> tuple[float, float, float]:
        """Received, and the right-hand sides of the two balances; equal when nothing got lost."""
        in_flight = self.metric("bouncemilter_in_flight", front=front)
        judged = sum(
            self.metric(f"bouncemilter_{name}_total", front=front) for name in ("classified", "duplicates", "failed")
        )
        disposed = self.metric("bouncemilter_disposed_total", front=front)
        return self.metric("bouncemilter_received_total", front=front), judged + in_flight, disposed + in_flight

    def cli(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of ours with this daemon's configuration."""
        return subprocess.run(
            [sys.executable, "-m", "bouncemilter", *arguments, "--config", str(self.config)],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def why(self, address: str) -> dict[str, Any]:
        """What `why --json` says of an address."""
        answer = self.cli("why", "--json", address)
        if answer.returncode not in (0, 1):
            raise RuntimeError(answer.stderr)
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    def suppressed(self, address: str) -> bool:
        """Whether an address is suppressed, as `suppression check` says."""
        answer = self.cli("suppression", "check", address)
        if answer.returncode not in (0, 1):
            raise RuntimeError(answer.stderr)
        return answer.returncode == 0

    def log(self) -> list[dict[str, Any]]:
        """The log lines so far, those that are JSON."""
        return list(_objects(self._log.read_text(errors="replace").splitlines())) if self._log.exists() else []

    def report(self) -> str:
        """The end of the log, for a failure's message."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        return "\n".join(["the daemon's log:", *lines[-LOG_TAIL:]])


def _objects(lines: Iterable[str]) -> Iterable[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            found = json.loads(line)
            if isinstance(found, dict):
                yield found
