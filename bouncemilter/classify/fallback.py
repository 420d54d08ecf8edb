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
    "523": Category.MESSAGE_TOO_BIG,
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
    r"(?<!<)\bip\b|spam|"
    r"\b(?:senders?|sending(?! to)|junk|bulk|unsolicited|spf|dkim|dmarc\w*|reputation|(?:black|block|deny)-?list\w*|"
    r"your (?:ip|server|host|network|domain|mail ?server|isp|provider|system|organi[sz]ation|account|client|country|"
    r"text|words?|files?|headers?|signature|subject|body|links?|campaigns?|newsletters?|mailings?|hoster|sessions?)|"
    r"(?:of|inside) your (?:e-?mail|mail|message|letter)|newsletters?|sessions|"
    r"return.(?:path|address)|"
    r"\w*rbls?|\w*dnsbls?|rhsbls?|relay\w*|tls|ssl|rate|too many|helo|ehlo|ptr|rdns|smtputf8|utf8smtp|utf-?8|non-ascii|"
    r"spoof\w*|bytes|larger|clients?|attach(?:ed|ments?)|certificates?|connections|"
    r"encrypt\w*|greeted|you are (?:on|in)|harvest\w*|complain\w*|phish\w*|virus\w*|malware|unverified|"
    r"unauthenticated|authenticat\w+|policy|policies|prohibit\w*|suspicious|"
    r"nadawc\w+|zwrotn\w+|absender\w*|ruck(?:sende)?adresse\w*|expediteur\w*|remitente|mittente|remetente|"
    r"afzender\w*|odesilatel\w*|"
    r"odosielatel\w*|expeditor\w*|gonder(?:en|ici)\w*|felado\w*|avsandar\w*|avsender\w*|afsender\w*|lahettaj\w*|"
    r"posilja(?:telj|oc|l)\w*|saatja\w*|sutitaj\w*|siuntej\w*|pengirim|nguoi gui)\b|"
    r"отправител|відправник|подател|αποστολε|المرسل|השולח|спам|"
    r"迷惑|送信者|差出人|发件人|寄件|발신자|보낸 ?사람|垃圾|黑名单"
)
_SENDING_HOST = re.compile(
    r"(?<!<)\bip\b|\b(?:reputation|senders?|your (?:ip|server|host|network|domain|mail ?server|isp|provider|system))\b"
)
_BACK = re.compile(
    r"return(?:ed|ing)? to (?:the )?sender|sender (?:was |has been )?(?:notified|informed)|relay=|"
    r"relay recipient|(?:scanned|checked|swept) .{0,40}virus\w*|\?\S+"
)
PREFIX = re.compile(r"(?:<addr>:? )?recipient address rejected: (?=\S)")
"""What Postfix sets before whatever a policy service answers: no word of the answer's own."""
_URL = re.compile(r"(?:https?://|www\.)\S+")
# What a refusal is about, where it is not about the recipient.
_MESSAGE_WORDS = re.compile(
    r"<ip>|\b(?:messages?|mails?|e-?mails?|content\w*|headers?|body|subject|urls?|links?|attach\w+|connect\w*|greeting|"
    r"banner|session|transaction|smtp|esmtp|service|client|access|permission|security|auth\w*|unauth\w*|syntax|commands?|"
    r"sequence|pipelin\w*|synchroni\w*|verbs?|parameters?|lines?|bytes|size|\w*mb|"
    r"data|mime|encod\w*|charset|firewall|filter\w*|abus\w*|complain\w*|protocol|version|"
    r"country|network|server|certificate|wiadomosc\w*|nachricht\w*|mensaje|messaggio|mensagem|bericht)\b"
)
_REFUSAL_WORDS = re.compile(
    r"\b(?:reject\w*|refus\w*|den(?:y|ied|ial)|declin\w*|block\w*|bann?(?:ed)?|listed|(?:un)?welcome|accept\w*|allow\w*|"
    r"permitt?\w*|forbid\w*|restrict\w*|disallow\w*|suspect\w*|violat\w*)\b"
)
# Whom a refusal speaks to, where it names nobody that it speaks of.
_TO_THE_SENDER = re.compile(r"\b(?:you|yours?|we|us|ours?)\b")
_FAULT_WORDS = re.compile(
    r"\b(?:fail\w*|discard\w*|dropped|malformed|danger\w*|harm\w*|unwanted|not wanted|bad|error|too long|longer|"
    r"missing|not supported|scored?|comply|compliant|turned away|exceeds?)\b"
)
_RECIPIENT_WORDS = re.compile(
    r"<addr>|\b(?:deliver\w*|undeliver\w*|expired|recipients?|users?|mail ?box\w*|accounts?|address\w*|inbox|"
    r"customers?|subscribers?|alias|person|members?|employee|login|logged|rcpt|domains?|mx|nobody|names?|local|exist\w*|"
    r"unknown|not found|no such|directory|disabled\w*|inactive|company|full|quota|owners?|retired|"
    r"deceased|students?|colleagues?|staff|worked|works|"
    r"destinat\w*|utilisateur|boite|compte|adres\w*|odbiorc\w*|skrzynk\w*|kont[oa]|uzytkownik\w*|empfang\w*|postfach|"
    r"benutzer|usuario|buzon|cuenta|casilla|direccion|casella|utente|indirizzo|conta|caixa|endereco|gebruiker|ontvanger|"
    r"abonn\w*|postbus|uzivatel\w*|prijemc\w*|schrank\w*)\b|получател|пользовател|адрес|ящик|ユーザ|宛先|アドレス|アカウント|用户|邮箱|收件人"
)
_OF_THE_RECIPIENT = ("5.1.", "5.2.")


def speaks_of_the_sender(template: str, codes: Codes) -> bool:
    """Whether a text that no clear rule knows speaks of the sender's side: then its codes don't make it hard.

    So does one that speaks of a message or a connection and of no recipient, or that only refuses; where a code names
    the recipient, both must come together.
    """
    text = _BACK.sub(" ", template)
    if _SENDER_WORDS.search(text):
        return True
    text, prefixes = PREFIX.subn("", _URL.sub(" ", text))
    if _RECIPIENT_WORDS.search(text):
        return False
    named = codes.status.startswith(_OF_THE_RECIPIENT) and codes.status not in _EMPTY
    of_message, refused = _MESSAGE_WORDS.search(text), prefixes or _REFUSAL_WORDS.search(text)
    if named:
        return bool(of_message and (refused or _FAULT_WORDS.search(text)))
    return bool(of_message or refused or _TO_THE_SENDER.search(text))


def is_policy(template: str, codes: Codes) -> bool:
    """Whether a text that complains of nothing clear speaks of the sender, and its code of policy (RFC 3463 X.7.x)."""
    return codes.status[1:4] == ".7." and _SENDING_HOST.search(_URL.sub(" ", template)) is not None


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
