"""What an MTA sees, over the raw protocol."""

import base64

import pytest

from bouncemilter import limits
from tests.rig.milter import ACCEPT, ALL_ACTIONS, CONTINUE, DELRCPT, DISCARD, NO_SKIP, OLD_ACTIONS, OLD_STEPS, SKIP

MAIL = b"Received: from a\r\n\tby b\r\nSubject:  two\r\nTo:x\r\n\r\nbody\r\n\r\n.\r\n"


def ours(word, tag):
    return f"bounce+{word}+{tag}@bounces.test"


def steps(client, recipients, sender="<>"):
    """MAIL, RCPT and DATA; the reply to DATA."""
    client.mail(sender)
    for each in recipients:
        client.rcpt(each)
    return client.data()


def test_ordinary_mail(milter):
    """F24: a human's mail, null sender or not, is accepted at DATA, and not a byte of it is asked for."""
    with milter.session() as client:
        assert steps(client, ["<anna@example.com>", "<jan@bounces.test>"]).code == ACCEPT
        assert steps(client, ["<anna@example.com>"], "<jan@example.pl>").code == ACCEPT
    assert not milter.trace("opened", "anna@example.com")


def test_postmaster_is_not_ours(milter):
    """postmaster@ of a return-path domain gets its mail unread."""
    with milter.session() as client:
        assert steps(client, ["<postmaster@bounces.test>"]).code == ACCEPT


def test_only_the_needed_is_negotiated(milter):
    """Four ways to change a message, no greeting, no replies to what needs none, one macro."""
    with milter.session() as client:
        assert client.actions == 0x159
        assert client.steps & 0x102 == 0x102
        assert client.mail("<>") is None
        assert client.rcpt("<anna@example.com>") is None
        assert client.symlists.split(b"\0\0\0\x05")[1].startswith(b"i\0")


def test_consumed(milter):
    """A message for one recipient of ours is discarded after it was processed, its bytes as they were."""
    to = ours("discard", "bytes")
    with milter.session() as client:
        assert steps(client, [f"<{to}>"], "<mailer@example.net>").code == CONTINUE
        client.header("Received", " from a\n\tby b")
        client.header("Subject", "  two")
        client.header("To", "x")
        client.eoh()
        assert client.body(b"body\r\n\r\n").code == CONTINUE
        assert client.body(b".\r\n").code == CONTINUE
        assert client.eom().code == DISCARD
    opened = milter.trace("opened", to)
    assert [base64.b64decode(each["head"]) for each in opened] == [MAIL]
    assert opened[0]["size"] == len(MAIL)
    assert (opened[0]["sender"], opened[0]["source"], opened[0]["client"]) == (
        "mailer@example.net",
        "remote",
        "192.0.2.7",
    )
    assert milter.trace("settled", to)[0]["dispositions"] == ["discard"]


def test_watched_address(milter):
    """An address of the configuration's list is ours, however it is written."""
    with milter.session() as client:
        assert client.message(["<Zwroty@Example.PL>"]).code == DISCARD


def test_mixed_recipients(milter):
    """F20: of three recipients the consumed one alone is deleted; for the others nothing is changed."""
    to = ours("discard", "mixed")
    with milter.session() as client:
        reply = client.message(["<anna@example.com>", f"<{to}>", "<jan@example.pl>"])
    assert (reply.code, reply.deleted) == (ACCEPT, [f"<{to}>"])
    assert len(reply.modifications) == 1
    assert milter.trace("opened", to)[0]["recipients"] == [to]


def test_passed(milter):
    """A passed message gets our header, and incoming copies of it go, the last one first."""
    mail = b"x-bouncemilter: forged\r\nSubject: x\r\nX-BOUNCEMILTER: too\r\n\r\nx"
    with milter.session() as client:
        reply = client.message([f"<{ours('pass', 'tag')}>", f"<{ours('discard', 'tag')}>"], mail=mail)
    assert (reply.code, reply.deleted) == (ACCEPT, [f"<{ours('discard', 'tag')}>"])
    assert reply.changed == [(2, "X-Bouncemilter", ""), (1, "X-Bouncemilter", "")]
    assert reply.added == [("X-Bouncemilter", " mail")]


