"""What the readers of free-form reports make of words: escapes, phases, boilerplate, whom a report is about."""

import pytest

from bouncemilter import classify_bytes, report
from bouncemilter.model import Action, Kind, Phase
from bouncemilter.report import escaped, reply

HEAD = "From: MAILER-DAEMON@mx.example.org\nTo: news@example.com\nSubject: Undelivered Mail Returned to Sender\n\n"
EXIM_DELAY = """From: Mail Delivery System <Mailer-Daemon@host.example.org>
To: news@example.com
Subject: Warning: message 1dHpAB-0001aB-AA delayed 24 hours

This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on host.example.org.

The message identifier is:     1dHpAB-0001aB-AA

{introduction}

  jan@example.pl
{reason}
No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals if the message
remains undelivered. Eventually the mail delivery software will give up,
and when that happens, the message will be returned to you.
"""
DSN = """From: MAILER-DAEMON@mx.example.org
To: news@example.com
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

{words}
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.org

{blocks}
--b--
"""


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"550 skrzynka pe\305\202na", "550 skrzynka pełna"),
        (r"550 u\277ytkownik nie istnieje, pe\263na", "550 użytkownik nie istnieje, pełna"),
        (r"550 no such file C:\mail\042x", r"550 no such file C:\mail\042x"),
        ("550 skrzynka pełna \\305", "550 skrzynka pełna \\305"),
    ],
    ids=["utf-8", "latin-2", "ascii", "not escaped"],
)
def test_octal_escapes(written: str, meant: str) -> None:
    """Exim's octal escapes are the characters that they stand for; what is no such escape stays."""
    assert escaped.decoded(written) == meant


def test_octal_escapes_in_a_report() -> None:
    """A diagnostic with octal escapes is read as the words that the server said."""
    raw = DSN.format(
        words="x",
        blocks="Action: failed\nFinal-Recipient: rfc822;jan@example.pl\nStatus: 5.0.0\n"
        r"Diagnostic-Code: smtp; 552 Skrzynka odbiorcy jest pe\305\202na",
    )
    assert report.read(raw.encode()).recipients[0].diagnostic == "552 Skrzynka odbiorcy jest pełna"


@pytest.mark.parametrize(
    "introduction",
    [
        "The address to which the message has not yet been delivered is:",
        "The following address(es) have not yet been delivered:",
    ],
)
def test_boilerplate_of_a_delay(introduction: str) -> None:
    """What Exim writes below every delay is nobody's error."""
    found = report.read(EXIM_DELAY.format(introduction=introduction, reason="").encode())
    assert found.kind is Kind.DELAYED
    assert [(each.address, each.diagnostic) for each in found.recipients] == [("jan@example.pl", "")]


def test_reason_of_a_delay() -> None:
    """A reason that Exim gives for a delay is told, and its boilerplate is not."""
    raw = EXIM_DELAY.format(
        introduction="The address to which the message has not yet been delivered is:",
        reason="    Delay reason: SMTP error from remote mail server after MAIL FROM:<news@example.com>:\n"
        "    451 4.7.1 come back later\n",
    )
    (found,) = report.read(raw.encode()).recipients
    assert found.diagnostic.endswith("451 4.7.1 come back later")
    assert found.phase is Phase.MAIL


@pytest.mark.parametrize(
    ("words", "phase"),
    [
        ("SMTP error from remote server for RCPT TO command, host: mx.example.com", Phase.RCPT),
        ("SMTP error from remote mail server after end of data: host mx.example.com", Phase.DATA),
        ("554 rejected at end of data", Phase.DATA),
        ("550 nie (w odpowiedzi na polecenie RCPT TO)", Phase.RCPT),
        ("550 odrzucono po poleceniu MAIL FROM", Phase.MAIL),
        ("550 abgelehnt (als Antwort auf MAIL FROM)", Phase.MAIL),
        ("550 abgelehnt nach dem Befehl DATA", Phase.DATA),
        ("lost connection while performing the EHLO handshake", Phase.EHLO),
        ("host mx.example.com refused to talk to me: 554 no", Phase.CONNECT),
        ("for the following reason: no data", Phase.UNKNOWN),
    ],
)
def test_phase_in_words(words: str, phase: Phase) -> None:
    """Whatever language a mail system names the command in, the phase is known."""
    assert reply.phase(words) is phase


TRANSCRIPT = """... while talking to mx.example.com.:
>>> MAIL From:<news@example.com>
<<< 250 ok
>>> RCPT To:<jan@example.com>
<<< 550 5.1.1 User unknown
... while talking to mx.example.net.:
>>> MAIL From:<news@example.com>
<<< 553 5.1.8 Domain of sender address does not exist
... while talking to mx.example.org.:
>>> DATA
<<< 550 5.7.1 spam
... while talking to mx.example.pl.:
>>> DATA
<<< 552 5.2.2 Over quota
550 5.1.1 <ola@example.pl>... User unknown
<<< 503 5.5.1 Need RCPT
"""


@pytest.mark.parametrize(
    ("said", "phase"),
    [
        ("550 5.1.1 User unknown", Phase.RCPT),
        ("553 5.1.8 Domain of sender address does not exist", Phase.MAIL),
        ("550 5.7.1 spam", Phase.DATA),
        ("552 5.2.2 Over quota", Phase.RCPT),
        ("550 something else", Phase.UNKNOWN),
    ],
)
def test_phase_in_a_transcript(said: str, phase: Phase) -> None:
    """A reply answers the command above it, and RCPT where DATA was pipelined and nobody was left."""
    assert reply.phase_in_transcript(TRANSCRIPT, said) is phase


