"""The printed lines in a running Postfix: VERP as they explain it, and a socket in the folder that tmpfiles makes."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bouncemilter.doctor.host.sockets import barrier
from bouncemilter.mta.postfix.snippet import snippet
from bouncemilter.mta.site import Site
from tests.doctor.lines import parameters, write_tables
from tests.rig.peer import Peer
from tests.rig.postfix import Postfix, open_folder

pytestmark = pytest.mark.servers

PATHS = (("bounces.example.com", "bounces"),)
MESSAGE = b"From: biuro@example.com\nSubject: Oferta\n\nDzie\xc5\x84 dobry\n"
GONE = "selftest.bouncemilter.invalid"


@contextlib.contextmanager
def installed(view: Site, folder: Path | None = None, route: str = "") -> Iterator[Postfix]:
    """A Postfix with the lines for `view` in its main.cf, master.cf and tables, and one more line of transport_maps."""
    found = snippet(view)
    Path(view.map_directory).mkdir(exist_ok=True)
    write_tables(found)
    with Path(view.map_directory, "transport").open("a") as transport:
        transport.write(route)
    with Postfix(folder, parameters=parameters(found)) as postfix:
        with (postfix.folder / "etc/master.cf").open("a") as master:
            master.write(found.master)
        for path in (postfix.folder / "etc").iterdir():  # Postfix waits until a configuration file is 2 s old
            os.utime(path, (0, 0))
        postfix.reload(biff="no")
        yield postfix


def test_verp_by_command_and_by_smtp(tmp_path: Path) -> None:
    """`sendmail -XV` and XVERP give each recipient a return path of its own, and its bounce comes to the sink by it."""
    with Peer(lmtp=True) as sink, Peer(rcpt={"c@remote.test": "550 5.1.1 no such user"}) as remote:
        view = Site(PATHS, sink=f"inet:127.0.0.1:{sink.port}", map_directory=str(tmp_path))
        with installed(view, route=f"remote.test {remote.transport}\n") as postfix:
            postfix.sendmail(["-XV", "-f", "bounces@bounces.example.com", "--", f"a@{GONE}", f"b@{GONE}"], MESSAGE)
            sent = postfix.inject(
                "bounces@bounces.example.com", ["c@remote.test"], MESSAGE, "inject", mail_options=["XVERP=+="]
            )
            assert sent.accepted
            postfix.wait_for(lambda: len(sink.accepted) == 3)
    recipients = sorted(mail.recipients for mail in sink.accepted)
    assert recipients == [
        (f"bounces+{named}@bounces.example.com",) for named in (f"a={GONE}", f"b={GONE}", "c=remote.test")
    ]


class Lmtp(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An LMTP server on a unix socket; `greeted` is set when somebody gets through to it."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path) -> None:
        self.greeted = threading.Event()
        super().__init__(str(path), Session)


class Session(socketserver.StreamRequestHandler):
    server: Lmtp

    def handle(self) -> None:
        self.server.greeted.set()
        self.wfile.write(b"421 4.3.2 enough\r\n")


@pytest.mark.parametrize(("mode", "passes"), [(0o2750, True), (0o2700, False)])
def test_socket_below_the_queue_directory(mode: int, passes: bool) -> None:
    """In a folder of another user with group postfix, mode 2750, a socket of mode 0660 is open to Postfix."""
    with open_folder() as folder:
        queue = folder / "postfix/queue"
        path = queue / "bouncemilter/lmtp.sock"
        view = Site(PATHS, sink=f"unix:{path}", queue_directory=str(queue), map_directory=str(folder / "maps"))
        with installed(view, folder / "postfix") as postfix:
            path.parent.mkdir()
            shutil.chown(path.parent, "nobody", "postfix")
            path.parent.chmod(mode)
            with serving_as("nobody", path) as server:
                assert path.stat().st_gid == pwd.getpwnam("postfix").pw_gid
                assert (barrier(path, "postfix") is None) is passes
                postfix.inject("", ["bounces@bounces.example.com"], MESSAGE)
                postfix.wait_for(lambda: "status=deferred" in postfix.log())
                assert server.greeted.is_set() is passes


@contextlib.contextmanager
def serving_as(user: str, path: Path) -> Iterator[Lmtp]:
    """A server whose socket was made by `user`, who is no member of group postfix, as the daemon makes it."""
    account, groups, umask = pwd.getpwnam(user), os.getgroups(), os.umask(0o077)
    os.setgroups([])
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        server = Lmtp(path)
        path.chmod(0o660)
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
        os.umask(umask)
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