def test_tempfail_for_one_is_for_all(milter):
    """One tempfail puts the message off with a constant text, deletes nobody, and is settled so for all of ours."""
    to = ours("tempfail", "all")
    with milter.session() as client:
        reply = client.message([f"<{to}>", f"<{ours('discard', 'all')}>", "<anna@example.com>"])
    assert reply.text == "451 4.3.0 Temporary failure, please try again later"
    assert reply.modifications == []
    assert milter.trace("settled", to)[0]["dispositions"] == ["tempfail", "tempfail"]


def test_the_same_recipient_twice(milter):
    """A recipient that is named twice is one recipient."""
    to = ours("discard", "twice")
    with milter.session() as client:
        assert client.message([f"<{to}>", f"<{to}>"]).code == DISCARD
    assert milter.trace("opened", to)[0]["recipients"] == [to]


def test_recipient_that_is_no_utf8(milter):
    """An address that can't be named in a reply is not ours."""
    with milter.session() as client:
        client.mail()
        client.rcpt(b"<bounce+\xff@bounces.test>")
        assert client.data().code == ACCEPT


def test_header_name_that_is_no_utf8(milter):
    """A header that can't be read is left out, and the message is processed."""
    to = ours("discard", "name")
    with milter.session() as client:
        steps(client, [f"<{to}>"])
        client.header(b"X-\xff", " a")
        client.header("Subject", " b")
        client.eoh()
        assert client.eom().code == DISCARD
    assert base64.b64decode(milter.trace("opened", to)[0]["head"]) == b"Subject: b\r\n\r\n"


class TestNonSmtpd:
    """F23: Postfix's own bounces and local submissions: localhost, port 0, no angle brackets."""

    @staticmethod
    def session(milter):
        client = milter.client()
        client.negotiate()
        client.connect("localhost", "127.0.0.1", 0)
        return client

    def test_own_bounce(self, milter):
        """The MTA's own bounce is consumed; its sender is null, its source local."""
        to = ours("discard", "local")
        with self.session(milter) as client:
            assert client.message([to], sender="").code == DISCARD
        opened = milter.trace("opened", to)[0]
        assert (opened["sender"], opened["source"], opened["client"]) == ("", "local", "127.0.0.1")

    def test_delete(self, milter):
        """Somebody else's copy of a local message stays; the argument of RCPT comes back as it was."""
        to = ours("discard", "local-mixed")
        with self.session(milter) as client:
            reply = client.message([to, "anna@example.com"], sender="")
        assert (reply.code, reply.deleted) == (ACCEPT, [to])

    def test_tempfail(self, milter):
        """A local message is put off at its end only."""
        with self.session(milter) as client:
            assert steps(client, [ours("tempfail", "local")], "").code == CONTINUE
            client.eoh()
            assert client.eom().deferred

    def test_brackets_are_not_local(self, milter):
        """A client that calls itself localhost over SMTP is remote: smtpd writes the brackets."""
        to = ours("discard", "false-local")
        with self.session(milter) as client:
            assert client.message([f"<{to}>"]).code == DISCARD
        assert milter.trace("opened", to)[0]["source"] == "remote"


