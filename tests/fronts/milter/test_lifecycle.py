"""Starting, the cap, draining, ending."""

import contextlib
import signal
import socket
import stat

import pytest

from tests.rig.milter import ACCEPT, CONTINUE, DISCARD

OURS = "bounce+{}+{}@bounces.test"


def half(client, to, brackets="<>"):
    """A message of ours up to its end."""
    client.mail(brackets)
    client.rcpt(to.join(brackets) if brackets else to)
    reply = client.data()
    client.eoh()
    return reply


def test_socket_mode(start):
    """The socket is the MTA's alone."""
    milter = start(socket_mode=0o660)
    assert stat.S_IMODE(milter.socket.stat().st_mode) == 0o660


def test_stale_socket(start, folder):
    """The socket of a daemon that was killed is taken over."""
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(folder / "milter.sock"))
    milter = start()
    with milter.session() as client:
        assert client.message(["<anna@example.com>"]).code == ACCEPT


def test_second_daemon(start):
    """A socket on which another daemon serves is refused, and the other one goes on."""
    first = start()
    second = start(ready=False)
    code, errors = second.end()
    assert (code, errors) == (78, f"milter socket unix:{first.socket}: Address already in use\n")
    with first.session() as client:
        assert client.message(["<anna@example.com>"]).code == ACCEPT


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing/m.sock", "there is no folder"),
        ("file", "exists and is not a socket"),
    ],
)
def test_impossible_socket(start, folder, name, reason):
    """F52: a socket that can't be opened is named, with the reason."""
    (folder / "file").touch()
    code, errors = start(ready=False, socket=f"unix:{folder}/{name}").end()
    assert code == 78
    assert f"{folder}/{name}" in errors
    assert reason in errors
    assert (folder / "file").exists()


def test_sigterm(start):
    """F09: without messages in flight, SIGTERM ends the process with 0, sessions or not."""
    milter = start()
    with milter.session() as client:
        client.mail()
        client.rcpt("<anna@example.com>")
        milter.signal(signal.SIGTERM)
        assert milter.end()[0] == 0
    assert not milter.trace("milter_ended")


def test_drain(start):
    """F09: fifty messages in flight are finished, a new one of ours is put off, ordinary mail goes on."""
    milter = start()
    sessions = [milter.session() for _ in range(50)]
    idle = milter.session()
    local = milter.client()
    local.negotiate()
    local.connect("localhost", "127.0.0.1", 0)
    for number, client in enumerate(sessions):
        assert half(client, OURS.format("slow", number)).code == CONTINUE
        client.packet("E")
    for number in range(50):
        milter.wait_for("waiting", OURS.format("slow", number))
    milter.signal(signal.SIGTERM)
    while not half(idle, OURS.format("discard", "new")).deferred:
        idle.abort()
    assert half(local, OURS.format("discard", "local"), "").code == CONTINUE
    assert local.eom().deferred
    assert idle.message(["<anna@example.com>"]).code == ACCEPT
    milter.signal(signal.SIGUSR1)
    assert [client.reply().code for client in sessions] == [DISCARD] * 50
    assert milter.end()[0] == 0
    assert len(milter.trace("settled")) == 50
    for client in (*sessions, idle, local):
        client.close()


def test_cap(start):
    """F14: above the cap messages of ours are put off, ordinary mail never; a freed place is given away."""
    milter = start(messages=2)
    with milter.session() as first, milter.session() as second, milter.session() as third:
        assert half(first, OURS.format("discard", "1")).code == CONTINUE
        assert half(second, OURS.format("discard", "2")).code == CONTINUE
        assert half(third, OURS.format("discard", "3")).deferred
        assert third.message(["<anna@example.com>"]).code == ACCEPT
        assert first.eom().code == DISCARD
        assert third.message([f"<{OURS.format('discard', '3')}>"]).code == DISCARD
        second.abort()
        assert second.message(["<anna@example.com>"]).code == ACCEPT  # ABORT has no reply: now it has been read
        assert half(first, OURS.format("discard", "4")).code == CONTINUE
        assert half(third, OURS.format("discard", "5")).code == CONTINUE
    assert milter.metrics()["bouncemilter_milter_put_off_total full"] == 1


def test_lost_connections_free_their_places(start):
    """F01: a message whose connection breaks is not held, and never processed."""
    milter = start(messages=1)
    for number in range(3):
        with milter.session() as client:
            # The place of the connection before is free once libmilter has seen its end.
            while half(client, OURS.format("discard", number)).deferred:
                client.abort()
    assert not milter.trace("opened")


def test_killed_before_the_commit(start):
    """F01: kill -9 while the pipeline works: the MTA sees the connection lost, never a discard."""
    milter = start()
    with milter.session() as client:
        half(client, OURS.format("slow", "killed"))
        client.packet("E")
        milter.wait_for("waiting")
        milter.kill()
        assert client.at_end()


def test_libmilter_ends_by_itself(start):
    """A libmilter that ends unasked is noticed and logged, and the daemon is told."""
    milter = start(ends_by_itself=True)
    milter.signal(signal.SIGUSR1)
    with contextlib.suppress(OSError):
        while True:  # each connection makes it look up from its poll, until there is nobody to connect to
            milter.client().close()
    assert milter.end()[0] == 1
    assert milter.trace("milter_ended")
