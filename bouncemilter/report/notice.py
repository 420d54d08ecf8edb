"""The language of delivery reports: does a text say that mail failed, that it is late, that it is given up?

Phrases are literal and lower case; a text is folded to single spaces before they are sought, so that line breaks
don't hide them. A phrase says nothing about *who* wrote it: `is_notice` asks for the marks of a mail system too.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bouncemilter.model import Action
from bouncemilter.report.automaton import Phrases
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import LOOKED_AT, fold


def phrases(table: str) -> Phrases:
    """The phrases of a table, which are parted by `|`; an underscore is a space at the edge of one."""
    return Phrases(" ".join(each.split()).replace("_", " ") for each in table.split("|"))


SUBJECTS: Final = 512
"""Subjects that are remembered: a mail system has few of its own, and most reports have one of them."""

FORWARDED: Final = re.compile(
    r"(?i)\A\s*(?:\[[^\]]{1,40}\]\s*)?(?:re|fwd?|fw|aw|wg|odp|pd|tr|rv|enc|i|r|sv|vs|ynt|doorst|antw|vl|res|"
    r"rif)\s*(?:\[\d\])?:"
)
"""Subjects of people who reply or forward."""

_SUBJECT: Final = re.compile(
    r"(?i)undeliver|non.?deliver|not deliver|deliver[a-z]* (?:status|has |attempt|fail|report|error|notif|problem|"
    r"incomplete|delay|unsucc)|fail(?:ure|ed)[: -]* ?(?:notice|notif|deliver|mail|to (?:deliver|send)|messag)|"
    r"(?:deliver[a-z]*|mail|message|sending|e-?mail|transmission|transfer)\b[^\n]{0,30}\b(?:fail|error|delay|problem|"
    r"not be|could not|unable|return|bounced|reject|block)|"
    r"(?:returned|bounced|rejected|returning|blocked|refused) (?:mail|message|e-?mail|to sender)|"
    r"returning (?:your )?m|unable to deliver|could(?:n.t| not) (?:be )?(?:send|sent|deliver)|"
    r"warning: (?:message|could not|e?-?mail)|user unknown|unknown user|mailbox (?:full|unavail|quota|is full|"
    r"exceed)|over ?quota|quota exceed|(?:no such|invalid|unknown) (?:user|recipient|address|account|mailbox)|"
    r"\bNDN\b|\bNDR\b|\bDSN\b|delivery notif|bounce (?:notif|mess|mail|report)|\bbounced\b|mail system error|"
    r"message status - undeliver|permanent .{0,12}fail|warning[: -].{0,40}delay|"
    r"apparently from you|\b(?:virus|banned|spam)\b.{0,60} from you\b|"
    r"nie (?:mo[zż]na|mog[lł]|uda[lł]o si[eę]|zosta[lł]a?|dostarczono)|niedostarcz|nie dor[eę]cz|nie-?dor[eę]cz|zwrot|"
    r"b[lł][aą]d dostarcz|op[oó][zź]ni|niekompletn|"
    r"unzustellbar|nicht zugestellt|zustellung|nicht zustellbar|zur[uü]ck an|unzustellbarkeit|fehlgeschlagen|"
    r"non remis|non distribu|[eé]chec|retour(?:n[eé])? (?:de|[aà] l)|courrier retourn|remise|"
    r"no se (?:puede|pudo|ha podido)|no entregad|devuelto|no se entreg|entrega fall|estado de (?:la )?entrega|"
    r"imposible entregar|"
    r"mancat[ao] (?:consegna|recapito)|non recapitabile|impossibile (?:recapitare|consegnare)|messaggio non|"
    r"notifica .{0,20}consegna|"
    r"n[aã]o (?:foi )?entreg|falha n|devolvid|n[aã]o (?:pode|p[oô]de)|onbestelbaar|niet (?:be|af)geleverd|kon niet|"
    r"nedoru[cč]|nelze doru[cč]|"
    r"недостав|не доставл|не удалось|невозможно достав|возвра[тщ]|ошибк|olevererbar|kunde inte|k[eé]zbes[ií]t|leverans|"
    r"retard[eé]|verz[oö]gert|retrasad|in ritardo|ritardat|atrasad|vertraagd|zpo[zž]d|задерж|遅延|延迟|"
    r"nepoda[rř]ilo|edilemedi|ikke lever|失败|失敗|无法|"
    r"配信|配送|送信でき|届け|エラーメール|メールエラー|エラー通知|不達|未送達|退信|投递|系统退|無法|반송|returned to"
)

FAILED: Final = phrases(
    """
    undeliver | not deliver | non-deliver | delivery fail | failed | failure | could not be | couldn't be | cannot
    be | can't be | was not | unable to | not able to | did not reach | wasn't | does not exist | doesn't exist | no
    such | unknown | not found | rejected | refused | permanent | fatal | not listed | malformed | has been returned
    | invalid | not valid | not exist | unrouteable | over quota | overquota | quota | mailbox full | mailbox is
    full | disk full | exceed | blocked | not accepted | unavailable | disabled | suspended | error | aborted |
    could not find | did not receive | not a valid | not allowed | denied | timed out | too large | too big | giving
    up | bounced | has not been | without success | is returned | being returned | returned to you | was stopped |
    nie można | nie mozna | nie udało | nie udalo | nie został | nie zostal | nie
    mogła | nie mogl | nie istnieje | nie dostarcz | niedostarcz | przepełnion | przepelnion | odrzuc | zwrócon |
    zwrocon | nieznany | błąd | blad | nie znaleziono | brak takiego | nie doręcz | nicht zugestellt | unzustellbar
    | nicht gefunden | konnte nicht | konnten nicht | existiert nicht | nicht zustellbar | fehlgeschlagen |
    abgelehnt | unbekannt | n'a pas pu | n'ont pas pu | n'existe pas | impossible | pas été | échec | introuvable |
    inconnu | refusé | no se pudo | no se puede | no se ha podido | no existe | no ha sido | rechazad | no se entreg
    | impossibile | non è stato | non esiste | non è possibile | non e' stato | respinto | sconosciut | não foi |
    não pôde | não existe | nao foi | nao existe | rejeitad | inexistente | niet worden | bestaat niet | onbekend |
    niet bezorgd | kon niet | mislukt | nelze | neexistuje | nebyl | nedoru | odmítn | не может | не существует | не
    удалось | не был | не найден | невозможно | отклонен | ошибк | переполнен | 届け | 配信 | 存在し | できません |
    見つか | 拒否 | エラー | 不明 | 退信 | 不存在 | 失败 |
    失敗 | 被拒 | 无法 | 無法 | not exactly match | not match | encountered an
    error | nepodařilo | nepodarilo | ni bilo mogoče | kunde inte | ikke levere | kézbesít | không thể | edilemedi |
    تعذر | nie mógł zostać | kunne ikke | ikke leveret | kunde ej | ei voitu | ei voida | nem sikerült | nu a putut |
    nu a fost | nije mogu | nije isporu | ni mogoče | nepavyko | nevarēja | не вдалося | не беше | δεν παραδόθηκε |
    δεν ήταν | teslim edileme | tidak dapat | לא ניתן | ไม่สามารถ | 전송하지 못 | 전달하지 못 | 발송하지 못 |
    전송할 수 없 | 배달할 수 없 | 배달되지 | 전달되지 | 발송 실패 | 반송 | 존재하지 않 | 退回 | 未能送达 | 被退
    """
)
REASONS: Final = phrases(
    """
    unknown | not found | no such | not exist | doesn't exist | doesn't have | no longer | exists | not listed | not
    a valid | invalid | is full | mailbox full | account full | full mailbox | quota | exceed | over its | too large
    | too big | size limit | maximum size | disabled | suspended | closed | inactive | expired | deactivated |
    locked | blocked | blacklist | blocklist | spam | virus | refused | rejected | denied | not allowed | not
    permitted | unavailable | timed out | timeout | time-out | not respond | no response | not reachable |
    unreachable | connection | loop | too many | not recogni | unrouteable | unroutable | no route | cannot find |
    could not find | lookup fail | no matches | malformed | not accepting | permission | policy | not enough |
    insufficient | attempts | not authori | greylist | no mailbox | no valid | not match | within the allowed | not
    deliverable within | nie istnieje | nieznan | przepełnion | przepelnion | jest pełn | brak takiego | zablokowan
    | odrzuc | zawieszon | wyłączon | nieaktywn | przekroczon | nie odpowiada | nie ma takiego | za duż | nie
    znaleziono | nie został znalezion | existiert nicht | unbekannt | ist voll | überschritten | gesperrt |
    deaktiviert | abgelehnt | nicht gefunden | zu groß | nicht erreichbar | antwortet nicht | inconnu | n'existe |
    est pleine | saturée | dépass | désactiv | refusé | introuvable | bloqué | no existe | desconocid | está llen |
    excedid | rechazad | bloquead | inactiv | no encontrad | sconosciut | non esiste | piena | superat | rifiutat |
    respint | disattivat | bloccat | inesistente | desconhecid | não existe | cheia | rejeitad | desativad |
    onbekend | bestaat niet | is vol | overschreden | geweigerd | geblokkeerd | neexistuje | neznám | je plná |
    překročen | odmítnut | не существует | не найден | неизвест | переполнен | превыш | отклон | заблокирован |
    отключен | не отвечает | 存在し | 見つか | 不明 | 容量 | 一杯 | 拒否 | 超過 | 不存在 | 已满 | 拒绝 | 超出 |
    존재하지 않 | 없는 | 초과 | 가득 | 거부 |
    차단 | tuntematon | ukendt | ukjent | okänd |
    ismeretlen | nem létez | megtelt | necunoscut | inexistent | nepoznat | neznan | невідом | переповнен | bilinmeyen |
    dolu | schránka je pln | neexistuj
    """
)
"""Why a delivery fails, told in words: more than that it did."""
STATED: Final = phrases(
    """
    undeliver | non-deliver | could not be delivered | couldn't be delivered | cannot be delivered | can't be
    delivered | can not be delivered | not be delivered | was not delivered | not delivered | not been delivered |
    wasn't delivered | unable to deliver | not able to deliver | wasn't able to deliver | could not deliver |
    couldn't deliver | delivery fail | delivery has failed | delivery error | did not reach | failed to deliver |
    failed to send | did not receive | failed to reach | has been rejected | was rejected | been returned |
    user unknown | not a valid user | does not exist | returned mail | delivery problem | could not send |
    address that failed | nie     dostarczon | nie została dostarczona | nie mogła zostać dostarczona |
    nie można dostarczyć | nie mozna
    dostarczyc | niedostarcz | nie udało się dostarczyć | nie zostala dostarczona | nicht zugestellt | unzustellbar
    | nicht zustellbar | n'a pas pu être | non remis | no se pudo entregar | no se ha podido entregar | no se puede
    entregar | impossibile recapitare | impossibile consegnare | non è stato recapitato | não foi entregue | não
    pôde ser entregue | niet worden bezorgd | niet bezorgd | nelze doručit | nebyl doručen | не доставлен | не может
    быть доставлено | не удалось доставить | 届けできません | 配信できません | 送信できません | 无法投递 | 退信 | 退回 |
    nie mógł zostać doręczon | nie mogła zostać doręczon | nie doręczon | nie została doręczon |
    nie zdołano dostarczyć |
    n'a pas été remis | n'a pas été distribu | no ha podido ser entregado | no pudo ser entregado |
    no ha sido entregado |
    non è stato consegnato | non può essere consegnato | não pôde ser entreg | kon niet worden afgeleverd |
    nepodařilo doručit | nebyla doručena | nepodarilo doručiť | nebola doručená | nije isporučena |
    ni bilo mogoče dostaviti |
    nem kézbesíthető | nem sikerült kézbesíteni | nu a putut fi livrat | nu a fost livrat | kunde inte levereras |
    kunne ikke leveres | ei voitu toimittaa | не вдалося доставити | не беше доставен | teslim edilemedi | teslim
    edilememiştir | tidak dapat dikirim | 전송하지 못 | 전달하지 못 | 배달할 수 없 | 반송되
    """
)
"""Statements that this very message failed: what a report that names nobody must say."""
SIGNED: Final = phrases(
    """
    this is the postfix program | this is the mail system at host | the qmail-send program | created automatically
    by mail delivery | ----- transcript of session follows | the following addresses had | reporting-mta: |
    final-recipient: | diagnostic information for administrators | this is an automatically generated delivery
    status | this is a delivery status | delivery status notification | technical details of permanent failure |
    could not be delivered to | the following recipient(s) | did not reach the following | wasn't able to deliver
    your message to | was not able to deliver your message to | unable to deliver your message to the following |
    not delivered to recipients | undeliverable to the following |
    unable to deliver following mail | message from interscan | informacja serwera poczt | automat poczt |
    delivery of the email was stopped
    """
)
"""Words of mail systems that people don't write by themselves."""
DUE: Final = phrases(
    """
    warning message only | this is a warning only | do not need to resend | will be retried until | will be retried
    for | notification (delay) | still being retried | delivery incomplete | delayed mail | has not yet been
    delivered
    """
)
"""Delays, whatever errors are told besides."""
DELAYED: Final = phrases(
    """
    has been delayed | have been delayed | is delayed | been delayed | delayed 24 | delivery delay | delayed mail |
    will be retried | will retry | will keep trying | keep trying | will continue to | continue trying | will be
    tried again | will try again | still being retried | still trying | not yet been delivered | not been delivered
    yet | has not yet | warning message only | do not need to resend | don't need to resend | delivery attempts will
    continue | will be attempted | temporarily undeliverable | temporary problem delivering | delivery incomplete |
    is still in the queue | remains in the queue | delivery will be attempted | message is still | opóźni | opozni |
    próby dostarczenia będą | zostanie ponowion | zostaną ponowion | będzie ponawia | będziemy próbować | ponowi
    prób | nie została jeszcze dostarczona | kolejne próby | niekompletn | nadal próbuj | verzögert | verspätet |
    weiterhin versucht | noch nicht zugestellt | erneut versucht | retardé | a été différé | nouvelle tentative |
    nouvelles tentatives | pas encore été | se ha retrasado | se retrasó | ha sido retrasad | se seguirá intentando
    | volverá a intentar | reintentar | todavía no | in ritardo | ritardat | tenterà di nuovo | nuovi tentativi |
    non è ancora | atrasad | continuará tentando | novas tentativas | vertraagd | opnieuw geprobeerd | zpožd |
    opakován | задерж | попытки будут | будет повтор | 遅延 | 遅れて | 再送を | 再度送信を試 | 延迟 | 延遲
    """
)
FINAL: Final = phrases(
    """
    will not continue | not continue trying | will not retry | will not try | giving up | gave up | given up | will
    not be retried | won't be retried | no further | not be attempted | permanent error | permanent fail | permanent
    fatal | fatal error | retry timeout exceeded | retry time not reached for any host after a long | has expired |
    message expired | time expired | too long in | message size exceeds | could not send message for past | not
    delivered within | did not reach | failed permanently | does not exist | will no longer | returned to sender |
    returning message | undeliverable message returned | delivery has failed | delivery to the following recipient
    failed | delivery to the following recipients failed | stopped trying | last attempt | been returned | rezygnuj
    | zaniechano | nie będzie ponawian | nie będą ponawiane | nie istnieje | ostateczn | trwały błąd | endgültig |
    wird nicht erneut | existiert nicht | définitivement | abandon | définitive | definitivamente | definitivo |
    definitief | окончательн | сдаюсь
    """
)


