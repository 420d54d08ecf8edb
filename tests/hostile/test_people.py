"""A human's mail is never eaten: letters that read like what machines send are recorded, and passed on (promise 3)."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bouncemilter.model import Disposition, Effect
from bouncemilter.pipeline import caps
from bouncemilter.store import Store
from tests.pipeline.site import WATCHED, Site

REPLY = "In-Reply-To: <news.1@own.test>\n"
AUTOMATIC = "Auto-Submitted: auto-generated\n"
ORDER = "Zamawiam 10 sztuk, faktura na firmę.\n"
BOUNCED = """
I'm sorry to have to inform you that your message could not be delivered to one or more recipients.

<nikt@far.test>: host mail.far.test said: 550 5.1.1 User unknown (in reply to RCPT TO command)
"""

LETTERS = {
    # what looks like an automatic reply
    "thanks": ("Re: Oferta", f"Dziękuję za wiadomość, odpowiem w ciągu tygodnia. {ORDER}", REPLY),
    "accepts": ("Re: Offer", "Thank you for your email. I accept. The contract follows as soon as possible.\n", REPLY),
    "away soon": ("Re: Oferta", "Od jutra jestem na urlopie do 20 maja. W sprawach pilnych proszę o kontakt.\n", REPLY),
    "colleague left": ("Re: Offer", "Jan no longer works here, write to me instead. We take ten.\n", REPLY),
    "marked as a person's": ("Re: Faktura", "Otrzymaliśmy, odpowiemy jutro.\n", f"Auto-Submitted: no\n{REPLY}"),
    "clerk": ("[#7] Re: Dysk", "Dziękujemy za kontakt. W zgłoszeniu 7 wymieniliśmy dysk.\n", AUTOMATIC + REPLY),
    "asks for help": ("Automatyczna odpowiedź nie działa", "Proszę o pomoc.\n", ""),
    "out of paper": ("Out of office paper", "Please send ten boxes.\n", ""),
    "training": ("Nieobecność na szkoleniu", "Jestem na zwolnieniu lekarskim. Proszę o materiały.\n", ""),
    # a receipt
    "has read": ("Przeczytano: Oferta", f"Oferta została przeczytana przez zarząd. {ORDER}", ""),
    "French": ("Lu", "Votre contrat a été lu, nous acceptons. Appelez-moi.\n", ""),
    # a bounce
    "shows a bounce": (
        "Undelivered mail - your newsletter",
        f"My colleague gets this:\n{BOUNCED}\nCan you help?\n",
        "",
    ),
    "postmaster": (
        "Delivery failure of your newsletters",
        "They could not be delivered to our users since you are blocked. Call me at 555.\n",
        "From: Postmaster <postmaster@firma.test>\n",
    ),
    "courier": (
        "Delivery failed - order 123",
        "Your parcel could not be delivered, address unknown. Please call us.\n",
        "From: Anna (Delivery Manager) <anna@kurier.test>\n",
    ),
    # a request by a program
    "mail client": ("News", "Please unsubscribe me, it crashes my mail client. And call me about invoice 17.\n", ""),
    "more than that": ("unsubscribe", "Your automatically generated news annoy me. Also refund order 1881.\n", ""),
    "in the subject": ("Unsubscribe me from the list and refund order 1881 please", "", ""),
}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """A site with a store of its own."""
    async with await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}") as store:
        yield Site(store)


def letter(subject: str, text: str, header: str) -> bytes:
    """A mail as people's programs make it."""
    author = "" if "From:" in header else "From: Jan <jan@klient.test>\n"
    return f"{author}To: {WATCHED}\nSubject: {subject}\nMessage-ID: <1@klient.test>\n{header}\n{text}".encode()


@pytest.mark.parametrize("name", LETTERS)
async def test_letters_are_passed_on(site: Site, name: str) -> None:
    """Whatever a letter is taken for, people get it. Red if words alone let a mail be discarded."""
    assert await site.deliver(letter(*LETTERS[name]), WATCHED, sender="jan@klient.test") == (Disposition.PASS,)


ATTACHED = {
    "message/delivery-status": "Reporting-MTA: dns; far.test\n\nFinal-Recipient: rfc822; a@far.test\nAction: failed\n",
    "message/feedback-report": "Feedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\nOriginal-Rcpt-To: a@far.test\n",
    "message/disposition-notification": "Final-Recipient: rfc822; a@far.test\nDisposition: x/y; displayed\n",
}


@pytest.mark.parametrize("content_type", ATTACHED)
async def test_attached_parts(site: Site, content_type: str) -> None:
    """A person who shows the parts of a report is read by people. Red if a part alone makes a report of a letter."""
    header = 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n'
    text = f"--B\n\nWhat is this?\n--B\nContent-Type: {content_type}\n\n{ATTACHED[content_type]}\n--B--\n"
    mail = letter("Undelivered mail, help", text, header)
    assert await site.deliver(mail, WATCHED, sender="jan@klient.test") == (Disposition.PASS,)


async def test_machines_are_known_by_the_null_sender(site: Site) -> None:
    """With a null reverse-path the same words are a machine's. Red if that makes no difference."""
    mail = letter("Re: Oferta", "Jestem na urlopie do 20 maja. W sprawach pilnych proszę o kontakt.\n", REPLY)
    assert await site.deliver(mail, WATCHED, sender="") == (Disposition.DISCARD,)


async def test_programs_requests_are_consumed(site: Site) -> None:
    """What mail programs write for a List-Unsubscribe address is nobody's letter."""
    for number, text in enumerate(("", "This message was automatically generated by Gmail.\n")):
        mail = letter("unsubscribe", text, f"X-Number: {number}\n")
        assert await site.deliver(mail, WATCHED, sender="jan@klient.test") == (Disposition.DISCARD,)


async def test_requests_over_the_cap_are_seen_by_people(site: Site) -> None:
    """Who asks to be taken off and is not, is read by people. Red if a request over the cap disappears unheard."""
    found: list[Disposition] = []
    for number in range(caps.OPT_OUTS_AN_HOUR + 1):
        mail = letter("unsubscribe", "", f"From: user{number}@klient.test\n")
        found += await site.deliver(mail, WATCHED, sender="", client="192.0.2.1")
    assert found == [Disposition.DISCARD] * caps.OPT_OUTS_AN_HOUR + [Disposition.PASS]
    again = letter("unsubscribe", "This was generated automatically.\n", "From: user0@klient.test\n")
    assert await site.deliver(again, WATCHED, sender="", client="192.0.2.2", days=1) == (Disposition.DISCARD,)
    assert await site.effects("user0@klient.test") == [Effect.SUPPRESSED, Effect.RECORDED]
