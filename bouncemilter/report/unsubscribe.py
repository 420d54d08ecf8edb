"""Requests to be taken off: what a List-Unsubscribe mailto makes (RFC 2369), and what people write in their own words.

Only the author's own lines count, never the quoted mail, whose footer says `unsubscribe` too.
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Kind, Report, ReportedRecipient
from bouncemilter.report import notice
from bouncemilter.report.message import Message

_SENTENCE_END: Final = re.compile(r"[.!?]+")
_SENTENCES: Final = re.compile(r"[.!?]+(?:\s|\Z)")

_POLITE: Final = re.compile(
    r"\b(?:could|can|would|will) you|please|kindly|prosz[eę]|czy (?:mo[zż]e|mogl|by)|k[oö]nnt?en sie|bitte|"
    r"pouvez[- ]vous|pourriez|s'il vous|pueden?|podr[ií]an?|por favor|potete|potreste|per favore|podem|poderiam|"
    r"kunt u|m[uů][zž]ete|можете|пожалуйста"
)
LONGEST: Final = 1500
"""Characters of a request; longer texts ask for more than that."""

_ALONE: Final = re.compile(
    r"(?i)\A\W*(?:(?:please|prosz[eę]|bitte|stop)\W+)?(?:unsubscribe(?: me)?|un-subscribe|remove(?: me)?|opt[- ]?out|"
    r"take me off|stop|"
    r"wypisz(?: mnie)?|wypisa[cć]|wypis|rezygnuj[eę]|rezygnacja|usu[nń](?: mnie)?|usuni[eę]cie(?: adresu)?|abmelden|"
    r"abmeldung|abbestellen|austragen|d[eé]sabonner|d[eé]sinscription|d[eé]sinscrire|(?:dar(?:me)? de )?baja|"
    r"cancelar suscripci[oó]n|"
    r"cancellami|disiscriv\w+|cancella(?:zione)?(?: iscrizione)?|descadastrar|remover|afmelden|uitschrijven|"
    r"odhl[aá]sit|отписаться|отписка|配信停止)\W*(?:(?:me|us|mnie|nas|mich|please|prosz[eę]|bitte|now|"
    r"thanks?|thank you|"
    r"dzi[eę]kuj[eę]|danke|merci|gracias|newsletter\w*|list\w*|"
    r"mailing\w*|biuletyn\w*|\d{1,20}|"
    r"[a-z0-9_=-]{12,64})\W*){0,3}\Z"
)
_SUBJECT: Final = re.compile(
    r"(?i)\A\W*(?:unsubscribe|un-subscribe|opt[- ]?out|remove (?:me|my)|rezygnacja|rezygnuj[eę]|wypisz|wypisanie|"
    r"wypis\b|usuni[eę]cie (?:adresu|danych|z listy)|prosz[eę] o (?:usuni|wypis)|abmeldung|abmelden|abbestellen|"
    r"newsletter abbestellen|d[eé]sinscription|d[eé]sabonnement|baja\b|darme de baja|"
    r"cancellazione|disiscrizione|descadastr|afmelden|uitschrijven|odhl[aá]|отпис)"
)
_ASKED: Final = re.compile(
    r"\bunsubscribe (?:me|us|my|this|from|please|immediately|now)|\b(?:please|kindly|to|you) unsubscribe\b|"
    r"\b(?:remove|delete|take|drop) (?:me|us|my|our|this)\b[^.?!]{0,60}?\b(?:list|lists|mailing|database|records|"
    r"mailings|newsletter|off|e-?mails?)\b|\btake (?:me|us|my \w+) off\b|\bopt(?:ing)? (?:me )?out\b|"
    r"\bstop (?:sending|emailing|e-mailing|mailing|spamming|contacting)\b|\b(?:do not|don't|dont) (?:send|email|"
    r"e-mail|mail|contact) (?:me|us)\b|\bno longer (?:wish|want) to receive|\b(?:object|"
    r"objection) to .{0,60}(?:direct )?marketing|withdraw(?:ing)? (?:my )?consent|remove from (?:your |"
    r"the )?(?:mailing )?list|cancel (?:my|the) (?:subscription|newsletter)|"
    r"wypis(?:z|zcie|anie|ać|ac|ania)\b[^.?!]{0,40}?(?:mnie|nas|listy|newslet|subskryp|bazy|adres|mailing)|(?:mnie|"
    r"nas) wypis(?:ać|ac|z)|prosz[eę] (?:o |mnie )?(?:usun|wypis|wykre[sś]l|skre[sś]l)|(?:o )?(?:usuni[eę]ci[ea]|"
    r"wykre[sś]leni[ea]|skre[sś]leni[ea]|wypisani[ea]) [^.?!]{0,50}?(?:list|baz|newslet|mailing|adres|subskryp|"
    r"danych|maila|poczt)|"
    r"(?:usu[nń](?:cie)?|usun[aą][cć]|wykre[sś]l(?:cie)?|skre[sś]l(?:cie)?) [^.?!]{0,50}?(?:mnie|nas|adres|mail|list|"
    r"baz|dane)|rezygnuj[eę] z|rezygnacj[aęi] z|nie (?:chc[eę]|[zż]ycz[eę] sobie|chcemy|[zż]yczymy sobie) (?:ju[zż] |"
    r"wi[eę]cej |dalej )*(?:dostawa|otrzymywa|tych|takich|pa[nń]stwa|waszych|wiadomo|maili|mejli|newslet|ofert|"
    r"od was|reklam|tego)|"
    r"cofam (?:moj[aą] |swoj[aą] |niniejszym )?(?:wszelk\w+ )?zgod|wycofuj[eę] (?:moj[aą] |swoj[aą] )?zgod|"
    r"cofni[eę]ci[ea] zgody|wnosz[eę] sprzeciw|sprzeciw (?:wobec|na)|(?:przesta[nń](?:cie)?|prosz[eę] nie) (?:mi |"
    r"nam |ju[zż] |wi[eę]cej )*(?:wysy[lł]a|przysy[lł]a|spamowa|przesy[lł]a)|nie (?:wysy[lł]aj|"
    r"przysy[lł]aj)(?:cie)? (?:mi|nam|wi[eę]cej|ju[zż])|"
    r"(?:abmelden|austragen|abbestellen|aus (?:ihrem|dem|eurem) verteiler)|keine (?:weiteren |mehr )?(?:e-?mails?|"
    r"newsletter|werbung|nachrichten)\b.{0,40}(?:mehr|erhalten|senden|schicken|w[uü]nsch)|"
    r"widerruf\w* .{0,60}einwilligung|einwilligung .{0,60}widerruf|nehmen sie (?:mich|uns) .{0,60}(?:verteiler|"
    r"liste)|"
    r"me d[eé]s(?:inscrire|abonner)|d[eé]s(?:inscri|abonn)\w+|ne (?:souhaite|veux|d[eé]sire) plus (?:recevoir|"
    r"[eê]tre)|(?:retirer|supprimer|enlever) (?:de|mon|moi)\b.{0,40}(?:liste|adresse|fichier|base)|darme de baja|"
    r"d[eé]nme de baja|denme de baja|dar de baja|no (?:deseo|quiero) (?:recibir|seguir)|"
    r"cancellar(?:mi|e)|disiscriver\w+|non (?:desidero|voglio) pi[uù]|descadastr\w+|n[aã]o (?:quero|"
    r"desejo) (?:mais )?receber|(?:graag )?(?:afmelden|uitschrijven)|geen (?:mails|nieuwsbrief)|odhl[aá]sit|"
    r"(?:nechci|nep[rř]eji si) .{0,20}dost[aá]vat|отпис(?:ать|ите)\w*|не (?:хочу|желаю) .{0,20}получать|"
    r"удалите (?:меня|мой)"
)
_DENIED: Final = re.compile(
    r"(?:do not|don't|dont|please not|never|not want to|without|instead of|before) unsubscribe|(?:don't|"
    r"do not) (?:remove|take) (?:me|us)|not (?:want|wish) to (?:unsubscribe|be removed)|how (?:do|"
    r"can) i (?:un)?subscribe|"
    r"nie (?:wypisuj|usuwaj|rezygnuj[eę]|chc[eę] (?:si[eę] )?(?:rezygnowa|wypisa|wypisywa))|"
    r"prosz[eę] (?:mnie )?nie (?:wypisywa|usuwa)|nicht abmelden|ne (?:pas|me) d[eé]s\w+ pas|no (?:me )?(?:quiero|"
    r"deseo) (?:dar(?:me)? de )?baja"
)
_MADE: Final = notice.phrases(
    """
    automatically generated | generated by gmail | apple mail sent this | sent this email to unsubscribe |
    this email was sent automatically | this message was generated | mail client | wygenerowana automatycznie |
    generated automatically | list-unsubscribe
    """
)


def read(message: Message) -> Report | None:
    """A request, by its author; `written_by_person` unless it shows that a program made it."""
    if message.content_type == b"multipart/report" or not message.sender:
        return None
    own = message.own_text
    made = bool(message.auto_submitted) or notice.says(_MADE, notice.fold(own[:600]))
    if not (made and _ALONE.match(message.subject)) and not _asks(message, own):
        return None
    machine = made or (not own.strip() and message.subject.lower().startswith("unsubscribe"))
    # A person may use a program's words; what stands beside them is to be read by people.
    bare = bool(_ALONE.match(message.subject)) and (bool(message.auto_submitted) or _says_nothing_else(own))
    return Report(
        kind=Kind.UNSUBSCRIBE,
        recipients=(ReportedRecipient(address=message.sender),),
        format="unsubscribe",
        excerpt=text.clean(own or message.subject, limits.EXCERPT),
        written_by_person=not (machine and bare),
    )


def _says_nothing_else(own: str) -> bool:
    """Whether each sentence is a mail program's own, or the bare request."""
    sentences = (each.strip() for each in _SENTENCES.split(notice.fold(own)))
    return all(notice.says(_MADE, each) or bool(_ALONE.match(each)) for each in sentences if each)


def _asks(message: Message, own: str) -> bool:
    if message.auto_submitted or len(own) > LONGEST or b"list-id" in message.headers:
        return False
    folded = notice.fold(own)
    if _DENIED.search(folded):
        return False
    if folded and _ALONE.match(folded) and len(folded) < 100:
        return True
    subject = message.subject.lower()
    if _SUBJECT.match(subject) and (_ALONE.match(subject) or _states(subject)) and "?" not in folded:
        return len(folded) < 300 or _states(folded)
    return _states(folded) and not _is_bulk(message)


def _states(folded: str) -> bool:
    """Whether one sentence asks for it, and is no question about it."""
    for match in _ASKED.finditer(folded):
        end = _SENTENCE_END.search(folded, match.end())
        if end is None or "?" not in end[0]:
            return True
        start = max(folded.rfind(mark, 0, match.start()) for mark in ".!?") + 1
        if _POLITE.search(folded, start, end.start()):
            return True
    return False


def _is_bulk(message: Message) -> bool:
    """Whether the message is itself bulk mail, whose own footer offers what we look for."""
    return b"list-unsubscribe" in message.headers or message.headers.token(b"precedence") in (b"bulk", b"list")