_STATES: Final = Phrases(DUE + FINAL + DELAYED)
"""What tells whether delivery goes on, the stronger first: sought together."""
_PERMANENT: Final = re.compile(r"5(?<![\d.].)(?:[0-5]\d[ -][a-z<\"'#(5]|\.\d\.\d{1,3}(?!\.\d))")
"""A reply or a status of class 5 (RFC 3463): a delay quotes none."""


def says(phrases: tuple[str, ...], folded: str) -> bool:
    """Whether one of the phrases stands in a folded text."""
    if isinstance(phrases, Phrases):
        return phrases.within(folded)
    for phrase in phrases:  # noqa: SIM110  (any() with a generator takes twice as long)
        if phrase in folded:
            return True
    return False


def action(folded: str) -> Action:
    """Failed or delayed, by the words of a folded notice: what is given up is final, whatever was tried before."""
    first = next(iter(_STATES.found(folded)), len(_STATES))
    if first < len(DUE):
        return Action.DELAYED
    if first < len(DUE + FINAL) or first == len(_STATES) or _PERMANENT.search(folded):
        return Action.FAILED
    return Action.DELAYED


_TOLD_AT_END: Final = re.compile(
    r"(?i):[^\n:]{0,40}\((?:delivery fail\w*|undeliver\w+|not delivered|failure notice|non[- ]remis)\)\s*\Z"
)
"""`RE: your subject : non remis (delivery failed)`: a system that answers under the mail's own subject."""


