"""The error about one recipient in a notice: for reports without a Diagnostic-Code, or with a poor one.

What is nearest to the address and most like a server's own words wins: its reply with a code, a labelled reason
(`Reason: …`), words of a reason behind, before or above the address; then what the notice says of all its recipients.
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits
from bouncemilter.model import Action
from bouncemilter.report import notice, recipient, reply
from bouncemilter.report.automaton import Guarded
from bouncemilter.report.lazy import lazy
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import fold

LINES: Final = 200
"""Lines of a notice in which an error is sought."""
PARAGRAPH: Final = 400
"""Characters of an error that is a paragraph of prose."""

_LABELLED: Final = Guarded(
    r"^[ \t*>|-]{0,8}(?:(?:for the following|the) )?(?:(?:smtp |remote |server |host |delivery |failure |mail ){0,2}"
    r"(?:reasons?|errors?|cause|diagnostic|response|reply|replied|said|status|explanation|problem)|because|"
    r"pow[oó]d|przyczyna|b[lł][aą]d|opis b[lł][eę]du|komunikat|odpowied[zź]|szczeg[oó][lł]y|"
    r"grund|ursache|fehler\w{0,12}|antwort|begr[uü]ndung|raison|motif|erreur|r[eé]ponse|"
    r"motivo|raz[oó]n|causa|respuesta|errore|risposta|raz[aã]o|erro|"
    r"resposta|"
    r"reden|fout\w{0,10}|oorzaak|antwoord|[åa]rsag|orsak|syy|razlog|indok|motivul|neden|sebep|αιτία|d[uů]vod|p[rř][ií][cč]ina|chyba|odpov[eě][dď]|причина|ошибка|ответ)"
    r"(?: (?:messages?|text|description|code|given|returned|is|was|were|of the failure|serwera|des servers|"
    r"du serveur|del servidor|del server|do servidor|serveru|сервера|failure)){0,2}"
    r"[ \t]{0,8}[:：][ \t]*(?:\n\s{0,8})?(\S[^\n]*(?:\n[ \t]*\S[^\n]*){0,3})"
    r"|^[ \t]{0,8}(?:理由|原因|エラー[^\n:：]{0,12}|詳細|応答|错误[^\n:：]{0,8}|"
    r"錯誤[^\n:：]{0,8}|退信原因|"
    r"失败原因|失敗原因|(?:실패 |반송 |오류 )?(?:사유|원인|내용)|(?:서버 )?응답)[ \t]*[:：]\s{0,8}(\S[^\n]*)",
    re.MULTILINE | re.IGNORECASE,
)
_COLON: Final = re.compile(r"[>\"')\]]{0,2}:")
"""`<user@example.com>: the error`, or the error on the next line."""
_DIGITS: Final = re.compile(r"[245](?:\d\d|\.\d)")
"""What every code has in it."""
_PROGRAM: Final = re.compile(r"[a-z][\w./-]{1,40}: \S+ \S")
_NEXT_FIELD: Final = re.compile(r"\n[ \t]*[A-Z][\w -]{1,30}:[ \t]")
_ASIDE: Final = re.compile(
    r"(?i)\A\W*(?:please|if you|for (?:further|more|questions|help)|contact|visit|click|to (?:resend|contact)|"
    r"(?:a copy of|the|original|returned) (?:message|mail|headers?)\b.{0,40}\Z|subject:|date:|sent:|from:|to:|cc:|"
    r"message-id:|this (?:is an? (?:automatic|advisory)|message was (?:created|generated))|"
    r"no action is required|you (?:do not|don't) need|delivery attempts will|the message identifier|"
    r"(?:a|the|your) message (?:that you sent )?has (?:been queued|not yet been)|nie musisz|"
    r"do not reply|prosimy|prosz[eę]|w razie|"
    r"bitte|wenn sie|veuillez|por favor|si desea|per favore|hello|hi[.!, ]|dear|thank)"
)


_STILL_QUEUED: Final = re.compile(
    r"^(?:This message was created automatically|A message that you (?:have )?sent ha|The message identifier is|"
    r"No action is required|The address(?:es)? to which the message ha|"
    r"The following address(?:es|\(es\))? ha(?:s|ve) not yet)[^\n]*(?:\n[^\n]*\S[^\n]*)*\n?"
    r"|^The (?:subject|date) of the message is[^\n]*\n?",
    re.MULTILINE,
)
"""What Exim writes around the addresses of a delay, and what is no error of theirs."""


class Errors:
    """The errors in one notice; what is the same for all its recipients is sought once."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def about(self, named: str) -> str:
        """What the notice gives as the error for `named`, on one line; empty only where the notice is."""
        before, after = recipient.around(self._words, named)
        said = recipient.first_words(after)
        if reply.code(said) or reply.status(said):
            told = labelled(said)
            return told if reply.code(told) or reply.status(told) else said
        if _COLON.match(after) and said and not _ASIDE.match(said) and recipient.is_next(after):
            return said
        return (
            _coded(after)
            or labelled(after)
            or _reason(before.rpartition("\n")[2])
            or _reason(_sentence(before, named, after, said))
            or self._coded
            or _reason(before.rstrip("< \t").rstrip("\n").rpartition("\n")[2])
            or self._shared
            or (said if not _ASIDE.match(said) else "")
            or self._failed
            or said
            or self._all
        )

    @lazy
    def action(self) -> Action:
        """Failed or delayed, by the words of the notice."""
        return notice.action(fold(self._message.subject + " " + self._message.notice_text))

    @lazy
    def _words(self) -> str:
        words = self._message.notice_text[: recipient.NOTICE]
        return _STILL_QUEUED.sub("", words) if "No action is required" in words else words

    @lazy
    def _lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self._words.split("\n", LINES)[:LINES]]

    @lazy
    def _coded(self) -> str:
        """The first line with a code, and what follows it."""
        return _coded("\n".join(self._lines))

    @lazy
    def _shared(self) -> str:
        """What the notice says of all its recipients: a labelled reason, else the paragraphs that give one."""
        told = labelled(self._words)
        if told:
            return told
        paragraphs = [" ".join(each.split()) for each in self._words.split("\n\n", LINES)[:LINES]]
        return " ".join(each[:PARAGRAPH] for each in paragraphs if _reason(each))[: limits.DIAGNOSTIC]

    @lazy
    def _failed(self) -> str:
        """The lines with words of failure."""
        failed = " ".join(line for line in self._lines if line and notice.says(notice.FAILED, line.lower()))
        return failed[: limits.DIAGNOSTIC]

    @lazy
    def _all(self) -> str:
        """The beginning of the notice, where it says anything but addresses."""
        words = " ".join(self._lines).strip()[: limits.EXCERPT]
        return words if recipient.has_words(" ".join(each for each in words.split() if "@" not in each)) else ""


