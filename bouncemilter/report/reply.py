"""SMTP replies in running text: codes (RFC 5321 section 4.2, RFC 3463) and what they answered (the phase)."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.model import Phase

STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.]*\.\d|\d)")
_REPLY: Final = re.compile(r"(?<![\d.:/@-])([45]\d\d)(?=[ \t-]+[<\"'A-Za-z\[(#45]|[ \t]*#?[45]\.\d|$)")
_REPLY_FIRST: Final = re.compile(r"\A[^A-Za-z0-9]{0,4}([245]\d\d)(?![\d.])")
_REPLY_NAMED: Final = re.compile(r"(?i)\b(?:error|reply|response|status)?[ _-]?code[ :=]{1,3}([45]\d\d)\b")

_COMMANDS: Final = {
    "connect": Phase.CONNECT,
    "banner": Phase.CONNECT,
    "initial": Phase.CONNECT,
    "greeting": Phase.CONNECT,
    "ehlo": Phase.EHLO,
    "helo": Phase.EHLO,
    "lhlo": Phase.EHLO,
    "starttls": Phase.EHLO,
    "mail": Phase.MAIL,
    "rcpt": Phase.RCPT,
    "data": Phase.DATA,
    "bdat": Phase.DATA,
    "end": Phase.DATA,
}
_COMMAND: Final = (
    r"[\"'`<]?(?P<command>mail(?= from)|rcpt(?= to)|mail_?from|rcpt_?to|ehlo|helo|lhlo|starttls|data|bdat|"
    r"end[ -]of[ -]data|end(?= of)|connect(?:ion)?|"
    r"banner|greeting|initial connection)\b"
)
_SENTENCES: Final = {
    "does not like recipient": Phase.RCPT,
    "failed after i sent the message": Phase.DATA,
    "failed on data command": Phase.DATA,
    "but sender was rejected": Phase.MAIL,
    "but my name was rejected": Phase.EHLO,
    "but greeting failed": Phase.CONNECT,
    "wasn't able to establish an smtp connection": Phase.CONNECT,
    "could not initiate smtp conversation": Phase.CONNECT,
    "[rcpt_to]": Phase.RCPT,
    "[mail_from]": Phase.MAIL,
}
"""What qmail, Gmail and Yahoo say instead of naming the command in a sentence."""
# Postfix: (in reply to RCPT TO command); Exim: after RCPT TO:<…>, after end of data, after pipelined MAIL FROM;
# Sendmail: >>> RCPT To:<…>; qmail's kin and others: response to RCPT TO, in response to the DATA command.
_PHASE: Final = re.compile(
    r"(?:in reply to|(?:mail server|error) after|\bafter(?: pipelined| sending)?|(?:in )?(?:response|answer|"
    r"reply) to(?: the)?|while sending|while talking[^\n]{0,80}\n>>>|"
    r">>>|during(?: the)?|sent:?|did not like our(?: final)?|smtp:)[ \t]*(?:pipelined |initial |the )?" + _COMMAND,
)
_SAID_BEFORE: Final = (
    ">>>", "reply to", "after", "response to", "answer to", "while", "during", "sent", "did not like", "smtp:",
)  # fmt: skip


def status(words: str) -> str:
    """The first enhanced status code of class 4 or 5 in `words`, or an empty string."""
    for match in STATUS.finditer(words):
        if match[1][0] != "2":
            return match[1]
    return ""


def code(words: str) -> str:
    """The SMTP reply code in `words`, or an empty string."""
    match = _REPLY_FIRST.match(words) or _REPLY.search(words)
    if match is None and "ode" in words:
        match = _REPLY_NAMED.search(words)
    return match[1] if match else ""


def phase(words: str) -> Phase:
    """What the refusing server was answering, where `words` say it: the first such mention."""
    lower = words.lower()
    match = _PHASE.search(lower) if any(word in lower for word in _SAID_BEFORE) else None
    if match is None:
        return _told(lower)
    return phase_of(match["command"])


def phase_of(command: str) -> Phase:
    """The phase of an SMTP command that is named: `RCPT TO:<…>`, `rcpt`, `end of data`."""
    lower = command.lower()
    return next((value for word, value in _COMMANDS.items() if lower.startswith(word)), Phase.UNKNOWN)


def _told(lower: str) -> Phase:
    return next((value for sentence, value in _SENTENCES.items() if sentence in lower), Phase.UNKNOWN)