_TICKET: Final = re.compile(r"\A\[[^\]\n]{1,40}\] ?\([A-Z]{2,12}-\d{1,8}\)|\[[^\]\n]{0,40}#\d{1,9}\]|\A\[?Bug \d")
"""Subjects of trackers, whose mails tell what people said."""


@lru_cache(maxsize=SUBJECTS)
def is_report_subject(subject: str) -> bool:
    """Whether a subject reads like a delivery report's, and not like a person's reply to one."""
    return bool(_SUBJECT.search(subject)) and not FORWARDED.match(subject) and not _TICKET.search(subject)


def score(message: Message) -> int:
    """How much a message looks like a report that a mail system wrote; 3 is enough. Its text is not asked here.

    A null sender alone proves nothing, nor does a subject; marks of lists and of people's mail programs count against.
    """
    headers = message.headers
    subject = message.subject
    told = bool(_TOLD_AT_END.search(subject))
    if FORWARDED.match(subject) and not told:
        return 0
    daemon = message.from_daemon
    points = (3 if told else 2 * is_report_subject(subject)) + 2 * daemon + message.from_postmaster
    points += message.null_sender or not message.sender
    points += bool(message.auto_submitted)
    points += 3 * (b"x-failed-recipients" in headers)
    points += 2 * (message.content_type == b"multipart/report")
    if daemon:
        return points
    points -= (
        3
        * (b"list-unsubscribe" in headers or b"list-id" in headers or b"list-post" in headers)
        * (1 if not message.from_postmaster else 0)
    )
    points -= 2 * message.personal_return_path
    points -= 2 * bool(_PROGRAM.search(headers.raw(b"user-agent") or headers.raw(b"x-mailer")))
    points -= b"in-reply-to" in headers and not message.null_sender
    return points + bool(_SYSTEM.search(message.author))