def _sentence(before: str, named: str, after: str, said: str) -> str:
    """`said` with what stands before the address, where that is in the middle of a sentence."""
    line = before.rpartition("\n")[2].strip()
    return f"{line} {named} {said}" if line[-1:].isalpha() and after[:1] == " " else said


def _coded(words: str) -> str:
    """The first line of `words` with a code, and three lines after it; empty where there is none.

    A line above that begins with a program's name has that program's own words.
    """
    if not _DIGITS.search(words):
        return ""
    lines = [" ".join(line.split()) for line in words.split("\n", LINES)[:LINES]]
    at = next((index for index, line in enumerate(lines) if reply.code(line) or reply.status(line)), len(lines))
    start = at - 1 if at and at < len(lines) and _PROGRAM.match(lines[at - 1]) else at
    return " ".join(line for line in lines[start : at + 4] if line)


def labelled(words: str) -> str:
    """The reason behind a word such as `Reason:`, on one line; empty where there is none."""
    match = _LABELLED.search(words)
    if match is None:
        return ""
    told = match[1] or match[2]
    field = _NEXT_FIELD.search(told)
    told = " ".join((told[: field.start()] if field else told).split())
    return told if recipient.has_words(told) else ""


def _reason(line: str) -> str:
    """`line` where it tells a reason and is no aside to the reader, else an empty string."""
    line = recipient.trimmed(" ".join(line.split()))
    folded = line.lower()
    return line if notice.says(notice.REASONS, folded) and not _ASIDE.match(line) else ""
