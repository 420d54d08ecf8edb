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


LONGEST: Final = 1800
"""Characters of a challenge that is known by its sense alone."""
_WAITING: Final = Guarded(
    r"\b(?:your (?:\w+ )?(?:message|e-?mail|mail)|twoja wiadomosc|(?:panstwa|pana|pani) wiadomosc|twoj (?:e-?mail|mail|"
    r"list)|wiadomosc od ciebie|"
    r"wyslan\w+ (?:przez \w+ )?wiadomosc|ihre (?:e-?mail|mail|nachricht)|votre (?:message|e-?mail|mail|courriel)|(?:su|"
    r"tu) (?:mensaje|correo)|"
    r"il (?:suo|tuo|vostro) messaggio|(?:sua|tua) (?:e-?mail|mensagem)|vas[ea] zprava|uw (?:bericht|e-?mail)|"
    r"the recipient|the person you|"
    r"i (?:use|am using)|(?:moja|nasza) skrzynk\w+|odbiorca\b|wiadomosc trafi|ваше (?:письмо|сообщение))\b[^?]{0,160}?"
    r"(?:\bheld\b|on hold|waiting|quarantin|not (?:yet )?been delivered|not (?:yet )?delivered|pending|blocked until|"
    r"temporarily stored|only (?:accepts?|receives?)|stopped|intercepted|trafi do|zostanie (?:dostarczon|dorecz|"
    r"przekaz)\w* (?:po|gdy|dopiero|tylko)|once you|until you|korzysta z|chronion|"
    r"verif|kwarantann|\bczeka\b|oczekuje|wstrzyman|zatrzyman|nie zostala (?:jeszcze )?(?:dostarcz|dorecz)|tylko (?:od|"
    r"wiadomosci od)|chroni|"
    r"zuruckgehalten|wartet|(?:noch )?nicht zugestellt|quarantane|en attente|mis en|retenu|retenid|pendiente|trattenut|"
    r"in attesa|retid|ceka|zadrzen|vastgehouden|wacht)"
)
"""That a mail waits, in plain Latin letters."""
_PROVEN: Final = Guarded(
    r"(?:real|human) (?:person|being|sender)|you(?:'re| are) (?:a |not a )?(?:human|person|real|robot|spammer|machine)|"
    r"captcha|white-?list|known senders?|approved|trusted|(?:don\'t|do not) know you|never (?:written|emailed)|"
    r"first time|"
    r"unknown senders?|(?:verify|confirm|authenticate|validate) (?:yourself|your (?:e-?mail )?address|that you|you are|"
    r"you're)|sender verif|"
    r"(?:jestes|nie jestes|jest pan(?:i)?|pan/pani|ze jest|panstwo jestescie)[^?.]{0,12} (?:czlowiek|robot|automat|"
    r"spam|prawdziw|osoba)|potwierdz\w* (?:swoj\w* |ze |swa |wyslanie|nadanie|adres|tozsam)|nieznan\w+ nadawc|"
    r"zaufan\w+|zweryfik|bialej list|als absender|absender (?:bestatig|freischalt|verifiz)|(?:kein|keine) (?:roboter|"
    r"maschine)|expediteur|humain|robot|remitente|umano|mittente|"
    r"remetente|clovek|odesilatel|menselijk|afzender|only (?:have|need) to do this once"
)
_TOLD: Final = Guarded(
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
    folded = plain(notice.fold(message.own_text))
    if _WAITING.search(folded) and _PROVEN.search(folded) and _TOLD.search(folded):
        return Report(kind=Kind.CHALLENGE, format="challenge")
    return None


def _by_phrases(message: Message) -> Report | None:
    known = message.headers.any_of(_HEADERS) or _SUBJECT.search(message.subject)
    if not known and not notice.says(_APPROVED, notice.fold(message.text)):
        return None
    folded = notice.fold(message.own_text)
    if not known and not notice.says(_APPROVED, folded):
        return None
    if not (notice.says(_ASKED, folded) and notice.says(_HELD, folded)):
        return None
    return Report(kind=Kind.CHALLENGE, format="challenge")
