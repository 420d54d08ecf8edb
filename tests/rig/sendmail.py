"""A private Sendmail on loopback, from Debian's package, beside whatever mail server the machine has.

`tests/setup/debian sendmail` unpacks the package into build/sendmail; without that, or without root, this fails and
never skips. It lives in namespaces of its own: its host name, /etc/hosts and /dev/log are not the machine's. Nothing
leaves the machine: there is no DNS, and a domain that is neither local nor routed is unknown (5.1.2). All calls block.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.rig import sendmail_files
from tests.rig.postfix import free_ports
from tests.rig.process import MailServer

PACKAGE = Path(__file__).parents[2] / "build/sendmail"
HOST = sendmail_files.HOST
START_SECONDS = 60
LOG_TAIL = 60  # lines shown with a failure


class Sendmail(MailServer):
    """A Sendmail that runs while the context lasts.

    `folder`: where all of it lies, empty or still to be made; no folder above it may be writable for everybody, so none
    below /tmp (Sendmail refuses sockets there as unsafe): see `safe_folder`.
    `local_domains`: their mail is delivered here, whoever it is for, to `mailbox(LOCAL_PART)`.
    `transports`: the mailertable: domain → `smtp:[127.0.0.1]:PORT`, `lmtp:unix:/path`, `lmtp:inet:[127.0.0.1]:PORT` (as
    `Peer.transport` says it), or whatever a mailertable line may have: `error:5.1.1:550 no such user`, `MAILER:HOST`.
    `services`: further listeners, name → options of DAEMON_OPTIONS (`InputMailFilters=out`). Two are always there:
    `smtp`, which has the milters of INPUT_MAIL_FILTER, and `inject`, which has none. The name is what a milter sees as
    `{daemon_name}`.
    `definitions`: lines of the .mc before MAILER (INPUT_MAIL_FILTER, FEATURE, define); `mailers`: lines at its end.

    `ports` tells the port of each listener on 127.0.0.1, before the start too.
    """

    def __init__(
        self,
        folder: Path,
        *,
        local_domains: Sequence[str] = (),
        transports: Mapping[str, str] | None = None,
        services: Mapping[str, str] | None = None,
        definitions: str = "",
        mailers: str = "",
    ) -> None:
        self.folder = folder
        self._local_domains = tuple(local_domains)
        self._transports = dict(transports or {})
        self._services = {"smtp": "", "inject": "InputMailFilters="} | dict(services or {})
        self._definitions = definitions
        self._mailers = mailers
        self._daemon: subprocess.Popen[bytes] | None = None
        self._log = _Log(folder / "log.socket")
        self.ports = dict(zip(self._services, free_ports(len(self._services)), strict=True))

    @property
    def configuration(self) -> Path:
        """The folder of sendmail.cf, submit.cf, mailertable and access."""
        return self.folder / "etc"

    def start(self) -> None:
        """Write the configuration, start, return when all listeners greet. Errors carry the log."""
        if os.geteuid() != 0 or not (PACKAGE / "ready").exists():
            raise RuntimeError(
                "a private Sendmail needs root and build/sendmail: `tests/setup/debian sendmail` makes it"
            )
        self.folder.mkdir(exist_ok=True)
        self.folder.chmod(0o755)
        _require_safe(self.folder)
        sendmail_files.write(
            self.folder,
            PACKAGE,
            local_domains=self._local_domains,
            transports=self._transports,
            services={name: (self.ports[name], options) for name, options in self._services.items()},
            definitions=self._definitions,
            mailers=self._mailers,
        )
        self._log.start()
        try:
            self._start()
        except BaseException as error:
            error.add_note(self.report())
            self.kill()
            raise

    def _start(self) -> None:
        # With a process namespace all of it ends with the first process, whatever it has forked.
        command = ("unshare", "-p", "-f", "--kill-child", *self.command(str(PACKAGE / "usr/libexec/sendmail/sendmail")))
        with (self.folder / "output").open("wb") as output:
            self._daemon = subprocess.Popen(
                [*command, "-C", str(self.configuration / "sendmail.cf"), "-bD", "-q1s"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.wait_for(lambda: all(_greets(port) for port in self.ports.values()), START_SECONDS)

    def kill(self) -> None:
        """End all processes. A second call does nothing."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        self._log.stop()

    def restart(self) -> None:
        """End it and start it again with the files as they are now."""
        daemon, self._daemon = self._daemon, None
        if daemon is not None:
            os.killpg(daemon.pid, signal.SIGKILL)
            daemon.wait()
        self._start()

    def command(self, *argv: str) -> tuple[str, ...]:
        """A command line that runs `argv` in this Sendmail's world, where `sendmail` is this one."""
        return ("unshare", "-m", "-u", "sh", "-e", str(self.folder / "enter"), *argv)

    def sendmail(self, arguments: Sequence[str], message: bytes) -> None:
        """Hand a message to the command sendmail, which hands it by SMTP to the listener `smtp`."""
        self._run("sendmail", "-C", str(self.configuration / "submit.cf"), *arguments, stdin=message)

    def test_rules(self, *lines: str) -> str:
        """What `sendmail -bt` prints for these lines."""
        text = "".join(f"{line}\n" for line in lines).encode()
        return self._run("sendmail", "-C", str(self.configuration / "sendmail.cf"), "-bt", stdin=text).decode()

    def queue(self) -> list[str]:
        """The queue ids of all messages that wait, those of the command sendmail too."""
        return [path.name[2:] for name in ("queue", "clientqueue") for path in (self.folder / name).glob("qf*")]

    def mailbox(self, local_part: str) -> list[bytes]:
        """The messages delivered here to LOCAL_PART of any local domain, oldest first."""
        paths = (self.folder / "mail" / local_part.lower()).glob("new/*")
        return [path.read_bytes() for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns)]

    def mailboxes(self) -> list[bytes]:
        """All mail that was delivered to anybody here."""
        return [path.read_bytes() for path in (self.folder / "mail").glob("*/new/*")]

    def log(self) -> str:
        """The whole mail log so far."""
        return self._log.text()

    def report(self) -> str:
        """The end of the log, for a failure's message."""
        output = self.folder / "output"
        said = output.read_text(errors="backslashreplace") if output.exists() else ""
        return "\n".join(["Sendmail's log:", *self.log().splitlines()[-LOG_TAIL:], said])

    def _require_running(self) -> None:
        if self._daemon is not None and self._daemon.poll() is not None:
            raise RuntimeError(f"Sendmail has ended with {self._daemon.returncode}")

    def _run(self, *argv: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(self.command(*argv), input=stdin, capture_output=True, timeout=60, check=False)
        if done.returncode != 0:
            said = (done.stdout + done.stderr).decode(errors="replace")
            raise RuntimeError(f"{argv} → {done.returncode}\n{said}")
        return done.stdout


@contextlib.contextmanager
def safe_folder() -> Iterator[Path]:
    """A temporary folder that Sendmail finds safe: open to all users, and none above it is writable for everybody."""
    folder = Path(tempfile.mkdtemp(prefix="rig-", dir="/run"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class _Log:
    """What Sendmail says to syslog(3): a socket, and a thread that keeps the lines."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines: list[str] = []
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(self._path))
        self._path.chmod(0o666)
        self._thread = threading.Thread(target=self._read, args=(self._socket,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        listening, self._socket = self._socket, None
        if listening is None or self._thread is None:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self._path))
        self._thread.join()
        listening.close()

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self._lines)

    def _read(self, listening: socket.socket) -> None:
        while line := listening.recv(65536):
            self._lines.append(line.decode(errors="backslashreplace").partition(">")[2].rstrip("\n\0"))


def _require_safe(folder: Path) -> None:
    unsafe = [each for each in (folder, *folder.resolve().parents) if each.stat().st_mode & 0o002]
    if unsafe:
        raise RuntimeError(f"Sendmail finds {unsafe[-1]} unsafe: it is writable for everybody")


def _greets(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(4) == b"220 "
    except OSError:
        return False
