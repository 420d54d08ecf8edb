"""What automatic replies are made of, sentence by sentence: a letter says something else too, a responder does not."""

from __future__ import annotations

import re
from itertools import takewhile
from typing import Final

from bouncemilter.report.automaton import Guarded, Patterns
from bouncemilter.report.lazy import lazy
from bouncemilter.report.spelling import plain
from bouncemilter.report.wording import CLASSES

_WEIGHTS: Final = {
    "absent": 2,
    "left": 3,
    "dead": 3,
    "machine": 2,
    "received": 2,
    "desk": 2,
    "thanks": 1,
    "promise": 1,
    "back": 1,
    "contact": 1,
}
_CORE: Final = frozenset(("absent", "left", "dead", "received", "desk", "promise"))
"""One of these makes a reply; thanks, telephone numbers and `do not answer` stand below invoices and alarms too."""
_GONE: Final = frozenset(("absent", "left", "dead"))
_WEAK: Final = frozenset(("back", "hours"))
_SAID_SHORTLY: Final = 12
"""Words of a sentence that is known by a day or an hour alone; a longer one says something else."""
_ABOUT_MAIL: Final = _CORE - {"promise"}
_SENTENCE: Final = Patterns(CLASSES)
_DISCLAIMER: Final = Guarded(
    r"this (?:e-?mail|message|communication)(?:,? (?:and|including) [^.]{0,60})? (?:originates|"
    r"is (?:confidential|intended|privileged|"
    r"only|meant|sent on)|may contain|contains|has been scanned|was scanned)|(?:tresc|wiadomosc|"
    r"niniejsz\w+ (?:wiadomosc|e-?mail|"
    r"korespond))\b[^?.]{0,60}?(?:poufn|przeznaczon\w* (?:wylacznie|tylko))|"
    r"administrator\w* (?:\w+ )?danych osobowych|"
    r"(?:diese|dieses) (?:e-?mail|nachricht|mail) (?:\w+ )?(?:enthalt|ist vertraulich|kann vertraul)|"
    r"(?:ce|cet) (?:message|courriel|e-?mail)[^.]{0,40} (?:est|sont) (?:confidentiel|etabli)|(?:este|"
    r"questo) (?:mensaje|messaggio|"
    r"correo)[^.]{0,40}confiden"
)
_COURTESY: Final = re.compile(
    r"\W*(?:witam|witaj|czesc|hej|dzien dobry|szanown|drodzy|drogi|pozdraw|z powazan|z wyraz|serdeczn|milego|zycze|"
    r"uprzejmie informuj|"
    r"hi\b|hello|dear|good (?:morning|day|afternoon)|kind|best|regards|cheers|many thanks|thanks?\W*\Z|"
    r"thank you\W*\Z|"
    r"yours|sincerely|"
    r"warm|guten|hallo|sehr geehrte|liebe|mit |mfg|viele gr|freundlich|bonjour|madame|monsieur|cordial|bien |"
    r"hola|buen|"
    r"estimad|saludos|"
    r"un saludo|atentamente|gentil|salve|ciao|distinti|cordiali|ola\b|prezad|atenc|dobry den|s pozdrav|beste|geachte|"
    r"met vriend|hej|"
    r"god|med v|dziekuj\w+\W*\Z|merci\W*\Z|gracias\W*\Z|grazie\W*\Z|danke\W*\Z|dekuji\W*\Z|uwaga\W*\Z|notice\W*\Z|"
    r"sorry\W*\Z)"
)
# Each alternative begins with the sign that ends a sentence, and looks behind it: for speed, as reply.STATUS does.
_BREAK: Final = re.compile(
    r"[.!;\s](?:(?<=\w{4}[.!])[.!]*(?:\s+|\Z)|"
    r"(?<=\d[.!])[.!]*\s+(?=[A-ZŻŹĆŁŚÓ])(?!(?:Jan|Feb|M|Apr|Ju[nl]|Aug|Sep|O[ck]t|Nov|De[zc]))|"
    r"(?<=!)!*\s+|(?<=\?\s)\s*|(?<=;)\s+|(?<=\n)\s*\n\s*)"
)
_OF_MAIL: Final = Guarded(
    r"poczt|\bmail|e-?mail|wiadomos|korespond|skrzynk|\b(?:odpis|odpow|odezw)|zastep|kontakt|\b(?:w|pilnych|"
    r"naglych|biezacych) spraw|"
    r"\bpilnych|\bpilne|sprawy|"
    r"messag|inbox|\b(?:reply|replies|respond|respons|answer)|urgen|contact|thank|\bcover|in my absence|"
    r"nachricht|\bantwort|vertret|dringend|e-?post|melde (?:ich )?mich|courriel|repond|correo|mensaje|respond|"
    r"rispond|posta\b|messaggi|"
    r"bericht|antwoord|zprav|odpov|svar|besked|melding|vastaa|valasz|пис|почт|сообщ|отве|сроч|メール|返信|連絡|"
    r"[\w.-]+@[\w-]+\.\w|dziek|merci|gracias|grazie|obrigad|bedankt|danke?\b|dekuj|tack\b"
)
_CONTRAST: Final = re.compile(r"[,\s]\s?(?:but|ale|lecz|aber|mais|pero|maar)\s")
_CLAUSE: Final = re.compile(r",\s+|\s[–—-]\s|\s(?:but|ale|lecz|aber|mais|pero|maar)\s")
_STORY: Final = Guarded(
    r"\b(?!wyjech|zakoncz|otrzym|zmieni|przesta|przenio|ma?ilem|e-?ma)\w{3,}(?:al|il|yl)[ea]m\b|"
    r"\bi (?:have )?(?:asked|told|sent|put|"
    r"gave|spoke|already)\b"
)
"""What an author did for the reader; responders do nothing."""
_SHORT_LINE: Final = 60
"""Characters of a line that its author ended; a mail program breaks longer ones."""
_NAME: Final = 4
_GREETING: Final = 7
"""Words of a line that says nothing: a name, a firm, a street; and of one of courtesy."""
_STRANGE: Final = 12
"""Words beyond these that a responder's author may add, of his own."""
_OWN_QUESTION: Final = re.compile(r"\A\W*(?:urgent|pilne|is it urgent|dringend|wazne|czy to pilne)|\bfaq\b")
"""Questions that responders put: whether it is urgent, whether the answer stands on their page."""
_PLEASE: Final = Guarded(
    r"\b(?:prosz(?:e|a|ony|eni)|prosimy|uprasza|please|kindly|bitten? (?:wir )?|merci de|veuillez|por favor|"
    r"le rogamos|"
    r"prego|si prega|per favore|vi preghiamo|prosim\w*|gelieve|graag)\b\W*(?P<wish>[^,;?]{0,24})"
)
_DESKS: Final = re.compile(
    r"kontakt|kierow|pisac|pisanie|dzwon|telefon|cierpliw|wyrozum|zrozumien|nie odpowiad|nie odpisyw|zwrac\w* sie|"
    r"zwroc\w* sie|uzyw|korzyst|sklad(?:ac|anie)|nie zmienia|zachow|odwiedz|adresow|(?:prze|wy)sylac na|"
    r"\Atype|contact|call|resend (?:your|this|the) (?:message|e-?mail|mail)|\Ae-?mail|\Amail|write|direct|"
    r"forward|refer|note|reach|ring|speak|text|urgent|touch|(?:not|"
    r"don't) (?:reply|respond|answer|hesitate|expect|use)|allow|bear|patien|aware|advised|expect|try|visit|see |"
    r"check|"
    r"update|accept|feel|use|ask|quote|"
    r"wenden|richten|schreib|rufen|beacht|nutz|verwend|geduld|verstandnis|anruf|nicht (?:auf|antwort)|adress|appel|"
    r"ecri|noter|ne pas|patient|pong|escrib|dirij|llam|no respon|consult|contatt|rivolg|scriv|non rispon|chiam|"
    r"obrat|volej|pist|neodpov|bel |neem|@|\d{3}"
)
"""What desks ask for: to contact somebody, to wait, not to answer. Who asks for something else is a person."""
_REFERS: Final = re.compile(
    r"\bw (?:sprawach )?(?:pilny|nagly|wazny)|\burgent|emergenc|dringend|notf[ae]ll|urgenc|"
    r"urgenz|urgente"
)
"""What says whom to ask instead."""
_WISHED: Final = Guarded(
    r"zaprasza\w+ na (?!stron)|\bkan ik\b|(?<!as )(?<!when )\bi can\b(?! be)|(?<!no )\bpuedo\b|\bprefier|\bprefer\b|"
    r"\A\W*leave (?!an? (?:message|note|voice))|\bme the\b|\A\W*(?:put|book|bring|make|change|take|move|add|"
    r"ship|keep|order|cancel|deliver)\b|"
    r"\b(?!pisz|dzwon|kontakt|kieruj|zaglad|szuka|odwiedz|zwracaj)\w{2,}(?:j|sz|rz|dz|l|n|p|w)cie\b|"
    r"\b(?:(?:wyslij|przyslij|dostarcz|zostaw|przywiez|dowiez|odbierz|zadzwonisz|przelej|zaplac|potwierdz|"
    r"wystaw)(?:cie)?\b|daj(?:cie)? znac|"
    r"spotkajmy|umowmy|\bhope (?:to|you)|see you (?:on|there|soon|in)|\bgo ahead|but yes\b|,? tak,|\bnikt\b|(?:nadal|"
    r"wciaz|dalej) nie|still (?:no\b|not|have|waiting)|noch (?:immer )?nicht (?:geliefert|erhalten)|z prosba|"
    r"w takim razie|(?:zloze|wysle|przesle|odbiore|kupie|zaplace|przyjade|zadzwonie|podjade|dostarcze|zalatwie|dosle|"
    r"wpadne|zrobie|przeleje|podesle)\b|prosz\w+ (?:\w+ )?(?:zeby|aby|by)\b|chetnie|moge|mozemy sie|musz|"
    r"let(?:'s| us|"
    r" me know)|(?:please|and|so|then) (?:leave|deliver|ship|send|"
    r"order|bring|book|confirm|cancel|resend(?! (?:your|this|the) (?:message|e-?mail|mail))|hold|keep|remove|"
    r"add)|could you|can you|would you|(?:i|we)(?:'d|"
    r" would) like|looking forward|"
    r"(?:bitte|und) (?:liefern|senden|schicken|bestatigen|stornieren|loschen)|konnen sie|konnten sie|pouvez|pourriez|"
    r"je voudrais|merci de (?:me |m'|livrer|"
    r"confirmer|passer)|nous voudrions|podria|pueden|quisier|vorrei|potete|potrebbe|gostaria|poderia|muzete|mohli|"
    r"chtel|zastavim|stavim)"
)
"""What the author wants of the reader, or will do for him: responders neither want nor promise, but an answer."""
_ADDRESSED: Final = re.compile(
    r"\A\W*(?:(?i:hi|hello|hey|dear|morning|hej|czesc|witaj|hallo|moin|liebe[rs]?|lieber|bonjour|salut|hola|"
    r"ciao|caro|"
    r"cara|ahoj|hoi) "
    r"(?!(?i:all|there|everyone|everybody|sender|customers?|friends?|sir|madam|colleagues?|clients?|valued|guests?|"
    r"members?|team|wszyst\w*|panstwo|you|"
    r"and|i|we|my|thanks?|thank|jestem|kund\w*|damen|zusammen|kolleg\w*|a\b|tous|toutes|madame|monsieur|client\w*|"
    r"amig\w*|todos|tutti|ich|this|the|nowy)\b)"
    r"[A-Z][a-z]+\W|(?i:hallo|guten tag|sehr geehrte[rs]?|dear|bonjour|hi|hello|liebe[rs]?|szanown[ay]|dzien dobry,?|"
    r"witam,?|dobry den,?) "
    r"(?i:frau|herr|mr|mrs|ms|madame|monsieur|pani[e]?|pane) [A-Z]|(?i:pan(?:ie|i)) [A-Z][a-z]+(?:u|o|e)\W|(?i:szef|"
    r"kolego|kolezanko|kochan|drogi panie|droga pani)\w*)"
)
"""A greeting by name: responders know nobody."""


