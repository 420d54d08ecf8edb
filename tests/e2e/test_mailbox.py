"""Mailboxes on a real Dovecot: IMAP and POP3, with TLS, read once and by the daemon."""

from __future__ import annotations

import contextlib
import email.utils
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.fronts.mailbox import MailboxOptions, SourceKind
from tests.e2e.conftest import verp
from tests.rig import mail
from tests.rig.daemon import Daemon
from tests.rig.dovecot import PASSWORD, TOKEN, USER, Dovecot

pytestmark = pytest.mark.servers

JAN = "jan@klient.test"
EWA = "ewa@klient.test"
DAY = 86_400
HOLD = """\
import sys
from pathlib import Path
from bouncemilter.fronts.mailbox.memory import Memory
Memory(Path(sys.argv[1]), sys.argv[2]).open()
print(flush=True)
sys.stdin.read()
"""


def received(content: bytes) -> bytes:
    """A mail with what a mail server writes above it: POP3 has no other date."""
    return f"Received: from mx.far.test by mx.own.test; {email.utils.formatdate()}\n".encode() + content


@dataclass
class World:
    """A Dovecot, and the configuration of a daemon beside it."""

    dovecot: Dovecot
    daemon: Daemon
    password: Path

    def url(self, scheme: str = "imaps", folder: str = "INBOX") -> str:
        """The mailbox by one of the ways to it."""
        end = f"/{folder}" if scheme.startswith("imap") else ""
        return f"{scheme}://{USER}@localhost:{self.dovecot.ports[scheme]}{end}"

    def options(self, *arguments: str, scheme: str = "imaps", folder: str = "INBOX", secret: str = "") -> list[str]:
        """The arguments of an `ingest`."""
        trusted = ["--ca-file", str(self.dovecot.certificate)]
        proof = [secret or "--password-file", str(self.password)]
        return ["ingest", *trusted, *proof, *arguments, self.url(scheme, folder)]

    def ingest(self, *arguments: str, code: int = 0, **way: str) -> dict[str, Any]:
        """Read the mailbox by the command; its JSON."""
        done = self.daemon.cli(*self.options("--json", *arguments, **way))
        assert done.returncode == code, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def fill(self) -> None:
        """Two bounces, an auto-reply, a letter, a mail to somebody else."""
        self.dovecot.put(received(mail.dsn(verp(JAN), JAN)), flags=r"\Flagged")
        self.dovecot.put(received(mail.dsn(verp(EWA), EWA)))
        self.dovecot.put(b"Return-Path: <>\n" + mail.out_of_office(verp(JAN), JAN))
        self.dovecot.put(mail.letter("b@bounces.own.test"))
        self.dovecot.put(mail.letter("inny@own.test"), flags=r"\Seen")

    def events(self) -> int:
        """Events in the store."""
        path = f"file:{self.daemon.state}/bouncemilter.db?mode=ro"
        with contextlib.closing(sqlite3.connect(path, uri=True)) as store:
            return int(store.execute("SELECT count(*) FROM events").fetchone()[0])


@pytest.fixture
def world(folder: Path) -> Iterator[World]:
    (folder / "dovecot").mkdir()
    (folder / "dovecot").chmod(0o755)
    password = folder / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    with Dovecot(folder / "dovecot") as dovecot:
        yield World(dovecot, Daemon(folder / "daemon", milter=False), password)


@pytest.mark.parametrize("scheme", ["imaps", "imap", "pop3s", "pop3"])
def test_default(world: World, scheme: str) -> None:
    """With TLS and STARTTLS, by IMAP and POP3: returns are recorded, and not even a flag is changed on the server."""
    world.fill()
    before = world.dovecot.messages()
    dry = world.ingest("--dry-run", scheme=scheme)
    assert (dry["recognised"], dry["left"], dry["not_ours"]) == (3, 1, 1)
    found = world.ingest(scheme=scheme)
    assert (found["recognised"], found["left"], found["not_ours"], found["read"]) == (3, 1, 1, 5)
    assert found["kinds"] == {"auto_reply": 1, "bounce": 2, "mail": 1}
    again = world.ingest(scheme=scheme)
    assert (again["read"], again["complete"]) == (0, True)
    world.dovecot.put(received(mail.dsn(verp(JAN), JAN)))
    later = world.ingest(scheme=scheme)
    assert (later["recognised"], later["read"], later["suppressed"]) == (1, 1, 1)
    assert world.dovecot.messages()[:-1] == before
    assert world.dovecot.messages()[-1][1] == frozenset()


