"""What Outlook's `.msg` files become: the message that came, or the report as it would have come."""

import datetime as dt
import email
import struct
from email import policy
from typing import Any

import pytest

from bouncemilter import classify_bytes
from bouncemilter.model import Category, Kind
from bouncemilter.outlook import MAGIC, to_rfc822
from bouncemilter.report import attached
from bouncemilter.report.message import Message
from tests.outlook.writing import compound, msg, properties, tree

LETTER_HEADERS = (
    "Received: from klient.test by own.test; Mon, 5 Jan 2026 09:00:00 +0100\r\n"
    "From: =?utf-8?B?xYF1Y2phIMW7w7PFgmNp?= <lucja@klient.test>\r\nTo: news@own.test\r\nSubject: pytanie\r\n"
    'Message-ID: <letter@klient.test>\r\nContent-Type: multipart/mixed;\r\n\tboundary="gone"\r\n\r\n'
)
ORIGINAL = "From: news@own.test\r\nTo: jan@wp.pl\r\nMessage-ID: <1@own.test>\r\nSubject: News\r\n\r\n"
SAID = "550 5.1.1 <jan@wp.pl>: Recipient address rejected: User unknown"


def read(raw: bytes) -> Any:
    return email.message_from_bytes(to_rfc822(raw), policy=policy.default)


def test_letter() -> None:
    """A person's mail has its headers, its text and its file names again; what its headers said of MIME is ours."""
    values = {0x1A: "IPM.Note", 0x7D: LETTER_HEADERS, 0x1000: "Dzień dobry,\r\nŁucja"}
    found = read(msg(values, attachments=[{0x3707: 'cennik".pdf', 0x370E: "application/pdf", 0x3701: b"%PDF" * 2000}]))
    assert found["From"] == "Łucja Żółci <lucja@klient.test>"
    assert found["Message-ID"] == "<letter@klient.test>"
    assert found.get_content_type() == "multipart/mixed"
    text, file = found.iter_parts()
    assert text.get_content() == "Dzień dobry,\nŁucja"
    assert (file.get_content_type(), file.get_filename(), file.get_content()) == ("application/pdf", "cennik_.pdf", b"")
    assert classify_bytes(to_rfc822(msg(values))).kind is Kind.MAIL


def test_same_file_same_message() -> None:
    """Equal files give equal octets, so that a mail that is read twice counts once."""
    values = {0x1A: "IPM.Note", 0x7D: LETTER_HEADERS, 0x1000: "x"}
    assert to_rfc822(msg(values)) == to_rfc822(msg(values))


def test_without_headers() -> None:
    """A mail that never left Exchange gets the headers that its properties tell; line ends in them start no field."""
    values = {
        0x1A: "IPM.Note",
        0x37: "Zwrot\r\nBcc: x@example.org",
        0xC1A: "Łucja",
        0x5D01: "lucja@own.test",
        0x1000: "x",
    }
    when = int((dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC) - dt.datetime(1601, 1, 1, tzinfo=dt.UTC)).total_seconds())
    built = tree(values)
    built["__properties_version1.0"] += struct.pack("<HHLQ", 0x40, 0x0E06, 6, when * 10**7)
    found = read(compound(built))
    assert found["From"] == "Łucja <lucja@own.test>"
    assert found["Subject"] == "Zwrot Bcc: x@example.org"
    assert found["Bcc"] is None
    assert found["Date"].datetime == dt.datetime(2026, 1, 5, 9, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("sender", "written"), [("żółw@own.test", "<żółw@own.test>"), ("/O=FIRMA/CN=EWA", "Ewa"), ("", "Ewa")]
)
def test_senders(sender: str, written: str) -> None:
    """A sender without an address of ASCII is written as it is known."""
    raw = to_rfc822(msg({0x1A: "IPM.Note", 0xC1A: "Ewa", 0xC1F: sender, 0x1000: "x"}))
    assert raw.startswith(f"From: {written}\n".encode())