class Prose:
    """What an author says, cut into sentences once, whoever asks about them."""

    def __init__(self, said: str) -> None:
        """`said` is without what is quoted in it, be it line by line or in quotation marks."""
        self._words = plain(said).replace("\u2019", "'")

    @lazy
    def _said(self) -> list[str]:
        """The sentences above a disclaimer, which servers add to everybody's mail."""
        return list(takewhile(lambda each: not _DISCLAIMER.search(each), _sentences(self._words)))

    @lazy
    def _kinds(self) -> list[tuple[str, frozenset[str]]]:
        """Each sentence with its kinds."""
        return [(each, _SENTENCE.found(each)) for each in self._said]

    @lazy
    def is_personal(self) -> bool:
        """Whether the author addresses somebody by name, or wants something of the reader."""
        return bool(_ADDRESSED.match(self._words)) or any(_wants(each) for each in self._said)

    @lazy
    def is_about_mail(self) -> bool:
        """Whether it speaks of mail, of an answer to it, or of whom to write to: a reply to no mail in particular does.

        `I'm away until Friday. The kids will unload it.` does not.
        """
        return bool(_OF_MAIL.search(self._words.lower()))

    @lazy
    def is_story(self) -> bool:
        """Whether it tells what its author did, or goes on about other things: `I'm away, but my sister fetches it`."""
        return any(
            _STORY.search(each) or any(_foreign(clause) for clause in _CONTRAST.split(each)[1:]) for each in self._said
        )

    def weight(self, subject: str, *, strict: bool, desk: bool = True, clauses: bool = False) -> int:
        """How surely it is a responder's, whose sentences are all of their kinds: 0 where they are not, else 1 to 18.

        The subject may say what the text leaves out. A few words of another kind are let through unless `strict`;
        unless `desk`, a receipt or a promise makes no responder. With `clauses` each must be known.
        """
        if self.is_personal:
            return 0
        kinds = set(_SENTENCE.found(plain(subject).lower()))
        strange = 0
        for sentence, of in self._kinds:
            found = of | {"contact"} if _PLEASE.search(sentence) else of
            kinds |= found
            if found <= _WEAK and len(sentence.split()) > _SAID_SHORTLY:
                found = frozenset()
            if clauses and found:
                strange += sum(_foreign(each) for each in _CLAUSE.split(sentence)[1:]) + bool(_STORY.search(sentence))
            strange += 0 if found or _is_courtesy(sentence) else max(0, len(sentence.split()) - _NAME)
        if not kinds & (_CORE if desk else _GONE):
            return 0
        known = sum(_WEIGHTS.get(name, 0) for name in kinds)
        return 0 if strange > (0 if strict else _STRANGE) else known - bool(strange)


