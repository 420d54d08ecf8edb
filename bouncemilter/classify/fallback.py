"""What codes alone mean, where no rule knows the words.

Source: RFC 3463, RFC 5321 section 4.2.3, RFC 7372, RFC 7504, RFC 7505.
"""

from __future__ import annotations

import re

from bouncemilter.classify.reply import Codes
from bouncemilter.model import Category, Class, Phase

# By subject and detail, for both severities unless the digit is given; the longest match counts.
_STATUS = {
    "5": Category.HARD_OTHER,
    "4": Category.SOFT_OTHER,
    "5.1.1": Category.USER_UNKNOWN,
    "5.1.2": Category.DOMAIN_NOT_FOUND,
    "5.1.3": Category.ADDRESS_SYNTAX,
    "5.1.6": Category.MAILBOX_OWNER_CHANGED,
    "5.1.7": Category.SENDER_REJECTED,
    "5.1.8": Category.SENDER_REJECTED,
    "4.1.7": Category.SENDER_REJECTED,
    "4.1.8": Category.SENDER_REJECTED,
    "5.1.10": Category.DOMAIN_NO_MAIL,
    "5.2.1": Category.MAILBOX_DISABLED,
    "5.2.2": Category.MAILBOX_FULL,
    "4.2.2": Category.MAILBOX_FULL,
    "5.2.3": Category.MESSAGE_TOO_BIG,
    "5.3": Category.REMOTE_SYSTEM_ERROR,
    "4.3": Category.REMOTE_SYSTEM_ERROR,
    "5.3.4": Category.MESSAGE_TOO_BIG,
    "4.3.4": Category.MESSAGE_TOO_BIG,
    "5.3.5": Category.ROUTING_ERROR,
    "4.3.5": Category.ROUTING_ERROR,
    "4.4": Category.HOST_NOT_RESPONDING,
    "5.4.1": Category.HOST_NOT_RESPONDING,
    "5.4.2": Category.DELIVERY_TIMEOUT,
    "4.4.2": Category.DELIVERY_TIMEOUT,
    "5.4.3": Category.HOST_NOT_RESPONDING,
    "5.4.4": Category.ROUTING_ERROR,
    "4.4.4": Category.ROUTING_ERROR,
    "5.4.6": Category.MAIL_LOOP,
    "4.4.6": Category.MAIL_LOOP,
    "5.4.14": Category.MAIL_LOOP,
    "5.4.7": Category.DELIVERY_TIMEOUT,
    "4.4.7": Category.DELIVERY_TIMEOUT,
    "5.5": Category.PROTOCOL_ERROR,
    "4.5.3": Category.RATE_LIMITED,
    "5.5.3": Category.RATE_LIMITED,
    "5.6": Category.CONTENT_BLOCKED,
    "5.6.7": Category.EAI_UNSUPPORTED,
    "5.6.9": Category.EAI_UNSUPPORTED,
    "5.7": Category.POLICY_OTHER,
    "4.7": Category.POLICY_OTHER,
    "5.7.10": Category.TLS_REQUIRED,
    "5.7.30": Category.TLS_REQUIRED,
    "5.7.13": Category.MAILBOX_DISABLED,
    "5.7.17": Category.MAILBOX_OWNER_CHANGED,
    "5.7.18": Category.MAILBOX_OWNER_CHANGED,
    **{f"{digit}.7.{detail}": Category.SENDER_AUTH_FAILED for digit in "45" for detail in (20, 21, 22, 23, 24, 27)},
    **{f"{digit}.7.25": Category.MISSING_PTR for digit in "45"},
    **{f"{digit}.7.26": Category.DMARC_FAILED for digit in "45"},
    **{f"{digit}.7.28": Category.RATE_LIMITED for digit in "45"},
}
_REPLY = {
    "4": Category.SOFT_OTHER,
    "5": Category.HARD_OTHER,
    "500": Category.PROTOCOL_ERROR,
    "501": Category.ADDRESS_SYNTAX,
    "502": Category.PROTOCOL_ERROR,
    "503": Category.PROTOCOL_ERROR,
    "504": Category.PROTOCOL_ERROR,
    "521": Category.DOMAIN_NO_MAIL,
    "530": Category.POLICY_OTHER,
    "535": Category.POLICY_OTHER,
    "551": Category.MAILBOX_OWNER_CHANGED,
    "552": Category.MAILBOX_FULL,
    "553": Category.ADDRESS_SYNTAX,
    "556": Category.DOMAIN_NO_MAIL,
    "571": Category.POLICY_OTHER,
}
# An enhanced code that says no more than the reply code beside it.
_EMPTY = ("5.0.0", "4.0.0", "5.5.0", "5.1.0", "5.2.0")
EXCHANGE = "microsoft"
"""The provider's name in the rules for Exchange and Microsoft 365, whose 5.1.10 means an unknown recipient."""

