"""All that is known of one address, for people who must be able to answer for it: in order, with its evidence."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Sequence
from typing import Final

from bouncemilter import reasons, trust
from bouncemilter.classify.advice import advice
from bouncemilter.cli import show
from bouncemilter.language import Language, Words
from bouncemilter.model import Category, Cause, Suppression, Trust, Withheld
from bouncemilter.policy import Rules
from bouncemilter.returnpath import Reason
from bouncemilter.store import StoredEvent

_TEXTS: Final = (
    Words("suppressed", "zablokowany"),
    Words("not suppressed", "niezablokowany"),
    Words("suppression", "blokada"),
    Words("event", "zdarzenie"),
    Words("for good", "na zawsze"),
    Words("until", "do"),
    Words("in force", "obowiązuje"),
    Words("expired", "wygasła"),
    Words("lifted", "zdjęta"),
    Words("by", "przez"),
    Words(
        "pending: incident {0} holds it back until the next message",
        "wstrzymana przez incydent {0} do nast. wiadomości",
    ),
    Words("expired; on probation until {0}", "wygasła; okres próbny do {0}"),
    Words("forgotten: its evidence was deleted", "zapomniany: dowody usunięto"),
    Words("outgoing mail of {0}: {1}, {2} times, stream {3}, {4}", "poczta z {0}: {1}, razy: {2}, strumień {3}, {4}"),
    Words("unconfirmed", "niepotwierdzone"),
    Words("(excused)", "(darowane)"),
    Words("{0} by rule {1}", "{0} według reguły {1}"),
    Words("since", "od"),
    Words("reason", "powód"),
    Words("note", "uwaga"),
    Words("category", "kategoria"),
    Words("advice", "rada"),
    Words("server said", "odpowiedź"),
    Words("trust", "wiarygodność"),
    Words("incident", "incydent"),
    Words("decision", "decyzja"),
    Words("codes", "kody"),
    Words("rule", "reguła"),
    Words("template", "wzorzec"),
    Words("came from", "serwer"),
    Words("failed there", "zawiódł"),
    Words("sent to", "przyszło na"),
    Words("sent by", "nadawca"),
    Words("message", "wiadomość"),
    Words("message id", "Message-ID"),
    Words("from", "od kogo"),
    Words("to", "do kogo"),
    Words("subject", "temat"),
    Words("list", "lista"),
    Words("campaign", "kampania"),
    Words("report", "raport"),
    Words("defects", "usterki"),
    Words("left", "odszedł"),
    Words("new address", "nowy adres"),
    Words("yes", "tak"),
    Words("excerpt", "fragment"),
    Words("import", "import"),
    Words("times", "który raz"),
    Words("ends", "koniec"),
    Words("nothing is on record", "brak zapisów"),
    Words("`{0}` lifts it, `{1}` has it hold", "`{0}` ją zdejmuje, `{1}` przywraca"),
    Words("by itself then; before by `{0}`", "sama w tym dniu; wcześniej przez `{0}`"),
    Words("only if the person asks for it, by `{0}`", "tylko na prośbę tej osoby, przez `{0}`"),
    Words("only by hand, by `{0}`", "tylko ręcznie, przez `{0}`"),
)
_WORDS: Final = {each.en: each for each in _TEXTS}
"""By the English words."""

_TRUST: Final = {
    Trust.TOKEN: Words("our signature came back with it", "wrócił z nim nasz podpis"),
    Trust.LOCAL: Words("our own mail server wrote it", "napisał go nasz własny serwer"),
    Trust.PLAUSIBLE: Words("it fits mail of ours, but is no proof", "pasuje do naszej poczty, ale nie jest dowodem"),
    Trust.NONE: Words("nothing ties it to mail of ours", "nic nie łączy go z naszą pocztą"),
}
"""What each tier means, of a report."""

REASONS: Final = {
    "token": Words(
        "it came to the return path that we signed for this address; only who got our mail knows it",
        "przyszedł na adres zwrotny, który podpisaliśmy dla tego adresu; zna go tylko odbiorca naszej wiadomości",
    ),
    "token_returned": Words(
        "the message that it returns carries the return path that we signed for this address",
        "zwrócona wiadomość ma adres zwrotny, który podpisaliśmy dla tego adresu",
    ),
    "message_token": Words(
        "it came to the signed return path of a message that went to several people, this address among them",
        "przyszedł na podpisany adres zwrotny wiadomości do kilku osób, wśród nich tego adresu",
    ),
    "message_token_returned": Words(
        "it returns a message with a signed return path that went to several people, this address among them",
        "zwraca wiadomość z podpisanym adresem zwrotnym do kilku osób, wśród nich tego adresu",
    ),
    "own_mta": Words(
        "our own mail server wrote it and handed it over on this host",
        "napisał go nasz własny serwer i przekazał na tej maszynie",
    ),
    "local_users_trusted": Words(
        "it was made on this host, whose users are trusted by the setting trust_local_users",
        "powstał na tej maszynie, a ustawienie trust_local_users ufa jej użytkownikom",
    ),
    "verp": Words(
        "it came to the unsigned return path of this address, which anybody could guess",
        "przyszedł na niepodpisany adres zwrotny tego adresu, który każdy mógłby odgadnąć",
    ),
    "own_headers": Words(
        "it returns a message with From and Message-ID of our domains, which anybody could write",
        "zwraca wiadomość z From i Message-ID naszych domen, co każdy mógłby napisać",
    ),
    trust.DKIM: Words(
        "it returns headers with our DKIM signature, which name this address as recipient",
        "zwraca nagłówki z naszym podpisem DKIM, które wymieniają ten adres jako odbiorcę",
    ),
    "no_evidence": Words(
        "nothing in it ties it to mail of ours; it can't suppress anybody",
        "nic nie łączy go z naszą pocztą; nikogo nie może zablokować",
    ),
    "not_a_recipient": Words(
        "the message went to several people, but not to this address; it can't suppress anybody",
        "wiadomość wysłano do kilku osób, ale nie na ten adres; nikogo nie może zablokować",
    ),
    Reason.UNSIGNED.value: Words(
        "our mail leaves with a signature, and here it is missing; it can't suppress anybody",
        "nasza poczta ma podpis, a tu go brak; nikogo nie może zablokować",
    ),
    Reason.FORGED.value: Words(
        "its signature is wrong: altered or made up; it can't suppress anybody",
        "podpis jest błędny: zmieniony lub zmyślony; nikogo nie może zablokować",
    ),
    Reason.EXPIRED.value: Words(
        "its signature is genuine, but too old; it can't suppress anybody",
        "podpis jest prawdziwy, ale za stary; nikogo nie może zablokować",
    ),
}
"""What each trust_reason means."""


def show_file(
    key: str,
    suppressions: Sequence[Suppression],
    events: Sequence[StoredEvent],
    withheld: Sequence[Withheld],
    now: dt.datetime,
    lang: Language,
) -> None:
    """Print it; everything is given oldest first."""
    page = _Page(key, lang, now)
    page.head(suppressed=any(each.in_force(now) for each in suppressions))
    if not (suppressions or events or withheld):
        page.nothing()
    for suppression in suppressions:
        page.suppression(suppression)
    for event in events:
        page.event(event)
    for each in withheld:
        page.withheld(each)


class _Page:
    """One address in one language."""

    def __init__(self, key: str, lang: Language, now: dt.datetime) -> None:
        self._key = key
        self._lang = lang
        self._now = now

    def head(self, *, suppressed: bool) -> None:
        show.line(f"{self._key}: {self._word('suppressed' if suppressed else 'not suppressed')}")

    def nothing(self) -> None:
        show.line(self._word("nothing is on record"))

    def suppression(self, each: Suppression) -> None:
        until = f"{self._word('until')} {_at(each.expires_at)}" if each.expires_at else self._word("for good")
        scope = f"{each.scope} {each.scope_value}".rstrip()
        show.line("")
        show.line(f"{self._word('suppression')} {each.id}: {each.cause}, {scope}, {until}; {self._state(each)}")
        version = f" ({each.rule_version})" if each.rule_version else ""
        by_rule = self._word("{0} by rule {1}").format(each.category, each.rule + version) if each.category else ""
        self._fields(
            ("since", f"{_at(each.created_at)} {self._word('by')} {each.created_by}"),
            ("reason", reasons.told(each.reason, self._lang)),
            ("note", each.note or ("" if each.address else self._word("forgotten: its evidence was deleted"))),
            ("category", by_rule if each.rule else str(each.category or "")),
            ("advice", self._advice(each.category)),
            ("server said", each.diagnostic),
            ("template", each.template),
            ("trust", f"{each.trust}: {_TRUST[each.trust].in_(self._lang)}" if each.trust else ""),
            ("message", each.message_key),
            ("event", each.event_id),
            ("incident", str(each.incident or "")),
            ("times", str(each.times) if each.times > 1 else ""),
            ("import", each.batch),
            ("ends", self._end(each)),
        )

    def event(self, stored: StoredEvent) -> None:
        event, decision = stored.event, stored.decision
        returned = event.returned
        what = f"{event.kind} {event.category}" if event.category else event.kind
        show.line("")
        show.line(f"{self._word('event')} {event.id}: {_at(event.at)}, {what}, {self._word('by')} {event.front}")
        excused = f" {self._word('(excused)')}" if stored.excused else ""
        self._fields(
            ("decision", f"{decision.effect}: {reasons.told(decision.reason, self._lang)}{excused}"),
            ("advice", self._advice(event.category)),
            ("server said", event.diagnostic),
            ("codes", " ".join(each for each in (event.reply_code, event.status) if each)),
            ("rule", f"{event.rule} ({event.rule_version})" if event.rule_version else event.rule),
            ("template", event.template),
            ("came from", event.remote_host),
            ("failed there", event.reported_address),
            ("trust", f"{event.trust} ({event.trust_reason}): {self._trust(event.trust, event.trust_reason)}"),
            ("sent to", event.envelope_recipient),
            ("sent by", event.envelope_sender),
            ("message", event.message_key),
            ("message id", returned.message_id),
            ("from", returned.sender),
            ("to", returned.to),
            ("subject", returned.subject),
            ("list", returned.list_id),
            ("campaign", returned.campaign),
            ("report", " ".join(each for each in (event.format, event.report_message_id) if each)),
            ("defects", " ".join(event.defects)),
            ("left", self._word("yes") if event.left_company else ""),
            ("new address", event.new_address),
            ("excerpt", event.excerpt),
            ("incident", str(stored.incident or "")),
        )

    def withheld(self, each: Withheld) -> None:
        words = self._word("outgoing mail of {0}: {1}, {2} times, stream {3}, {4}")
        cause = each.cause or self._word("unconfirmed")
        show.line("")
        show.line(words.format(each.day, each.action, each.n, each.stream, cause))

    def _state(self, each: Suppression) -> str:
        if each.ended_at:
            return f"{self._word('lifted')} {_at(each.ended_at)} {self._word('by')} {each.ended_by}"
        if each.pending:
            return self._word("pending: incident {0} holds it back until the next message").format(each.incident)
        if each.in_force(self._now):
            return self._word("in force")
        if each.cause is Cause.SOFT and each.expires_at and self._now < each.expires_at + Rules().probation:
            return self._word("expired; on probation until {0}").format(_at(each.expires_at + Rules().probation))
        return self._word("expired")

    def _end(self, each: Suppression) -> str:
        """What lifts a suppression that holds, or would; nothing where it is over."""
        if each.pending and not each.ended_at:
            return self._word("`{0}` lifts it, `{1}` has it hold").format(
                f"bouncemilter incident undo {each.incident}", f"bouncemilter incident release {each.incident}"
            )
        if not each.in_force(self._now):
            return ""
        scope = ":".join(filter(None, (each.scope, each.scope_value)))
        words = ("bouncemilter", "suppression", "remove", self._key, "--cause", each.cause, "--scope", scope)
        if each.expires_at:
            ends = "by itself then; before by `{0}`"
        elif each.cause in (Cause.UNSUBSCRIBE, Cause.COMPLAINT):
            ends = "only if the person asks for it, by `{0}`"
        else:
            ends = "only by hand, by `{0}`"
        return self._word(ends).format(shlex.join(words))

    def _advice(self, category: Category | None) -> str:
        return str(advice(category, self._lang)) if category else ""

    def _trust(self, tier: Trust, reason: str) -> str:
        return REASONS.get(reason, _TRUST[tier]).in_(self._lang)

    def _word(self, word: str) -> str:
        return _WORDS[word].in_(self._lang)

    def _fields(self, *fields: tuple[str, str]) -> None:
        for name, value in fields:
            if value:
                show.line(f"  {self._word(name):13}{value}")


def _at(moment: dt.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
