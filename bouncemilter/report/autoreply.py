"""Automatic replies: RFC 3834's Auto-Submitted, and the many that ignore it but say it in other headers or words."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter import limits, text
from bouncemilter.model import Kind, Report
from bouncemilter.report import absence, challenge, notice, quoting, recipient
from bouncemilter.report.absence import Prose
from bouncemilter.report.automaton import Guarded, Phrases
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import fold

_HEADERS: Final = tuple(
    b"""
    x-autoreply x-auto-reply x-autorespond x-autoresponder x-auto-responder x-autoreply-from x-mail-autoreply
    x-vacation x-mdautoresponder x-autoresponder-from x-auto-reply-from x-ms-exchange-autoreply
    x-out-of-office x-away x-loop-autoresponder x-mailautoreply
    """.split()
)
_SUBJECT: Final = re.compile(
    r"(?i)\A\s*(?:\[[^\]]{1,60}\]\s*)?(?:(?:re|odp|aw|sv|r|tr)\s*:\s*)?[\[【]?(?:"
    r"auto(?:matic|mated|matically generated)?[- ]?(?:reply|response|responder|answer|message|acknowledge?ment)|"
    r"autorepl[yi]|autoresponse|autoresponder|auto:[^\n]{0,80}(?:out of|abwesend|nieobecn|absen|away)|"
    r"out of (?:the )?office|out-of-office|ooo\b|vacation (?:reply|"
    r"notice|message|response)|away (?:from|notice|message)|on (?:vacation|holiday|leave)|absence notice|i am away|"
    r"i'm away|(?:annual|maternity|paternity|parental|sick) leave|"
    r"autoodpowied|automatyczna odpowied|odpowied[zź] automatyczna|auto-odpowied|nieobecno[sś][cć]|poza biurem|"
    r"jestem (?:na urlopie|nieobecn)|jestem poza biurem|przebywam na urlopie|urlop(?:\s*\Z| do | od | w dniach)|"
    r"automatische (?:antwort|beantwortung|nachricht)|abwesenheit|abwesend|au(?:ss|ß)er haus|"
    r"(?:ich bin )?nicht im (?:b[uü]ro|hause?)|"
    r"urlaubs(?:benachrichtigung|notiz|vertretung)|autoantwort|"
    r"r[eé]ponse automatique|message automatique|absence(?: du bureau|\s*:|\s*\Z)|absent du bureau|absent\(e\)|"
    r"respuesta autom[aá]tica|mensaje autom[aá]tico|fuera de (?:la )?oficina|autorespuesta|ausente|"
    r"(?:estoy )?(?:de )?vacaciones|"
    r"risposta automatica|messaggio automatico|fuori (?:ufficio|sede)|assenza|autorisposta|"
    r"resposta autom[aá]tica|mensagem autom[aá]tica|fora do escrit[oó]rio|aus[eê]ncia|resposta autom|"
    r"automatisch antwoord|automatisch bericht|afwezig(?:heid)?|niet aanwezig|"
    r"automatick[aá] odpov[eě][dď]|mimo kancel[aá][rř]|nep[rř][ií]tomnost|dovolen[aá]|"
    r"автоматический ответ|автоответ|вне офиса|отсутстви|"
    r"autosvar|automatiskt svar|fr[aå]nvaro|automaattinen|automatikus v[aá]lasz|fravær|ikke på kontoret|"
    r"otomatik (?:yan[iı]t|cevap)|ofis d[iı][sş][iı]nda|автоматична відповідь|automatski odgovor|r[aă]spuns automat|"
    r"αυτόματη απάντηση|자동 ?(?:응답|회신)|부재 ?중|"
    r"自動応答|自動返信|不在|自动回复|自動回覆)"
)
_SURE: Final = re.compile(
    r"(?i)auto|out of|автоматическ|自動|自动|abwesenheitsnotiz|нахожусь|otomatik|автоматична|αυτόματη|자동"
)
_ABSENT: Final = notice.phrases(
    """
    out of the office | out of office | away from the office | away from my desk | on vacation | on holiday | on
    annual leave | on leave | maternity leave | paternity leave | parental leave | on sick leave | currently
    away | currently out | limited access to email | limited access to my email | limited access to e-mail |
    currently unavailable | office is closed | we are closed | shop is closed | will be closed | we're closed |
    closed until | closed from | mostly offline | be offline | closed for the | studio is closed | jestem na
    urlopie | przebywam na urlopie | będę na urlopie | bede na urlopie | jestem nieobecn | będę nieobecn | bede
    nieobecn | poza biurem | na zwolnieniu lekarskim | urlopie macierzyńskim | urlopie wychowawczym |
    macierzyński | obecnie na urlopie | aktualnie na urlopie | urlopie wypoczynkowym | urlopie rodzicielskim |
    urlopie ojcowskim | jestem niedostępn | w delegacji do | jestem w delegacji | przebywam na | nieobecny w |
    nieobecna w | nie ma mnie w | biuro jest nieczynne | będzie nieczynn | firma nieczynna | jest zamknięt |
    będzie zamknięt | przerwa urlopowa | przerwę urlopową | nicht im büro | nicht im hause | außer haus | ausser
    haus | bin abwesend | im urlaub | nicht erreichbar | in elternzeit | abwesend bis | im mutterschutz |
    betriebsferien | betriebsurlaub | absent du bureau | absente du bureau | suis absent | serai absent | suis
    en déplacement | en congés | en congé | en vacances | actuellement absent | fuera de la oficina | estoy de
    vacaciones | estaré ausente | estoy ausente | de vacaciones | me encuentro fuera | fuori ufficio | fuori
    sede | in ferie | resterà chius | rimarrà chius | chiuso per ferie | sono assente | sarò assente | fora do
    escritório | de férias | estou ausente | estarei ausente | afwezig | niet op kantoor | met vakantie | op
    vakantie | na dovolené | mimo kancelář | nepřítom | čerpám dovolenou | в отпуске | отсутствую | вне офиса |
    på semester | inte på kontoret | föräldraledig | semesterstängt | har semester | 不在にし | 休暇 |
    休業 | 出張 | 不在
    """
)
_MACHINE: Final = notice.phrases(
    """
    this is an automated | this is an automatic | automatic reply | automated response | automatically generated |
    auto-generated | automatic response | do not reply to this | automated reply | auto-reply | autoresponder |
    odpowiedź automatyczna | automatyczna odpowiedź | wygenerowana automatycznie | wygenerowany automatycznie |
    automatycznie wygenerowan | wiadomość automatyczna | automatyczna wiadomość | proszę nie odpowiadać |
    prosimy nie odpowiadać | autoodpowied | potwierdzenie automatyczne | automatisch generiert |
    automatisch erstellt | automatische antwort | automatische nachricht | réponse automatique | message automatique
    | généré automatiquement | respuesta automática | mensaje automático | generado automáticamente |
    risposta automatica | messaggio automatico | generato automaticamente | resposta automática |
    mensagem automática | automatisch antwoord | automatisch bericht | automatisch gegenereerd | automatická odpověď
    | automaticky | автоматическ | автоответ | autosvar | automatiskt | 自動
    """
)
_RETURN: Final = notice.phrases(
    """
    will return | will be back | back in the office | back on | returning on | return to the office | until |
    upon my return | on my return | when i return | when we reopen | reopen | from_ | through_ | the week i'm
    back | wracam | wrócę | wroce | będę z powrotem | do dnia | po powrocie | w dniach | w terminie | _od_ |
    _do_ | bin ab | wieder ab | _bis_ | nach meiner rückkehr | zurück | de retour | je reviens | jusqu'au | à
    mon retour | à partir du | reviendrai | hasta | regreso | volveré | rientro | fino al | tornerò | retorno |
    até_ | terug | _tot_ | zpět | do_ | вернусь | _до_ | tillbaka | _till_ | まで | 戻り | 以降
    """
)
_URGENT: Final = notice.phrases(
    """
    urgent | please contact | in my absence | during my absence | emergency | as soon as | immediate assistance |
    respond to your | reply to your | get back to you | contact my colleague | get back to | w pilnych sprawach |
    w sprawach pilnych | proszę o kontakt | prosimy o kontakt | proszę kontaktować | w mojej nieobecności |
    zastępuje mnie | zastepuje mnie | pod nieobecność | odpowiem po | w razie potrzeby | odpowiem na |
    wiadomość przeczytam | dringend | in meiner abwesenheit | wenden sie sich | vertretung | nicht weitergeleitet |
    mails werden | en cas d'urgence | en mon absence | veuillez contacter | pour toute urgence | caso de urgencia |
    en mi ausencia | urgente | urgenze | in mia assenza | rivolgersi | urgência | na minha ausência | dringende |
    contact opnemen | v naléhav | kontaktujte | срочн | обращайтесь | brådskande | kontakta | お急ぎ | ご連絡 | 緊急
    """
)
_RETURN_OR_URGENT: Final = Phrases(_RETURN + _URGENT)
_WEAK: Final = Phrases(_ABSENT + _MACHINE + _URGENT)
_THANKS: Final = notice.phrases(
    """
    thank you for your message | thank you for your e-mail | thank you for your email | thank you for contacting |
    thanks for contacting | thank you for writing | thanks for your message | thanks for your email |
    thanks for getting in touch | thank you for getting in touch | thank you for reaching out |
    we have received your | we've received your | has been received | your request | dziękujemy za wiadomość |
    dziękuję za wiadomość | dziękujemy za kontakt | dziękuję za kontakt | dziękujemy za przesłan |
    dziękujemy za e-mail | dziękujemy za maila | dziekujemy za wiadomosc | dziekujemy za kontakt |
    potwierdzamy otrzymanie | potwierdzam otrzymanie | otrzymaliśmy | dotarła do nas | zostało zarejestrowane |
    vielen dank für ihre | danke für ihre | ihre anfrage | ist eingegangen | nous avons bien reçu |
    merci pour votre message | merci de votre message | hemos recibido | gracias por su | gracias por contactar |
    abbiamo ricevuto | grazie per | recebemos | obrigado pelo | obrigado por | wij hebben uw | bedankt voor |
    děkujeme za | obdrželi jsme | получили ваш | ваше обращение | спасибо за | tack för
    """
)
_PROMISE: Final = notice.phrases(
    """
    within 24 | within 48 | business day | working day | as soon as possible | as soon
    as we | ticket | get back to you | will respond | will reply | will be reviewed | is being reviewed | your
    request has been received | zostało przyjęte | zostało zarejestrowane | reference number | case number |
    odpowiemy | odpowiedzi udzielimy | zachowanie go w temacie | zachowanie numeru | w ciągu | dni roboczych |
    zgłoszeni | numer sprawy | najszybciej | skontaktujemy się | werden ihre | schnellstmöglich | innerhalb von
    | ticketnummer | melden uns | dans les meilleurs délais | répondrons | jours ouvr | lo antes posible |
    responderemos | días hábiles | il prima possibile | risponderemo | giorni lavorativi | dias úteis | o mais
    breve | zo spoedig | werkdagen | co nejdříve | pracovních dn | odpovíme | ответим | рабочих | svarar
    """
)
_REGISTERED: Final = notice.phrases(
    """
    ticket has been created | ticket has been opened | has been registered | request has been received |
    message has been received | we have received your | we've received your | we received your |
    we got your message | case has been opened | zarejestrowan | zarejestrowali |
    otrzymało numer | otrzymała numer | nadano numer |
    nadaliśmy numer | zostało przyjęte | przyjęliśmy | potwierdzamy otrzymanie | potwierdzam otrzymanie |
    zostało utworzone | ihre anfrage ist | ist bei uns eingegangen | wurde ein ticket | ticket wurde |
    nous avons bien reçu | a bien été enregistr | hemos recibido su | ha sido registrad | abbiamo ricevuto |
    è stata registrata | recebemos a sua | recebemos sua | foi registad | foi registrad | wij hebben uw |
    is geregistreerd | byl zaregistrován | byla zaregistrována | получили ваш | зарегистрирован | 受け付けました
    """
)
"""What desks say of a mail that a person who answers it does not."""
_ENDED: Final = re.compile(r"\w*(?:\s+(?:for|from|re|of)\b.*|\s*[\]】)]?\s*(?:\Z|[:|(–—-]))")
_BEFORE_OURS: Final = re.compile(r"\s(?:Re|Odp|AW|SV|RE|R):\s")
"""Before our subject: `I am away Re: News`; people's programs write `Re:` in front."""
_VISIT: Final = re.compile(
    r"(?i)\b(?:follow|click|open|go to|press|tick|wejd[zź]|kliknij|otw[oó]rz|przejd[zź]|cliquez|klicken|bitte|"
    r"haga|pulse|premi)\b"
    r"[^.?!]{0,60}https?://"
)
"""What a responder that says nothing else may be a challenge for."""
_ACKNOWLEDGED: Final = re.compile(
    r"(?i)\[[^\]]{0,20}#?[a-z-]{0,8}\d{3,}\]|#[a-z-]{0,8}\d{3,}|\b(?:ticket|case|request|"
    r"zg[lł]oszeni\w+)\b.{0,20}\d{3,}|"
    r"\bwe(?:'ve| have)? (?:received|got) your|thank(?:s| you) for (?:contacting|your (?:message|e-?mail|request))|"
    r"potwierdzenie (?:otrzymania|wp[lł]y\w+|przyj[eę]cia|zg[lł]oszenia)|dzi[eę]kuj\w+ za (?:wiadomo|kontakt|"
    r"zg[lł]osz|e-?mail)|"
    r"eingangsbest[aä]tigung|accus[eé] de r[eé]ception|acuse de recibo|conferma (?:di )?ricezione|"
    r"ontvangstbevestiging|受け付け"
)
"""Subjects of desks that acknowledge a mail."""
_PERSONAL: Final = notice.phrases(
    """
    we need to | i need to | we have to | i have to | discussed | musimy | muszę | omówi | najpierw |
    was out of | were out of | was away | were away | was on_ | were on_ | i've been | i have been | we were |
    please send | could you | can you | i'd like | i would like | we'd like | we would like | i want | we want |
    to order | my order | byłem | byłam | byliśmy | wróciłem | wróciłam | proszę o przesł | proszę przesłać |
    poproszę | zamawia | zamówić | zamówię | zamówimy |
    chciał | czy moż | interesuje | war im urlaub | war nicht | bitte senden |
    bitte schicken | können sie | ich möchte | wir möchten | pouvez-vous | j'étais | j'aimerais | je voudrais |
    nous voudrions | merci de m'envoyer | por favor env | quisiera | queremos | estuve | vorrei | vorremmo | ero in
    | gostaria | quero | ik wil | graag ontvang | byl jsem | chtěl | prosím pošl | я был | хотел | пришлите
    """
)
"""What people say and responders don't: it was so, or they want something."""
LEFT: Final = notice.phrases(
    """
    no longer works | no longer work for | no longer work at | no longer work here | no longer work with |
    no longer employed | no longer with the company | no longer with us | no
    longer at_ | is no longer with | has left the company | have left the company | has left our | left the
    company | left the organi | no longer a member of staff | no longer part of | ceased to be employed | not
    employed | już nie pracuje | juz nie pracuje | nie pracuje już | nie pracuje juz | nie jest już pracownikiem
    | nie jest juz pracownikiem | nie jestem już pracownikiem | nie pracuję | nie pracuje w | nie pracuje w
    naszej | odszedł z firmy | odeszła z firmy | odszedł z | odeszła z | zakończył współpracę | zakończyła
    współpracę | zakończył pracę | zakończyła pracę | zakończyłem pracę | zakończyłam pracę | przestał pracować
    | przestała pracować | nie jest zatrudnion | nie jest już zatrudnion | nie jest już członkiem zespołu | nie
    jest już związan | nie reprezentuje już | nicht mehr im unternehmen | nicht mehr bei uns | nicht mehr in
    unserem | arbeitet nicht mehr | nicht mehr für uns | unternehmen verlassen | nicht mehr tätig | nicht mehr
    beschäftigt | ausgeschieden | nicht länger bei | ne travaille plus | a quitté | quitté la société | quitté
    l'entreprise | ne fait plus partie | ya no trabaja | ya no forma parte | dejó la empresa | non lavora più |
    non fa più parte | ha lasciato l'azienda | não trabalha mais | já não trabalha | deixou a empresa | werkt
    niet meer | niet meer werkzaam | uit dienst | již nepracuje | už nepracuje | u nás nepracuje | больше не
    работает | не является сотрудником | уволил | har slutat hos | slutat | 退職
    """
)
LONGEST: Final = 1800
"""Characters of an automatic reply that is known by its words alone; letters of people are as short,
newsletters aren't."""