def test_token(world: World) -> None:
    """An OAuth access token logs in by XOAUTH2, by IMAP and POP3; a stale one is refused."""
    world.fill()
    world.password.write_text(f"{TOKEN}\n")
    assert world.ingest(secret="--token-file")["recognised"] == 3
    assert world.ingest(secret="--token-file", scheme="pop3")["known"] == 3
    world.password.write_text("stale\n")
    for scheme in ("imap", "pop3s"):
        done = world.daemon.cli(*world.options(secret="--token-file", scheme=scheme))
        assert done.returncode == 77, done.stderr
        assert "stale" not in done.stderr


@pytest.mark.parametrize("target", ["Zwroty", 'Żółte "zwroty" & co', "Odebrane/Zwroty ąę", "Zwroty*"])
def test_move(world: World, target: str) -> None:
    """What was recognised lies in the other folder, its flags as they were; what people wrote where it was."""
    world.fill()
    with world.dovecot.client(None) as client:
        client.create('"Zwroty jak zawsze"')
    found = world.ingest("--move", target)
    assert (found["moved"], found["recognised"]) == (3, 3)
    assert [uid for uid, _ in world.dovecot.messages()] == [4, 5]
    names = {  # this server parts folders by dots
        'Żółte "zwroty" & co': '&AXsA8wFC-te \\"zwroty\\" &- co',
        "Odebrane/Zwroty ąę": "Odebrane.Zwroty &AQUBGQ-",
    }
    moved = world.dovecot.messages(names.get(target, target))
    assert [flags for _, flags in moved] == [{r"\Flagged"}, frozenset(), frozenset()]


@pytest.mark.parametrize(
    ("capability", "left"), [("IMAP4rev1 UIDPLUS", 0), ("IMAP4rev1", 3)], ids=["without MOVE", "without UIDPLUS"]
)
def test_older_servers(folder: Path, capability: str, left: int) -> None:
    """Without MOVE: copied, then deleted; without UIDPLUS the originals stay marked, as do others' deleted ones."""
    (folder / "dovecot").mkdir()
    (folder / "dovecot").chmod(0o755)
    password = folder / "password"
    password.write_text(f"{PASSWORD}\n")
    password.chmod(0o600)
    with Dovecot(folder / "dovecot", capability=capability) as dovecot:
        world = World(dovecot, Daemon(folder / "daemon", milter=False), password)
        world.fill()
        dovecot.put(mail.letter("inny@own.test"), flags=r"\Deleted")
        assert world.ingest("--move", "Zwroty", "--limit", "2")["moved"] == 2
        assert world.ingest("--move", "Zwroty")["moved"] == 1
        assert world.ingest("--move", "Zwroty", "--again")["moved"] == 0
        assert len(dovecot.messages("Zwroty")) == 3
        marked = [flags for _, flags in dovecot.messages() if r"\Deleted" in flags]
        assert len(marked) == left + 1
        assert len(dovecot.messages()) == 3 + left


def test_target_refuses(world: World) -> None:
    """A target folder that takes nothing: all is recorded and stays, the error is told, and the next run moves it."""
    count = 40
    for number in range(count):
        name = f"jan{number}@klient.test"
        world.dovecot.put(mail.dsn(verp(name), name))
    with world.dovecot.client(None) as client:
        client.create("Zwroty")
    target = world.dovecot.maildir / ".Zwroty"
    folders = [target, *(each for each in target.rglob("*") if each.is_dir())]
    for each in folders:
        shutil.chown(each, "root", "root")
        each.chmod(0o555)
    done = world.daemon.cli(*world.options("--json", "--move", "Zwroty"))
    found = json.loads(done.stdout)
    assert (found["recognised"], found["moved"], found["complete"]) == (count, 0, True)
    assert done.returncode == 78
    assert "UID MOVE" in done.stderr
    for each in folders:
        shutil.chown(each, "nobody", "nogroup")
        each.chmod(0o755)
    found = world.ingest("--move", "Zwroty")
    assert (found["known"], found["moved"]) == (count, count)
    assert world.events() == count


