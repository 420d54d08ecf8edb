"""SMTP replies in running text: codes (RFC 5321 section 4.2, RFC 3463) and what they answered (the phase)."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import islice
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Phase
from bouncemilter.report.automaton import Phrases

# What may not stand before a code is looked at behind its first digit: a pattern that begins with a set of characters
# is sought at memory's speed, one that begins with an assertion is tried everywhere.
STATUS: Final = re.compile(r"([245](?<![\d.].)\.\d{1,3}\.\d{1,3})(?![\d.]*\.\d|\d)")
_REPLY: Final = re.compile(r"([45](?<![\d.:/@-].)\d\d)(?=[ \t-]+[<\"'A-Za-z\[(#45]|[ \t]*#?[45]\.\d|$)")
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
    "text": Phase.DATA,
    "transfer": Phase.DATA,
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
    "refused to talk to me": Phase.CONNECT,
    "receiving the initial server greeting": Phase.CONNECT,
    "[rcpt_to]": Phase.RCPT,
    "[mail_from]": Phase.MAIL,
}
"""What qmail, Gmail and Yahoo say instead of naming the command in a sentence."""
# Postfix: (in reply to RCPT TO command); Exim: after RCPT TO:<…>, after end of data, after pipelined MAIL FROM;
# Sendmail: >>> RCPT To:<…>; qmail's kin and others: response to RCPT TO, in response to the DATA command.
_ARTICLES: Final = (
    r"(?: (?:polecenie|poleceniu|komend[eę]|komendzie|den|dem|das|befehl|kommando|la|commande|comando|al|ao)){0,2}"
)
# Each alternative begins with a letter, behind which the word's edge is looked for: for speed, as with STATUS.
_PHASE: Final = re.compile(
    r"(?:in reply to|mail server after|error after|a(?<!\w.)fter(?: pipelined| sending)?|"
    r"in (?:response|answer|reply) to(?: the)?|response to(?: the)?|answer to(?: the)?|reply to(?: the)?|"
    r"while (?:sending|performing)(?: the)?|na etapie|while talking[^\n]{0,80}\n>>>|"
    r">>>|during(?: the)?|sent:?|\bi said:|did not like our(?: final)?|smtp:|a(?<!\w.)t(?: the)?(?= end)|"
    rf"f(?<!\w.)or(?=[^\n]{{0,12}} command)|odpowiedzi na{_ARTICLES}|p(?<!\w.)o(?= poleceniu| komendzie){_ARTICLES}|"
    rf"antwort auf{_ARTICLES}|n(?<!\w.)ach(?= dem| befehl| kommando){_ARTICLES}|r[eé]ponse [aà]{_ARTICLES}|"
    rf"respuesta a{_ARTICLES}|risposta a{_ARTICLES}|resposta a{_ARTICLES}"
    r")[ \t]*(?:pipelined |initial |the )?" + _COMMAND,
)
_DIALOGUE: Final = re.compile(r"^>>> ([^\n]{1,300})\n((?:(?!>>> |\.\.\. while)[^\n]+(?:\n|\Z)){1,30})", re.MULTILINE)
"""A command of a transcript, and what follows up to the next one."""
_NOBODY_LEFT: Final = re.compile(r"(?i)<<< (?:503|554 [^\n]*(?:valid rec|no recipients))")
_LEADING: Final = re.compile(r"\A\W{0,4}(?P<command>rcpt to|mail from)\b[:<\s][^\n]{0,200}?\b[45]\d\d\b")
"""A command at the beginning of a text, and the reply to it."""
_KNOWN_BY: Final = 40
"""Characters by which a reply is known again."""
_SAID_BEFORE: Final = (
    ">>>", "reply to", "after", "response to", "answer to", "while", "during", "sent", "did not like", "smtp:", "at ",
    "i said:", " command", "polecen", "komend", "na etapie", "odpowiedzi na", "antwort auf", "befehl", "kommando",
    "ponse", "respuesta a", "risposta a", "resposta a",
)  # fmt: skip
"""One of these stands in every match of _PHASE, less than _BEFORE characters behind its beginning."""
_BEFORE: Final = 40
_TELLING: Final = Phrases((*_SAID_BEFORE, *_SENTENCES))
"""What tells a phase: sought together, since most texts have neither."""


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
    places = _TELLING.found(lower)
    match = None
    if places and places[0] < len(_SAID_BEFORE):
        first = min(lower.find(_TELLING[place]) for place in places)
        match = _PHASE.search(lower, max(0, first - _BEFORE))
    match = match or _LEADING.match(lower)
    return phase_of(match["command"]) if match else _told(places)


def phase_in_transcript(transcript: str, said: str) -> Phase:
    """What the reply `said` answered in a Sendmail transcript (`>>>` commands, `<<<` replies), else UNKNOWN.

    Of a pipelined dialogue Sendmail shows the last command alone: a refusal after DATA is RCPT's where no recipient
    was left.
    """
    if ">>> " not in transcript:
        return Phase.UNKNOWN
    for answered, beginnings in _dialogue(transcript):
        for each in beginnings:
            if each in said:
                return answered
    return Phase.UNKNOWN


@lru_cache(maxsize=2)
def _dialogue(transcript: str) -> tuple[tuple[Phase, tuple[str, ...]], ...]:
    """What each command's refusals answered, and how they begin; the recipients of one report ask one after another."""
    found = []
    for match in islice(_DIALOGUE.finditer(transcript), limits.RECIPIENTS):
        answers = [line[4:].strip()[:_KNOWN_BY] for line in match[2].split("\n") if line.startswith("<<< ")]
        answered = phase_of(match[1])
        if answered is Phase.DATA and _NOBODY_LEFT.search(match[2]):
            answered = Phase.RCPT
        found.append((answered, tuple(each for each in answers if each[:1] in ("4", "5"))))
    return tuple(found)


def phase_of(command: str) -> Phase:
    """The phase of an SMTP command that is named: `RCPT TO:<…>`, `rcpt`, `end of data`."""
    lower = command.lower()
    return next((value for word, value in _COMMANDS.items() if lower.startswith(word)), Phase.UNKNOWN)


def _told(places: list[int]) -> Phase:
    """By the first of the sentences among those places of _TELLING that were found."""
    sentence = next((_TELLING[place] for place in places if place >= len(_SAID_BEFORE)), "")
    return _SENTENCES.get(sentence, Phase.UNKNOWN)