_ORDERED: Final = re.compile(r"(?i)zam[oó]wieni|order|bestell|commande|pedido|ordine|faktur|invoice")
"""Subjects by which shops confirm what people wait for."""
_ENOUGH: Final = 3
_ENOUGH_UNASKED: Final = 4
"""The weight of a responder's sentences: an absence and its end, say; or these and whom to ask."""
_FORWARDS: Final = re.compile(r"(?i)\A\s*(?:fwd?|fw|wg|pd|tr|rv|i|enc|doorst)\s*:")
_BULK: Final = frozenset((b"list-unsubscribe", b"list-id", b"list-post"))


def read(message: Message) -> Report | None:
    """An automatic reply: by a header, by its subject, or by its words where nothing says that a person wrote it."""
    if message.from_daemon or _FORWARDS.match(message.subject):
        return None
    own = message.own_text
    prose = Prose(message.said)
    if not (
        _by_header(message)
        or _by_envelope(message, prose)
        or _by_subject(message, prose)
        or _by_words(message, prose)
        or _by_sentences(message, prose)
    ):
        return None
    if len(own) <= LONGEST and (challenge.is_asking(message) or (_VISIT.search(own) and not absence.is_reply(own))):
        return None
    folded = message.own_folded
    left = notice.says(LEFT, folded) or bool(_LEFT.search(folded))
    return Report(
        kind=Kind.AUTO_REPLY,
        format="autoreply",
        excerpt=text.clean(own, limits.EXCERPT),
        left_company=left,
        new_address=_new_address(message, own) if left else "",
        known_by_words=not (_marked(message) or (message.auto_submitted and _SUBJECT.match(message.subject))),
    )