SENDER_SIDE = (Phase.CONNECT, Phase.EHLO, Phase.MAIL)
"""What was said in reply to these is never the recipient's fault."""


# Words by which a text speaks of the sender's side, in the languages of the rules; without accents.
_SENDER_WORDS = re.compile(
    r"(?<!<)\bip\b|"
    r"\b(?:senders?|sending|your (?:ip|server|host|network|domain|mail ?server|isp|provider|system|organi[sz]ation)|"
    r"spam\w*|junk|bulk|unsolicited|spf|dkim|dmarc|reputation|(?:black|block|deny)-?list\w*|rbls?|dnsbls?|relay\w*|tls|ssl|"
    r"rate|too many|helo|ehlo|ptr|rdns|nadawc\w+|absender\w*|expediteur\w*|remitente|mittente|remetente|"
    r"afzender\w*|odesilatel\w*)\b|отправител|спам|迷惑|送信者|发件人|垃圾"
)
_BACK = re.compile(r"return(?:ed|ing)? to (?:the )?sender|sender (?:was |has been )?(?:notified|informed)|relay=")


def speaks_of_the_sender(template: str) -> bool:
    """Whether a text that no clear rule knows speaks of the sender's side: then its codes don't make it hard."""
    return _SENDER_WORDS.search(_BACK.sub(" ", template)) is not None


def category(codes: Codes, phase: Phase, provider: str) -> tuple[Category, str]:
    """The category that codes alone give, and the `fallback.*` rule that says so."""
    found, rule = _by_codes(codes, provider)
    if phase not in SENDER_SIDE or _is_the_senders(found) or _is_trouble(found, codes):
        return found, f"fallback.{rule}"
    if phase is Phase.MAIL:
        return Category.SENDER_REJECTED, "fallback.mail_from"
    return Category.BLOCKED_BY_PROVIDER, "fallback.connect"


def _by_codes(codes: Codes, provider: str) -> tuple[Category, str]:
    if codes.status == "5.1.10" and provider == EXCHANGE:
        return Category.USER_UNKNOWN, "5.1.10_exchange"
    if codes.status.startswith("4.7.1") and codes.reply in ("450", "451"):
        return Category.GREYLISTED, "4.7.1"
    if codes.status and not (codes.status in _EMPTY and codes.reply):
        for key in (codes.status, codes.status.rpartition(".")[0], codes.status[:1]):
            if key in _STATUS:
                return _STATUS[key], codes.status
    for key in (codes.reply, codes.reply[:1]):
        if key in _REPLY:
            return _REPLY[key], codes.reply
    return Category.SOFT_OTHER, "nothing"


def _is_the_senders(found: Category) -> bool:
    return found.class_ is Class.BLOCK and found is not Category.POLICY_OTHER


def _is_trouble(found: Category, codes: Codes) -> bool:
    """A temporary trouble of the far side, which accuses nobody."""
    return (
        codes.severity != "5"
        and found.class_ is Class.SOFT
        and found not in (Category.MAILBOX_FULL, Category.SOFT_OTHER)
    )
