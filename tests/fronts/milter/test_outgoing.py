"""Outgoing mail of a stream, over the raw protocol: signed, refused, thinned out."""

from __future__ import annotations

import pytest

from tests.fronts.milter.conftest import running
from tests.rig.milter import ACCEPT, CONTINUE, DISCARD, REPLYCODE, SKIP

SENDER = "<news@example.com>"


@pytest.fixture(scope="module")
def refusing():
    """A milter with a stream that refuses."""
    with running(streams=True) as child:
        yield child


@pytest.fixture(scope="module")
def dropping():
    """A milter with a stream that drops."""
    with running(streams=True, drop=True) as child:
        yield child


def content(client, *headers):
    """Headers and body; the reply to the end of the message."""
    for name, value in headers:
        client.header(name, value)
    client.eoh()
    assert client.body(b"Cze\xc5\x9b\xc4\x87\r\n").code == SKIP
    return client.eom()


def test_signed(refusing):
    """Mail of a stream leaves with the return path that the pipeline says; its body is not read."""
    with refusing.session() as client:
        client.macros("M", **{"{auth_authen}": "shop"})
        client.mail(SENDER)
        assert client.rcpt("<anna@example.org>").code == CONTINUE
        assert client.data().code == CONTINUE
        end = content(
            client,
            ("From", '"News, daily" <news@Example.com>'),
            ("List-ID", "Wieści <News.Example.com>"),
            ("Feedback-ID", "spring:shop:bulk"),
            ("Feedback-ID", "other"),
        )
    assert end.code == ACCEPT
    assert end.senders == ["<b+token@bounces.test>"]
    sent = refusing.trace("outgoing", "anna@example.org")[0]
    assert sent["domain"] == "example.com"
    assert sent["list_id"] == "news.example.com"
    assert sent["campaign"] == "spring"
    assert refusing.trace("origin")[-1]["sasl_login"] == "shop"


def test_stream_is_known_by_the_service(refusing):
    """The daemon's name comes with the connection, the login with MAIL, and neither outlives its message."""
    with refusing.client() as client:
        client.negotiate()
        client.macros("C", **{"{daemon_name}": "ORIGINATING"})
        client.connect()
        client.macros("M", **{"{auth_authen}": "shop"})
        client.mail("<first@example.com>")
        client.abort()
        client.mail("<second@example.com>")
        client.rcpt("<anna@example.org>")
        client.data()
    first, second = (
        next(each for each in refusing.trace("origin") if each["sender"] == f"{who}@example.com")
        for who in ("first", "second")
    )
    assert (first["daemon_name"], first["sasl_login"], first["client"]) == ("ORIGINATING", "shop", "192.0.2.7")
    assert second["daemon_name"] == "ORIGINATING"


def test_other_mail(refusing):
    """Mail of no stream is accepted at DATA, whoever is suppressed."""
    with refusing.session() as client:
        client.mail("<jan@example.com>")
        assert client.rcpt("<gone@example.org>").code == CONTINUE
        assert client.data().code == ACCEPT


def test_refused_at_rcpt(refusing):
    """A suppressed recipient is refused in reply to RCPT, and the others get the mail."""
    with refusing.session() as client:
        client.mail(SENDER)
        refusal = client.rcpt("<gone@one.example.org>")
        assert refusal.code == REPLYCODE
        assert refusal.text.startswith("550 5.7.1 suppressed: ")
        assert client.rcpt("<anna@one.example.org>").code == CONTINUE
        client.data()
        end = content(client, ("From", "news@example.com"))
    assert end.code == ACCEPT
    assert end.deleted == []
    assert refusing.trace("refused", "gone@one.example.org")
    assert refusing.trace("outgoing", "anna@one.example.org")[0]["recipients"] == ["anna@one.example.org"]


def test_found_at_the_end(refusing):
    """Whom only the headers show to be suppressed is taken out; where nobody is left the message is refused."""
    with refusing.session() as client:
        client.mail(SENDER)
        client.rcpt("<late@two.example.org>")
        client.rcpt("<anna@two.example.org>")
        client.data()
        end = content(client)
        assert (end.code, end.deleted) == (ACCEPT, ["<late@two.example.org>"])
        client.mail(SENDER)
        client.rcpt("<late@three.example.org>")
        client.data()
        end = content(client)
    assert end.text.startswith("550 5.7.1 suppressed: ")
    assert end.deleted == end.senders == []


def test_dropped(dropping):
    """Where the stream drops, the suppressed are taken out at the end, and a message to nobody else is discarded."""
    with dropping.session() as client:
        client.mail(SENDER)
        assert client.rcpt("<gone@example.org>").code == CONTINUE
        assert client.rcpt("<anna@example.org>").code == CONTINUE
        client.data()
        end = content(client)
        assert (end.code, end.deleted) == (ACCEPT, ["<gone@example.org>"])
        assert end.senders == ["<b+token@bounces.test>"]
        client.mail(SENDER)
        client.rcpt("<gone@example.org>")
        client.data()
        assert content(client).code == DISCARD