def _by_header(message: Message) -> bool:
    return _marked(message) or _is_receipt_of_ticket(message)


def _marked(message: Message) -> bool:
    """Whether a header says that a responder wrote this."""
    headers = message.headers
    return (
        message.auto_submitted.startswith((b"auto-replied", b"auto-reply", b"auto_reply"))
        or any(name in headers and headers.token(name) not in (b"no", b"false") for name in _HEADERS)
        or headers.token(b"precedence") in (b"auto_reply", b"auto-reply", b"autoreply")
        or headers.token(b"x-autogenerated") == b"reply"  # list managers write `Mirror` here
        or (b"x-ms-exchange-inbox-rules-loop" in headers and message.null_sender)
        or b"autoresponder" in headers.raw(b"x-post-messageclass").lower()
        or b"autoresponder" in headers.raw(b"delivered-to").lower()
    )


def _by_envelope(message: Message, prose: Prose) -> bool:
    """Whether it answers a mail without a sender of its own, as people's programs never do, and wants nothing."""
    headers = message.headers
    unsent = message.null_sender or headers.token(b"precedence") == b"junk"
    if not unsent or not _answers(message) or headers.any_of(_BULK) or not 0 < len(message.own_text) <= LONGEST:
        return False
    return message.content_type != b"multipart/report" and not prose.is_personal


