"""Nobody is suppressed for the sender's fault: words about the sender win over words and codes about a mailbox."""

import re
from pathlib import Path

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.model import Class, Phase

_REFUSALS = (
    "550 5.1.1 <a@example.com>: Recipient address rejected",
    "550 5.1.1 Recipient refused",
    "550 5.2.1 Mailbox unavailable",
    "550 5.1.1 User not reachable",
    "554 5.1.1 Delivery to the user failed",
    "550 5.1.0 Address rejected",
    "550 5.1.2 Invalid recipient",
    "550 5.1.1 Message to this account refused",
)
_BLAMES = (
    "your IP address 192.0.2.1 is blocked",
    "blocked using zen.spamhaus.org",
    "your IP is listed at bl.example.org",
    "your network is on our blacklist",
    "SPF check failed for example.com",
    "DKIM signature missing",
    "sender is not authenticated",
    "DMARC policy of example.com is reject",
    "message looks like spam",
    "content rejected by policy",
    "this message contains a forbidden link",
    "virus found in the message",
    "attachment type not allowed",
    "message too large",
    "too many messages from your host",
    "too many recipients this hour",
    "too many connections",
    "rate limit exceeded for 192.0.2.1",
    "poor reputation of the sender",
    "no PTR record for 192.0.2.1",
    "HELO name is invalid",
    "TLS is required",
    "certificate expired",
    "relaying denied",
    "login required",
    "sender address rejected",
    "domain of the sender does not exist",
    "the sending domain has no MX",
    "greylisted, come back later",
    "we do not accept mail from your country",
    "bulk mail is refused",
    "adres nadawcy odrzucony",
    "wiadomość uznana za spam",
    "Twój adres IP jest zablokowany",
    "zbyt wiele połączeń z Twojego serwera",
    "nieudana weryfikacja SPF",
    "zu viele Nachrichten von Ihrem Server",
    "als Spam eingestuft",
    "Ihre IP-Adresse wurde gesperrt",
    "adresse IP bloquée",
    "message trop volumineux",
    "mensaje considerado spam",
    "demasiadas conexiones",
    "messaggio rifiutato come spam",
    "mensagem considerada spam",
    "слишком много сообщений",
    "письмо похоже на спам",
    "迷惑メールと判定",
)


@pytest.mark.parametrize("blame", _BLAMES)
def test_words_about_the_sender_win(blame: str) -> None:
    """Behind, in brackets behind, or before any refusal of a recipient, whatever its code says."""
    for refusal in _REFUSALS:
        code, words = refusal[:9], refusal[10:]
        for text in (f"{refusal}: {blame}", f"{refusal} ({blame})", f"{code} {blame}: {words}"):
            ruling = classify.builtin().rule(Reply(text))
            assert ruling.class_ is not Class.HARD, (text, ruling)


@pytest.mark.parametrize("text", ["550 5.1.1 qwerty sending host uiop", "550 5.2.1 nadawca xyzzy"])
def test_codes_are_not_believed_where_the_words_speak_of_the_sender(text: str) -> None:
    """A text that no rule knows but for a word about the sender is no verdict on the mailbox."""
    ruling = classify.builtin().rule(Reply(text))
    assert (ruling.category, ruling.rule) == ("policy_other", "fallback.sender_side")


def test_a_sender_who_is_only_told_is_not_blamed() -> None:
    """`Returned to sender` says nothing about who is at fault."""
    assert classify.builtin().rule(Reply("550 5.1.1 qwerty, returned to sender")).class_ is Class.HARD


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("554 5.7.1 <a@example.com>: Recipient address rejected: User unknown", "user_unknown"),
        ("550 5.7.1 No such user", "user_unknown"),
        ("452 4.3.1 mailbox full", "mailbox_full"),
        ("554 5.7.1 Recipient address rejected: This mailbox is disabled", "mailbox_disabled"),
        ("421 4.7.0 User unknown in virtual mailbox table", "user_unknown"),
        ("550 5.7.1 Odbiorca nie istnieje", "user_unknown"),
        ("554 5.7.1 Postfach ist voll", "mailbox_full"),
    ],
)
def test_codes_lie_the_other_way_too(text: str, category: str) -> None:
    """A code of the sender's side does not hide plain words about the mailbox."""
    assert classify.builtin().rule(Reply(text)).category == category


_OWN = (
    "Your address", "Your e-mail address <a@example.com>", "Your mailbox", "Your domain", "The sender's mailbox",
    "Sending account", "Return-Path address", "Bounce address", "Envelope from address", "MAIL FROM domain",
    "Originating address", "The address you send from", "<a@example.com> (in MAIL FROM)",
    "Your mail server", "HELO name",
)  # fmt: skip
_GONE = (
    "does not exist", "unknown", "could not be found", "is invalid", "has no MX record", "is disabled",
    "has been deactivated", "is no longer active", "is not registered here", "has expired",
)  # fmt: skip


