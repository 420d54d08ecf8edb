"""The lists that mail services export, each with a real example of its shape."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from bouncemilter.exchange import moment
from bouncemilter.exchange.record import Entry, Format, Record, Skip
from bouncemilter.model import Cause

NOT_THERE: Final = "not suppressed there, either"
SOFT: Final = "a soft bounce, which suppressed nobody"


def _ses(record: Record, _name: str) -> Entry | Skip:
    """Amazon SES, account-level suppression list: `aws sesv2 list-suppressed-destinations`, or the CSV of a job.

    {"SuppressedDestinationSummaries": [{"EmailAddress": "jan@example.pl", "Reason": "COMPLAINT",
      "LastUpdateTime": "2020-04-10T21:03:05Z"}]}
    jan@example.pl,BOUNCE
    """
    cause = {"bounce": Cause.HARD, "complaint": Cause.COMPLAINT}.get(record.get("reason", "").strip().lower())
    return Entry(record.get("emailaddress", ""), cause, moment.parse(record.get("lastupdatetime", "")))


def _sendgrid(record: Record, name: str) -> Entry | Skip:
    """SendGrid: bounces, blocks, invalid addresses, spam reports, unsubscribes; as CSV, or as the API's JSON.

    status,reason,email,created
    5.1.1,550 5.1.1 The email account does not exist,jan@example.pl,1443651125
    [{"created": 1443651141, "email": "jan@example.pl", "ip": "192.0.2.1"}]                    (spam report)
    """
    address = record.get("email", "")
    at = moment.parse(record.get("created", "") or record.get("createdat", ""))
    if "ip" in record or "spam" in name:
        return Entry(address, Cause.COMPLAINT, at)
    if "reason" in record or "status" in record:
        words, status = record.get("reason", ""), record.get("status", "").strip()
        blocked = "block" in name
        return Entry(address, Cause.HARD, at, diagnostic=words, status=status, blocked=blocked, doubted=True)
    return Entry(address, Cause.UNSUBSCRIBE, at, note=_group(record))


def _group(record: Record) -> str:
    group = record.get("groupname") or record.get("groupid")
    return f"group {group}" if group else ""


def _mailgun(record: Record, name: str) -> Entry | Skip:
    """Mailgun: bounces, complaints, unsubscribes; as CSV, or as the API's JSON.

    address,code,error,created_at
    jan@example.pl,550,No such mailbox,"Fri, 21 Oct 2011 11:02:55 UTC"
    {"items": [{"address": "jan@example.pl", "tags": ["*"], "created_at": "Fri, 21 Oct 2011 11:02:55 UTC"}]}
    """
    address, at = record.get("address", ""), moment.parse(record.get("createdat", ""))
    if "code" in record or "error" in record or "bounce" in name:
        words = f"{record.get('code', '')} {record.get('error', '')}".strip()
        return Entry(address, Cause.HARD, at, diagnostic=words, doubted=True)
    tags = record.get("tags", "") or record.get("tag", "")
    if "tags" in record or "tag" in record or "unsub" in name:
        only = tags.strip() not in ("", "*", '["*"]')
        return Entry(address, Cause.UNSUBSCRIBE, at, note=f"tags {tags}" if only else "")
    return Entry(address, Cause.COMPLAINT, at)


def _postmark(record: Record, _name: str) -> Entry | Skip:
    """Postmark: the dump of a message stream's suppressions, as CSV or JSON.

    EmailAddress,SuppressionReason,Origin,CreatedAt
    jan@example.pl,ManualSuppression,Recipient,2019-12-10T08:58:33-05:00
    """
    reason = record.get("suppressionreason", "").strip().lower()
    cause = {"hardbounce": Cause.HARD, "spamcomplaint": Cause.COMPLAINT, "manualsuppression": Cause.MANUAL}.get(reason)
    if cause is Cause.MANUAL and record.get("origin", "").strip().lower() == "recipient":
        cause = Cause.UNSUBSCRIBE
    address = record.get("emailaddress", "") or record.get("email", "") or record.get("recipient", "")
    return Entry(address, cause, moment.parse(record.get("createdat", "")))


def _mailchimp(record: Record, name: str) -> Entry | Skip:
    """Mailchimp: the files `cleaned_…csv` and `unsubscribed_…csv` of an exported audience.

    Email Address,First Name,Last Name,…,CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID,NOTES
    jan@example.pl,Jan,Nowak,…,2019-05-13 12:32:11,May,4d3f,1,2,
    """
    address = record.get("emailaddress", "")
    if record.get("unsubtime") or ("unsubscribed" in name and "nonsub" not in name):
        at, title = record.get("unsubtime", ""), record.get("unsubcampaigntitle", "")
        reason = record.get("unsubreasonother") or record.get("unsubreason", "")
        return Entry(address, Cause.UNSUBSCRIBE, moment.parse(at), note=" ".join(filter(None, (title, reason))))
    if record.get("cleantime") or "cleaned" in name:
        at, title = record.get("cleantime", ""), record.get("cleancampaigntitle", "")
        return Entry(address, Cause.HARD, moment.parse(at), note=title)
    return Skip(NOT_THERE)


def _listmonk(record: Record, _name: str) -> Entry | Skip:
    """listmonk: exported subscribers (CSV), and bounces (the API's JSON, or the same columns as CSV).

    uuid,email,name,attributes,status,created_at,updated_at
    1c9f…,jan@example.pl,Jan,{},blocklisted,2021-04-10T21:03:05Z,2022-04-10T21:03:05Z
    {"data": {"results": [{"id": 1, "type": "hard", "source": "ses", "created_at": "…", "email": "jan@example.pl"}]}}
    """
    address = record.get("email", "")
    at = moment.parse(record.get("updatedat", "") or record.get("createdat", ""))
    if "type" in record and "status" not in record:
        kind = record["type"].strip().lower()
        if kind == "soft":
            return Skip(SOFT)
        cause = {"hard": Cause.HARD, "complaint": Cause.COMPLAINT}.get(kind)
        return Entry(address, cause, at, note=f"source {record['source']}" if record.get("source") else "")
    if record.get("subscriptionstatus", "").strip().lower() == "unsubscribed":
        return Entry(address, Cause.UNSUBSCRIBE, at)
    # Blocklisted gets nothing at all, transactional mail included: what `manual` means here.
    if record.get("status", "").strip().lower() in ("blocklisted", "blacklisted"):
        return Entry(address, Cause.MANUAL, at, note="blocklisted")
    return Skip(NOT_THERE)


def _is_sendgrid(columns: AbstractSet[str], _name: str) -> bool:
    ours = {"email", "created", "createdat", "status", "reason", "ip", "groupid", "groupname", "id", "name", "isglobal"}
    dated = "created" in columns or ("createdat" in columns and bool(columns & {"groupid", "groupname"}))
    return "email" in columns and dated and columns <= ours


def _is_mailgun(columns: AbstractSet[str], _name: str) -> bool:
    ours = {"address", "createdat", "code", "error", "tag", "tags", "id", "messagehash", "count", "domain"}
    return {"address", "createdat"} <= columns <= ours


def _is_listmonk(columns: AbstractSet[str], _name: str) -> bool:
    subscribers = {"email", "status"} <= columns and bool(columns & {"uuid", "attributes", "attribs"})
    return subscribers or {"email", "type", "source"} <= columns


def _is_mailchimp(columns: AbstractSet[str], _name: str) -> bool:
    return "emailaddress" in columns and bool(columns & {"leid", "euid", "memberrating", "cleantime", "unsubtime"})


_SES_COLUMNS: Final = frozenset({"emailaddress", "reason", "lastupdatetime", "attributes"})
PROVIDERS: Final = (
    Format("postmark", lambda columns, _: "suppressionreason" in columns, _postmark),
    Format("mailchimp", _is_mailchimp, _mailchimp),
    Format("ses", lambda columns, _: {"emailaddress", "reason"} <= columns <= _SES_COLUMNS, _ses),
    Format("listmonk", _is_listmonk, _listmonk),
    Format("sendgrid", _is_sendgrid, _sendgrid),
    Format("mailgun", _is_mailgun, _mailgun),
)
