"""One refusal as the classifier sees it, and the codes and the phase that stand in its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from bouncemilter.model import Action, Phase


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said about one recipient, and where that is known from."""

    text: str
    """The diagnostic, with or without codes, on one line or several."""
    status: str = ""
    """The enhanced status code of the report (RFC 3463); one in the text beats it."""
    reply_code: str = ""
    """The SMTP reply code of the report (RFC 5321 section 4.2); one in the text beats it."""
    phase: Phase = Phase.UNKNOWN
    action: Action | None = None
    remote_host: str = ""
    """The host that answered (RFC 3464 section 2.3.5)."""
    reporting_mta: str = ""
    """The host that wrote the report (RFC 3464 section 2.2.2)."""


class Codes(NamedTuple):
    """An enhanced status code and a reply code, each empty where unknown."""

    status: str = ""
    reply: str = ""

    @property
    def severity(self) -> str:
        """`4` or `5`, or empty where no code says."""
        return self.reply[:1] or self.status[:1]

    def begin_with(self, prefixes: tuple[str, ...]) -> bool:
        """Whether either code is, or is below, one of `prefixes`: `5`, `55`, `550`, `5.1`, `5.1.1`."""
        return any(_below(self.status, each) or self.reply.startswith(each) for each in prefixes)


def _below(status: str, prefix: str) -> bool:
    return status == prefix or status.startswith(f"{prefix}.")


# The strongest place first: at the start, behind `said:` or `<<<`, before an enhanced code, anywhere behind a colon.
_REPLY = tuple(
    re.compile(pattern)
    for pattern in (
        r"^\W*([245]\d\d)(?=[\s:;,.-]|$)",
        r"(?:said:|<<<|reply:|response:|responded:|error:|answer:|returned:)\s*\"?([245]\d\d)(?=[\s-]|$)",
        r"(?<![\w.#])([45]\d\d)[ -]#?[45]\.\d{1,3}\.\d{1,3}(?![.\w])",
        r"[:;>]\s*\"?([45]\d\d)(?=[\s-]|$)",
        r"\b(?:code|status)\W{0,3}([45]\d\d)\b",
    )
)
_STATUS = re.compile(r"(?<![\w.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\w)")

_SPOKEN = r"(?:in reply to|in response to|after|after pipelined|>>>|did not like our)"
# Postfix's smtp(8) `(in reply to RCPT TO command)`, Exim's `after RCPT TO`, Sendmail's `>>> RCPT To`, dma's words.
_PHASES = tuple(
    (phase, re.compile(pattern))
    for phase, pattern in (
        (Phase.MAIL, rf"{_SPOKEN} ?mail from"),
        (Phase.RCPT, rf"{_SPOKEN} ?rcpt to"),
        (Phase.DATA, rf"{_SPOKEN} ?(?:end of )?(?:data|message)"),
        (Phase.EHLO, rf"{_SPOKEN} ?(?:ehlo|helo|lhlo)"),
        (Phase.CONNECT, rf"refused to talk to me|{_SPOKEN} (?:initial )?(?:connection|greeting|banner)"),
    )
)


def codes_in(template: str) -> Codes:
    """The codes that a template (template.Normaliser) states; the enhanced one of the reply code's class first."""
    reply = next((found.group(1) for each in _REPLY if (found := each.search(template))), "")
    stated = _STATUS.findall(template)
    status = next((each for each in stated if each[0] == reply[:1]), stated[0] if stated and not reply else "")
    return Codes(status, reply)


def codes_of(template: str, status: str, reply_code: str) -> Codes:
    """The codes that count: those in the text, then those of the report where they do not contradict the text."""
    found = codes_in(template)
    severity = found.severity
    if not found.reply and (not severity or reply_code[:1] == severity):
        found = found._replace(reply=reply_code)
    if not found.status and (not found.reply or status[:1] == found.reply[:1]):
        found = found._replace(status=status)
    return found


def phase_in(template: str) -> Phase:
    """What the server was answering, where the text says so."""
    return next((phase for phase, pattern in _PHASES if pattern.search(template)), Phase.UNKNOWN)