def is_by_machine(message: Message) -> bool:
    """Whether anything but words says that no person wrote a message: its author, its sender or a field."""
    return message.from_daemon or message.from_postmaster or message.null_sender or bool(message.auto_submitted)


def _comes_back(message: Message) -> bool:
    """Whether a whole message, or its headers, lie within, and were sent by the one whom this message addresses."""
    part = message.returned_part
    back = part or message.returned_below
    if back is None:
        return False
    if part and back.token(b"content-type") == b"multipart/report":
        return False  # somebody shows a bounce to somebody
    to = message.headers.address(b"to").lower()
    return bool(to) and to in (
        back.address(b"from").lower(),
        back.address(b"return-path").lower(),
        back.address(b"sender").lower(),
    )


_SYSTEM: Final = re.compile(
    r"(?i)mail delivery|delivery (?:sub)?system|mail(?:er)?[ -]?daemon|postmaster|mail (?:system|server|gateway|"
    r"router|administrator)|system administrator|internet mail|system poczt|serwer poczt|message (?:router|transfer|"
    r"gateway)|"
    r"content[ -](?:gateway|filter)|\A<?(?:b?smtp|lmtp|uucp|mailer)@|"
    r"nondelivery|non-delivery|microsoftexchange|(?:delivery|bounce|failure) notification"
)


