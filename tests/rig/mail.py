"""Mails for tests of the whole: a delivery status notification and a person's letter. With LF line ends."""

import itertools

_numbers = itertools.count(1)

UNKNOWN = "550 5.1.1 <{}>: Recipient address rejected: User unknown"
FULL = "552 5.2.2 <{}>: Mailbox is full, over quota"


def dsn(
    to: str,
    failed: str,
    diagnostic: str = UNKNOWN,
    action: str = "failed",
    original_id: str = "",
    report_id: str = "",
) -> bytes:
    """A report (RFC 3464) to `to` that delivery to `failed` failed; each call is about another message by default."""
    number = next(_numbers)
    said = diagnostic.format(failed)
    status = said.split(" ")[1]
    return f"""\
From: Mail Delivery System <MAILER-DAEMON@mx.far.test>
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: {report_id or f"<report.{number}@mx.far.test>"}
Date: Mon, 05 Jan 2026 09:00:00 +0100
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="far-{number}"

--far-{number}
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.far.test.

<{failed}>: host mail.far.test[192.0.2.9] said: {said} (in reply to RCPT TO command)

--far-{number}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.far.test

Final-Recipient: rfc822; {failed}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--far-{number}
Content-Type: text/rfc822-headers

From: news@own.test
To: {failed}
Subject: News
Message-ID: {original_id or f"<original.{number}@own.test>"}

--far-{number}--
""".encode()


def letter(to: str, sender: str = "jan@klient.test", subject: str = "pytanie o fakture") -> bytes:
    """What a person writes."""
    return f"""\
From: Jan <{sender}>
To: {to}
Subject: {subject}
Message-ID: <letter.{next(_numbers)}@klient.test>
Date: Mon, 05 Jan 2026 10:00:00 +0100
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Dzień dobry, kiedy dostanę fakturę?
Jan
""".encode()


def out_of_office(to: str, sender: str) -> bytes:
    """What a person's mail server writes while the person is away."""
    return f"""\
From: {sender}
To: {to}
Subject: Automatyczna odpowiedz: News
Message-ID: <away.{next(_numbers)}@klient.test>
Auto-Submitted: auto-replied

Jestem na urlopie do 16 stycznia.
""".encode()


def receipt(to: str, sender: str) -> bytes:
    """A message disposition notification (RFC 8098)."""
    number = next(_numbers)
    return f"""\
From: {sender}
To: {to}
Subject: Read: hello
Message-ID: <receipt.{number}@klient.test>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="mdn-{number}"

--mdn-{number}
Content-Type: text/plain

Your message was read.

--mdn-{number}
Content-Type: message/disposition-notification

Final-Recipient: rfc822; {sender}
Original-Message-ID: <hello@own.test>
Disposition: manual-action/MDN-sent-manually; displayed

--mdn-{number}--
""".encode()
