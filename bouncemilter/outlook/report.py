"""Reports as Exchange and Outlook keep them: not as MIME, but as properties of a message of class `REPORT.…`.

REPORT.IPM.Note.NDR        a failure       PR_REPORT_TEXT, or the body: words for people
REPORT.IPM.Note.Delayed    a delay         each recipient: PR_SMTP_ADDRESS, PR_SUPPLEMENTARY_INFO
REPORT.IPM.Note.DR         a success           `<mx.example.net #5.1.1 smtp;550 5.1.1 User unknown>`, PR_NDR_STATUS_CODE
REPORT.IPM.Note.IPNRN      it was read         and PR_NDR_DIAG_CODE ([MS-OXOMSG] section 2.2.2)
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.outlook import header, parts
from bouncemilter.outlook.compound import Storage
from bouncemilter.outlook.properties import ROW, Properties, Tag

RECIPIENTS: Final = 100
"""Of one report (limits.RECIPIENTS)."""
_SAID: Final = 1024
"""Characters of a server's words (limits.DIAGNOSTIC)."""
_WORDS: Final = 64 * 1024
"""Characters of the words for people."""

_ACTIONS: Final = {"ndr": "failed", "delayed": "delayed", "dr": "delivered"}
_DISPOSITIONS: Final = {"ipnrn": "displayed", "ipnnrn": "deleted"}
_INFO: Final = re.compile(r"\A<?\s*(?P<host>[^\s#<>]*)\s*#\s*(?P<said>.*?)\s*(?:##)?>?\s*\Z", re.DOTALL)
_CODE: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_STATUS_OF: Final = {  # MAPI_DIAG_… of X.400, where nothing else gives a status
    0: "5.1.1",  # OR_NAME_UNRECOGNIZED
    1: "5.1.4",  # OR_NAME_AMBIGUOUS
    2: "5.4.5",  # MTS_CONGESTED
    3: "5.4.6",  # LOOP_DETECTED
    5: "5.4.7",  # MAXIMUM_TIME_EXPIRED
    7: "5.2.3",  # CONTENT_TOO_LONG
    27: "5.4.6",  # REDIRECTION_LOOP_DETECTED
    29: "5.7.1",  # SUBMISSION_PROHIBITED
}


def rebuilt(
    storage: Storage, found: Properties, written: str, bodies: list[bytes], attached: list[bytes], depth: int
) -> bytes:
    """A report as RFC 3464 or RFC 8098 would have it.

    `written` are the original headers, `bodies` and `attached` the parts made of body and attachments.
    """
    kind = found.line(Tag.MESSAGE_CLASS, limit=255).lower().rpartition(".")[2]
    words = found.text(Tag.REPORT_TEXT, _WORDS).strip()
    texts = [parts.part("text/plain; charset=utf-8", words.encode("utf-8", "replace"))] if words else bodies
    # Of some reports Outlook keeps the returned message's headers, of others the report's own.
    own = _is_report_s(written)
    back = [] if own else [parts.fields(written)]
    returned = [each for each in attached if each.startswith(b"Content-Type: message/rfc822\n")]
    if not returned:
        headers = next((each for each in back if each), "") or _returned(found)
        returned = [parts.part("text/rfc822-headers", headers.encode("utf-8", "replace"))] if headers else []
    head_fields = (parts.fields(written) if own else "") or _header(found)
    if kind in _DISPOSITIONS:
        fields, type_of_report = _disposition(found, _DISPOSITIONS[kind]), "disposition-notification"
    else:
        fields, type_of_report = _delivery(storage, found, _ACTIONS.get(kind, "failed")), "delivery-status"
    status = [parts.part(f"message/{type_of_report}", fields.encode("utf-8", "replace"))] if fields else []
    pieces = [*texts, *status, *returned] or [parts.part("text/plain", b"")]
    return parts.multipart(head_fields, f"multipart/report; report-type={type_of_report}", pieces, depth)


def _is_report_s(written: str) -> bool:
    """Whether a header block is that of a report, not of what came back in it."""
    folded = written.lower()
    return any(each in folded for each in ("multipart/report", "auto-submitted: auto-", "return-path: <>"))


def _header(found: Properties) -> str:
    made = header.made(found)
    sender = "" if made.startswith("From:") else "From: Mail Delivery System <MAILER-DAEMON>\n"
    return sender + made + "Auto-Submitted: auto-replied\n"


def _returned(found: Properties) -> str:
    """What the report says of the message that came back."""
    sender = found.line(Tag.ORIGINAL_SENDER_EMAIL)
    return "".join(
        (
            parts.field("From", sender if "@" in sender else ""),
            parts.field("Subject", found.line(Tag.ORIGINAL_SUBJECT)),
            parts.field("Message-ID", found.line(Tag.ORIGINAL_MESSAGE_ID, Tag.IN_REPLY_TO)),
        )
    )


def _delivery(storage: Storage, found: Properties, action: str) -> str:
    """The content of a delivery-status part (RFC 3464 section 2); empty where no recipient has an address."""
    blocks = []
    for folder in storage.folders("__recip_version1.0", RECIPIENTS):
        row = Properties(folder, ROW, found.codepage)
        written = row.line(Tag.SMTP_ADDRESS), row.line(Tag.EMAIL), row.line(Tag.DISPLAY_NAME)
        if address := next((each.strip("'\"<>") for each in written if "@" in each), ""):
            blocks.append(_block(row, address, action))
    if not blocks:
        return ""
    reporter = found.line(Tag.REPORTING_MTA, limit=255)
    return "\n".join((parts.field("Reporting-MTA", f"dns; {reporter}" if reporter else ""), *blocks))


def _block(row: Properties, address: str, action: str) -> str:
    info = row.line(Tag.SUPPLEMENTARY_INFO, Tag.REPORT_TEXT, limit=_SAID)
    found = _INFO.match(info)
    host, said = (found["host"], found["said"]) if found else ("", info)
    host = host if "." in host else row.line(Tag.REMOTE_MTA, limit=255)
    before, marked, words = said.partition("smtp;")
    words = (words if marked else said).strip()
    code = _CODE.search(before)
    return "".join(
        (
            parts.field("Final-Recipient", f"rfc822; {address}"),
            parts.field("Action", action),
            parts.field("Status", code[1] if code else _status(row)),
            parts.field("Remote-MTA", f"dns; {host}" if host else ""),
            parts.field("Diagnostic-Code", f"smtp; {words}" if words else ""),
        )
    )


def _status(row: Properties) -> str:
    """The status by numbers: `511` for 5.1.1, else by the diagnosis of X.400."""
    number = row.integer(Tag.NDR_STATUS) or 0
    if 200 <= number <= 599 and number // 100 != 3:
        return ".".join(str(number))
    return _STATUS_OF.get(row.integer(Tag.NDR_DIAGNOSIS) or 0, "") if row.integer(Tag.NDR_DIAGNOSIS) is not None else ""


def _disposition(found: Properties, disposition: str) -> str:
    """The content of a disposition-notification part (RFC 8098 section 3)."""
    reader = found.line(Tag.SENDER_SMTP, Tag.SENDER_EMAIL)
    return "".join(
        (
            parts.field("Final-Recipient", f"rfc822; {reader}" if "@" in reader else "rfc822; unknown"),
            parts.field("Original-Message-ID", found.line(Tag.ORIGINAL_MESSAGE_ID, Tag.IN_REPLY_TO)),
            f"Disposition: manual-action/MDN-sent-manually; {disposition}\n",
        )
    )
