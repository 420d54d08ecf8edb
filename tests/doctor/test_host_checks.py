"""Sockets, passed mail, metrics, and the runner."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bouncemilter.doctor import command
from bouncemilter.doctor.check import Context, Finding, Host, Level, fail, ok, warn
from bouncemilter.doctor.host.metrics import Metrics
from bouncemilter.doctor.host.passed import PassedMaildir
from bouncemilter.doctor.host.sockets import SocketAccepts, SocketPermissions, barrier
from bouncemilter.doctor.plan import examine_host
from bouncemilter.doctor.runner import examine, exit_code, worst
from bouncemilter.mta.site import Site
from tests.doctor.fake import FakePostfix, no_postfix
from tests.rig.postfix import open_folder

VIEW = Site((("bounces.example.com", "bounces"),), sink="unix:/nonexistent/lmtp.sock")
CONTEXT = Context(Host(VIEW), no_postfix)


@pytest.fixture
def listener() -> Iterator[Path]:
    """A unix socket that accepts, in a folder of its own."""
    with open_folder() as parent, socket.socket(socket.AF_UNIX) as listening:
        folder = parent / "sockets"
        folder.mkdir(mode=0o750)
        listening.bind(str(folder / "lmtp.sock"))
        (folder / "lmtp.sock").chmod(0o660)
        listening.listen()
        yield folder / "lmtp.sock"


async def test_socket_accepts(listener: Path) -> None:
    """A listening socket is well; a missing one, a file and a port without listener are failures."""
    assert (await SocketAccepts("sink", f"unix:{listener}").run(CONTEXT)).level is Level.OK
    (listener.parent / "file").touch()
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        for address in (f"unix:{listener}.not", f"unix:{listener.parent}/file", f"inet:127.0.0.1:{port}"):
            found = await SocketAccepts("sink", address).run(CONTEXT)
            assert (found.level, address in found.text) == (Level.FAIL, True)


@pytest.mark.parametrize(
    ("folder", "mode", "level"),
    [(0o755, 0o666, Level.WARN), (0o777, 0o660, Level.WARN), (0o1777, 0o660, Level.OK), (0o750, 0o660, Level.OK)],
)
def test_writable_for_everybody(listener: Path, folder: int, mode: int, level: Level) -> None:
    """A socket or a folder that any user may write to is told; the sticky bit keeps others from replacing it."""
    listener.parent.chmod(folder)
    listener.chmod(mode)
    found = asyncio.run(SocketPermissions("sink", listener, "").run(CONTEXT))
    assert (found.level, bool(found.remedy)) == (level, level is not Level.OK)


@dataclass(frozen=True)
class Someone:
    pw_uid: int
    pw_gid: int


@pytest.mark.parametrize(
    ("ids", "folder", "mode", "closed"),
    [
        (("other", "ours"), 0o750, 0o660, ""),
        (("other", "ours"), 0o700, 0o660, "sockets"),
        (("other", "ours"), 0o750, 0o600, "lmtp.sock"),
        (("other", "other"), 0o750, 0o666, "sockets"),
        (("other", "other"), 0o751, 0o660, "lmtp.sock"),
        (("other", "other"), 0o751, 0o662, ""),
        (("ours", "other"), 0o700, 0o600, ""),
        (("ours", "ours"), 0o077, 0o660, "sockets"),
    ],
)
def test_barrier(
    listener: Path, monkeypatch: pytest.MonkeyPatch, ids: tuple[str, str], folder: int, mode: int, closed: str
) -> None:
    """Postfix's user needs search on each folder and write on the socket, by owner, group or others, in this order."""
    account = Someone(os.getuid() + (ids[0] == "other"), os.getgid() + (ids[1] == "other"))
    monkeypatch.setattr(pwd, "getpwnam", lambda _name: account)
    listener.chmod(mode)
    listener.parent.chmod(folder)
    found = barrier(listener, "postfix")
    listener.parent.chmod(0o700)
    assert (found.name if found else "") == closed


async def test_permissions_name_the_folder(listener: Path) -> None:
    """The failure names what is closed, whose it is and its mode."""
    listener.parent.parent.chmod(0o700)
    found = await SocketPermissions("sink", listener, "nobody").run(CONTEXT)
    assert found.level is Level.FAIL
    assert "0700" in found.text