class TestOldMta:
    """F19: what an MTA does not offer is done without."""

    def test_protocol_2(self, milter):
        """Without DATA ordinary mail is accepted at its first header, and values come without their space."""
        to = ours("pass", "old")
        with milter.session(version=2, actions=OLD_ACTIONS, steps=OLD_STEPS) as client:
            client.mail()
            client.rcpt("<anna@example.com>")
            assert client.header("Subject", "x").code == ACCEPT
            client.mail()
            client.rcpt(f"<{to}>")
            assert client.header("Subject", "x").code == CONTINUE
            assert client.eoh().code == CONTINUE
            reply = client.eom()
        assert (reply.code, reply.added) == (ACCEPT, [("X-Bouncemilter", "mail")])
        assert base64.b64decode(milter.trace("opened", to)[0]["head"]) == b"Subject: x\r\n\r\n"

    def test_no_headers_at_all(self, milter):
        """Ordinary mail without a header is accepted at the empty line."""
        with milter.session(version=2, actions=OLD_ACTIONS, steps=OLD_STEPS) as client:
            client.mail()
            client.rcpt("<anna@example.com>")
            assert client.eoh().code == ACCEPT

    def test_tag_mode(self, milter):
        """Without DELRCPT a mixed message is recorded and delivered with our header, and the log says so once."""
        to = ours("discard", "tag-mode")
        with milter.session(actions=ALL_ACTIONS & ~DELRCPT) as client:
            reply = client.message([f"<{to}>", "<anna@example.com>"])
            assert client.message([f"<{ours('discard', 'alone')}>"]).code == DISCARD
        assert (reply.code, reply.deleted, len(reply.added)) == (ACCEPT, [], 1)
        assert milter.trace("settled", to)[0]["dispositions"] == ["pass"]
        assert len(milter.trace("milter_tag_mode")) == 1

    def test_no_actions(self, milter):
        """An MTA that lets nothing be changed still gets whole messages discarded, and the others unchanged."""
        with milter.session(actions=0x20) as client:
            assert client.message([f"<{ours('discard', 'none')}>"]).code == DISCARD
            reply = client.message([f"<{ours('pass', 'none')}>"])
        assert (reply.code, reply.modifications) == (ACCEPT, [])


class TestLarge:
    """F28: no more of a message is held than the limit says."""

    @pytest.mark.parametrize("extra", [-1, 0, 1])
    def test_limit(self, milter, extra):
        """The size tells whether bytes are missing, at the limit and beside it."""
        to = ours("discard", f"limit{extra}")
        size = limits.KEPT_BYTES + extra
        with milter.session() as client:
            assert client.message([f"<{to}>"], mail=b"Subject: x\r\n\r\n" + b"x" * (size - 14)).code == DISCARD
        opened = milter.trace("opened", to)[0]
        assert (opened["kept"], opened["size"]) == (min(size, limits.KEPT_BYTES), size)

    def test_skip(self, milter):
        """Once the kept bytes are full, the MTA is told to send no more, and not a chunk before."""
        to = ours("discard", "skip")
        chunk = b"x" * 65535
        with milter.session() as client:
            steps(client, [f"<{to}>"])
            client.eoh()
            replies = [client.body(chunk).code for _ in range(9)]
            assert client.eom().code == DISCARD
        assert replies == [CONTINUE] * 8 + [SKIP]
        opened = milter.trace("opened", to)[0]
        assert opened["size"] > opened["kept"] == limits.KEPT_BYTES

    def test_100_megabytes(self, start):
        """An MTA that can't skip sends 100 MB, and they leave no trace in memory."""
        milter = start()
        to = ours("discard", "huge")
        with milter.session(steps=NO_SKIP) as client:
            assert client.message([f"<{ours('discard', 'warm')}>"]).code == DISCARD
            before = milter.memory()
            steps(client, [f"<{to}>"])
            client.eoh()
            for _ in range(1600):
                assert client.body(b"x" * 65535) is None
            assert client.eom().code == DISCARD
        assert milter.trace("opened", to)[0]["size"] == 1600 * 65535 + 2
        assert milter.memory() - before < 16 * 1024

    def test_headers_count(self, milter):
        """A flood of headers is cut like a body."""
        to = ours("discard", "headers")
        with milter.session() as client:
            steps(client, [f"<{to}>"])
            for _ in range(20):
                client.header("X-Long", b" " + b"x" * 60_000)
            client.eoh()
            assert client.eom().code == DISCARD
        opened = milter.trace("opened", to)[0]
        assert (opened["kept"], opened["size"]) == (limits.KEPT_BYTES, 20 * 60_010 + 2)