def announces(subject: str) -> bool:
    """Whether a subject says by itself what responders say: an absence, a receipt, a mailbox given up."""
    return bool(_SENTENCE.found(plain(subject).lower()) & _ABOUT_MAIL)


def is_reply(own: str) -> bool:
    """Whether any sentence says what responders say: an absence, a receipt, a promise, a mailbox given up."""
    return any(_SENTENCE.found(each) & _CORE for each in _sentences(plain(own)))


def _wants(sentence: str) -> bool:
    if _WISHED.search(sentence) or ("?" in sentence and not _OWN_QUESTION.search(sentence)):
        return True
    return not _REFERS.search(sentence) and any(not _DESKS.search(each["wish"]) for each in _PLEASE.finditer(sentence))


def _foreign(clause: str) -> int:
    """The words of a clause beyond a name's, where it is of no kind."""
    kinds = _SENTENCE.found(clause)
    known = kinds - _WEAK or _PLEASE.search(clause) or _OF_MAIL.search(clause) or _is_courtesy(clause)
    return 0 if known else max(0, len(clause.split()) - (_NAME if kinds else _NAME // 2))


def _sentences(words: str) -> list[str]:
    lines = words.split("\n")
    joined = "\n".join(f"{line}\n" if len(line) < _SHORT_LINE else line for line in lines)
    return [" ".join(each.lower().split()) for each in _BREAK.split(joined) if each.strip()]


def _is_courtesy(sentence: str) -> bool:
    return bool(_COURTESY.match(sentence)) and len(sentence.split()) <= _GREETING
