"""Requests to be taken off: what a List-Unsubscribe mailto makes (RFC 2369), and what people write in their own words.

Only the author's own lines count, never the quoted mail, whose footer says `unsubscribe` too.
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Kind, Report, ReportedRecipient
from bouncemilter.report import demand, notice
from bouncemilter.report.automaton import Patterns
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import fold, plain

_SENTENCE_END: Final = re.compile(r"[.!?]+")
_SENTENCES: Final = re.compile(r"[.!?]+(?:\s|\Z)")

_POLITE: Final = re.compile(
    plain(
        r"\b(?:could|can|would|will) you|(?:could|can|may) (?:i|we) (?:please )?(?:be|get|have)|please|kindly|"
        r"prosz[eę]|czy (?:mo[zż][en]|mog[aeęą]|mogl|by)|mogliby|mogl[aą]?by|k[oö]nnt?en sie|bitte|"
        r"pouvez[- ]vous|pourriez|s'il vous|pueden?|podr[ií]an?|por favor|potete|potreste|per favore|podem|poderiam|"
        r"kunt u|m[uů][zž]ete|можете|пожалуйста"
    )
)
LONGEST: Final = 1500
"""Characters of a request; longer texts ask for more than that."""

_ALONE: Final = re.compile(
    plain(
        r"(?i)\A\W*(?:(?:please|prosz[eę](?: o)?|bitte|stop)\W+)?(?:unsubscribe(?: me)?|un-?su[bs]\w{3,9}|un-subscribe|"
        r"remove(?: me)?|opt[- ]?out|"
        r"take me off|stop|"
        r"wypisz(?: mnie)?|wypisuj[eę] si[eę]|wypisa[cć]|wypis|rezygnuj[eę]|rezygnacja|usu[nń](?: mnie)?|"
        r"usuni[eę]cie(?: adresu)?|abmelden|"
        r"abmeldung|abbestellen|austragen|d[eé]sabonner|d[eé]sinscription|d[eé]sinscrire|(?:dar(?:me)? de )?baja|"
        r"cancelar suscripci[oó]n|"
        r"cancellami|disiscriv\w+|cancella(?:zione)?(?: iscrizione)?|descadastrar|remover|afmelden|uitschrijven|"
        r"odhl[aá]sit|отписаться|отписка|配信停止)\W*(?:(?:me|us|mnie|nas|mich|please|prosz[eę]|bitte|now|"
        r"thanks?|thank you|"
        r"dzi[eę]kuj[eę]|danke|merci|gracias|newsletter\w*|list\w*|"
        r"mailing\w*|biuletyn\w*|\d{1,20}|"
        r"[a-z0-9_=-]{12,64}|[a-z_=-]{0,12}\d[a-z0-9_=-]{0,20})\W*){0,3}\Z"
    )
)
_SUBJECT: Final = re.compile(
    plain(
        r"(?i)\A\W*(?:unsubscribe|un-subscribe|opt[- ]?out|remove (?:me|my)|rezygnacja|rezygnuj[eę]|wypisz|wypisanie|"
        r"wypis\b|usuni[eę]cie (?:adresu|danych|z listy)|prosz[eę] o (?:usuni|wypis)|abmeldung|abmelden|abbestellen|"
        r"newsletter abbestellen|d[eé]sinscription|d[eé]sabonnement|baja\b|darme de baja|"
        r"cancellazione|disiscrizione|descadastr|afmelden|uitschrijven|odhl[aá]|отпис)"
    )
)
_WEAK: Final = re.compile(
    plain(
        r"\W*(?:rezygnacja|rezygnuj[eę]|wypis\b|abmeldung|abmelden|baja\b|darme de baja|cancella|remov|usuni[eę]cie|"
        r"d[eé]sinscription|afmelden|uitschrijven|odhl)"
    )
)
"""Subjects by which people also leave a course, a contract or a job."""
_LISTED: Final = re.compile(
    plain(
        r"newslet|mailing|e-?mail|mejl|\bmail|list|lettre|bolet|biuletyn|verteiler|werbung|reklam|ofert|wiadomo|adres|"
        r"dirección|"
        r"indirizzo|nieuwsbrief|odb[eě]r|novin"
    )
)
"""What shows that it is mail that is unwanted."""
_TELEPHONE: Final = re.compile(
    plain(
        r"(?:sent from|wys[lł]an[oe] z|gesendet v|von meinem|envoy[eé] de|enviado desde|inviato da|verstuurd v|"
        r"odesl[aá]no z)[^.?!]{0,40}\Z"
    )
)
"""The signature of a telephone at the end of a text."""
_MAILING: Final = (
    r"(?:mail|mejl|maili|wiadomo[sś]|ofert|newslet|reklam|spam|subskryp|prenumerat|biuletyn|korespondencj|powiadomie|"
    r"informacj|otrzymyw|dostawani|wysy[lł]k|lis(?:t[ay]|cie)|tych\b|takich\b|tego\b|niczego|nic\b|wi[eę]cej)"
)
"""What Polish people want no more of, that is no parcel and no contract."""
_CONSENT: Final = (
    r"zgod[^.?!]{0,80}?(?:przetwarz|marketing|handlow|newslet|otrzymyw|(?:wy|prze|przy)sy[lł](?:ani|k)|dany|dane|"
    r"kontakt|"
    r"reklam|e-?mail|informac|rodo)|zgod[aęy](?: na to)?\W*(?:$|[.!])"
)
_ASKED: Final = plain(
    r"\bunsubscribe (?:me|us|my|this|from|please|immediately|now)|\b(?:please|kindly|to|you) unsubscribe\b|"
    r"\b(?:remove|delete|take|drop) (?:me|us|my|our|this)\b[^.?!]{0,60}?\b(?:list|lists|mailing|database|records|"
    r"mailings|newsletter|off|e-?mails?)\b|\btake (?:me|us|my \w+) off\b|\bopt(?:ing)? (?:me )?out\b|"
    r"\bremoved from (?:your|the|this|any|all) (?:\w+ )?(?:list|mailing|database|newsletter|records)|"
    r"\bno longer (?:wish|want) to receive|\b(?:object|"
    r"objection) to .{0,60}(?:direct )?marketing|withdraw(?:ing)? (?:my )?consent|remove from (?:your |"
    r"the )?(?:mailing )?list|cancel (?:my|the) (?:subscription|newsletter)|"
    r"wypis(?:z|zcie|anie|ać|ac|ania)\b[^.?!]{0,40}?(?:mnie|nas|listy|newslet|subskryp|bazy|adres|mailing)|(?:mnie|"
    r"nas) wypis(?:ać|ac|z)|prosz[eę] mnie (?:usun|wypis|wykre[sś]l|skre[sś]l)|"
    r"prosz[eę] (?:o )?(?:usuni[eę]cie|wypisanie|wykre[sś]lenie|skre[sś]lenie|wypisa[cć]|usun[aą][cć])"
    r"(?:\W*(?:$|[.!,])| (?:mnie|nas|z)\b)|(?:o )?(?:usuni[eę]ci[ea]|"
    r"wykre[sś]leni[ea]|skre[sś]leni[ea]|wypisani[ea]) [^.?!]{0,50}?(?:list|baz|newslet|mailing|adres|subskryp|"
    r"danych|maila|poczt)|"
    r"(?:usu[nń](?:cie)?|usun[aą][cć]|wykre[sś]l(?:cie)?|skre[sś]l(?:cie)?) [^.?!]{0,50}?(?:mnie|nas|adres|mail|"
    r"list|"
    r"baz|dane)|(?:rezygnuj[eę]|rezygnacj[aęi]|zrezygnowa[cć]) (?:ju[zż] )?z [^.?!]{0,40}?"
    + _MAILING
    + r"|nie (?:chc[eę]|[zż]ycz[eę] sobie|chcemy|[zż]yczymy sobie) (?:ju[zż] |"
    r"wi[eę]cej |dalej )*(?:dostawa|otrzymywa|tych|takich|pa[nń]stwa|waszych|wiadomo|maili|mejli|newslet|ofert|"
    r"od was|reklam|tego)|"
    r"(?:cofam|wycofuj[eę]|odwo[lł]uj[eę]|(?:^|[.!?:] ?|prosz[eę] o |(?:zg[lł]asz|sk[lł]ad|[zż][aą]d|"
    r"o[sś]wiadcz)am )(?:\w+ ){0,2}?(?:(?:wy)?cofni[eę]ci[ea]|wycofani[ea]|odwo[lł]ani[ea])) [^.?!]{0,30}?(?:"
    + _CONSENT
    + r")|(?:wnosz[eę]|sk[lł]adam|zg[lł]aszam) sprzeciw\W*(?:$|[.!])|"
    r"(?:^|[.!?:] ?|wnosz[eę] |sk[lł]adam |zg[lł]aszam |wyra[zż]am |m[oó]j )sprzeciw (?:wobec|na|"
    r"co do) [^.?!]{0,60}?(?:przetwarz|marketing|wysy[lł]|newslet|dan(?:e|ych)\b|informac)|"
    r"[zż][aą]dam [^.?!]{0,30}?(?:zaprzesta|usuni[eę])[^.?!]{0,60}?(?:przetwarz|dan(?:e|ych)\b|wysy[lł]|marketing|"
    r"baz)|"
    r"prosz[eę] (?:wi[eę]cej |ju[zż] |do mnie |mi )+nie (?:pisa|wysy[lł]a|przysy[lł]a|kontaktowa)|"
    r"(?:przesta[nń](?:cie)?|prosz[eę] nie|prosz[eę] (?:mi|nam|do mnie) nie) "
    r"(?:mi |nam |ju[zż] |wi[eę]cej |do mnie )*(?:spamowa|(?:wysy[lł]a|przysy[lł]a|przesy[lł]a)\w*"
    r"(?:\W*(?:$|[.!])| (?:mi |nam |do mnie )?(?:ju[zż] )?\w{0,12} ?" + _MAILING + r"))|"
    r"nie (?:wysy[lł]aj|przysy[lł]aj|przesy[lł]aj)(?:cie)? (?:mi |nam |do mnie |ju[zż] |prosz[eę] |pa[nń]stwo )*"
    r"(?:\w{2,14} )?" + _MAILING + r"|nie (?:wysy[lł]aj|przysy[lł]aj)(?:cie)? (?:mi |nam )?(?:ju[zż])\W*(?:$|[.!])|"
    r"(?:senden|schicken) sie (?:mir|uns) (?:bitte )?keine[^.?!]{0,20}?(?:mail|newsl|werb|nachricht|post\b|"
    r"infos?\b)|"
    r"(?:abmelden|austragen|abbestellen|aus (?:ihrem|dem|eurem) verteiler)|keine (?:weiteren |mehr )?(?:e-?mails?|"
    r"newsletter|werbung|nachrichten)\b.{0,40}(?:mehr|erhalten|senden|schicken|w[uü]nsch)|"
    r"widerruf\w* .{0,60}einwilligung|einwilligung .{0,60}widerruf|nehmen sie (?:mich|uns) .{0,60}(?:verteiler|"
    r"liste)|"
    r"me d[eé]s(?:inscrire|abonner)|d[eé]s(?:inscri|abonn)\w+|ne (?:souhaite|veux|d[eé]sire) plus (?:recevoir|"
    r"[eê]tre)|(?:retirer|supprimer|enlever) (?:de|mon|moi)\b.{0,40}(?:liste|adresse|fichier|base)|"
    r"(?:darme|d[eé]nme|dar(?:nos)?) de baja(?:\W*(?:$|[.!,])|"
    r" [^.?!]{0,40}?(?:bolet|list|newsl|corre|suscrip|mail|env[ií]o|publici|base|direcci|favor|gracias))|"
    r"no (?:deseo|quiero) (?:recibir|seguir)|"
    r"cancellarmi|cancellare [^.?!]{0,40}?(?:iscrizione|indirizzo|list[ae]|newsletter|e-?mail|nominativo|dati)|"
    r"disiscriver\w+|non (?:desidero|voglio) pi[uù]|descadastr\w+|n[aã]o (?:quero|"
    r"desejo) (?:mais )?receber|(?:graag )?(?:afmelden|uitschrijven)|geen (?:mails|nieuwsbrief)|odhl[aá]sit|"
    r"odhl[aá][sš]en[ií] [^.?!]{0,20}?(?:odb[eě]r|newslet|novin|seznam|zas[ií]l)|"
    r"配信(?:を)?(?:停止|解除|中止)|(?:購読|登録|メルマガ|メールマガジン).{0,8}(?:解除|停止|解約)|(?:退订|取消订阅)|"
    r"(?:удалить|исключить|убрать) (?:меня|мой|нас)[^.?!]{0,30}(?:рассыл|спис|баз)|"
    r"(?:nechci|nep[rř]eji si) .{0,20}dost[aá]vat|отпис(?:ать|ите)\w*|не (?:хочу|желаю) .{0,20}получать|"
    r"удалите (?:меня|мой)"
)
_DENIED: Final = plain(
    r"(?:do not|don't|dont|please not|never|not want to|without|instead of|before) unsubscribe|(?:don't|"
    r"do not) (?:remove|take) (?:me|us)|not (?:want|wish) to (?:unsubscribe|be removed)|how (?:do|"
    r"can) i (?:un)?subscribe|"
    r"nie (?:wypisuj|usuwaj|rezygnuj[eę]|chc[eę] (?:si[eę] )?(?:rezygnowa|wypisa|wypisywa))|"
    r"(?:ja|nadal|wci[aą][zż]|jednak) chc[eę] (?:pozosta|zosta|otrzym|dosta)|chc[eę] (?:po)?zosta[cć] na li[sś]cie|"
    r"jak [^.?!]{0,40}(?:wygl[aą]da|dzia[lł]a|przebiega)\b|prac[eęy] (?:magistersk|dyplomow|licencjack)|"
    r"cancel (?:my|the) subscription[^?!]{0,160}(?:magazine|print|invoice|refund|charge|billing|payment|paid|"
    r"contract)|"
    r"prosz[eę] (?:mnie )?nie (?:wypisywa|usuwa)|nicht abmelden|ne (?:pas|me) d[eé]s\w+ pas|no (?:me )?(?:quiero|"
    r"deseo) (?:dar(?:me)? de )?baja"
)
_NEAR: Final = 30
"""Characters behind a request in which its object may still stand."""
_SPOKEN_OF: Final = re.compile(r"\W*(?:button|link|option|page|feature|function)\b")
_SHORT: Final = 200
_PIECES: Final = re.compile(r"[.!?,;]+(?:\s|\Z)| - ")
_AMBIGUOUS: Final = re.compile(r"\W*(?:stop|rezygn|wypis\b|wypisac\b|usuniecie\b|remover|cancella|abmeldung|baja\b)")
"""What is a request only where nothing else is said."""
_PATTERNS: Final = Patterns({"asked": _ASKED, **demand.PATTERNS})
_CONTRARY: Final = Patterns({"denied": _DENIED, "stay": demand.DENIED})
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
    made = bool(message.auto_submitted) or notice.says(_MADE, fold(own[:600]))
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
    sentences = (each.strip() for each in _SENTENCES.split(fold(own)))
    return all(notice.says(_MADE, each) or bool(_ALONE.match(each)) for each in sentences if each)


def _asks(message: Message, own: str) -> bool:
    if message.auto_submitted or len(own) > LONGEST or b"list-id" in message.headers:
        return False
    folded = plain(message.said_folded)
    folded = _TELEPHONE.sub("", folded).strip()
    if _CONTRARY.found(folded):
        return False
    if folded and _ALONE.match(folded) and len(folded) < 100:
        return True
    subject = plain(message.subject.lower())
    if _SUBJECT.match(subject) and (_ALONE.match(subject) or _states(subject)) and "?" not in folded:
        if _WEAK.match(subject) and folded and not _LISTED.search(f"{subject} {folded}"):
            return _states(folded)
        return len(folded) < 300 or _states(folded)
    return (_states(folded) or _says_it_shortly(folded)) and not _is_bulk(message)


def _says_it_shortly(folded: str) -> bool:
    """Whether a short text has the bare request among its sentences: `not interested, remove`."""
    if len(folded) > _SHORT or "?" in folded.rstrip("?") or demand.THING.search(folded):
        return False
    pieces = (each.strip() for each in _PIECES.split(folded))
    return any(_ALONE.match(each) and not _AMBIGUOUS.match(each) for each in pieces if each)


def _states(folded: str) -> bool:
    """Whether one sentence asks for it, and is no question about it."""
    return any(_is_meant(folded, match) for match in _PATTERNS.finditer(folded))


def _is_meant(folded: str, match: re.Match[str]) -> bool:
    """Whether what was found is the author's own request: no question how, nobody else's wish, nothing of an order."""
    start = max(folded.rfind(mark, 0, match.start()) for mark in ".!?") + 1
    end = _SENTENCE_END.search(folded, match.end())
    before = folded[start : match.start()]
    asked = match[0]
    if demand.OTHERS.search(before) and not demand.SELF.search(asked):
        return False
    if _SPOKEN_OF.match(folded, match.end()):
        return False
    near = folded[match.start() : min(match.end() + _NEAR, end.start() if end else len(folded))]
    if demand.THING.search(near) and not demand.MAILING.search(asked):
        return False
    if end is None or "?" not in end[0]:
        return not demand.HOW.search(before)
    return bool(_POLITE.search(folded, start, end.start())) and not demand.HOW.search(before)


def _is_bulk(message: Message) -> bool:
    """Whether the message is itself bulk mail, whose own footer offers what we look for."""
    return b"list-unsubscribe" in message.headers or message.headers.token(b"precedence") in (b"bulk", b"list")