def test_transcript_of_a_status_report() -> None:
    """The phase of a recipient whose block names none is taken from the transcript in the notice."""
    raw = DSN.format(
        words="   ----- Transcript of session follows -----\n" + TRANSCRIPT,
        blocks="Final-Recipient: rfc822;jan@example.net\nAction: failed\nStatus: 5.1.8\n"
        "Diagnostic-Code: SMTP; 553 5.1.8 Domain of sender address does not exist",
    )
    assert report.read(raw.encode()).recipients[0].phase is Phase.MAIL


@pytest.mark.parametrize("action", ["relayed", "delivered", "expanded"])
def test_reached_beside_failed(action: str) -> None:
    """A bounce is not about whom the mail has reached; the report keeps him all the same."""
    raw = DSN.format(
        words="x",
        blocks="Final-Recipient: rfc822;jan@example.com\nAction: failed\nStatus: 5.1.1\n\n"
        f"Final-Recipient: rfc822;ola@example.com\nAction: {action}\nStatus: 2.0.0",
    )
    verdict = classify_bytes(raw.encode())
    assert [each.address for each in verdict.report.recipients] == ["jan@example.com", "ola@example.com"]
    assert [each.recipient.address for each in verdict.concerned] == ["jan@example.com"]
    told = verdict.to_dict()["recipients"]
    assert isinstance(told, list)
    assert len(told) == 1


def test_reached_alone() -> None:
    """A success report is about those whom the mail has reached."""
    raw = DSN.format(words="x", blocks="Final-Recipient: rfc822;ola@example.com\nAction: delivered\nStatus: 2.0.0")
    verdict = classify_bytes(raw.encode())
    assert [each.recipient.action for each in verdict.concerned] == [Action.DELIVERED]


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + "The mail bounced.\n\nThe mailbox of that person is over quota.\n",
        DSN.format(words="The mailbox of that person is over quota.", blocks="Action: failed\nStatus: 5.0.0"),
    ],
    ids=["words", "status report"],
)
def test_nobody_named(raw: str) -> None:
    """A bounce that names nobody is ruled on by its words, which it keeps as its excerpt."""
    verdict = classify_bytes(raw.encode())
    assert verdict.kind is Kind.BOUNCE
    assert "over quota" in verdict.report.excerpt
    (only,) = verdict.recipients
    assert only.ruling
    assert only.ruling.category == "mailbox_full"


@pytest.mark.parametrize("sender", ["Security <alert@example.net>", "alert@example.net"])
def test_own_mailbox(sender: str) -> None:
    """Who warns a reader of his own mailbox is no mail system that returns his mail."""
    raw = (
        f"From: {sender}\nTo: news@example.com\nSubject: Undelivered messages\n\n"
        "5 messages could not be delivered to news@example.com because your mailbox is full.\n"
    )
    assert report.read(raw.encode()).kind is Kind.MAIL
    daemon = raw.replace(sender, "MAILER-DAEMON@example.net")
    assert report.read(daemon.encode()).kind is Kind.BOUNCE


@pytest.mark.parametrize(
    ("ending", "kind"),
    [("\nThanks\nJane\n", Kind.MAIL), ("\nCould you check?\n", Kind.MAIL), ("", Kind.BOUNCE)],
    ids=["signed", "asks", "neither"],
)
def test_pasted_report(ending: str, kind: Kind) -> None:
    """A report above a person's name or question is shown by that person."""
    raw = (
        "From: Jane Doe <jane@example.com>\nTo: help@example.com\nSubject: Undeliverable mail\n\n"
        "The following recipient(s) could not be reached:\n\n  peter@example.net\n    550 5.1.1 User unknown\n"
    )
    assert report.read((raw + ending).encode()).kind is kind


@pytest.mark.parametrize(
    ("sender", "above", "kind"),
    [
        ("Ann <ann@example.com>", "see below\n\n", Kind.MAIL),
        ("Ann <ann@example.com>", "", Kind.BOUNCE),
        ("Postmaster <postmaster@example.com>", "CAUTION: from outside\n\n", Kind.BOUNCE),
    ],
    ids=["introduced", "bare", "banner"],
)
def test_introduced_report(sender: str, above: str, kind: Kind) -> None:
    """What a person shows stands below words of his own; a gateway's banner above a system's report is none."""
    raw = (
        f"From: {sender}\nTo: help@example.com\nSubject: Mail delivery failed\n\n{above}"
        "This is the mail system at host mx.example.net.\n\n"
        "<jan@example.net>: host mx.example.net[192.0.2.1] said: 550 5.1.1 User unknown\n"
    )
    assert report.read(raw.encode()).kind is kind


@pytest.mark.parametrize(
    ("heading", "named"),
    [
        ("The following recipients received it:", ["jan@example.pl"]),
        ("Wiadomość została dostarczona do:", ["jan@example.pl"]),
        ("The message was not delivered to the following either:", ["jan@example.pl", "ola@example.pl"]),
        ("Nie dostarczono do:", ["jan@example.pl", "ola@example.pl"]),
    ],
)
def test_list_of_the_reached(heading: str, named: list[str]) -> None:
    """Who stands in a list of those whom the mail has reached did not fail; a negation turns its meaning."""
    raw = (
        HEAD
        + f"The following recipients failed:\n\njan@example.pl\n  550 no such user\n\n{heading}\n\nola@example.pl\n"
    )
    assert [each.address for each in report.read(raw.encode()).recipients] == named
