"""Why policy decides as it does: what is recorded of it, in English, and the same in Polish.

Recorded texts are read again long after they were written, so a form that was ever written stays readable.
"""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import Final

from bouncemilter.language import Language, Words

JOINT: Final = "; "
"""Between the parts of a reason; none has it within."""


class Counted(Enum):
    """What is counted, as a reason names it."""

    HARD = Words("hard", "twardy zwrot")
    SOFT = Words("soft", "miękki zwrot")
    SOFT_ON_PROBATION = Words("soft on probation", "miękki zwrot w okresie próbnym")
    BLOCKED = Words("blocked by the recipient", "blokada ze strony odbiorcy")
    COMPLAINT = Words("complaint", "skarga")


class DecisionReason(Enum):
    """One part of a reason, with what is filled in by name."""

    SELF_TEST = Words("the doctor's self-test: never counted", "autotest polecenia doctor: nigdy się nie liczy")
    TOO_OLD = Words(
        "older than {days} days: the mailbox may be well again",
        "sprzed ponad {days} dni: skrzynka może już działać",
    )
    KIND = Words("kind {kind}: never counted", "rodzaj {kind}: nigdy się nie liczy")
    NO_CATEGORY = Words("no category", "bez kategorii")
    RELAY_S_LIST = Words(
        "a relay's own suppression list refused it: nothing new about the mailbox",
        "odrzuciła ją własna lista blokad pośrednika: nic nowego o skrzynce",
    )
    GREYLISTED = Words("greylisted: never counted", "greylisting: nigdy się nie liczy")
    SENDER_S_FAULT = Words("the sender's fault: never counted", "wina nadawcy: nigdy się nie liczy")
    NOBODY = Words("the report names nobody", "raport nie wymienia nikogo")
    UNTIED = Words(
        "trust none: can't be tied to mail of ours", "wiarygodność none: nic nie łączy raportu z naszą pocztą"
    )
    LITTLE_TRUST = Words(
        "trust {trust}: at least {required} is required", "wiarygodność {trust}: wymagana co najmniej {required}"
    )
    COUNT = Words("{what}, message {messages} of {needed}", "{what}, wiadomość {messages} z {needed}")
    COUNT_WITHIN = Words(
        "{what}, message {messages} of {needed} within {days} days",
        "{what}, wiadomość {messages} z {needed} w ciągu {days} dni",
    )
    TRUSTED = Words("{count} (trust {trust})", "{count} (wiarygodność {trust})")
    TRUSTED_FORWARDED = Words(
        "{count} (trust {trust}, forwarded)", "{count} (wiarygodność {trust}, przekazana na inny adres)"
    )
    HARD_ONLY = Words("only watched in the preset hard-only", "w zestawie hard-only tylko obserwowane")
    ALREADY_SUPPRESSED = Words("already suppressed", "już zablokowany")
    STILL_PENDING = Words("pending until a later message fails", "wstrzymane, aż zawiedzie następna wiadomość")
    FAILED_AGAIN = Words("failed again after an incident", "zawiódł ponownie po incydencie")
    OBSERVED = Words("would suppress, but the preset is observe", "byłaby blokada, ale zestaw to observe")
    BLOCKED_BY_UNKNOWN = Words(
        "blocked by the recipient, but the report names neither list nor sender",
        "blokada ze strony odbiorcy, ale raport nie wymienia ani listy, ani nadawcy",
    )
    TAKES_MAIL = Words(
        "kind {kind}: the mailbox takes mail, soft counts start anew",
        "rodzaj {kind}: skrzynka przyjmuje pocztę, miękkie zwroty liczą się od nowa",
    )
    COMPLAINT_OF_NOBODY = Words(
        "the complaint names nobody, or no sender", "skarga nie wymienia nikogo albo nie wymienia nadawcy"
    )
    OPT_OUT_OF_NOBODY = Words(
        "a request to be taken off by nobody, a role or an address of our own",
        "prośba o wypisanie od nikogo, od adresu funkcji albo od własnego adresu",
    )
    OPT_OUT_OF_NOTHING = Words(
        "a request to be taken off that names neither list nor sender",
        "prośba o wypisanie, która nie wymienia ani listy, ani nadawcy",
    )
    TAKEN_OFF = Words("already taken off", "już wypisany")
    OPTED_OUT = Words("asked to be taken off", "prośba o wypisanie")
    TOO_MANY = Words(
        "over {requests} requests an hour from one client", "ponad {requests} próśb na godzinę od jednego klienta"
    )
    HELD_BACK = Words("held back by an incident ({incident})", "wstrzymane przez incydent ({incident})")

    def recorded(self, **given: object) -> str:
        """The part as it is recorded."""
        return self.value.in_(Language.EN, **given)


def joined(*parts: str) -> str:
    """A reason of several parts."""
    return JOINT.join(parts)


def told(recorded: str, language: Language) -> str:
    """A recorded reason in a language; a part of no known form stays as it is."""
    if language is Language.EN:
        return recorded
    return JOINT.join(_told(part, language) for part in recorded.split(JOINT))


def _told(part: str, language: Language) -> str:
    for form, pattern in _patterns():
        if found := pattern.fullmatch(part):
            given = {name: _value(name, value, language) for name, value in found.groupdict().items()}
            return form.value.in_(language, **given)
    return part


def _value(name: str, value: str, language: Language) -> str:
    if name == "what":
        return next(each.value.in_(language) for each in Counted if each.value.en == value)
    return _told(value, language) if name == "count" else value


_WHAT: Final = "|".join(each.value.en for each in Counted)
_FIELDS: Final = {
    "what": _WHAT,
    "count": rf"(?:{_WHAT}), message \d+ of \d+(?: within \d+ days)?",
    **dict.fromkeys(("days", "messages", "needed", "requests"), r"\d+"),
    **dict.fromkeys(("kind", "trust", "required", "incident"), r"[a-z_]+"),
}
"""What may stand in a form, by name."""


@cache
def _patterns() -> tuple[tuple[DecisionReason, re.Pattern[str]], ...]:
    def group(field: re.Match[str]) -> str:
        return f"(?P<{field[1]}>{_FIELDS[field[1]]})"

    return tuple((each, re.compile(re.sub(r"\\{(\w+)\\}", group, re.escape(each.value.en)))) for each in DecisionReason)