def _answers(message: Message) -> bool:
    return bool(notice.FORWARDED.match(message.subject)) or b"in-reply-to" in message.headers


def _is_receipt_of_ticket(message: Message) -> bool:
    """Whether a ticket system thanks and promises; a clerk's answer by the same system does not do both, or asks."""
    headers = message.headers
    if not message.auto_submitted or b"in-reply-to" not in headers or headers.any_of(_BULK):
        return False
    folded = message.folded
    return notice.says(_THANKS, folded) and notice.says(_PROMISE, folded) and "?" not in folded


def _by_subject(message: Message, prose: Prose) -> bool:
    match = _SUBJECT.match(message.subject)
    if not match:
        return False
    # `Re: Automatic reply: …` is a person's answer to one, unless the message is marked or quotes nothing.
    if notice.FORWARDED.match(message.subject):
        return bool(message.auto_submitted) or message.null_sender
    if message.headers.any_of(_BULK) or _talks_about_a_reply(message):
        return False
    if message.null_sender or message.auto_submitted or _BEFORE_OURS.search(message.subject, match.end()):
        return True
    if _SURE.search(message.subject, 0, match.end() + 10):
        # `Autoresponder na stronie` is a letter about one; responders put a mark between their word and our subject.
        ended = _ENDED.match(message.subject, match.end())
        return bool(ended) or ":" in match[0].removesuffix(":") or not prose.is_personal
    # `Vacaciones en Grecia` is a newsletter: a weak word needs its like in the text.
    return notice.says(_WEAK, message.folded) and not ("?" in message.text[:LONGEST] or prose.is_personal)


