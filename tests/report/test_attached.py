"""The mails attached to one, as the mail programs of the world attach them."""

import base64

import pytest

from bouncemilter import limits
from bouncemilter.report import attached
from bouncemilter.report.attached import Attached
from bouncemilter.report.message import Message
from tests.outlook.writing import msg
from tests.rig.forward import file, forward, message

MAIL = b"From: MAILER-DAEMON@mx.test\nSubject: Undelivered Mail\n\nSorry.\n"
OUTLOOK = msg({0x1A: "IPM.Note", 0x7D: "Subject: Undelivered Mail\r\n", 0x1000: "Sorry."})
PROGRAMS = {
    "Thunderbird": b'Content-Type: message/rfc822; charset=UTF-8; name="Undelivered Mail.eml"\n'
    b'Content-Disposition: attachment; filename="Undelivered Mail.eml"\nContent-Transfer-Encoding: 7bit\n\n' + MAIL,
    "Gmail": b'Content-Type: message/rfc822; name="Undelivered Mail.eml"\nX-Attachment-Id: f_1\n'
    b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(MAIL),
    "Apple Mail": b'Content-Disposition: attachment; filename="Undelivered Mail.eml"; size=99\n'
    b"Content-Type: application/octet-stream; x-unix-mode=0644\nContent-Transfer-Encoding: 7bit\n\n" + MAIL,
    "Outlook": b'Content-Type: message/rfc822\nContent-Disposition: attachment;\n\tcreation-date="x"\n\n' + MAIL,
    "SMTPUTF8": b"Content-Type: message/global\n\n" + MAIL,
    "RFC 2231": b"Content-Type: application/octet-stream\nContent-Disposition: attachment;\n"
    b" filename*=utf-8''Niedor%C4%99czone.EML\n\n" + MAIL,
    "RFC 2047": file("=?utf-8?B?TmllZG9yxJljem9uZS5lbWw=?=", MAIL),
}
FILES = {
    "named": file("Zwrot.MSG", OUTLOOK),
    "typed": file("", OUTLOOK, "application/vnd.ms-outlook"),
    "by content": file("zwrot", OUTLOOK),
    "under another name": file("zwrot.eml", OUTLOOK),
}


def found(raw: bytes, *, truncated: bool = False) -> list[Attached]:
    return list(attached.mails(Message(raw, truncated=truncated)))


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs(program: str) -> None:
    """What a mail program attaches is found, and whole."""
    (one,) = found(forward(PROGRAMS[program]))
    assert (one.raw.rstrip(), one.truncated, one.fault) == (MAIL.rstrip(), False, "")


@pytest.mark.parametrize("way", FILES)
def test_outlook_files(way: str) -> None:
    """A `.msg` file is known by what it begins with, whatever it is called."""
    (one,) = found(forward(FILES[way]))
    assert one.raw.startswith(b"Subject: Undelivered Mail\n")


def test_no_mails() -> None:
    """Pictures, documents (old Office files begin as `.msg` files do) and the text are no mails."""
    others = (file("a.pdf", b"%PDF"), file("umowa.doc", OUTLOOK), file("", b"x"), b"Content-Type: text/plain\n\nx")
    assert found(forward(*others)) == []
    assert found(b"From: a@example.org\n\nFrom: MAILER-DAEMON@mx.test\n") == []


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        (file("a.msg", b"not one"), "no Outlook message"),
        (file("a.msg", OUTLOOK[:1500]), "no Outlook message that can be read: damaged"),
    ],
)
def test_broken_outlook_files(part: bytes, fault: str) -> None:
    """A `.msg` file that can't be read says why, and the other mails are found."""
    one, other = found(forward(part, message(MAIL)))
    assert (one.raw, other.raw.rstrip()) == (b"", MAIL.rstrip())
    assert one.fault.startswith(fault)


def test_not_those_within() -> None:
    """A mail in an attached mail is that mail's business."""
    inner = forward(message(MAIL))
    (one,) = found(forward(message(inner)))
    assert one.raw.rstrip() == inner.rstrip()


def test_cut_off() -> None:
    """What lies beyond the octets that are kept is cut off: the last mail says so, those before are whole."""
    raw = forward(message(MAIL), message(MAIL + b"x\n" * limits.KEPT_BYTES))
    first, last = found(raw[: limits.KEPT_BYTES], truncated=True)
    assert (first.truncated, last.truncated) == (False, True)
    (one,) = found(forward(file("a.msg", OUTLOOK + b"\0" * limits.KEPT_BYTES))[: limits.KEPT_BYTES], truncated=True)
    assert one.fault == "an Outlook message that is too large"