@pytest.mark.parametrize("code", ["550", "553 5.1.8", "550 5.1.1"])
def test_a_lost_sender_in_any_language(code: str) -> None:
    """A sender's address, account or domain that is missing, closed or full is the sender's fault in every language."""
    read = {text: classify.builtin().rule(Reply(f"{code} {text}")) for text in _lines("senders_own.txt")}
    assert [(text, ruling) for text, ruling in read.items() if ruling.class_ is not Class.BLOCK] == []


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("550 Boîte pleine, message retourné à l'expéditeur", "mailbox_full"),
        ("550 El buzón está lleno, devuelto al remitente", "mailbox_full"),
        ("550 Casella piena: rinviato al mittente", "mailbox_full"),
        ("550 Ящик переполнен, возвращено отправителю", "mailbox_full"),
        ("550 Skrzynka jest pełna, wiadomość zwrócono do nadawcy", "mailbox_full"),
        ("550 Nieznany użytkownik, zwrot do nadawcy", "user_unknown"),
        ("550 Unbekannter Benutzer, zurück an den Absender", "user_unknown"),
        ("550 Utilisateur inconnu, retour à l'expéditeur", "user_unknown"),
        ("550 Utente sconosciuto, messaggio restituito al mittente", "user_unknown"),
        ("550 Onbekende gebruiker, terug naar afzender", "user_unknown"),
    ],
)
def test_mail_that_goes_back_to_its_sender_blames_nobody(text: str, category: str) -> None:
    """The sender who gets his mail back is not the one whose mailbox is full or missing."""
    assert classify.builtin().rule(Reply(text)).category == category


@pytest.mark.parametrize(
    "text",
    [
        "550 5.1.1 User lookup failed: the directory server does not respond",
        "550 Recipient check not possible, LDAP is down",
        "550 5.1.1 This mailbox is being migrated",
        "550 Nie można sprawdzić odbiorcy: awaria bazy",
        "550 Trwa migracja kont, skrzynka niedostępna",
        "550 Verzeichnisdienst nicht erreichbar, Empfänger nicht geprüft",
        "550 Annuaire indisponible, destinataire non vérifié",
        "550 El directorio no responde, usuario no verificado",
        "550 Каталог пользователей недоступен",
    ],
)
def test_a_server_that_cannot_look_says_nothing_of_the_mailbox(text: str) -> None:
    """Trouble with the directory is the far side's trouble, whatever code stands before it."""
    assert classify.builtin().rule(Reply(text)).class_ is Class.SOFT


@pytest.mark.parametrize("code", ["550", "550 5.1.1", "554 5.0.0"])
def test_a_lost_sender_is_no_lost_recipient(code: str) -> None:
    """Words of a lost mailbox suppress nobody where they speak of the sender's own address or host."""
    texts = [f"{code} {whose} {gone}" for whose in _OWN for gone in _GONE]
    assert [text for text in texts if classify.builtin().rule(Reply(text)).class_ is Class.HARD] == []


@pytest.mark.parametrize(
    "text",
    [
        "554 mx1.example.com bizarre greeting, service refused",
        "550 Header error",
        "554 Transaction turned away by our firewall",
        "550 Refused",
        "550 5.1.1 Message failed our checks",
        "501 5.0.0 SMTP session not to our liking",
    ],
)
def test_a_refusal_that_names_no_recipient_suppresses_nobody(text: str) -> None:
    """Words that no rule knows, about a message or a connection, are not made hard by their code."""
    assert classify.builtin().rule(Reply(text)).class_ is Class.BLOCK


@pytest.mark.parametrize(
    "text",
    [
        "550 Delivery not possible",
        "550 5.1.1 This mail has come from the internet and was scanned for all viruses",
        "550 5.1.1 see http://www.example.com/mail/help",
        "554 5.0.0",
    ],
)
def test_boilerplate_is_no_word_about_the_sender(text: str) -> None:
    """A scanner's signature or the address of a web page does not undo what the codes say."""
    assert classify.builtin().rule(Reply(text)).class_ is Class.HARD


def _lines(name: str) -> list[str]:
    return (Path(__file__).parent / name).read_text(encoding="utf-8").splitlines()


def test_refusals_that_only_sound_like_a_lost_mailbox() -> None:
    """What speaks of mailboxes, users and addresses on the sender's side suppresses nobody."""
    rule = classify.builtin().rule
    assert [text for text in _lines("senders.txt") if rule(Reply(text)).class_ is not Class.BLOCK] == []


def test_lost_mailboxes_that_only_sound_like_a_refusal() -> None:
    """What speaks of refusal, policy and servers is hard all the same where it says that the mailbox is gone."""
    rule = classify.builtin().rule
    assert [text for text in _lines("recipients.txt") if rule(Reply(text)).class_ is not Class.HARD] == []


_LYING = ("550", "551", "553", "554", "501", "550 5.1.1", "550 5.2.1", "554 5.0.0", "550 5.1.1 <user@example.com>:")
_CODED = re.compile(r"^(?:[245]\d\d[ -])?(?:[245]\.\d{1,3}\.\d{1,3} )?")


def test_lying_codes_make_no_block_hard() -> None:
    """What a rule knows as the sender's fault stays so under any code, unless the rule needs its code."""
    classifier = classify.builtin()
    found = [
        text
        for rule in classifier.rules
        if rule.category.class_ is Class.BLOCK and not rule.codes and not rule.vague
        for example in rule.examples
        if example.phase is Phase.UNKNOWN
        for text in (f"{code} {_CODED.sub('', example.text)}" for code in _LYING)
        if classifier.rule(Reply(text)).class_ is Class.HARD
    ]
    assert found == []


def test_a_prefix_of_postfix_hides_no_words_behind_it() -> None:
    """`Recipient address rejected:` stands before all that a policy service answers."""
    prefix = "550 5.1.1 <a@example.com>: Recipient address rejected: "
    said = {
        "this message scored 15.2 points, above our cut-off": "content_blocked",
        "geographic block": "blocked_by_provider",
        "improper use of pipelining": "policy_other",
        "it is like that": "user_unknown",
    }
    assert {text: str(classify.builtin().rule(Reply(prefix + text)).category) for text in said} == said
