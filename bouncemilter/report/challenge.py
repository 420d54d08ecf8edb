"""Challenge-response systems that ask senders to confirm (TMDA, BoxTrapper, SpamArrest, Mailinblack, ASK)."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.model import Kind, Report
from bouncemilter.report import notice
from bouncemilter.report.automaton import Guarded
from bouncemilter.report.message import Message
from bouncemilter.report.spelling import plain

_SUBJECT: Final = re.compile(
    r"(?i)(?:please )?confirm (?:your )?(?:message|mail|e-?mail|delivery)|requires? (?:verification|confirmation)|"
    r"\bverification\b|sender (?:verification|authentication)|\(conf#|\bconfirm#|verify#|please confirm|"
    r"\bchallenge\b|"
    r"potwierd[zź]|authentifi|v[eé]rification|best[aä]tig|confirmaci[oó]n|подтвер"
)
_KEY: Final = re.compile(r"(?i)\(conf#|\bconfirm#|\bverify#")
"""Keys in the subjects of ASK and BoxTrapper, that their answers must carry."""
_ASKED: Final = notice.phrases(
    """
    reply to this message | reply to this email | just reply | simply reply | click the link | click on the link |
    click here | click below | following link | link below | one time | one-time | only once |
    to release your message | 'reply' feature | "reply" feature | confirm that you | verify that you |
    to be delivered | held until | will be delivered | odpowiedz na tę wiadomość | odpowiedzieć na | kliknij |
    klikając | potwierdź | jednorazow | cliquer | cliquez | authentifier | klicken | bestätigen | haga clic |
    нажмите | перейдите
    """
)
_HELD: Final = notice.phrases(
    """
    not been delivered | has not yet been delivered | is being held | been held | held in | queue | whitelist |
    white list | protected by | spam protection | unsolicited | anti-spam | antispam | junk mail | spam filter |
    first time | did not recognise your | did not recognize your | has not been verified | not in my |
    unknown sender | control spam | allow incoming messages only | verify your | verify that | human | tmda |
    boxtrapper | spam arrest | mailinblack | wstrzyman | antyspam | spamem | nieznan | lista nadawców | zaufanych |
    człowiek | humain | en attente | robots | indésirable | zugestellt | unbekannt | спам
    """
)
_APPROVED: Final = notice.phrases(
    """
    address added to the recipient's | to my list of approved senders | senders i have approved |
    allowed senders list | approved senders list | add you to my whitelist | added to my whitelist |
    added to the whitelist | confirm that you are a human | prove that you are a human | uses a challenge |
    challenge-response | dodany do listy zaufanych | na listę zaufanych nadawców
    """
)
_HEADERS: Final = frozenset(
    (
        b"x-boxtrapper",
        b"x-tmda-confirm",
        b"x-spamarrest",
        b"x-challenge",
        b"x-tmda-fingerprint",
        b"x-askversion",
        b"x-bluebottle-request",
    )
)


_AUTOMATIC: Final = frozenset(
    (b"precedence", b"x-autoreply", b"x-autorespond", b"x-mail-autoreply", b"x-autoresponder")
)
LONGEST: Final = 1800
"""Characters of a challenge that is known by its sense alone."""
_WAITING: Final = Guarded(
    r"\b(?:wiadomosc|list|e-?mail|mail|korespondencj\w)\b[^?]{0,60}?(?:wstrzyman|zatrzyman|kwarantann|"
    r"oczekuje na (?:potw|zatw|"
    r"autor|weryf))|before (?:i|we|he|she|it|your \w+)\b[^?]{0,20}? (?:can |will |is |gets? )?(?:see|read|"
    r"receive|delivered|reach)|"
    r"\b(?:zeby|aby|by)\b[^?.]{0,30}?(?:dostarcz|dorecz|przepusc|zwolni|odblok)|to (?:release|deliver|"
    r"unblock) (?:it|your|the|this)|"
    r"\b(?:message|e-?mail|mail|nachricht)\b[^?.]{0,60}?(?:\bheld\b|on hold|quarantin|zuruckgehalten)|"
    r"will (?:then )?be (?:delivered|released)|(?:mailbox|inbox)\b[^?.]{0,30}? only (?:accept|take|receive)s?|"
    r"skrzynk\w+ przyjmuje (?:tylko|wylacznie)|senders? (?:i|we) (?:have |don't |do not )?(?:approved|know)|"
    r"\b(?:your (?:\w+ )?(?:message|e-?mail|mail)|twoja wiadomosc|(?:panstwa|pana|pani) wiadomosc|"
    r"twoj (?:e-?mail|mail|"
    r"list)|wiadomosc od ciebie|"
    r"wyslan\w+ (?:przez \w+ )?wiadomosc|ihre (?:e-?mail|mail|nachricht)|votre (?:message|e-?mail|mail|"
    r"courriel)|(?:su|"
    r"tu) (?:mensaje|correo)|"
    r"il (?:suo|tuo|vostro) messaggio|(?:sua|tua) (?:e-?mail|mensagem)|vas[ea] zprava|uw (?:bericht|e-?mail)|"
    r"the recipient|the person you|"
    r"i (?:use|am using)|(?:moja|nasza) skrzynk\w+|odbiorca\b|wiadomosc trafi|ваше (?:письмо|"
    r"сообщение))\b[^?]{0,160}?"
    r"(?:\bheld\b|on hold|waiting|quarantin|not (?:yet )?been delivered|not (?:yet )?delivered|pending|blocked until|"
    r"temporarily stored|only (?:accepts?|receives?)|stopped|intercepted|trafi do|zostanie (?:dostarczon|dorecz|"
    r"przekaz)\w* (?:po|gdy|dopiero|tylko)|once you|until you|korzysta z|chronion|"
    r"verif|kwarantann|\bczeka\b|oczekuje|wstrzyman|zatrzyman|nie zostala (?:jeszcze )?(?:dostarcz|dorecz)|"
    r"tylko (?:od|"
    r"wiadomosci od)|chroni|"
    r"will be delivered|trafi do|zuruckgehalten|wartet|(?:noch )?nicht zugestellt|quarantane|en attente|mis en|"
    r"retenu|retenid|pendiente|trattenut|"
    r"in attesa|retid|ceka|zadrzen|vastgehouden|wacht)"
)
"""That a mail waits, in plain Latin letters."""
_PROVEN: Final = Guarded(
    r"(?:real|human) (?:person|being|sender)|you(?:'re| are) (?:a |not a )?(?:human|person|real|robot|spammer|"
    r"machine)|"
    r"captcha|white-?list|known senders?|approved|trusted|(?:don\'t|do not) know you|never (?:written|emailed)|"
    r"first time|"
    r"unknown senders?|(?:verify|confirm|authenticate|validate) (?:yourself|your (?:e-?mail )?address|that you|"
    r"you are|"
    r"you're)|sender verif|"
    r"(?:jestes|nie jestes|jest pan(?:i)?|pan/pani|ze jest|panstwo jestescie)[^?.]{0,12} (?:czlowiek|robot|automat|"
    r"spam|prawdziw|osoba)|potwierdz\w* (?:swoj\w* |ze |swa |wyslanie|nadanie|adres|tozsam)|nieznan\w+ nadawc|"
    r"zaufan\w+|zweryfik|bialej list|als absender|absender (?:bestatig|freischalt|verifiz)|(?:kein|keine) (?:roboter|"
    r"maschine)|expediteur|humain|robot|remitente|umano|mittente|"
    r"remetente|clovek|odesilatel|menselijk|afzender|only (?:have|need) to do this once"
)
_ASKED_WHO: Final = Guarded(
    r"anti-?spam|antyspam|spam (?:filter|protection)|przed spamem|(?:too much|against|no more) (?:junk|spam)|"
    r"you(?:'re| are) an? person|"
    r"jednorazow\w+ (?:potwierdz|weryf|rejestr)|(?:message|e-?mail|mail)\b[^?.]{0,40}? (?:held|quarantin)|"
    r"\bretenido|\bretenu|"
    r"trattenut|zuruckgehalten|kwarantann|wstrzyman\w* do|para que sea entregado|vastgehouden|po raz pierwszy|"
    r"\bein mensch|(?:a|real) person sent|absender(?:pruf|verif|bestat)|"
    r"\b(?:aby|zeby|by)\b[^?.]{0,30}? (?:zobaczyl|przeczytal|dostal|otrzymal)\w* (?:twoj\w* |panstwa |ten |"
    r"te )?(?:list|wiadomosc|e-?mail|mail)|"
    r"(?:wiadomosc|list|e-?mail|mail) czeka na|\b(?:maszyn\w|robot|roboter|humain|human being|umano|captcha)\b|"
    r"letters shown|(?:type|enter) the (?:letters|code|characters)|"
    r"(?:does not|doesn't|not|n't) (?:yet )?recogni[sz]e|nie (?:zna|rozpozna)\w*[^?.]{0,30}? (?:adres|nadawc)|"
    r"ksiazk\w+ adresow|"
    r"pending (?:queue|list|messages)|\b(?:aby|zeby|by)\b[^?.]{0,40}?(?:dostarcz|dorecz|dotar)|(?:to|"
    r"will) get through|"
    r"to have (?:your|it|this)\b[^?.]{0,40}?(?:delivered|moved|released)|wymaga (?:potwierdz|weryf|autor)|"
    r"requires? (?:confirm|verif|authori|approval)|(?:please|to) (?:confirm|verify) (?:that|your|you)|"
    r"potwierdz,? (?:ze|swoj|sw[aoe]|"
    r"wysl|nad|wiad)|bestatigen sie (?:bitte )?(?:ihre|dass|den)|confirme[rz] (?:votre|que)|confirm[ae] (?:su|"
    r"que|tu)|"
    r"(?:people|those|senders|anyone) (?:that |who |whom )?(?:he|she|i|we|they) knows?\b|(?:get|be|put|"
    r"added)\b[^?.]{0,30}? (?:on|to) "
    r"(?:the|my|his|her|our) (?:\w+ ){0,2}list|captcha|white-?list|bialej list|you(?:'re| are) (?:a |not a |"
    r"an? actual )?(?:human|real person|real live|robot|bot|spammer|machine)|"
    r"(?:n't|not) (?:yet )?(?:in|on) my (?:\w+ )?(?:list|address book|contacts)|(?:nie)?znan\w+ nadawc|"
    r"zaufan\w+ nadawc|"
    r"approved senders|(?:un)?known senders?|(?:kod\w*|znaki|tekst) z obrazka|przepisz kod|(?:nie)?autoryzowan|"
    r"autoryzac|"
    r"(?:verify|prove|confirm|authenticate) (?:yourself|that you|you are|you're|your identity|your address)|"
    r"(?:jestes|nie jestes|jest pan(?:i)?|pan/pani|nie jest)[^?.]{0,12} (?:czlowiek|robot|automat|botem|spam)|"
    r"potwierdz\w* (?:swoja tozsam|ze jest|wyslanie|nadanie)|kein(?:e)? (?:roboter|maschine)|"
    r"absender (?:noch )?(?:nicht|un)|"
    r"pas un robot|etes humain|no es(?:ta)? un robot|non e un robot|nao e um robo|sender (?:verif|authent|check)|"
    r"(?:weryfikacj|autoryzacj)\w+ nadawc|not (?:yet )?(?:been )?(?:verified|authorised|authorized)"
)
"""That the sender is unknown, or shall prove to be a person: no answering machine says that of its own."""
_TOLD: Final = Guarded(
    r"odesla\w (?:te|ta)|odpowiedz slow|\botworz\b|wpisz\b|\bzaznacz\b|wyslij ponownie|\bcliquez|haga clic|"
    r"(?:hit|press|use|"
    r"send an? (?:empty|blank)) (?:\W?reply|e-?mail|message|mail)|pusta (?:odpowiedz|wiadomosc)|"
    r"(?:answer|reply to|respond to) this|odpowiedz\w* (?:na|bez)|wejdz na|odpisz\b|"
    r"https?://|\breply to this|odpowiedz na (?:te|ta|niniejsz)|odpisz na|antworten sie (?:einfach )?auf|repondez a|"
    r"responda a|rispond\w+ a|without changing|click|klikn|\bpress\b"
)


def read(message: Message) -> Report | None:
    """A challenge: its subject asks to confirm, its text says how, and that the mail waits until then."""
    if message.from_daemon:
        return None
    return _by_phrases(message) or _by_sense(message)


def _by_sense(message: Message) -> Report | None:
    """One whose text says that our mail waits, that the sender shall prove himself, and where."""
    if len(message.text) > LONGEST or message.content_type == b"multipart/report":
        return None
    folded = plain(message.own_folded)
    asked = _ASKED_WHO.search(folded) is not None  # asked first: hardly any mail says it
    if not asked and not _PROVEN.search(folded):
        return None
    told, waits = _TOLD.search(folded) is not None, _WAITING.search(folded) is not None
    if (told and waits) or ((told or waits) and asked and _is_automatic(message)):
        return Report(kind=Kind.CHALLENGE, format="challenge")
    return None


def is_asking(message: Message) -> bool:
    """Whether its author doubts who the sender is: no automatic reply, even if nothing else tells a challenge."""
    return _ASKED_WHO.search(plain(message.own_folded)) is not None


def _is_automatic(message: Message) -> bool:
    """Whether it would be taken for an automatic reply, and thrown away, were it not a challenge."""
    headers = message.headers
    return message.null_sender or bool(message.auto_submitted) or headers.any_of(_AUTOMATIC)


def _by_phrases(message: Message) -> Report | None:
    if _KEY.search(message.subject) and len(message.text) <= LONGEST and _is_automatic(message):
        return Report(kind=Kind.CHALLENGE, format="challenge")
    known = message.headers.any_of(_HEADERS) or _SUBJECT.search(message.subject)
    if not known and not notice.says(_APPROVED, message.folded):
        return None
    folded = message.own_folded
    if not known and not notice.says(_APPROVED, folded):
        return None
    if not (notice.says(_ASKED, folded) and notice.says(_HELD, folded)):
        return None
    return Report(kind=Kind.CHALLENGE, format="challenge")