async def test_passed_maildir(tmp_path: Path) -> None:
    """Mail in new or cur is a warning that counts it; an empty or missing Maildir is well."""
    check = PassedMaildir(tmp_path / "passed")
    assert (await check.run(CONTEXT)).level is Level.OK
    for part in ("new", "cur", "tmp"):
        (tmp_path / "passed" / part).mkdir(parents=True)
        (tmp_path / "passed" / part / "1.host").touch()
    found = await check.run(CONTEXT)
    assert (found.level, found.text[:7]) == (Level.WARN, "2 mails")


@contextlib.asynccontextmanager
async def http(answer: bytes) -> AsyncIterator[str]:
    """A server that gives one answer to everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"inet:127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (b'HTTP/1.1 200 OK\r\n\r\nbouncemilter_info{version="1"} 1.0\nbouncemilter_store_up 1.0\n', Level.OK),
        (b'HTTP/1.1 200 OK\r\n\r\nbouncemilter_info{version="1"} 1.0\nbouncemilter_store_up 0.0\n', Level.FAIL),
        (b"HTTP/1.1 200 OK\r\n\r\nnode_load1 0.5\n", Level.FAIL),
        (b"HTTP/1.1 404 Not Found\r\n\r\nbouncemilter_info\n", Level.FAIL),
        (b"220 mx.example.com ESMTP\r\n", Level.FAIL),
        (b"", Level.FAIL),
    ],
)
async def test_metrics(answer: bytes, level: Level) -> None:
    """Only our own metrics with a store that is up are well; another program's answer is not."""
    async with http(answer) as address:
        assert (await Metrics(address).run(CONTEXT)).level is level


async def test_metrics_without_listener() -> None:
    """A dead port is a failure that names it."""
    async with http(b"") as address:
        pass
    assert address in (await Metrics(address).run(CONTEXT)).text


@dataclass(frozen=True)
class Constant:
    finding: Finding | Exception
    name: str = "constant"

    async def run(self, _context: Context) -> Finding:
        if isinstance(self.finding, Exception):
            raise self.finding
        return self.finding


async def test_a_broken_check_is_a_failure() -> None:
    """What a check raises becomes its finding, and the next one still runs."""
    raised = [PermissionError("no"), TimeoutError(), RuntimeError("odd")]
    rows = await examine([*map(Constant, raised), Constant(ok("well"))], CONTEXT)
    assert [row.finding.level for row in rows] == [Level.FAIL, Level.FAIL, Level.FAIL, Level.OK]
    assert "RuntimeError: odd" in rows[2].finding.text
    assert all(row.finding.remedy for row in rows[:3])


@pytest.mark.parametrize(
    ("found", "level", "code"),
    [
        ([], Level.OK, 0),
        ([ok("")], Level.OK, 0),
        ([ok(""), warn("", "")], Level.WARN, 0),
        ([fail("", ""), warn("", ""), ok("")], Level.FAIL, 1),
    ],
)
async def test_exit_code(found: list[Finding], level: Level, code: int) -> None:
    """Only a failure makes the exit code 1."""
    rows = await examine(map(Constant, found), CONTEXT)
    assert (worst(rows), exit_code(rows)) == (level, code)


async def test_whole_host(tmp_path: Path) -> None:
    """One call examines the host; each row has its JSON form, and nothing is changed or printed."""
    host = Host(VIEW, passed=tmp_path, metrics="unix:/nonexistent/http")
    rows = await examine_host(host, None, run=FakePostfix())
    levels = {row.name: row.finding.level for row in rows}
    assert levels["sink socket"] is levels["metrics"] is Level.FAIL
    assert levels["passed mail"] is Level.OK
    assert levels["self-test bounce"] is Level.WARN
    assert rows[0].to_dict().keys() == {"check", "level", "text", "remedy"}


async def test_commands_run() -> None:
    """A command gets its input and tells code and output; one that is missing is 127."""
    found = await command.run(("sh", "-c", "cat; echo oops >&2; exit 3"), b"in")
    assert (found.code, found.out, found.err) == (3, "in", "oops\n")
    assert (await command.run(("no-such-command-here",))).code == 127