_PROGRAM: Final = re.compile(
    rb"(?i)thunderbird|mutt|outlook|apple mail|iphone|ipad|android|mozilla|the bat|claws|evolution|k-?9|becky|"
    rb"roundcube|webmail|gmail|alpine|eudora|foxmail|phpmailer|swiftmailer|symfony"
)


def is_notice(message: Message) -> bool:
    """Whether a mail system wrote this, and it says that something was not delivered."""
    points = score(message)
    if points < 1 or _shows_a_report(message):
        return False
    if points >= 5 and (message.content_type == b"multipart/report" or b"x-failed-recipients" in message.headers):
        return True
    folded = fold(message.notice_text)
    if points < 3:
        points += 2 * says(SIGNED, folded) + 2 * _comes_back(message)
        points += message.from_daemon and (message.made_by_machine or says(STATED, folded) or says(DELAYED, folded))
        points += _refers_to_a_reply(message)
        points -= 3 * (_is_signed_by_author(message) or _asks(message) or _is_introduced(message))
    return points >= 3 and any(says(each, folded) for each in (FAILED, DELAYED, DUE, REASONS, STATED))


_NOBODY: Final = re.compile(r"(?i)\A(?:owner-|robot@|automat@|bot@)|(?:no|not)[-_.]?reply")
"""Senders that read no answer."""
_NAME: Final = re.compile(r"[^\W\d_]{3,}")
_SIGNATURE_LINES: Final = 4
"""Lines at the end of a text where people put their name."""
_SHORT: Final = 1500
"""Characters of a text that is nothing but a report."""
_REFUSED: Final = re.compile(r"@[\w.-]{1,255}>?[ \t]*(?:[:;,-][ \t]*|\n[^\n@]{0,40}?)\b[45]\d\d[ -]#?[a-zA-Z45]")


