"""A private Postfix on loopback: own configuration, queue, data and log in one folder, apart from the machine's own.

It needs root and Debian's package; without them it fails, it never skips. Nothing leaves the machine: DNS is off, and a
domain that is neither local nor routed gets 5.4.4. All calls block, so asynchronous tests use `asyncio.to_thread`.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.rig import configuration
from tests.rig.process import MailServer

START_SECONDS = 60
STOP_SECONDS = 10
LOG_TAIL = 60  # lines shown with a failure
INJECT = {"smtpd_milters": "", "smtpd_reject_unlisted_recipient": "no"}
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Postfix(MailServer):
    """A Postfix that runs while the context lasts.

    `folder`: where all of it lies, empty or still to be made, passable (x bit) for all users; None: a new one.
    `mailboxes`: addresses delivered here, `@domain` for all others of the domain; their domains become local.
    `transports`: address or domain → transport: `remote.test` → `smtp:[127.0.0.1]:2525`, `lmtp:unix:/path` and so on.
    `milters`, `non_smtpd_milters`: the values of smtpd_milters and non_smtpd_milters in main.cf.
    `services`: further smtpd services, name → `-o` parameters. Two are always there: `smtp`, which has the milters, and
    `inject`, which has none and takes mail for recipients that don't exist: it bounces.
    `parameters`: further main.cf parameters; they win over all others.

    `ports` tells the port of each smtpd service on 127.0.0.1, before the start too.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        mailboxes: Sequence[str] = (),
        transports: Mapping[str, str] | None = None,
        milters: str = "",
        non_smtpd_milters: str = "",
        services: Mapping[str, Mapping[str, str]] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        self._temporary = contextlib.ExitStack()
        self._folder = folder
        self._mailboxes = tuple(mailboxes)
        self._transports = dict(transports or {})
        self._services = {"smtp": {}, "inject": INJECT} | dict(services or {})
        self._parameters = {"smtpd_milters": milters, "non_smtpd_milters": non_smtpd_milters} | dict(parameters or {})
        self._master: subprocess.Popen[bytes] | None = None
        self.ports = dict(zip(self._services, free_ports(len(self._services)), strict=True))

    @property
    def folder(self) -> Path:
        """Where it lies; made by `start` unless given."""
        if self._folder is None:
            raise RuntimeError("this Postfix was never started")
        return self._folder

    def start(self) -> None:
        """Write the configuration, start, return when all smtpd services greet. Errors carry the log."""
        try:
            self._start()
        except BaseException:
            self.kill()
            raise

    def _start(self) -> None:
        if os.geteuid() != 0 or shutil.which("postfix", path=PATH) is None:
            raise RuntimeError("a private Postfix needs root and the postfix package")
        if self._folder is None:
            self._folder = self._temporary.enter_context(open_folder())
        self._folder.mkdir(exist_ok=True)
        _require_open(self._folder)
        configuration.write(
            self._folder,
            mailboxes=self._mailboxes,
            transports=self._transports,
            services={name: (self.ports[name], options) for name, options in self._services.items()},
            parameters=self._parameters,
        )
        self._run("postfix", "post-install", "create-missing")  # makes the queue's folders
        daemons = self._run("postconf", "-h", "daemon_directory").decode().strip()
        # With -s master leads a session of its own and stays our child: its process group is all that is ours.
        self._master = subprocess.Popen(
            [f"{daemons}/master", "-c", str(self._folder / "etc"), "-s"],
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.wait_for(self._is_up, START_SECONDS)

    def _is_up(self) -> bool:
        if "fatal: " in self.log():
            raise RuntimeError(f"Postfix does not start\n{self.report()}")
        return all(_greets(port) for port in self.ports.values())

    def kill(self) -> None:
        """End all processes, remove the folder if it was made here. A second call does nothing."""
        master, self._master = self._master, None
        if master is not None:
            _end_group(master)
        self._temporary.close()

    def reload(self, **parameters: str) -> None:
        """Read the configuration again, after a change of these main.cf parameters."""
        if parameters:
            self._run("postconf", "-e", *(f"{name}={value}" for name, value in parameters.items()))
        configuration.look_old(self.folder / "etc/main.cf")
        self._run("postfix", "reload")

    def sendmail(self, arguments: Sequence[str], message: bytes) -> None:
        """Hand a message to the sendmail command, as a local program does: it comes in by pickup(8)."""
        self._run("sendmail", "-C", str(self.folder / "etc"), *arguments, stdin=message)

    def queue(self) -> list[dict[str, Any]]:
        """The queue as `postqueue -j` shows it, one entry a message."""
        return [json.loads(line) for line in self._run("postqueue", "-j").splitlines()]

    def flush(self) -> None:
        """Try all deferred mail again now."""
        self._run("postqueue", "-f")

    def mailbox(self, address: str) -> list[bytes]:
        """The messages in one of `mailboxes`, oldest first, with the trace headers of virtual(8) on top."""
        folder = self.folder / "mail" / address.lower()
        paths = [*folder.glob("new/*"), *folder.glob("cur/*")]
        return [path.read_bytes() for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]

    def log(self) -> str:
        """The whole mail log so far."""
        path = self.folder / "log"
        return path.read_text(errors="backslashreplace") if path.exists() else ""

    def report(self) -> str:
        """The end of the log, for a failure's message."""
        if self._folder is None:
            return "Postfix was never started"
        return "\n".join(["Postfix's log:", *self.log().splitlines()[-LOG_TAIL:]])

    def _require_running(self) -> None:
        if self._master is not None and self._master.poll() is not None:
            raise RuntimeError(f"Postfix has ended with {self._master.returncode}\n{self.report()}")

    def _environment(self) -> dict[str, str]:
        return {"PATH": PATH, "LC_ALL": "C", "TZ": "UTC", "MAIL_CONFIG": str(self.folder / "etc")}

    def _run(self, *command: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            command, env=self._environment(), input=stdin, capture_output=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(
                f"{command} → {done.returncode}\n{done.stderr.decode(errors='replace')}\n{self.report()}"
            )
        return done.stdout


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A temporary folder that all users may pass through, its path short enough for unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="rig-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def free_ports(count: int) -> list[int]:
    """Different TCP ports on 127.0.0.1 on which nobody listens at the moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _require_open(folder: Path) -> None:
    closed = [each for each in (folder, *folder.resolve().parents) if not each.stat().st_mode & 0o001]
    if closed:
        raise RuntimeError(f"user postfix cannot pass through {closed[-1]}")


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            return connection.recv(4) == b"220 "
    except OSError:
        return False


def _end_group(leader: subprocess.Popen[bytes]) -> None:
    """End the leader and its whole process group; what outlives SIGTERM gets SIGKILL."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            leader.wait(STOP_SECONDS)
        while _is_alive(leader.pid):
            os.killpg(leader.pid, signal.SIGKILL)
            time.sleep(0.01)
    leader.wait()


def _is_alive(group: int) -> bool:
    """Whether a process of the group still runs: the dead that init has not buried yet don't count."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, member_of = path.read_text().rpartition(")")[2].split()[:3]
            if int(member_of) == group and state not in "ZX":
                return True
    return False