def test_local_mail_is_never_refused(refusing):
    """F23: on the non_smtpd path a suppressed recipient is taken out at the end, and a message to none discarded."""
    with refusing.client() as client:
        client.negotiate()
        client.connect("localhost", "127.0.0.1", 0)
        client.mail("news@example.com")
        assert client.rcpt("gone@example.org").code == CONTINUE
        assert client.rcpt("anna@example.org").code == CONTINUE
        client.data()
        end = content(client)
        assert (end.code, end.deleted) == (ACCEPT, ["gone@example.org"])
        client.mail("news@example.com")
        client.rcpt("gone@example.org")
        client.data()
        assert content(client).code == DISCARD
    assert refusing.trace("origin")[-1]["local"]


def test_report_of_the_mta(refusing):
    """What has no sender on the non_smtpd path is of no stream: a user's bounce reaches him, whoever is suppressed."""
    before = len(refusing.trace("origin"))
    with refusing.client() as client:
        client.negotiate()
        client.connect("localhost", "127.0.0.1", 0)
        client.mail("")
        assert client.rcpt("gone@example.org").code == CONTINUE
        assert client.data().code == ACCEPT
        client.mail("news@example.com")
        assert client.rcpt("anna@example.org").code == CONTINUE
    asked = refusing.trace("origin")[before:]
    assert [(each["sender"], each["client"]) for each in asked if each["local"]] == [
        ("", ""),
        ("news@example.com", ""),
    ]


def test_source_route(dropping):
    """Postfix notes a recipient without its source route: he is taken out by that name, too."""
    with dropping.session() as client:
        client.mail(SENDER)
        client.rcpt("<@relay.example.net:gone@example.org>")
        client.rcpt("<gone(comment)@example.org>")
        client.rcpt("<anna@example.org>")
        client.data()
        end = content(client)
    assert "<gone@example.org>" in end.deleted


def test_session_older_than_the_streams():
    """Streams that come by a reload hold in a session whose RCPT has no replies: refused at the end, and signed."""
    with running(streams="late") as child, child.session() as client:
        client.mail(SENDER)
        assert client.rcpt("<gone@example.org>") is None
        client.rcpt("<anna@example.org>")
        assert client.data().code == CONTINUE
        end = content(client)
        assert (end.code, end.deleted, end.senders) == (ACCEPT, ["<gone@example.org>"], ["<b+token@bounces.test>"])
        client.mail(SENDER)
        client.rcpt("<gone@example.org>")
        client.data()
        assert content(client).text.startswith("550 5.7.1 suppressed: ")


def test_store_down(refusing):
    """What can't be recorded is not let go: the mail server keeps it."""
    with refusing.session() as client:
        client.mail(SENDER)
        client.rcpt("<unavailable@example.org>")
        client.data()
        assert content(client).deferred
        client.mail(SENDER)
        client.rcpt("<anna@example.org>")
        client.data()
        assert content(client).code == ACCEPT


@pytest.mark.parametrize("stage", ["rcpt", "data", "header", "eom"])
def test_fault(refusing, stage):
    """F11: an exception in a callback leaves a message of a stream with the mail server, at its end."""
    with refusing.client() as client:
        client.negotiate()
        client.connect(f"fault.{stage}.test")
        client.mail(SENDER)
        assert client.rcpt("<anna@example.org>").code == CONTINUE
        assert client.data().code == CONTINUE
        client.header("From", "news@example.com")
        client.eoh()
        client.body(b"x")
        assert client.eom().deferred


def test_ours_and_others(refusing):
    """A message of a stream that also comes to a return path of ours: consumed there, signed for the rest."""
    with refusing.session() as client:
        client.mail(SENDER)
        client.rcpt("<bounce+discard+mixed@bounces.test>")
        client.rcpt("<anna@example.org>")
        client.data()
        client.header("From", "news@example.com")
        client.eoh()
        assert client.body(b"x").code == CONTINUE
        end = client.eom()
    assert (end.code, end.deleted) == (ACCEPT, ["<bounce+discard+mixed@bounces.test>"])
    assert end.senders == ["<b+token@bounces.test>"]
    assert refusing.trace("settled", "bounce+discard+mixed@bounces.test")


def test_mta_that_can_change_nothing(refusing):
    """Where the mail server offers neither chgfrom nor delrcpt, the message goes as it is, and that is counted."""
    with refusing.session(actions=0x01) as client:
        client.mail(SENDER)
        client.rcpt("<late@example.org>")
        client.rcpt("<anna@example.org>")
        client.data()
        end = content(client)
    assert (end.code, end.deleted, end.senders) == (ACCEPT, [], [])
    metrics = refusing.metrics()
    assert metrics["bouncemilter_milter_unchanged_total chgfrom"] == 1
    assert metrics["bouncemilter_milter_unchanged_total delrcpt"] == 1