@pytest.mark.parametrize("scheme", ["imaps", "pop3s"])
def test_delete(world: World, scheme: str) -> None:
    """Deleted is what was recognised, and what an earlier run had left; never what others have marked."""
    world.fill()
    world.ingest(scheme=scheme)
    world.dovecot.put(mail.dsn(verp(JAN), JAN))
    found = world.ingest("--delete", scheme=scheme)
    assert (found["deleted"], found["recognised"], found["known"]) == (4, 1, 3)
    assert [uid for uid, _ in world.dovecot.messages()] == [4, 5]
    assert world.events() == 4


@pytest.mark.parametrize(
    ("scheme", "arguments"), [("imaps", ["--move", "Zwroty"]), ("pop3s", ["--delete"]), ("imaps", [])]
)
def test_killed(world: World, scheme: str, arguments: list[str]) -> None:
    """A `kill -9` in the midst: the next run goes on; each bounce is recorded once, none is lost."""
    count = 400
    with world.dovecot.client() as client:
        for number in range(count):
            name = f"jan{number}@klient.test"
            client.append("INBOX", "", "", mail.dsn(verp(name), name).replace(b"\n", b"\r\n"))
    command = [*world.options(*arguments, scheme=scheme), "--config", str(world.daemon.config)]
    process = subprocess.Popen(
        [sys.executable, "-m", "bouncemilter", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if world.events() >= 40:
                break
        except sqlite3.Error:
            time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = world.events()
    assert 40 <= done < count
    found = world.ingest(*arguments, scheme=scheme)
    assert world.events() == count
    assert found["recognised"] == count - done
    if arguments:
        assert world.dovecot.messages() == []
    else:
        assert found["seen_before"] >= done - 64
        assert len(world.dovecot.messages()) == count
    if "--move" in arguments:
        assert len(world.dovecot.messages("Zwroty")) == count


def test_renumbered(world: World) -> None:
    """A new UIDVALIDITY: everything is read once more, and nothing counts twice."""
    world.fill()
    world.ingest()
    world.dovecot.kill()
    for path in world.dovecot.maildir.glob("dovecot*"):
        path.unlink()
    time.sleep(1.1)  # Dovecot takes the second for the new UIDVALIDITY
    world.dovecot.start()
    found = world.ingest()
    assert (found["known"], found["recognised"], found["seen_before"]) == (3, 0, 0)
    assert world.events() == 3


def test_server_dies(world: World) -> None:
    """The server is killed in the midst: an error that names the place, 75; the next run has the rest."""
    count = 600
    with world.dovecot.client() as client:
        for number in range(count):
            name = f"jan{number}@klient.test"
            client.append("INBOX", "", "", mail.dsn(verp(name), name).replace(b"\n", b"\r\n"))
    command = [*world.options("--json"), "--config", str(world.daemon.config)]
    process = subprocess.Popen(
        [sys.executable, "-m", "bouncemilter", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None:
        try:
            if world.events() >= 40:
                break
        except sqlite3.Error:
            time.sleep(0.005)
    world.dovecot.kill()
    out, err = process.communicate(timeout=30)
    assert process.returncode == 75, err
    assert f"imap://{USER}@localhost:{world.dovecot.ports['imaps']}/INBOX: broken off while" in err
    first = json.loads(out)
    assert first["complete"] is False
    assert first["recognised"] == world.events()
    world.dovecot.start()
    second = world.ingest()
    assert second["seen_before"] == first["recognised"]
    assert world.events() == count


def test_refusals(world: World) -> None:
    """Wrong password, wrong folder, a certificate of nobody, nobody there: each its own code, the place, no secret."""
    world.fill()
    trusted = ["--ca-file", str(world.dovecot.certificate)]
    secret = ["--password-file", str(world.password)]

    def code(*arguments: str) -> tuple[int, str]:
        done = world.daemon.cli("ingest", *arguments)
        assert PASSWORD not in done.stderr
        return done.returncode, done.stderr

    for scheme in ("imaps", "pop3"):
        found, said = code(*secret, world.url(scheme))
        assert (found, "certificate is not believed" in said) == (69, True), said
    found, said = code(*secret, *trusted, world.url().replace("localhost", "127.0.0.1"))
    assert (found, "not valid for '127.0.0.1'" in said) == (69, True), said
    found, said = code(*secret, *trusted, world.url(folder="Nie ma"))
    assert (found, "/Nie ma: no such folder" in said) == (78, True), said
    found, said = code(*secret, *trusted, f"imaps://{USER}@localhost:{world.dovecot.ports['pop3']}")
    assert found == 69, said
    world.password.write_text("wrong\n")
    for scheme in ("imaps", "pop3"):
        found, said = code(*secret, *trusted, world.url(scheme))
        assert (found, "login refused" in said) == (77, True), said
    assert world.dovecot.messages()[0][1] == {r"\Flagged"}


def test_since(world: World) -> None:
    """--since goes by the server's date; a failure of 33 days ago is recorded, never counted."""
    for days in (33, 20):
        world.dovecot.put(mail.dsn(verp(JAN), JAN), at=time.time() - days * DAY)
    assert world.ingest("--since", "30")["too_old"] == 1
    assert world.ingest()["recognised"] == 1
    effects = {each["event"]["at"][:10]: each["decision"]["effect"] for each in world.daemon.why(JAN)["events"]}
    assert sorted(effects.values()) == ["counted", "recorded"]
    assert effects[min(effects)] == "recorded"


def table(world: World, **more: object) -> str:
    """A [[mailbox]] for the daemon."""
    values = {
        "name": "zwroty",
        "kind": "imap",
        "host": "localhost",
        "port": world.dovecot.ports["imaps"],
        "user": USER,
        "password_file": str(world.password),
        "ca_file": str(world.dovecot.certificate),
        **more,
    }
    return "[[mailbox]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


def test_daemon(world: World) -> None:
    """The daemon reads the mailbox when it starts, moves what it recognised, and its balances close."""
    world.fill()
    world.daemon.configure(table(world, after="move", move_to="Zwroty"), milter=False)
    with world.daemon as daemon:
        daemon.wait_for(lambda: daemon.metric("bouncemilter_mailbox_polls_total", outcome="success"))
        assert daemon.metric("bouncemilter_mailbox_messages_total", outcome="recognised") == 3
        assert daemon.metric("bouncemilter_mailbox_overdue_seconds") == 0
        assert daemon.metric("bouncemilter_mailbox_last_success_timestamp_seconds") > time.time() - 60
        assert daemon.balances("mailbox") == (4, 4, 4)
        assert [each["front"] for each in daemon.log() if each["event"] == "event_recorded"] == ["mailbox"] * 3
        assert len(world.dovecot.messages("Zwroty")) == 3
        assert daemon.stop() == 0
    found = json.loads(world.daemon.cli("ingest", "--json", "zwroty").stdout)
    assert (found["read"], found["complete"]) == (0, True)


def test_daemon_without_server(world: World) -> None:
    """A mailbox that can't be read stops nothing else: the daemon is ready, and the log names place and reason."""
    world.dovecot.kill()
    world.daemon.configure(table(world), milter=False)
    with world.daemon as daemon:
        daemon.wait_for(lambda: daemon.metric("bouncemilter_mailbox_polls_total", outcome="failure"))
        assert daemon.is_ready()
        (told,) = [each for each in daemon.log() if each["event"] == "mailbox_failed"]
        assert (told["mailbox"], told["retry_in"]) == ("zwroty", 900)
        assert "Connection refused" in told["error"]
        assert daemon.stop() == 0


def test_daemon_reads_alone(world: World) -> None:
    """While one process reads a mailbox, another is told so, with 75."""
    world.fill()
    with world.dovecot.client():
        pass
    lock = subprocess.Popen(  # holds what is remembered, as a reader does
        [
            sys.executable,
            "-c",
            HOLD,
            str(world.daemon.state),
            _identity(world),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert lock.stdout is not None
        lock.stdout.readline()
        done = world.daemon.cli(*world.options())
        assert (done.returncode, "another process" in done.stderr) == (75, True), done.stderr
    finally:
        lock.communicate()
    assert world.ingest()["recognised"] == 3


def _identity(world: World) -> str:
    port = world.dovecot.ports["imaps"]
    return MailboxOptions("x", SourceKind.IMAP, host="localhost", port=port, user=USER).identity
