"""What automatic replies are made of, sentence by sentence: a letter says something else too, a responder does not."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.report import quoting
from bouncemilter.report.automaton import Guarded
from bouncemilter.report.spelling import plain

_AWAY: Final = (
    r"urlop|nieobecn|poza (?:biur|firm|miast|dom|kraj|zasieg|granic|miejscem)|zwolnieni|\bl4\b|macierzyn|wychowawcz|"
    r"rodziciel|delegacj|wyjezdzie|wyjazd|szkoleni|konferencj|targ(?:i|ach)\b|chorob|rekolekcj|niedostepn|sanatori|"
    r"szpital|wakacj|feri(?:e|ach)|kwarantann|podrozy sluzb|odbior nadgodzin"
)
_CLASSES: Final = {
    "absent": r"\b(?:jestem|bede|przebywa\w*|pozostaje|jestesmy|bedziemy|uczestnicze|korzystam|(?:jest|bedzie) (?:obecnie "
    r"|aktualnie )?(?:na|w|poza|nieob|niedost))[^?]{0,60}?(?:" + _AWAY + r")|^(?:obecnie |aktualnie |teraz )?(?:na |w )?"
    r"(?:urlop|nieobecn|poza biurem|delegacj|zwolnieni)|\bnie (?:ma|bedzie) (?:mnie|nas)\b|"
    r"\bmam(?:y)? (?:\w+ )?(?:wolne|urlop)|przerw[aey] (?:urlop|swiat|techn|waka|ferii|zimow|letni)|"
    r"\b(?:nieczynn|zamkniet)(?:y|e|a)\b|nie czyta(?:m|my)\b|ograniczon\w+ dostep|bez dostepu|nie mam dostepu|"
    r"(?:maile|poczte|skrzynke) (?:czytam|sprawdzam) (?:sporad|rzadk|nieregul|rzadziej)|"
    r"\b(?:i|we)(?:'m| am|'ll be| will be|'re| are)\b[^?]{0,40}?\b(?:out(?: until| from| on| today| this| next| with| all| at| and| for| of (?:the )?(?:office|country|town)|\W*$)|away|off "
    r"(?:work|sick|until|on|from)|on (?:\w+ ){0,3}(?:leave|vacation|holidays?|trip|duty|sabbatical|training|honeymoon|pto)|"
    r"travell?ing|unavailable|offline|not (?:in the office|working|available|at work)|in hospital|abroad|closed)\b|"
    r"\bcurrently (?:away|out|on|off|unavailable|closed)\b|^(?:off sick|on (?:\w+ )?leave|on holiday|ooo\b|away (?:until|from)|"
    r"gone (?:fishing|on|til)|out (?:of (?:the )?office|until))|limited (?:access|connect|email)|"
    r"\b(?:office|offices|shop|store|studio|surgery|business|practice|library|factory|workshop|warehouse|school|museum|"
    r"team)\b[^?]{0,40}?\b(?:closed|shut|on (?:\w+ )?(?:break|holiday))\b|"
    r"\b(?:won't|will not|not) be (?:answering|checking|reading|available|able to (?:read|check|answer|reply)|in the office|"
    r"monitoring)|jury (?:service|duty)|without (?:access to|email|internet)|"
    r"\b(?:bin|befinde mich|sind|bleiben|bleibt|werde ich)\b[^?]{0,70}?(?:nicht im (?:buro|haus|dienst)|urlaub|abwesend|ausser haus|"
    r"\bkrank|elternzeit|mutterschutz|dienstreise|fortbildung|nicht erreichbar|geschlossen)|nicht im (?:buro|haus)\b|"
    r"betriebs(?:ferien|urlaub)|(?:macht|machen|haben|hat)\b[^?]{0,40}?(?:ferien|urlaub\b|geschlossen)|"
    r"\b(?:suis|serai|sommes|serons|est|sera)\b[^?]{0,50}?(?:\babsent|conges?\b|deplacement|vacances|arret (?:de |mal)|en formation|"
    r"injoignable|indisponible|maternite|paternite|ferme[es]*\b)|^absente? |"
    r"\b(?:estoy|estare|me encuentro|estamos|estaremos|permanecera)\b[^?]{0,50}?(?:vacaciones|ausente|fuera|de baja|viaje|permiso|"
    r"cerrad)|\b(?:sono|saro|siamo|saremo|restera|rimarra)\b[^?]{0,50}?(?:\bferie|assent|fuori|congedo|malattia|maternita|trasferta|"
    r"chius)|\b(?:estou|estarei|encontro-me|estamos|estaremos)\b[^?]{0,50}?(?:ferias|ausente|fora|licenca|viagem|fechad)|"
    r"\b(?:ik ben|wij zijn|we zijn|ben ik)\b[^?]{0,50}?(?:vakantie|afwezig|niet (?:op kantoor|aanwezig|bereikbaar)|verlof|ziek|gesloten)|"
    r"cerpam |\b(?:jsem|som|budu|jsme|mame)\b[^?]{0,50}?(?:dovolen|nepritom|mimo kancelar|nemocensk|sluzebni|skoleni|zavreno)|"
    r"\b(?:jag ar|har|vi har)\b[^?]{0,40}?(?:semester|franvar|ledig|stangt)|jeg (?:er|har)\b[^?]{0,40}?(?:ferie|fravær|kontoret)|"
    r"szabadsag|tavol vagyok|lomalla|нахожусь|в отпуске|отсутству|不在|休暇|休業",
    "back": r"\bwrac(?:am|amy)\b|\bwroc(?:e|imy|imy)\b|po (?:moim |naszym )?powrocie|powrot\b|po tym (?:terminie|czasie)|"
    r"\b(?:do|od|from|until|till?|through|thru|bis(?: zum| einschl\w+)?|ab(?: dem)?|vom|jusqu'au|jusqu'a|du|hasta(?: el)?|"
    r"a partir|fino al?|dal|ate|tot(?: en met)?|t/m|between|on)\b[^?]{0,14}?(?:\d|poniedz|wtork|srod|czwart|piat|sobot|niedziel|mon|tue|"
    r"wed|thu|fri|sat|sun|next|further|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|okt|nov|dec|dez|dic|lut|kwie|maj|czerw|lip|"
    r"sierp|wrze|pazdz|list|grud|stycz|montag|dienst|mittw|donn|freitag|lundi|mardi|mercr|jeudi|vendr|lunes|gennaio|konca|"
    r"odwolania|the end)|w dniach \d|przez (?:najblizsz|caly|\w+ tyg)|\bback (?:on|in|at|from|monday|tuesday|the)|\breturn|"
    r"re-?open|w terminie \d|wieder (?:da|erreichbar|im|fur)|ruckkehr|\bretour\b|reviendrai|regres|volver|rientr|tornero|retorn|"
    r"\bterug|zpet\b|vratim|\bvracim|vissza|tillbaka|вернусь",
    "contact": r"[a-z0-9._-]{2,}@[a-z0-9-]+\.[a-z]|(?:\+|\btel|\bnr|\bnumer|phone|\bext|wew)\D{0,8}\d{2}|\d{2,3}[ -]\d{2,3}[ -]\d{2,}|"
    r"\bzastep(?:uj|c|stw)|zastapi\b|\bkontakt|\bdzwon|zadzwon|w pilnych|w naglych|w (?:mojej )?sprawach|sprawy? (?:biezac|pilne)|"
    r"pilnych spraw|w razie (?:pilnej|potrzeby|wazn)|nastepc[aay]|\bcontact\b|\burgent|emergenc|speak to|(?:covered|handled) by|"
    r"in my absence|covering (?:for )?me|direct (?:any |all |your )?(?:enquir|inquir|quer|question)|\bwenden sie|\bdringend|"
    r"vertret(?:ung|en)|vertritt|anfragen an|notf[ae]ll|d'urgence|toute urgence|adresser a|contacter|en mon absence|urgente|"
    r"contact(?:e|ad|ar|en|o)\b|rivolg|contattare|scrivere a|spoedeisend|dringende|contact op|nalehav|kontaktujte|obratte|"
    r"volejte|surgos|bradskande|срочн|обращ|kierowac na|pisac na|www\.|https?://",
    "thanks": r"dziekuj\w+ za (?:\w+ )?(?:wiadomosc|kontakt|e-?mail|mail|zgloszen|zapytan|korespond|przeslan|nadeslan|cierpliw|skorzyst)|"
    r"(?:otrzymalismy|odebralismy|przyjelismy|zarejestrowalismy) (?:\w+ ){0,2}(?:wiadomo|zglosz|mail|e-mail|zapyt|pismo)|"
    r"(?:wiadomosc|zgloszenie|pismo|e-?mail|mail|zapytanie|sprawa)\b[^?]{0,40}?(?:zosta[lw]\w+|dotarl\w*|otrzymal\w*|trafil\w*)|"
    r"potwierdza(?:my|m) (?:otrzym|przyj|odbior|wplyw)|"
    r"thank(?:s| you)\b[^?]{0,30}?(?:message|e-?mail|contact|writing|reaching|touch|enquiry|inquiry|patience|understanding|request)|"
    r"\bwe(?:'ve| have)? (?:received|got) your|(?:message|e-?mail|request|enquiry|inquiry|case|ticket)\b[^?]{0,20}? (?:has been|was|has) "
    r"(?:received|arrived|created|logged|registered|opened)|confirm (?:the )?receipt|(?:danke?|dank) fur (?:ihre|deine)|eingegangen|"
    r"haben (?:ihre|deine) (?:\w+ )?(?:mail|e-mail|nachricht|anfrage) erhalten|avons bien recu|bien ete (?:recu|enreg)|"
    r"merci (?:de|pour) votre (?:message|mail|courriel|demande|e-mail|comprehension|patience)|hemos recibido|"
    r"gracias por (?:su|tu|contact|escrib|ponerse)|abbiamo ricevuto|grazie per (?:aver|il (?:suo|vostro)|la (?:sua|vostra))|"
    r"recebemos|obrigad[oa] p|dekujeme za|obdrzeli jsme|bedankt voor|hebben uw|tack for|koszonjuk|получили ваш|受け付け",
    "promise": r"\bodp(?:owie(?:m|my)|isz(?:e|emy))\b|odpowiada(?:my|m) na|odpowiedz(?:i)? udziel|udzieli(?:my|m)|skontaktuj\w+ sie|"
    r"rozpatrz|rozpatrywan|oddzwoni|na (?:wszystkie )?(?:wiadomosci|maile) odp|w ciagu (?:\d|kilku|najbliz)|najszybciej|"
    r"(?:will|aim to|shall|'ll|try to|be)\b[^?]{0,40}?\b(?:reply|respond|in touch|get back|answer|come back to)\b|within (?:\d|one|two|three)|"
    r"(?:business|working) (?:day|hour)|as soon as|nummer lautet|bearbeite|melden? (?:wir )?(?:uns|mich)|(?:antworte|beantworte)|"
    r"schnellstmoglich|so bald wie|repondr|meilleurs delais|reviendr|prendrons contact|responder|contactarem|lo antes|atender|"
    r"risponder|ricontatt|prima possibile|o mais breve|entraremos|nemen (?:wij |we )?(?:zo|contact)|neem ik contact|zo spoedig|odpovi(?:me|m)\b|"
    r"co nejdrive|valaszol|aterkommer|svarar|ответим|ответ",
    "machine": r"automat|autorespon|auto[- ]?(?:reply|response)|(?:prosz\w+|prosimy)[^?]{0,20}? nie odpowiadac|do not reply|don't reply|"
    r"(?:not|un) ?monitored|wygenerowan|no-?reply|nicht (?:auf diese (?:e-?mail|nachricht) )?(?:antworten|zu antworten)|ne pas repondre|"
    r"no responda|non rispondere|nao responda|neodpovidejte|自動",
    "hours": r"\b(?:czynn|godz|pracujemy|otwart|przyjmuj|wtork)\w*|\d{1,2}(?:[:.]\d\d)?\s?(?:-|–|to|bis|do|a)\s?\d{1,2}|\bopen(?:ing)?\b|"
    r"(?:opening|office|working) hours|monday|mon-fri|24 ?h|zamowienia? (?:zlozon|przyjm)|same day|offnungszeit|geoffnet|ouvert|horaire|"
    r"abiert|orari|dni robocz|nie zmienia[cj]\w* tematu|(?:case|ticket|reference) (?:number|id|no)|zespol|nadano numer|cierpliwosc|"
    r"patience|zrozumieni|przepraszam|apologi|sorry for|entschuldig|verstandnis|comprehension|notify|(?:nie|not)[^?]{0,15}"
    r"(?:przekaz|forward|weitergeleit|doorgestuurd)|klient\w* odbier|wesolych|spokojnych|happy (?:christmas|holidays|new year)",
    "dead": r"\b(?:adres|skrzynk|konto|mailbox|inbox|e-?mail|address|account|postfach|adresse|boite|buzon|casella|correo)\w*\b[^?]{0,70}?"
    r"(?:nie (?:jest|bedzie) (?:juz |dluzej )?(?:uzywan|obslugiwan|czytan|monitorowan|sprawdzan|aktywn|wykorzyst|odbieran)|nieaktywn|"
    r"(?:zostan\w+|bedzie) (?:\w+ )?(?:zamkniet|usuniet|wylacz|zlikwid|skasow|wygasz)|zlikwidowan|ulegl\w* zmianie|zmienil\w*|"
    r"no longer (?:be )?(?:used|in use|read|monitored|active|checked|valid|exist|attended)|(?:is|are) not (?:monitored|read|checked|attended)|"
    r"has changed|nicht mehr (?:gelesen|verwendet|aktiv|abgerufen|genutzt|gultig)|hat sich geandert|n'est plus|a change\b|ya no (?:se|esta|existe)|"
    r"ha cambiado|non (?:e|viene) piu|e cambiato|mudou|uz (?:neni|nepouz)|не используется)|"
    r"zmian[aey] adresu|(?:poczta|wiadomosc|messages?|nachricht|correspondence)\w*\b[^?]{0,50}?(?:nie (?:jest|sa|bedzie|beda|zostan\w+) (?:czytan|"
    r"odczytan|odbieran)|not (?:be |been )?read|no longer (?:checked|read|monitored)|nicht (?:mehr )?gelesen)|"
    r"(?:my|our) new (?:e-?mail )?(?:address )?is|(?:moj|nasz) nowy (?:adres|e-?mail|mail)|neue (?:e-?mail-?)?adresse (?:lautet|ist)|"
    r"nouvelle adresse (?:est|e-?mail)|update (?:your|the) (?:records|address|contact)|(?:elektroniczna|adres)\b[^?]{0,30}? nie przyjmuje",
    "left": r"(?:zakonczy|przesta|rozsta|odsze|odeszl)\w*[^?]{0,40}?(?:wspolprac|prac|firm|zatrudn|uczeln|szkol|urzed)|"
    r"\bnie (?:jest(?:em)? )?(?:juz )?(?:\w+ )?(?:pracuje|pracownikiem|zatrudnion)|\bpassed away\b|\bzmarl[aey]?\b|verstorben|deced|"
    r"\b(?:i|he|she|has|have|mr\.? \w+|ms\.? \w+) (?:no longer|left|retired|resigned)\b|no longer (?:work|with|employ|at\b|a member)|na emerytur|im ruhestand|"
    r"a la retraite|jubil(?:ad|acj)|ausgeschieden|nicht mehr (?:\w+ ){0,3}(?:unternehmen|haus|tatig|beschaftigt|bei uns|firma)|ne (?:travaille|fait) plus|"
    r"a quitte|ya no trabaj|non lavor\w+ piu|nao trabalh|werkt niet meer|nepracuj|upadlosci|likwidacji|"
    r"slutat|больше не работа|退職",
}
"""Kinds of sentences, in plain Latin letters; `hours` stands for all that desks add."""
_WEIGHTS: Final = {"absent": 2, "left": 3, "dead": 3, "machine": 2, "thanks": 1, "promise": 1, "back": 1, "contact": 1}
_SENTENCE: Final = {name: re.compile(pattern) for name, pattern in _CLASSES.items()}
_CORE: Final = Guarded("|".join(_CLASSES[name] for name in ("absent", "left", "dead", "machine", "thanks")), re.MULTILINE)
_COURTESY: Final = re.compile(
    r"\W*(?:witam|witaj|czesc|hej|dzien dobry|szanown|drodzy|drogi|pozdraw|z powazan|z wyraz|serdeczn|milego|zycze|uprzejmie informuj|"
    r"hi\b|hello|dear|good (?:morning|day|afternoon)|kind|best|regards|cheers|many thanks|thanks?\W*\Z|thank you\W*\Z|yours|sincerely|"
    r"warm|guten|hallo|sehr geehrte|liebe|mit |mfg|viele gr|freundlich|bonjour|madame|monsieur|cordial|bien |hola|buen|estimad|saludos|"
    r"un saludo|atentamente|gentil|salve|ciao|distinti|cordiali|ola\b|prezad|atenc|dobry den|s pozdrav|beste|geachte|met vriend|hej|"
    r"god|med v|dziekuj\w+\W*\Z|merci\W*\Z|gracias\W*\Z|grazie\W*\Z|danke\W*\Z|dekuji\W*\Z|uwaga\W*\Z|notice\W*\Z|sorry\W*\Z)"
)
_BREAK: Final = re.compile(r"(?<=\w{3}\w)[.!]+(?:\s+|\Z)|(?<=\d)[.!]+\s+(?=[A-ZŻŹĆŁŚÓ])|!+\s+|(?<=\?)\s+|\s*\n\s*\n\s*")
_SHORT_LINE: Final = 60
"""Characters of a line that its author ended; a mail program breaks longer ones."""
_NAME: Final = 3
_SIGNATURE: Final = 6
_GREETING: Final = 7
"""Words of a line that says nothing: above the last sentence that counts, below it (a firm, a street), and of courtesy."""
_URGENT: Final = re.compile(r"\W*(?:urgent|pilne|is it urgent|dringend|wazne|czy to pilne)")
_WISHED: Final = re.compile(
    r"\b(?:(?:wyslij|przyslij|dostarcz|zostaw|przywiez|dowiez|odbierz|zadzwonisz|przelej|zaplac|potwierdz|wystaw)(?:cie)?\b|daj(?:cie)? znac|"
    r"spotkajmy|umowmy|z prosba|w takim razie|(?:zloze|wysle|przesle|odbiore|kupie|zaplace|przyjade|zadzwonie|podjade|dostarcze|zalatwie|dosle|"
    r"wpadne|zrobie|przeleje|podesle)\b|prosz\w+ (?:\w+ )?(?:zeby|aby|by)\b|prosz\w+ (?:o )?(?:\w+ )?(?:wysl|wysyl|przesl|przysl|dostaw|dostarcz|potwierdz|odbior\b|ofert|wycen|faktur|cennik|zwrot|termin|"
    r"przeloz|zostaw|wystaw|sprawdz|dopis|usun|wypis)|chetnie|moge|mozemy sie|musz|let(?:'s| us| me know)|(?:please|and|so|then) (?:leave|deliver|ship|send|"
    r"order|bring|book|confirm|cancel|resend|hold|keep|remove|add)|could you|can you|would you|(?:i|we)(?:'d| would) like|looking forward|"
    r"(?:bitte|und) (?:liefern|senden|schicken|bestatigen|stornieren|loschen)|konnen sie|konnten sie|pouvez|pourriez|je voudrais|merci de (?:me |m'|livrer|"
    r"confirmer|passer)|nous voudrions|podria|pueden|quisier|vorrei|potete|potrebbe|gostaria|poderia|muzete|mohli|chtel|zastavim|stavim)"
)
"""What the author wants of the reader, or will do for him: responders neither want nor promise, but an answer."""
_ADDRESSED: Final = re.compile(
    r"(?i)\A\W*(?:(?:hi|hello|hey|dear|morning|hej|czesc|witaj|hallo|moin|liebe[rs]?|lieber|bonjour|salut|hola|ciao|caro|cara|ahoj|hoi)[ ,]+"
    r"(?!(?:all|there|everyone|everybody|sender|customers?|friends?|sir|madam|colleagues?|clients?|valued|guests?|members?|team|wszyst\w*|panstwo|you|"
    r"and|i|we|my|thanks?|thank|jestem|kund\w*|damen|zusammen|kolleg\w*|a\b|tous|toutes|madame|monsieur|client\w*|amig\w*|todos|tutti|ich|this|the|nowy)\b)"
    r"[a-z]+\W|pan(?:ie|i) [a-z]+(?:u|o|e)\W|(?:szef|kolego|kolezanko|kochan|drogi panie|droga pani)\w*)"
)
"""A greeting by name: responders know nobody."""


def weight(own: str, subject: str) -> int:
    """How surely `own` is a responder's, whose every sentence must be one of theirs: 0 where one is not, else 1 to 14.

    The subject may say what the text leaves out.
    """
    words = plain(quoting.without_quotations(own)).replace("\u2019", "'")
    subject = plain(subject).lower()
    if _ADDRESSED.match(words):
        return 0
    if not _CORE.search(f"{subject}\n{words}".lower()):
        return 0
    kinds = _kinds(subject)
    unknown = []  # since the last sentence that is known
    for sentence in _sentences(words):
        found = _kinds(sentence)
        if _WISHED.search(sentence) or ("?" in sentence and not _URGENT.match(sentence)):
            return 0
        if found:
            if any(len(each.split()) > _NAME for each in unknown):
                return 0
            unknown = []
            kinds |= found
        elif not _is_courtesy(sentence):
            unknown.append(sentence)
    if any(len(each.split()) > _SIGNATURE for each in unknown):
        return 0
    return sum(_WEIGHTS.get(name, 0) for name in kinds)


def _kinds(sentence: str) -> set[str]:
    return {name for name, pattern in _SENTENCE.items() if pattern.search(sentence)}


def _sentences(words: str) -> list[str]:
    lines = words.split("\n")
    joined = "\n".join(f"{line}\n" if len(line) < _SHORT_LINE else line for line in lines)
    return [" ".join(each.lower().split()) for each in _BREAK.split(joined) if each.strip()]


def _is_courtesy(sentence: str) -> bool:
    return bool(_COURTESY.match(sentence)) and len(sentence.split()) <= _GREETING
