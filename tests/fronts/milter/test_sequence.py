"""Several messages, messages given up, and what no MTA should send."""

import base64
import struct

import pytest

from tests.rig.milter import ACCEPT, CONTINUE, DISCARD

OURS = "<bounce+discard+{}@bounces.test>"


def test_messages_of_one_session(milter):
    """F18: nothing of one message reaches the next: sender, recipients, bytes, marks."""
    with milter.session() as client:
        forged = b"X-Bouncemilter: forged\r\n\r\nfirst"
        assert client.message([OURS.format("first"), "<anna@example.com>"], "<a@example.com>", forged).code == ACCEPT
        assert client.message(["<anna@example.com>"]).code == ACCEPT
        reply = client.message(["<bounce+pass+third@bounces.test>"], "<>", b"A: b\r\n\r\nthird")
    assert (reply.code, reply.deleted, reply.changed) == (ACCEPT, [], [])
    third = milter.trace("opened", "bounce+pass+third@bounces.test")[0]
    assert (third["sender"], base64.b64decode(third["head"])) == ("", b"A: b\r\n\r\nthird")


def test_two_mails(milter):
    """F18: a second MAIL forgets the recipients of the first."""
    with milter.session() as client:
        client.mail()
        client.rcpt(OURS.format("two-mails"))
        client.mail("<b@example.com>")
        client.rcpt("<anna@example.com>")
        assert client.data().code == ACCEPT
        assert client.message([OURS.format("after")]).code == DISCARD
    assert not milter.trace("opened", "bounce+discard+two-mails@bounces.test")


def test_abort(milter):
    """F18: a message given up in its body, twice over, is never processed and leaves nothing behind."""
    with milter.session() as client:
        client.abort()
        client.mail()
        client.rcpt(OURS.format("aborted"))
        assert client.data().code == CONTINUE
        client.eoh()
        client.body(b"half")
        client.abort()
        client.abort()
        assert client.message(["<anna@example.com>"]).code == ACCEPT
        assert client.message([OURS.format("whole")], mail=b"A: b\r\n\r\nwhole").code == DISCARD
    assert not milter.trace("opened", "bounce+discard+aborted@bounces.test")
    whole = milter.trace("opened", "bounce+discard+whole@bounces.test")[0]
    assert base64.b64decode(whole["head"]) == b"A: b\r\n\r\nwhole"


@pytest.mark.parametrize("command", ["R", "T", "L", "N", "B", "E"])
def test_step_without_mail(milter, command):
    """F18: a step outside a message gets no approval, and the message that follows is processed as itself."""
    to = OURS.format(f"stray-{command}")
    data = {"R": OURS.format("stray").encode() + b"\0", "L": b"A\0b\0", "B": b"stray"}.get(command, b"")
    with milter.session() as client:
        client.packet(command, data)
        assert client.message([to], mail=b"A: b\r\n\r\nx").code == DISCARD
    opened = milter.trace("opened", to[1:-1])
    assert [base64.b64decode(each["head"]) for each in opened] == [b"A: b\r\n\r\nx"]
    assert not milter.trace("opened", "bounce+discard+stray@bounces.test")


def test_second_negotiation(milter):
    """F18: a second negotiation changes nothing of the session."""
    with milter.session() as client:
        client.packet("O", struct.pack("!III", 6, 0x1, 0x0))
        assert client.message([OURS.format("second-negotiation"), "<anna@example.com>"]).deleted


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0\0",
        b"\xff\xff\xff\xffO",
        b"\x7f\xff\xff\xffO",
        b"\0\0\0\x01?",
        b"\0\0\0\x03OAB",
        struct.pack("!IcIII", 13, b"O", 1, 0x3F, 0x7F),
        b"GET / HTTP/1.0\r\n\r\n",
        b"\0\0\0\x0dO\0\0\0\x06\0\0",
    ],
)
def test_garbage(milter, garbage):
    """F17: nothing that comes over the socket takes the front down, or reaches the pipeline."""
    with milter.client() as client:
        client.raw(garbage)
    with milter.session() as client:
        assert client.message([OURS.format("after-garbage")]).code == DISCARD


@pytest.mark.parametrize("garbage", [b"\x7f\xff\xff\xffO", b"\0\0\0\x01?", b"GET / HTTP/1.0\r\n\r\n"])
def test_garbage_in_a_message(milter, garbage):
    """F17: a connection that breaks off into garbage is closed, and its message is forgotten."""
    with milter.session() as client:
        client.mail()
        client.rcpt(OURS.format("broken-off"))
        assert client.data().code == CONTINUE
        client.raw(garbage)
        assert client.at_end()
    assert not milter.trace("opened", "bounce+discard+broken-off@bounces.test")
