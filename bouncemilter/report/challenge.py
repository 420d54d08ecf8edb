"""Challenge-response systems that ask senders to confirm (TMDA, BoxTrapper, SpamArrest, Mailinblack, ASK)."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.model import Kind, Report
from bouncemilter.report import notice
from bouncemilter.report.message import Message

_SUBJECT: Final = re.compile(
    r"(?i)(?:please )?confirm (?:your )?(?:message|mail|e-?mail|delivery)|requires? (?:verification|confirmation)|"
    r"\bverification\b|sender (?:verification|authentication)|\(conf#|\bconfirm#|verify#|please confirm|"
    r"\bchallenge\b|"
    r"potwierd[zź]|authentifi|best[aä]tig|confirmaci[oó]n|подтвер"
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
    człowiek | humain | indésirable | zugestellt | unbekannt | спам
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


def read(message: Message) -> Report | None:
    """A challenge: its subject asks to confirm, its text says how, and that the mail waits until then."""
    if message.from_daemon:
        return None
    known = message.headers.any_of(_HEADERS) or _SUBJECT.search(message.subject)
    if not known and not notice.says(_APPROVED, notice.fold(message.text)):
        return None
    folded = notice.fold(message.own_text)
    if not known and not notice.says(_APPROVED, folded):
        return None
    if not (notice.says(_ASKED, folded) and notice.says(_HELD, folded)):
        return None
    return Report(kind=Kind.CHALLENGE, format="challenge")