def _by_words(message: Message, prose: Prose) -> bool:
    """Whether a short reply reads like a responder's: it names an absence and when it ends, or thanks and promises.

    It must answer a mail, or its subject must acknowledge one; a question, a wish or a story makes it a person's.
    """
    own = message.own_text
    marked = _is_automatic(message)
    answers = _answers(message)
    desk = bool(_ACKNOWLEDGED.search(message.subject))
    if not 0 < len(own) <= LONGEST or not (answers or marked or desk) or message.headers.any_of(_BULK):
        return False
    if not marked and (_is_typed(message, own) or prose.is_personal):
        return False
    folded = " " + message.said_folded + " "
    registered = desk and notice.says(_REGISTERED, folded)
    absent = notice.says(_ABSENT, folded)
    received = (answers and notice.says(_THANKS, folded)) or registered
    left = notice.says(LEFT, folded) or bool(_LEFT.search(folded))
    if notice.says(_MACHINE, folded) and (absent or received or left or (desk and notice.says(_THANKS, folded))):
        return True
    asks = "? " in folded and "urgent? " not in folded
    if asks or notice.says(_PERSONAL, folded):
        return False
    if absent and (answers or marked):
        told = marked or received or notice.says(_RETURN_OR_URGENT, folded)
    else:
        told = (left and (answers or marked)) or (received and notice.says(_PROMISE, folded))
    return told and (marked or not _is_letter(prose, desk=desk))