def test_attached_mails() -> None:
    """The mails attached to one are found in it, embedded or saved as files."""
    inner = tree({0x1A: "IPM.Note", 0x37: "embedded"}, head=24)
    files = [
        {0x3707: "a.msg", 0x3701: msg({0x1A: "IPM.Note", 0x37: "file"})},
        {0x3707: "b.eml", 0x3701: b"Subject: eml\n"},
    ]
    raw = to_rfc822(msg({0x1A: "IPM.Note", 0x1000: "Fwd"}, attachments=[{0x3701: inner}, *files]))
    found = [each.raw.partition(b"\n")[0] for each in attached.mails(Message(raw))]
    assert found == [b"Subject: embedded", b"Subject: file", b"Subject: eml"]


def test_eight_bit_text() -> None:
    """Texts of older Outlooks are read in the code page that the message names."""
    built = properties(32, {0x3FFD: 1250}) | {
        "__substg1.0_001A001E": b"IPM.Note",
        "__substg1.0_0037001E": "Żółw".encode("cp1250"),
        "__substg1.0_1000001E": "Zażółć".encode("cp1250"),
    }
    found = read(compound(built))
    assert found["Subject"] == "Żółw"
    assert next(found.iter_parts()).get_content() == "Zażółć"


def test_html_only() -> None:
    """A mail without plain text is read in HTML."""
    html = "<p>Skrzynka jest pełna</p>".encode()
    (part,) = read(msg({0x1A: "IPM.Note", 0x7D: LETTER_HEADERS, 0x1013: html})).iter_parts()
    assert (part.get_content_type(), part.get_payload(decode=True)) == ("text/html", html)


def report(action: str = "NDR", **recipient: Any) -> Any:
    """The verdict on a report about jan@wp.pl."""
    values = {0x1A: f"REPORT.IPM.Note.{action}", 0x37: "Undeliverable: News", 0x1001: "It did not reach somebody."}
    row = {0x39FE: "jan@wp.pl", 0xC1B: f"<mx.wp.pl #5.1.1 smtp;{SAID}>"} | {
        int(k[1:], 16): v for k, v in recipient.items()
    }
    original = tree({0x1A: "IPM.Note", 0x7D: ORIGINAL, 0x1000: "x"}, head=24)
    return classify_bytes(to_rfc822(msg(values, [row], [{0x3701: original}])))


def test_failure() -> None:
    """A report that Exchange keeps as properties is a bounce with recipient, words, status, host and what came back."""
    found = report()
    (one,) = found.recipients
    assert (found.kind, one.ruling.category) == (Kind.BOUNCE, Category.USER_UNKNOWN)
    assert (one.recipient.address, one.recipient.status, one.recipient.remote_host) == (
        "jan@wp.pl",
        "5.1.1",
        "mx.wp.pl",
    )
    assert one.recipient.diagnostic == SAID
    assert (found.report.returned.message_id, found.report.returned.sender) == ("<1@own.test>", "news@own.test")


@pytest.mark.parametrize(
    ("info", "more", "status", "category"),
    [
        ("ex1.own.test #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##", {}, "5.1.1", Category.USER_UNKNOWN),
        ("<mx.wp.pl #5.2.2 smtp;552 5.2.2 <jan@wp.pl>: quota exceeded>", {}, "5.2.2", Category.MAILBOX_FULL),
        ("<mx.wp.pl #5.2.2 smtp;no>", {}, "5.2.2", Category.MAILBOX_FULL),
        ("", {"xC20": 522}, "5.2.2", Category.MAILBOX_FULL),
        ("", {"xC05": 0}, "5.1.1", Category.USER_UNKNOWN),
        ("", {"xC05": 5}, "5.4.7", Category.DELIVERY_TIMEOUT),
        ("User unknown", {"xC20": 399}, "", Category.USER_UNKNOWN),
    ],
)
def test_reasons(info: str, more: dict[str, int], status: str, category: Category) -> None:
    """The reason stands in PR_SUPPLEMENTARY_INFO, else in the numbers of status or diagnosis."""
    (one,) = report(xC1B=info, **more).recipients
    assert (one.recipient.status, one.ruling.category) == (status, category)