def _is_signed_by_author(message: Message) -> bool:
    """Whether the text ends with a name from From, as people's mails do and no system's."""
    if message.from_daemon or message.from_postmaster or _SYSTEM.search(message.author):
        return False
    name, bracket, _ = message.author.partition("<")
    names = {each.lower() for each in _NAME.findall(name)} if bracket else set()
    lines = [line.strip() for line in message.own_text.split("\n") if line.strip()][-_SIGNATURE_LINES:]
    return bool(names) and any(_is_name(line, names) for line in lines[1:])


_OPENING: Final = re.compile(
    r"(?i)This is the (?:Postfix program|mail system) at host|This message was created automatically by mail|"
    r"Hi\. This is the qmail|Delivery has failed to these recipients|did not reach some or all of the intended|"
    r"^The original message was received at|Dostarczenie wiadomo[sś]ci do nast[eę]puj[aą]cych|"
    r"Fehler bei der (?:Nachrichten)?zustellung an folgende|[EÉ]chec de la remise pour ces|"
    r"^\*\* (?:Address not found|Nie znaleziono adresu|Message blocked|Adresse nicht gefunden)",
    re.MULTILINE,
)


def _is_introduced(message: Message) -> bool:
    """Whether words stand above the sentence with which a mail system opens its report: a person shows it."""
    if is_by_machine(message) or _SYSTEM.search(message.author):
        return False
    opening = _OPENING.search(message.notice_text[:LOOKED_AT])
    return opening is not None and _NAME.search(message.notice_text[: opening.start()].rpartition("\n")[0]) is not None


def _asks(message: Message) -> bool:
    """Whether the text ends with a question, and so does not end like a report."""
    if message.from_daemon or message.from_postmaster or message.null_sender:
        return False
    return message.own_text.rstrip().endswith("?") or message.subject.rstrip().endswith("?")


def _is_name(line: str, names: set[str]) -> bool:
    """Whether a line is one of `names`, with a word or two beside it."""
    return len(line) <= 40 and not re.search("[@:]", line) and not names.isdisjoint(_NAME.findall(line.lower()))


def _refers_to_a_reply(message: Message) -> bool:
    """Whether a machine that is no list's wrote little more than an address with a server's reply to it."""
    robot = message.headers.token(b"precedence") in (b"junk", b"bulk", b"auto_reply")
    by_machine = robot or _NOBODY.search(message.sender) is not None
    words = message.notice_text if by_machine else ""
    return 0 < len(words) < _SHORT and _REFUSED.search(words) is not None


def _shows_a_report(message: Message) -> bool:
    """Whether a report lies within as a whole: somebody forwards it, unless a mail system itself sends it back."""
    if message.from_daemon or message.content_type == b"multipart/report":
        return False
    headers = message.returned_part
    return headers is not None and headers.token(b"content-type") == b"multipart/report"