def _is_letter(prose: Prose, *, desk: bool) -> bool:
    """Whether an unmarked mail that no desk sent tells more than responders do, or speaks of no mail at all."""
    return not desk and (prose.is_story or not prose.is_about_mail)


def _by_sentences(message: Message, prose: Prose) -> bool:
    """Whether nothing stands in it but what responders say, and enough of that; more where it answers no mail."""
    own = message.own_text
    if not 0 < len(own) <= LONGEST or message.headers.any_of(_BULK) or notice.says(_PERSONAL, message.own_folded):
        return False
    marked = _is_automatic(message) or b"x-auto-response-suppress" in message.headers
    if not marked and _is_typed(message, own):
        return False
    desk = bool(_ACKNOWLEDGED.search(message.subject))
    announced = desk or bool(_SUBJECT.match(message.subject)) or absence.announces(message.subject)
    answers = bool(notice.FORWARDED.match(message.subject))
    if answers and announced and not marked and not desk:  # a person's answer to an automatic reply
        return False
    answers = (answers and not desk) or b"in-reply-to" in message.headers
    enough = _ENOUGH if marked or announced or answers else _ENOUGH_UNASKED
    if desk and not _ORDERED.search(message.subject):
        enough -= 1
    if not marked and not announced and not prose.is_about_mail:
        return False
    if marked and answers and prose.weight(message.subject, strict=True) >= _ENOUGH - 1:
        return True
    unmarked = not (marked or desk or bool(_SUBJECT.match(message.subject)))
    by_desk = marked or not _has_program(message)
    return prose.weight(message.subject, strict=not (answers and marked), desk=by_desk, clauses=unmarked) >= enough


def _is_automatic(message: Message) -> bool:
    """Whether a header says that no person sent it, though not that it is a reply."""
    return (
        message.null_sender
        or bool(message.auto_submitted)
        or message.headers.token(b"precedence") in (b"bulk", b"junk")
    )


def _is_typed(message: Message, own: str) -> bool:
    """Whether it came from a telephone."""
    return bool(_TYPED.search(own)) or message.headers.raw(b"x-mailer").strip().startswith(_TELEPHONES)


def _has_program(message: Message) -> bool:
    """Whether a header names the mail program of a person who sat before it."""
    return b"user-agent" in message.headers or bool(_PROGRAMS.match(message.headers.raw(b"x-mailer").strip()))


def _talks_about_a_reply(message: Message) -> bool:
    """Whether the words of a responder stand in quotation marks only: `please set this text: "I am out …"`."""
    said = fold(quoting.without_quotations(message.text))
    return notice.says(_ABSENT, message.folded) and not notice.says(_ABSENT, said)


_TYPED: Final = Guarded(
    r"^(?:sent from my |get outlook for |wys[lł]an[oe] z (?:mojego |telefonu|iphone|ipad|samsung|aplikacji)"
    r"|(?:von meinem|gesendet von) (?:mein|iphone|ipad|handy|samsung)|envoy[eé] de mon |enviado desde mi "
    r"|inviato da(?:l mio)? i?phone|verstuurd vanaf mijn |odesl[aá]no z )",
    re.IGNORECASE | re.MULTILINE,
)
"""The signature of a telephone: what comes from one was typed by a person; responders run on servers."""
_PROGRAMS: Final = re.compile(rb"(?i)(?:microsoft )?outlook|the bat|evolution|emclient|yahoo|iphone|ipad|airmail|spark")
_TELEPHONES: Final = (b"iPhone Mail", b"iPad Mail")
_LEFT: Final = Guarded(
    r"\b(?:left|has left|have left) [^.]{2,60} on \d|\bleft [^.]{2,60}\. (?:his|her|their) (?:e-?mail|mail)"
)


def _new_address(message: Message, own: str) -> str:
    """The first address in the text that is not the author's."""
    mine = message.sender.lower()
    return next((found for found in recipient.addresses(own, 5) if found.lower() != mine), "")
