"""What automatic replies are made of, sentence by sentence: a letter says something else too, a responder does not."""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.report import quoting
from bouncemilter.report.spelling import plain

_AWAY: Final = (
    r"urlop|nieobecn|poza (?:biur|firm|miast|dom|kraj|zasieg|granic|miejscem)|zwolnieni|\bl4\b|macierzyn|wychowawcz|"
    r"rodziciel|delegacj|wyjezdzie|wyjazd|szkoleni|konferencj|targ(?:i|ach)\b|chorob|rekolekcj|niedostepn|sanatori|"
    r"szpital|wakacj|feri(?:e|ach)|kwarantann|podrozy sluzb|odbior nadgodzin"
)
_CLASSES: Final = {
    "absent": r"\b(?:jestem|bede|przebywa\w*|pozostaje|jestesmy|bedziemy|uczestnicze|korzystam|(?:jest|"
    r"bedzie) (?:obecnie "
    r"|aktualnie )?(?:na|w|poza|nieob|niedost))[^?]{0,60}?(?:" + _AWAY + r")|^(?:obecnie |aktualnie |teraz )?(?:na |"
    r"w )?"
    r"(?:urlop|nieobecn|poza biurem|delegacj|zwolnieni)|\bnie (?:ma|bedzie) (?:mnie|nas)\b|\b(?:mnie|"
    r"nas) (?:\w+ )?nie (?:ma|bedzie)\b|(?:sprawdzam|czytam|odbieram) (?:poczte|maile|skrzynke|te)[^?]{0,20}?(?:raz|"
    r"rzad|tylko|sporad)|"
    r"\bpracuje (?:tylko |zdalnie )?(?:w |od |do )?(?:poniedz|wtork|srod|czwart|piat|na (?:pol|czesc))|zdalnie i|"
    r"\bmam(?:y)? (?:\w+ ){0,2}?(?:wolne|wolny|wolna|urlop)|\bw (?:okresie|czasie) (?:ferii|wakac|swiat|urlop)|"
    r"\bwyjechal(?:em|am|ismy)|dostep do \w+ mam (?:tylko|ogran)|dzien wolny od pracy|przerw[aey] (?:urlop|swiat|techn|"
    r"waka|ferii|zimow|letni)|"
    r"\b(?:nieczynn|zamkniet)(?:y|e|a)\b|nie (?:czyta|odbiera|odpisuj|odpowiada|sprawdza)(?:m|my|e|emy)\b|"
    r"nie pracuj(?:e|emy)(?: \w+)?\W*$|\b(?:mojej|naszej) nieobecnosci|in my absence|meiner abwesenheit|mon absence|"
    r"mi ausencia|mia assenza|(?:z powodu|w zwiazku z) (?:\w+ )?(?:chorob|awari|remont|urlop|inwentaryz|przeprowadz|"
    r"zalob)|"
    r"ograniczon\w+ dostep|bez dostepu|nie mam dostepu|"
    r"(?:maile|poczte|skrzynke) (?:czytam|sprawdzam) (?:sporad|rzadk|nieregul|rzadziej)|"
    r"\b(?:i|we)(?:'m| am|'ll be| will be|'re| are)\b[^?]{0,40}?\b(?:back (?:on|in|at|from) |out(?: until| sick| from|"
    r" on| today| this| next| with| all| at| and| for| of (?:the )?(?:office|country|town)|\W*$)|away|off "
    r"(?:work|sick|until|on|from)|on (?:\w+ ){0,3}(?:leave|vacation|holidays?|trip|duty|sabbatical|break|training|"
    r"honeymoon|pto)|"
    r"(?:at|in|attending|speaking at) (?:an? |the |back-to-back )?(?:\w+ )?(?:conference|trade (?:show|fair)|fair|"
    r"training|workshop|seminar|meetings|event|court)|travell?ing|unwell|\bill\b|unavailable|offline|"
    r"not (?:in the office|working|available|at work)|in hospital|abroad|closed)\b|"
    r"\bcurrently (?:away|out|on|off|unavailable|closed)\b|^(?:off sick|on (?:\w+ )?leave|on holiday|ooo\b|"
    r"away (?:until|from|at the moment|right now|today|this|all)|"
    r"gone (?:fishing|on|til)|out (?:of (?:the )?office|until))|limited (?:access|connect|email)|"
    r"\b(?:office|offices|shop|store|studio|surgery|business|practice|library|factory|workshop|warehouse|school|museum|"
    r"team)\b[^?]{0,40}?\b(?:closed|shut|on (?:\w+ )?(?:break|holiday))\b|"
    r"\b(?:won't|will not|not) be (?:answering|checking|reading|available|able to (?:read|check|answer|reply)|"
    r"in the office|"
    r"monitoring)|\bi (?:only|generally|usually|normally) (?:check|read|work|monitor)|\bi work (?:part|mon|tue|wed|thu|"
    r"fri|three|four|two)|my (?:\w+ )?(?:cover|replacement|deputy|stand-in) is|"
    r"jury (?:service|duty)|patchy|(?:can't|cannot|unable to|not able to) (?:read|check|access|answer|reply|respond)|"
    r"(?:public|bank|national) holiday|\b(?:mat|maternity|paternity|parental|annual|sick|medical|compassionate|"
    r"study) leave|(?:unfortunately )?i am (?:unwell|ill|sick)|without (?:access to|email|internet)|"
    r"wieder (?:erreichbar|im (?:buro|haus|dienst)|fur sie da)|nicht am (?:arbeits)?platz|nicht besetzt|\b(?:bin|ist|"
    r"befinde mich|sind|bleiben|bleibt|werde ich)\b[^?]{0,70}?(?:nicht im (?:buro|haus|dienst)|urlaub|abwesend|"
    r"ausser haus|"
    r"\bkrank|\bin (?:kur|reha)\b|\bkur und|messe\b|unterwegs|elternzeit|mutterschutz|dienstreise|fortbildung|"
    r"nicht erreichbar|geschlossen)|nicht im (?:buro|haus)\b|"
    r"betriebs(?:ferien|urlaub)|lese (?:\w+ )?keine|(?:macht|machen|haben|hat)\b[^?]{0,40}?(?:ferien|urlaub\b|"
    r"geschlossen)|"
    r"\b(?:suis|serai|sommes|serons|est|sera)\b[^?]{0,50}?(?:\babsent|conges?\b|deplacement|vacances|arret (?:de |mal)|"
    r"en formation|"
    r"injoignable|indisponible|maternite|paternite|ferme[es]*\b)|^absente? |(?:actuellement|en ce moment) (?:en |"
    r"absent|indispon|dans)|"
    r"\b(?:estoy|estare|me encuentro|estamos|estaremos|permanecera)\b[^?]{0,50}?(?:vacaciones|ausente|fuera|de baja|"
    r"viaje|permiso|"
    r"cerrad)|\b(?:sono|saro|siamo|saremo|restera|rimarra)\b[^?]{0,50}?(?:\bferie|assent|fuori|congedo|malattia|"
    r"maternita|trasferta|"
    r"chius)|\b(?:estou|estarei|encontro-me|estamos|estaremos)\b[^?]{0,50}?(?:ferias|ausente|fora|licenca|viagem|"
    r"fechad)|"
    r"\b(?:ik ben|wij zijn|we zijn|ben ik)\b[^?]{0,50}?(?:vakantie|afwezig|niet (?:op kantoor|aanwezig|bereikbaar)|"
    r"verlof|ziek|gesloten)|"
    r"cerpam |\b(?:jsem|som|budu|jsme|mame)\b[^?]{0,50}?(?:dovolen|nepritom|mimo kancelar|nemocensk|sluzebni|skoleni|"
    r"zavreno)|"
    r"\b(?:jag ar|har|vi har)\b[^?]{0,40}?(?:semester|franvar|ledig|stangt)|jeg (?:er|har)\b[^?]{0,40}?(?:ferie|fravær|"
    r"kontoret)|"
    r"riaprir|reabri|rouvr|reouvr|szabadsag|tavol vagyok|lomalla|нахожусь|в отпуске|отсутству|不在|休暇|休業",
    "back": r"\bwrac(?:am|amy)\b|\bwroc(?:e|imy|imy)\b|po (?:moim |naszym )?powrocie|powrot\b|po tym (?:terminie|"
    r"czasie)|"
    r"\b(?:do|od|from|until|till?|through|thru|bis(?: zum| einschl\w+)?|ab(?: dem)?|vom|jusqu'au|jusqu'a|du|"
    r"hasta(?: el)?|"
    r"a partir|fino al?|dal|ate|tot(?: en met)?|t/m|between|on)\b[^?]{0,14}?(?:\d|poniedz|wtork|srod|czwart|piat|sobot|"
    r"niedziel|mon|tue|"
    r"wed|thu|fri|sat|sun|next|further|jan|feb|mar|maart|apr|may|jun|jul|aug|sep|oct|okt|nov|dec|dez|dic|lut|kwie|maj|"
    r"czerw|lip|"
    r"sierp|wrze|pazdz|list|grud|stycz|montag|dienst|mittw|donn|freitag|lundi|mardi|mercr|jeudi|vendr|lunes|gennaio|"
    r"konca|"
    r"odwolania|the end)|w dniach \d|przez (?:najblizsz|caly|\w+ tyg)|\bback (?:on|in|at|from|monday|tuesday|the)|"
    r"\breturn|"
    r"re-?open|w terminie \d|wieder (?:da|erreichbar|im|fur)|ruckkehr|\bretour\b|reviendrai|regres|volv|rientr|tornero|"
    r"retorn|"
    r"\bterug|zpet\b|vratim|\bvracim|vissza|tillbaka|вернусь",
    "contact": r"[a-z0-9._-]{2,}@[a-z0-9-]+\.[a-z]|(?:\+|\btel|\bnr|\bnumer|phone|\bext|wew)\D{0,8}\d{2}|"
    r"\d{2,3}[ -]\d{2,3}[ -]\d{2,}|"
    r"\bzastep(?:uj|c|stw)|zastapi\b|\bkontakt|\bdzwon|zadzwon|w pilnych|w naglych|w (?:mojej )?sprawach|"
    r"sprawy? (?:biezac|pilne)|"
    r"pilnych spraw|w razie (?:pilnej|potrzeby|wazn)|nastepc[aay]|\bcontact\b|\burgent|emergenc|speak to|(?:covered|"
    r"handled) by|"
    r"in my absence|covering (?:for )?me|direct (?:any |all |your )?(?:enquir|inquir|quer|question)|\bwenden sie|"
    r"\bdringend|"
    r"vertret(?:ung|en)|vertritt|anfragen an|notf[ae]ll|d'urgence|toute urgence|adresser a|contacter|en mon absence|"
    r"urgente|"
    r"contact(?:e|ad|ar|en|o)\b|rivolg|contattare|scrivere a|spoedeisend|dringende|contact op|nalehav|kontaktujte|"
    r"obratte|"
    r"volejte|\bsms\b|\bchiama|\btelefon|\bappel(?:er|ez)\b|\bllam(?:e|ar|en)\b|\bcan help\b|\binstead\b|\bcall\b|"
    r"\bring\b|\bapply to\b|uzywac|zajmuje sie|przejal|przejel|odpowiada za|surgos|bradskande|срочн|обращ|kierowac na|"
    r"pisac na|www\.|https?://",
    "received": r"(?:otrzymalismy|odebralismy|przyjelismy|zarejestrowalismy|dotarl\w*|wplynel\w*|"
    r"trafil\w*) (?:\w+ ){0,3}?(?:wiadomo|zglosz|mail|e-mail|zapyt|pism|skrzynk|reklamac|wnios|list)|"
    r"(?:wiadomosc|zgloszenie|pismo|e-?mail|mail|zapytanie|sprawa|reklamacja|wniosek|list|"
    r"korespondencja)\b[^?]{0,40}?(?:zosta[lw]\w+|dotarl\w*|otrzymal[ao]\b|trafil\w*|wplyn\w*)"
    r"|potwierdza(?:my|m) (?:otrzyman|przyjeci|odbior|wplyw|wplyniec)\w* (?:\w+ ){0,2}?(?:wiadomosc|zglosz|e-?mail|"
    r"mail|pism|zapyt|korespond|reklam|wnios)|\bwe(?:'ve| have)? (?:safely )?(?:received|got) your|"
    r"(?:message|e-?mail|request|enquiry|inquiry|case|ticket|query|complaint)\b[^?]{0,20}? (?:has been|was|has|"
    r"is) (?:safely )?(?:received|arrived|forwarded|passed on|created|logged|registered|opened|in our)|"
    r"confirm (?:the )?receipt|eingegangen|haben (?:ihre|deine) (?:\w+ )?(?:mail|e-mail|nachricht|anfrage) erhalten|"
    r"(?:mail|nachricht|anfrage) (?:haben wir )?erhalten|avons bien recu|"
    r"bien ete (?:recu|enreg|prise? en compte|transmi)|hemos recibido|ha sido (?:recibid|registrad)|abbiamo ricevuto|"
    r"e stat[oa] (?:ricevut|registrat|presa in carico)|recebemos|foi (?:recebid|registad|registrad)|"
    r"obdrzeli jsme|jsme (?:obdrzeli|prijali)|hebben uw|(?:bericht|e-?mail) (?:\w+ )?ontvangen|har mottagit|"
    r"получили ваш|受け付け",
    "thanks": r"dziekuj\w+,? (?:za|ze) (?:\w+ ){0,2}?(?:wiadomosc|kontakt|e-?mail|mail|zgloszen|zapytan|korespond|"
    r"przeslan|nadeslan|cierpliw|skorzyst|list|zainteres)|"
    r"thank(?:s| you)\b[^?]{0,30}?(?:message|e-?mail|contact|writing|reaching|touch|enquiry|inquiry|patience|"
    r"understanding|request|interest|note)|"
    r"(?:danke?|dank) (?:fur (?:ihre|deine|die)|dass)|merci (?:de|pour|d') ?(?:votre|vos|ton|nous) (?:\w+ )?(?:message|"
    r"mail|courriel|demande|e-mail|comprehension|patience|contact)|"
    r"gracias por (?:su|tu|contact|escrib|ponerse)|ringrazi\w+ per|grazie per (?:aver|il (?:suo|vostro)|la (?:sua|"
    r"vostra))|obrigad[oa] p|dekuj(?:i|eme) za|dakuj\w+ za|bedankt voor|dank (?:u|je) (?:wel )?voor|"
    r"tack for|takk for|tak for|koszon\w+|спасибо за",
    "promise": r"z opoznieniem|\bodp(?:owiem|isze)\b|oddzwonie\b|skontaktuje sie|"
    r"\b(?:i will|i'll|i shall|i aim to|try to|expect delays)\b[^?]{0,40}?\b(?:reply|respond|in touch|get back|answer|"
    r"come back to)\b|expect delays|(?:replies|repl(?:y|ying)|responses?|answers)\b[^?]{0,20}?(?:slow|delay)|"
    r"as soon as|melde (?:ich )?mich|\bbeantworte|antworte\b|"
    r"repondrai|reviendrai|respondere\b|contestare\b|rispondero|responderei|neem ik contact|odpovim\b|ozvu se|svarar|"
    r"отвечу",
    "desk": r"\b(?:odpowiemy|odpiszemy|odpowiadamy|skontaktujemy|oddzwonimy|poinformujemy|udzielimy|rozpatrzymy|"
    r"powiadomimy)\b|odpowiedz(?:i)? (?:zostanie )?udziel|rozpatrz(?:ona|one|ony|enie)|"
    r"rozpatrywan|na (?:wszystkie )?(?:wiadomosci|maile) odp|w ciagu (?:\d|kilku|najbliz)|najszybciej|(?:czas|"
    r"termin) (?:oczekiwania|odpowiedzi|realizacji|rozpatrz)|nasz (?:konsultant|zespol|pracownik|doradca)|"
    r"\b(?:we|somebody|someone|team|agent|advisor|representative|colleagues?|member of \w+ \w+|"
    r"staff)\b[^?]{0,30}?(?:will|aim to|shall|'ll|try to)\b[^?]{0,40}?\b(?:reply|respond|in touch|get back|answer|"
    r"come back to|pick up|contact you|review|deal with|look into)\b|"
    r"within (?:\d|one|two|three|a few)|(?:business|working) (?:day|hour)|response times?|high (?:volume|number)|"
    r"duz\w+ (?:liczb|ilosc)\w* (?:zgloszen|wiadomosci|zapytan|korespond)|expect a (?:reply|response)|(?:case|ticket|"
    r"reference|request) (?:number|id|no)|numer (?:sprawy|zgloszenia|ticketu|referenc)|nummer lautet|"
    r"melden (?:wir )?uns|bearbeite|(?:wir )?antworten (?:wir )?(?:ihnen|so|schnell|morgen|gerne)|"
    r"schnellstmoglich|so (?:bald|schnell) wie|repondrons|meilleurs delais|reviendrons|prendrons contact|sera traite|"
    r"responderemos|contestaremos|contactaremos|lo antes posible|(?:en )?cuanto (?:antes|nos)|atenderemos|"
    r"risponderemo|ricontatt|prima possibile|o mais breve|entraremos em|nemen (?:wij |we )?(?:zo|contact)|zo spoedig|"
    r"odpovime|co nejdrive|ozveme|valaszolunk|aterkommer vi|ответим|рассмотр",
    "machine": r"automat|autorespon|auto[- ]?(?:reply|response)|(?:prosz\w+|prosimy)[^?]{0,20}? nie odpowiadac|"
    r"do not reply|don't reply|"
    r"(?:not|un) ?monitored|wygenerowan|no-?reply|nicht (?:auf diese (?:e-?mail|nachricht) )?(?:antworten|"
    r"zu antworten)|ne pas repondre|"
    r"no responda|non rispondere|nao responda|neodpovidejte|自動",
    "hours": r"\b(?:czynn|godz|pracujemy|otwart|przyjmuj|wtork)\w*|\d{1,2}(?:[:.]\d\d)?\s?(?:-|–|to|bis|do|"
    r"a)\s?\d{1,2}|\bopen(?:ing)?\b|"
    r"(?:opening|office|working) hours|monday|mon-fri|24 ?h|zamowienia? (?:zlozon|przyjm)|same day|offnungszeit|"
    r"geoffnet|ouvert|horaire|"
    r"abiert|orari|dni robocz|nie zmienia[cj]\w* tematu|(?:case|ticket|reference) (?:number|id|no)|zespol|nadano numer|"
    r"cierpliwosc|"
    r"patience|zrozumieni|przepraszam|apologi|sorry for|entschuldig|verstandnis|comprehension|notify|(?:nie|"
    r"not)[^?]{0,15}"
    r"(?:przekaz|forward|weitergeleit|doorgestuurd)|klient\w* odbier|wesolych|spokojnych|happy (?:christmas|holidays|"
    r"new year)",
    "dead": r"\b(?:adres|skrzynk|konto|mailbox|inbox|e-?mail|address|account|postfach|adresse|boite|buzon|casella|"
    r"correo)\w*\b[^?]{0,70}?"
    r"(?:nie (?:funkcjonuje|istnieje|dziala)|nie (?:jest|bedzie) (?:juz |dluzej )?(?:uzywan|obslugiwan|czytan|"
    r"monitorowan|sprawdzan|aktywn|wykorzyst|odbieran)|nieaktywn|sluzy (?:wylacznie|tylko)|only (?:for|accepts)|"
    r"(?:being|been) (?:retired|closed|deactivated|decommissioned|discontinued)|(?:will )?(?:be )?deleted unread|"
    r"unattended|deactivat|wird (?:\w+ )?(?:geschlossen|abgeschaltet|geloscht)|"
    r"(?:zosta[nl]\w*|bedzie) (?:\w+ )?(?:dezaktyw|zamkniet|usuniet|wylacz|zlikwid|skasow|wygasz)|zlikwidowan|"
    r"ulegl\w* zmianie|zmienil\w*|"
    r"no longer (?:be )?(?:used|in use|read|monitored|active|checked|valid|exist|attended)|(?:is|are) not (?:monitored|"
    r"read|checked|attended)|"
    r"has changed|nicht mehr (?:gelesen|verwendet|aktiv|abgerufen|genutzt|gultig)|hat sich geandert|n'est plus|"
    r"a change\b|ya no (?:se|esta|existe)|"
    r"ha cambiado|non (?:e|viene) piu|e cambiato|mudou|uz (?:neni|nepouz)|не используется)|"
    r"zmian[aey] adresu|\b(?:we|i)(?:'ve| have) moved|przeprowadzil(?:ismy|em|am)|(?:sind|bin) umgezogen|"
    r"avons demenage|(?:poczta|wiadomosc|messages?|nachricht|correspondence)\w*\b[^?]{0,50}?(?:nie (?:jest|sa|bedzie|"
    r"beda|zostan\w+) (?:juz )?(?:czytan|"
    r"odczyt|odbieran|rozpatr|obslug)|not (?:be |been )?read|no longer (?:checked|read|monitored)|"
    r"nicht (?:mehr )?gelesen)|"
    r"(?:my|our) new (?:e-?mail )?(?:address )?is|(?:moj|nasz) nowy (?:adres|e-?mail|mail)|"
    r"neue (?:e-?mail-?)?adresse (?:lautet|ist)|"
    r"nouvelle adresse (?:est|e-?mail)|update (?:your|the) (?:records|address|contact)|(?:elektroniczna|"
    r"adres)\b[^?]{0,30}? nie przyjmuje",
    "left": r"\bzmieni\w+ prac|changed jobs|new job\b|przesz\w+ na emerytur|(?:zakonczy|przesta|rozsta|odsze|"
    r"odeszl)\w*[^?]{0,40}?(?:wspolprac|prac|firm|zatrudn|uczeln|szkol|urzed)|"
    r"\bnie (?:jest(?:em)? )?(?:juz )?(?:\w+ )?(?:pracuje|pracownikiem|zatrudnion)|\bpassed away\b|\bzmarl[aey]?\b|"
    r"verstorben|deced|"
    r"\b(?:i|i've|he|she|has|have|mr\.? \w+|ms\.? \w+) (?:now |since |recently )?(?:retired|resigned|left (?:the |our |"
    r"us\b|\w+\W*$|\w+ (?:ltd|inc|in |on |last)))|no longer (?:work(?:s|ing)? (?:for|at|here|with|in this)|works\b|"
    r"in (?:this|the|that|my) (?:role|post|position|office)|with\b|employ|at\b|a member)|na emerytur|im ruhestand|"
    r"a la retraite|jubil(?:ad|acj)|ausgeschieden|nicht mehr (?:\w+ ){0,3}(?:unternehmen|haus|tatig|beschaftigt|"
    r"bei uns|firma)|ne (?:travaille|fait|fais|suis) plus|moved on|left (?:the|our|us|in|on)\b|stepped down|final day|"
    r"last day|ostatni dzien|letzter (?:arbeits)?tag|nowa? (?:osoba|pracownik)|"
    r"a quitte|ya no trabaj|non lavor\w+ piu|nao trabalh|werkt niet meer|nepracuj|upadlosci|likwidacji|"
    r"slutat|больше не работа|退職",
}
"""Kinds of sentences, in plain Latin letters; `hours` stands for all that desks add."""
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
_SENTENCE: Final = {name: re.compile(pattern) for name, pattern in _CLASSES.items()}
_COURTESY: Final = re.compile(
    r"\W*(?:witam|witaj|czesc|hej|dzien dobry|szanown|drodzy|drogi|pozdraw|z powazan|z wyraz|serdeczn|milego|zycze|"
    r"uprzejmie informuj|"
    r"hi\b|hello|dear|good (?:morning|day|afternoon)|kind|best|regards|cheers|many thanks|thanks?\W*\Z|thank you\W*\Z|"
    r"yours|sincerely|"
    r"warm|guten|hallo|sehr geehrte|liebe|mit |mfg|viele gr|freundlich|bonjour|madame|monsieur|cordial|bien |hola|buen|"
    r"estimad|saludos|"
    r"un saludo|atentamente|gentil|salve|ciao|distinti|cordiali|ola\b|prezad|atenc|dobry den|s pozdrav|beste|geachte|"
    r"met vriend|hej|"
    r"god|med v|dziekuj\w+\W*\Z|merci\W*\Z|gracias\W*\Z|grazie\W*\Z|danke\W*\Z|dekuji\W*\Z|uwaga\W*\Z|notice\W*\Z|"
    r"sorry\W*\Z)"
)
_BREAK: Final = re.compile(r"(?<=\w{3}\w)[.!]+(?:\s+|\Z)|(?<=\d)[.!]+\s+(?=[A-ZŻŹĆŁŚÓ])|!+\s+|(?<=\?)\s+|\s*\n\s*\n\s*")
_SHORT_LINE: Final = 60
"""Characters of a line that its author ended; a mail program breaks longer ones."""
_NAME: Final = 4
_GREETING: Final = 7
"""Words of a line that says nothing: a name, a firm, a street; and of one of courtesy."""
_STRANGE: Final = 12
"""Words beyond these that a responder's author may add, of his own."""
_URGENT: Final = re.compile(r"\W*(?:urgent|pilne|is it urgent|dringend|wazne|czy to pilne)")
_PLEASE: Final = re.compile(
    r"\b(?:prosz(?:e|a|ony|eni)|prosimy|uprasza|please|kindly|bitten? (?:wir )?|merci de|veuillez|por favor|le rogamos|"
    r"prego|si prega|per favore|vi preghiamo|prosim\w*|gelieve|graag)\b\W*(?P<wish>[^,;?]{0,24})"
)
_DESKS: Final = re.compile(
    r"kontakt|kierow|pisac|pisanie|dzwon|telefon|cierpliw|wyrozum|zrozumien|nie odpowiad|nie odpisyw|zwrac\w* sie|"
    r"zwroc\w* sie|uzyw|korzyst|sklad(?:ac|anie)|nie zmienia|zachow|odwiedz|adresow|(?:prze|wy)sylac na|"
    r"contact|call|\Ae-?mail|\Amail|write|direct|forward|refer|note|reach|ring|speak|text|urgent|touch|(?:not|"
    r"don't) (?:reply|respond|answer|hesitate|expect|use)|allow|bear|patien|aware|advised|expect|try|visit|see |check|"
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
_WISHED: Final = re.compile(
    r"\b(?:(?:wyslij|przyslij|dostarcz|zostaw|przywiez|dowiez|odbierz|zadzwonisz|przelej|zaplac|potwierdz|"
    r"wystaw)(?:cie)?\b|daj(?:cie)? znac|"
    r"spotkajmy|umowmy|\bhope (?:to|you)|see you (?:on|there|soon|in)|\bgo ahead|but yes\b|,? tak,|\bnikt\b|(?:nadal|"
    r"wciaz|dalej) nie|still (?:no\b|not|have|waiting)|noch (?:immer )?nicht (?:geliefert|erhalten)|z prosba|"
    r"w takim razie|(?:zloze|wysle|przesle|odbiore|kupie|zaplace|przyjade|zadzwonie|podjade|dostarcze|zalatwie|dosle|"
    r"wpadne|zrobie|przeleje|podesle)\b|prosz\w+ (?:\w+ )?(?:zeby|aby|by)\b|chetnie|moge|mozemy sie|musz|let(?:'s| us|"
    r" me know)|(?:please|and|so|then) (?:leave|deliver|ship|send|"
    r"order|bring|book|confirm|cancel|resend|hold|keep|remove|add)|could you|can you|would you|(?:i|we)(?:'d|"
    r" would) like|looking forward|"
    r"(?:bitte|und) (?:liefern|senden|schicken|bestatigen|stornieren|loschen)|konnen sie|konnten sie|pouvez|pourriez|"
    r"je voudrais|merci de (?:me |m'|livrer|"
    r"confirmer|passer)|nous voudrions|podria|pueden|quisier|vorrei|potete|potrebbe|gostaria|poderia|muzete|mohli|"
    r"chtel|zastavim|stavim)"
)
"""What the author wants of the reader, or will do for him: responders neither want nor promise, but an answer."""
_ADDRESSED: Final = re.compile(
    r"\A\W*(?:(?i:hi|hello|hey|dear|morning|hej|czesc|witaj|hallo|moin|liebe[rs]?|lieber|bonjour|salut|hola|ciao|caro|"
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


def weight(own: str, subject: str, *, strict: bool) -> int:
    """How surely `own` is a responder's, whose sentences are all of their kinds: 0 where they are not, else 1 to 18.

    The subject may say what the text leaves out. A few words of another kind are let through unless `strict`.
    """
    words = plain(quoting.without_quotations(own)).replace("\u2019", "'")
    subject = plain(subject).lower()
    if _ADDRESSED.match(words):
        return 0
    kinds = _kinds(subject)
    strange = 0
    for sentence in _sentences(words):
        found = _kinds(sentence)
        if _wants(sentence):
            return 0
        if _PLEASE.search(sentence):
            found.add("contact")
        kinds |= found
        strange += 0 if found or _is_courtesy(sentence) else max(0, len(sentence.split()) - _NAME)
    known = sum(_WEIGHTS.get(name, 0) for name in kinds)
    return 0 if strange > (0 if strict else _STRANGE) else known - bool(strange)


def is_personal(own: str) -> bool:
    """Whether the author addresses somebody by name, or wants something of the reader."""
    words = plain(quoting.without_quotations(own)).replace("\u2019", "'")
    return bool(_ADDRESSED.match(words)) or any(_wants(each) for each in _sentences(words))


def _wants(sentence: str) -> bool:
    if _WISHED.search(sentence) or ("?" in sentence and not _URGENT.match(sentence)):
        return True
    return not _REFERS.search(sentence) and any(not _DESKS.search(each["wish"]) for each in _PLEASE.finditer(sentence))


def _kinds(sentence: str) -> set[str]:
    return {name for name, pattern in _SENTENCE.items() if pattern.search(sentence)}


def _sentences(words: str) -> list[str]:
    lines = words.split("\n")
    joined = "\n".join(f"{line}\n" if len(line) < _SHORT_LINE else line for line in lines)
    return [" ".join(each.lower().split()) for each in _BREAK.split(joined) if each.strip()]


def _is_courtesy(sentence: str) -> bool:
    return bool(_COURTESY.match(sentence)) and len(sentence.split()) <= _GREETING
