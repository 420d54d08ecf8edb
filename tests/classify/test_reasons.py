"""The reasons that users of other products know, in the words of servers, land where the vocabulary says."""

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply

_TEXTS = {
    # The list of returns of a Polish mailing program.
    "550 user unknown": "user_unknown",
    "Host or domain name not found": "domain_not_found",
    "550 domain not found": "domain_not_found",
    "connection timed out": "host_not_responding",
    "connection refused": "host_not_responding",
    "552 mailbox full": "mailbox_full",
    "552 over quota": "mailbox_full",
    "can't create user output file": "mailbox_full",
    "can't create output": "mailbox_full",
    "552 exceeded storage allocation": "mailbox_full",
    "552 message exceeds size limit": "message_too_big",
    "552 message size exceeds fixed maximum message size": "message_too_big",
    "550 improper forwarding": "mail_loop",
    "554 mail forwarding loop": "mail_loop",
    "554 too many hops": "mail_loop",
    "550 forwarding not allowed": "mail_loop",
    "554 relay access denied": "relay_denied",
    "550 permission denied": "sender_rejected",
    "550 sender address rejected": "sender_rejected",
    "550 black-listed by recipient": "blocked_by_provider",
    "550 user has blacklisted this sender": "blocked_by_recipient",
    "550 very low reputation": "sender_reputation",
    "550 bad SPF records": "sender_auth_failed",
    # The reasons of a mailing service.
    "550 address does not exist": "user_unknown",
    "550 owner of the address changed": "mailbox_owner_changed",
    "mailbox not responding": "host_not_responding",
    "550 rejected by DMARC": "dmarc_failed",
    "550 sender authentication failed": "sender_auth_failed",
    "time-out": "delivery_timeout",
    "554 rejected because of content": "content_blocked",
    "550 rejected sender": "sender_rejected",
    "550 number of messages exceeded": "rate_limited",
    "550 ISP channel block": "blocked_by_provider",
    "550 global block list": "blocklisted",
    "550 blocked": "policy_other",
    "451 4.0.0": "soft_other",
    "550 5.0.0": "hard_other",
    "550 the user blocked you": "blocked_by_recipient",
}


@pytest.mark.parametrize(("text", "category"), _TEXTS.items())
def test_known_reason(text: str, category: str) -> None:
    """Each reason of the two products has its place."""
    assert classify.builtin().rule(Reply(text)).category == category