@pytest.mark.parametrize(
    ("action", "kind"),
    [("Delayed", Kind.DELAYED), ("DR", Kind.DELIVERED), ("IPNRN", Kind.RECEIPT), ("IPNNRN", Kind.RECEIPT)],
)
def test_other_reports(action: str, kind: Kind) -> None:
    """Delays, successes and receipts are no failures."""
    assert report(action).kind is kind


def test_report_s_own_headers() -> None:
    """Where Outlook has kept the report's headers they stand, and the returned message is named by the properties."""
    headers = "From: postmaster@wp.pl\r\nTo: b@bounces.own.test\r\nMessage-ID: <r@wp.pl>\r\n"
    headers += "Content-Type: multipart/report\r\n\r\n"
    values = {0x1A: "REPORT.IPM.Note.NDR", 0x7D: headers, 0x1046: "<1@own.test>", 0x67: "news@own.test"}
    raw = to_rfc822(msg(values, [{0x3003: "jan@wp.pl", 0xC1B: f"<mx.wp.pl #5.1.1 smtp;{SAID}>"}]))
    found = classify_bytes(raw).report
    assert email.message_from_bytes(raw)["To"] == "b@bounces.own.test"
    assert (found.sender, found.message_id) == ("postmaster@wp.pl", "<r@wp.pl>")
    assert (found.returned.message_id, found.returned.sender) == ("<1@own.test>", "news@own.test")


def test_original_s_headers() -> None:
    """Where it has kept those of what came back, they are not taken for the report's."""
    values = {0x1A: "REPORT.IPM.Note.NDR", 0x7D: ORIGINAL, 0x37: "Undeliverable"}
    raw = to_rfc822(msg(values, [{0x39FE: "jan@wp.pl", 0xC1B: SAID}]))
    found = classify_bytes(raw)
    assert email.message_from_bytes(raw)["From"].startswith("Mail Delivery System")
    assert (found.kind, found.report.returned.message_id) == (Kind.BOUNCE, "<1@own.test>")


def test_recipients_by_name_only() -> None:
    """Recipients that only the directory knows leave the words for people to be read."""
    values = {0x1A: "REPORT.IPM.Note.NDR", 0x37: "Undeliverable", 0x1001: f"<jan@wp.pl>: {SAID}"}
    found = classify_bytes(to_rfc822(msg(values, [{0x3001: "Jan", 0x3003: "/O=FIRMA/CN=JAN"}])))
    assert found.recipients[0].ruling.category is Category.USER_UNKNOWN


def test_report_in_attachments() -> None:
    """A report that Outlook kept as a mail has its parts as attachments: it is a report again."""
    headers = "From: MAILER-DAEMON@mx.test\r\nContent-Type: multipart/report;\r\n report-type=delivery-status\r\n\r\n"
    status = "Reporting-MTA: dns; mx.test\n\nFinal-Recipient: rfc822; jan@wp.pl\nAction: failed\n"
    status += f"Diagnostic-Code: smtp; {SAID}\n"
    details = {0x3707: "details.txt", 0x370E: "message/delivery-status", 0x3701: status.encode()}
    found = classify_bytes(to_rfc822(msg({0x1A: "IPM.Note", 0x7D: headers, 0x1000: "Sorry."}, attachments=[details])))
    assert (found.kind, found.report.format) == (Kind.BOUNCE, "dsn")


def test_nothing_looks_like_structure() -> None:
    """Neither headers nor texts of a hostile file make parts of their own."""
    trick = "--=_outlook.0\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; jan@wp.pl\r\n"
    headers = "Subject: x\r\n--=_outlook.0 : x\r\n --=_outlook.0\r\nX-A: y\r--=_outlook.0\r\n"
    values = {0x1A: "IPM.Note", 0x7D: headers, 0x1000: trick, 0x37: trick}
    found = read(
        msg(values, attachments=[{0x3707: f'a"\r\n\r\n{trick}', 0x370E: f"text/plain\r\n\r\n{trick}", 0x3701: b""}])
    )
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "application/octet-stream"]
    assert MAGIC not in to_rfc822(msg(values))
