"""Sentences by which people ask to be taken off, in plain Latin letters: what shall end, and whom it reaches.

A word of removal alone proves nothing (orders, photographs, appointments are removed too): it needs the author, his
address or his data as its object, or the list, or the sending of mail.
"""

from __future__ import annotations

import re
from typing import Final

from bouncemilter.report.automaton import Guarded

MAILING: Final = re.compile(
    r"newslet|mailing|e-?mail|mejl|\bmail|spam|reklam|marketing|biuletyn|subskryp|prenumerat|gazetk|verteiler|werb|rundbrief|"
    r"courriel|lettre|diffusion|bolet|correo|publicid|pubblicit|propagand|promo|ofert|handlow|baz[ya]|database|osobow|personal|"
    r"wiadomosc|odber|novin|distribution|subscri|nieuwsbrief|reclame|abonn|nyhetsbrev|hirlevel|advert"
)
"""What shows that it is mail, or the list of its readers."""
THING: Final = re.compile(
    r"zamowieni|pozycj|paczk|przesylk|towar|koszyk|fakt[uú]r|zdjec|fotograf|galeri|komentarz|opini|ogloszen|wizyt|spotkan|termin\b|"
    r"rezerwacj|umow[ayeo]|szkoleni|karnet|czlonkostw|produkt|sadzon|\border|\bitems?\b|basket|\bcart\b|booking|reservation|appointment|"
    r"meeting|photo|picture|image|comment\b|review|listing|invoice|contract|agreement|membership|course|panel|product|parcel|brochure|"
    r"(?:speakers?|guest|wait(?:ing)?|wish|attend\w+|particip\w+|price|shopping|packing|invit\w+|rota|shift|candidates?|reserve)[' -]*s? ?list|"
    r"bestell|\btermin|artikel|rechnung|vertrag|\bfotos?\b|commande|article|rendez|contrat|pedido|reserva|\bcita\b|articulo|ordine|"
    r"prodotto|articolo|prenotazione|objednavk|smlouv|polozk|obrazk|katalog"
)
"""What people also remove or cancel."""
HOW: Final = re.compile(
    r"\bhow (?:can|could|do|does|to|should|would|is)|w jaki sposob|\bjak (?:moge|mozna|sie|on|ona|mam|moglab|to zrobic|wypisac|usunac)|\bwie "
    r"(?:kann|konnen|man|geht)|\bcomment\b|\bcomo\b|\bcome (?:posso|si|puo)|\bgdzie\b|\bwhere\b|\bwo kann|whether"
)
OTHERS: Final = re.compile(
    r"\b(?:she|he|they|customers?|members?|users?|subscribers?|people|clients?|readers?|friends?|klien\w+|kolez\w+|koleg\w+|mama|moja mam\w+|"
    r"czlonk\w+|uzytkowni\w+|odbiorc\w+|ludzi\w*|kunden?|mitglied\w*|leute|clientes?|abonnes?|zakaznic\w+)\b[^.?!]{0,40}\Z"
)
"""Somebody else who wants it."""
SELF: Final = re.compile(r"\b(?:me|us|my|our|mnie|nas|moj\w*|nasz\w*|mich|uns|mein\w*|unser\w*|moi|mon|mes|nous|mi|mis|mio|mia|meu|mij|mijn)\b")

_SELF_PL: Final = (
    r"(?:mnie|nas|(?:(?:moj|nasz|ten|tego|ww|powyzsz|swoj|niniejsz)\w*\.? )+(?:adres|e-?mail|mail|mejl|dan|poczt|kont)\w*|moich|adresu? [a-z0-9._-]+@)"
)
_LIST_PL: Final = (
    r"(?:z|ze) (?:\w+ ){0,3}?(?:list|baz[ya]|newslet|mailing|subskryp|wysylk|rozsylk|biuletyn|prenumer|rejestr|zbior|ewidencj|system|kartotek|grup)"
)
_ITEMS_PL: Final = (
    r"(?:(?:mi|nam|do mnie|do nas|juz|wiecej|tych|takich|waszych|panstwa|swoich|zadnych|jakichkolwiek|jakiejkolwiek|kolejnych|dalszych|"
    r"podobnych|niechcianych|na (?:ten|moj|nasz|ww)\w* (?:adres|e-?mail|mail|skrzynke)\w*) )*"
    r"(?:e-?mail|mail|mejl|wiadomosc|ofert|newslet|reklam|spam|biuletyn|korespondencj|powiadomien|informacj|promocj|gazet|materialow|tresci|smieci|"
    r"(?:mi|nam|do mnie|do nas|juz|wiecej)(?: (?:czegokolwiek|niczego|nic|wiecej|juz))*\W*(?:$|[.!,;–-]))"
)
_POLISH: Final = (
    r"(?:usun|usuw|wypis|wykresl|skresl|wykasuj|wykasow|skasuj|skasow|wyrejestr|wyrzuc|odsubskr|wymaz|zabier)(?:z|zcie|cie|ac|iecie|aj|ajcie|anie|enie|owac|"
    r"owanie|ujcie|uj|c|iecia|ania|enia)?\b (?:\w+ ){0,2}?"
    + _SELF_PL
    + r"\b(?:\W*(?:$|[.!,])|[^.?!]{0,60}?(?:"
    + _LIST_PL
    + r"|natychm|niezwlocz|prosz|stad|danych))|"
    r"(?:mnie|nas|moj\w* (?:adres|e-?mail|mail|dan)\w*) (?:\w+ ){0,2}?(?:usun|wypis|wykresl|skresl|skasuj|wykasuj|wyrzuc|odsubskryb)(?:z|zcie|cie|ac|ic|uj|ujcie|owac)?\b|"
    r"(?:usun|wypis|wykresl|skresl|skasow|wyrejestrow)(?:z|zcie|cie|ac|ic|iecie|anie|enie|aniu|ieciu) [^.?!]{0,30}?" + _LIST_PL + r"|"
    r"(?:przestan|przestancie|przestac|zaprzestan|zaprzestac|zaprzestanie|zaprzestania|zaprzestancie|zaniechac|zaniechanie|zaniechania|skonczcie|dosc|koniec|"
    r"wstrzymac|wstrzymanie|wstrzymajcie|prosz\w+ (?:\w+ ){0,4}?nie|(?:aby|zeby|by) (?:\w+ ){0,4}?nie) (?:mi |mnie |nam |nas |do mnie |do nas |juz |wiecej |z |tego |z tym |mi juz )*"
    r"(?:(?:(?:wy|przy|prze|na|roz|pod)sy[lł]\w+|\w*mailowa\w+|pisa\w+|dostarczani\w+) " + _ITEMS_PL + r"|spamow\w+|spamu|nek(?:ac|ania)|zasypyw\w+|zasmiec\w+|bombardow\w+)|"
    r"\b(?:nic|niczego|zadnych (?:\w+ )?(?:mail|e-?mail|wiadomosc|ofert|reklam)\w*) (?:mi |nam |do mnie |juz |wiecej )*nie (?:\w+ )?(?:przysyl|wysyl|przesyl)(?:ac|aj|ajcie)|"
    r"\bnie (?:chce|zycze sobie|chcemy|zyczymy sobie|zamierzam|mam ochoty|wyrazam zgody na|jestem zainteresowan\w|jestesmy zainteresowani) (?:\w+ ){0,4}?"
    r"(?:mail|e-?mail|mejl|newslet|reklam|spam|biuletyn|korespondencj\w+ (?:reklam|handl|market)|wiadomosci|ofert\w* (?:mail|handl)|przesylanie|otrzymyw|subskryp)\w*|"
    r"\bsprzeciw\w* (?:sie )?(?:\w+ ){0,3}?(?:przetwarz|wykorzyst|marketing|wysyl|przesyl|otrzymyw)|"
    r"\bzadam\w* (?:\w+ ){0,3}?(?:usuniec|zaprzest|wykresl|wypis|skasow|zaniech)|"
    r"(?:wypisal(?:am|em|ismy) sie|zrezygnowal(?:am|em|ismy)|rezygnowal(?:am|em)|odsubskrybowal(?:am|em)|prosil(?:am|em|ismy))[^.?!]{0,60}?(?:nadal|dalej|ciagle|wciaz|mimo)"
    r"[^.?!]{0,40}?(?:dosta|otrzym|przych|wysyl|przysyl)|"
    r"(?:korzystam|skorzystac) z (?:prawa|przysluguj\w+) [^.?!]{0,40}?(?:usuniec|zapomn|sprzeciw)|prawo do bycia zapomnian|"
    r"(?:prosz\w+ (?:o )?(?:\w+ )?|chc(?:e|ialbym|ialabym|emy) )(?:anulowa\w+|zrezygnowac|zakonczy?c|wylaczy?c\w*|wylaczenie|anulacj\w+|cofn\w+|wstrzyman\w+) (?:\w+ ){0,3}?(?:newslet|subskryp|"
    r"prenumerat|mailing|wysylk|biuletyn|powiadomien)|"
    r"\brezygnuje(?:my)? (?:\w+ ){0,3}?(?:newslet|subskryp|prenumerat|biuletyn|mailing|wysylk|waszych (?:mail|wiad)|otrzymyw)"
)
_LIST_EN: Final = (
    r"(?:(?:mailing|e-?mail(?:ing)?|distribution|contacts?|subscribers?|marketing|send(?:ing)?|recipients?|newsletter|bulk|address|spam|promo\w*|"
    r"customer|data) ?)*(?:lists?|database|records|files|newsletters?|mailings?|mail-?outs?|e-?mails?|systems?|books?|subscriptions?|circulation)\b"
)
_ENGLISH: Final = (
    r"\b(?:remove|delete|erase|unsubscribe|drop|take|strike|exclude|scrub|purge|wipe|get) (?:me|us|(?:all )?(?:of )?(?:my|our|this|the|these) (?:\w+[ -]){0,3}?"
    r"(?:address(?:es)?|name|e-?mail|details|data|information|info|account)|[a-z0-9._-]+@[a-z0-9.-]+)"
    r"(?:\W*(?:$|[.!,;])|\W+(?:now|please|immediately|at once|asap|today|permanently|pls|plz)\b|[^.?!]{0,40}?\b(?:from|off|of|on)(?: of)? "
    r"(?:(?:your|the|this|any|all|these|that) )*" + _LIST_EN + r")|"
    r"\b(?:erase|delete|remove|destroy) (?:any|all|every)?\W*(?:\w+ ){0,3}?(?:personal )?(?:data|information|details) (?:that )?(?:you|about me|relating|concerning|held|of mine)|"
    r"right (?:to erasure|to be forgotten|to object)|\b(?:stop|cease|quit|discontinue|end) (?:\w+ ){0,2}?(?:e-?mailing|mailing|spamming|contacting|pestering|bothering|harassing)\b|"
    r"\b(?:stop|cease|quit|discontinue) (?:sending|forwarding)\W+(?:me |us )?(?:(?:your|these|this|those|any|all|the|more|such|daily|weekly|unwanted|unsolicited|stupid|of) )*"
    r"(?:e-?mails?|mails?|mailings?|newsletters?|messages?|spam|junk|adverts?|ads|marketing|promo\w*|crap|rubbish|garbage|stuff|offers?|newsletter|it\b|things to)|"
    r"\b(?:stop|cease|quit) (?:sending (?:me|us)\W*(?:$|[.!])|(?:the|this|these|with the|your|all) (?:spam|e-?mails?|mailings?|newsletters?))|"
    r"\bno more (?:of (?:your|these) )?(?:e-?mails?|mails?|mailings?|newsletters?|messages|spam|adverts?|promotions)|"
    r"\b(?:don't|do not|dont|never) (?:\w+ )?(?:send|e-?mail|mail|contact|write to|write)\b (?:me|us|this address)(?:\W*(?:$|[.!,])| (?:again|any ?more|ever)|"
    r" (?:\w+ ){0,4}?(?:e-?mails?|mails?|newsletters?|mailings?|messages|spam|adverts?|offers|promotions))|"
    r"\b(?:no longer|not|don't|do not|dont|never) (?:\w+ )?(?:want|wish|care|like|need|interested in)(?:ed)?\b (?:to )?(?:(?:receive|receiving|get|getting|be (?:contacted|e-?mailed|on|sent))|"
    r"(?:any ?(?:more)?|these|your|more|further|the|this|to)\b)(?: \w+){0,4}? ?(?:e-?mails?|mails\b|newsletters?|mailings?|messages\b|spam|advert\w*|list\b|communications?|bulletins?|updates)|"
    r"\bi (?:have )?(?:already )?(?:unsubscribed|opted out|asked)[^.?!]{0,60}?\b(?:still|yet|but|again)\b[^.?!]{0,30}?(?:get|receiv|com|send|e-?mail)|"
    r"\bi(?:'d| would)? (?:like|want|wish) to (?:unsubscribe|opt out|be (?:removed|taken off|deleted|unsubscribed)|leave (?:this|the|your) (?:mailing )?list)|"
    r"\b(?:cancel|end|terminate|stop) (?:my|our|this|the) (?:\w+ )?(?:subscription|newsletter|mailings?|e-?mails)|\bi(?: hereby)? (?:object|withdraw|revoke)\b[^.?!]{0,40}?(?:market|process|consent|e-?mail)|"
    r"\bget me off (?:this|your|the)"
)
_GERMAN: Final = (
    r"widersprech\w+ (?:ich )?[^.?!]{0,80}?(?:verarbeit|nutz|werb|zusend|daten|speicher)|(?:loe?schen|entfernen|streichen|nehmen|tragen|melden) sie (?:bitte )?(?:mich|uns|(?:alle )?(?:meine?|unsere?|diese?)\w* "
    r"(?:e-?mail|mail|adress|daten|name|kontakt)\w*)|(?:loe?sch|entfern|streich|nimm|nehmt|tragt|trag|loe?scht|entfernt)(?:e|t)? (?:bitte )?(?:mich|uns|meine (?:e-?mail|mail|adress|daten)\w*)|"
    r"(?:um|die) (?:loe?schung|entfernung|streichung|austragung|abmeldung) (?:\w+ ){0,3}?(?:meiner|meines|unserer|aus|vom|von)|(?:mich|uns) (?:bitte )?(?:aus|von) [^.?!]{0,40}?"
    r"(?:verteiler|liste|newsletter|datenbank|kartei)|keine(?:n|rlei)? (?:weiteren? |weitere |mehr )?(?:e-?mails?|mails?|newsletter|werbe?\w*|nachrichten|rundmails?|post)\b"
    r"[^.?!]{0,50}?(?:mehr|erhalten|bekommen|senden|schicken|wunsch|haben)|hor(?:en sie|t) auf[^.?!]{0,40}?(?:mail|spam|schick|send|schreib)|"
    r"(?:kein interesse|nicht (?:mehr )?interessiert)[^?]{0,60}?(?:verteiler|newsletter|mails?\b|austrag|loe?sch|abmeld)|newsletter (?:\w+ )?(?:abbestellen|kundigen|abmelden|stornieren|beenden)|"
    r"(?:mochte|will|wunsche?) (?:\w+ ){0,3}?(?:newsletter|mails?|e-mails?|werbung) (?:\w+ ){0,2}?(?:nicht mehr|abbestell|abmeld)"
)
_ROMANCE: Final = (
    r"(?:retire[rz]|supprime[rz]|enleve[rz]|efface[rz]|radie[rz]|raye[rz]|desinscri(?:re|vez)|desabonne[rz]|exclure|oter)[ -](?:moi\b|nous\b|(?:mon|mes|notre|nos|cette|l')\s?(?:\w+ )?(?:adresse|e-?mail|mail|nom|donnees|"
    r"coordonnees|courriel|contact))|(?:me|nous) (?:retirer|supprimer|enlever|radier|rayer|effacer|oter|sortir) (?:de|des)\b|"
    r"(?:ne (?:plus|pas) |arretez de |cesse[rz] de |arreter de )(?:jamais )?(?:m'|nous |me )(?:envoyer|ecrire|contacter|adresser|spammer|solliciter)|(?:ne m'|ne nous |ne me )(?:envoyez|ecrivez|contactez) plus|"
    r"ne (?:souhait|veu|desir|voul)\w+ plus (?:\w+ )?(?:recevoir|etre)|m'oppose [^.?!]{0,60}?(?:traitement|donnees|prospection)|plus (?:aucun |de )(?:mails?|e-?mails?|courriels?|publicite|newsletter)|"
    r"(?:borr|elimin|quit|suprim|retir|remuev)(?:ar|en|e|ad|a|uen)?(?:me|nos)\b[^.?!]{0,40}?(?:list|base|bolet|correo|envio|favor|$|[.!])|(?:borr|elimin|quit|suprim|retir)(?:ar|en|e|ad|a) (?:\w+ )?(?:mis?|nuestr[oa]s?|est[ea]) "
    r"(?:\w+ )?(?:correo|direccion|e-?mail|datos|cuenta)|(?:dejen|dejad|deje|paren|pare) de (?:enviar|mandar|escrib)\w*|no (?:me|nos) (?:envien|manden|escriban|envie|mande)\w* mas|"
    r"no (?:quiero|deseo|queremos|deseamos) (?:mas )?(?:\w+ )?(?:correos|recibir|e-?mails|publicidad|boletin|mensajes|spam)|(?:den|deme|dad|darnos|denos|dar|solicito la|pido la|causar) (?:\w+ )?(?:de )?baja (?:de|en|del|a mi)\b|"
    r"(?:cancell|rimuov|elimin|togli|disiscriv|depenn)(?:are|ere|ete|ate|a|i|iete|er|ar)?(?:mi|ci)\b|(?:cancell|rimuov|elimin|togli)(?:are|ere|ete|ate|a|i) (?:\w+ )?(?:il|la|i|questo|questa) (?:mi[oa]|nostr[oa]|miei|indirizzo|nominativo)|"
    r"non (?:desider|vogli|vorre|gradi)\w+ (?:piu )?(?:\w+ )?(?:ricevere|e-?mail|mail|newsletter|pubblicita)|smett(?:ete|etela|i|ere) di (?:mand|invi|scriv)\w+|non (?:inviate|mandate|scrivete)(?:mi|ci) piu|"
    r"(?:remov|retir|exclu|apag|tir|elimin)(?:am|em|er|ir|a|e|ar|ia|am-me|em-me|er-me)(?:-me|-nos)?\b (?:\w+ ){0,3}?(?:me\b|(?:o )?(?:meu|nosso|este) (?:e-?mail|endereco|contato|contacto|nome)|meus dados|(?:d[ao]|desta|dessa|vossa) (?:lista|base|newsletter|mailing))|"
    r"nao (?:quero|desejo|queremos|pretendo) (?:mais )?(?:receber|e-?mails|mensagens)|(?:parem|pare) de (?:me )?(?:enviar|mandar)|cancelar (?:a )?(?:minha )?(?:subscricao|assinatura|inscricao)"
)
_OTHER: Final = (
    r"odhlas(?:te|it|eni)\w* (?:\w+ ){0,3}?(?:me|nas|mne|odber|newslet|novin|z (?:odber|newslet|seznam|databaz))|(?:vymaz|vyrad|odstran|vyskrtn)(?:te|at|it|eni|ete|ite) (?:\w+ ){0,3}?(?:me|mne|mou|muj|nas|nasi|moju|moje?) ?(?:\w+ )?"
    r"(?:adres|e-?mail|mail|udaj|z (?:\w+ )?(?:seznam|databaz|zoznam))|(?:neposilej|nezasilej|neposielaj|nezasielaj|nepiste)(?:te)?\b (?:mi|nam|mne|uz)|(?:nechci|nechceme|neprej[ei]\w* si|nechcem) (?:\w+ ){0,3}?(?:dostavat|newslet|e-?mail|mail|odoberat)|"
    r"(?:verwijder|schrijf|haal|meld|schrap)(?:en|t)? (?:\w+ )?(?:mij|me|ons|mijn|onze|dit) (?:\w+ ){0,4}?(?:uit|af|van|adres|e-?mail|gegevens)|geen (?:\w+ )?(?:e-?mails?|mails?|nieuwsbrie\w+|reclame|berichten) (?:\w+ )?(?:meer|ontvangen|sturen)|"
    r"(?:mij|me|ons) (?:\w+ )?(?:uitschrijven|afmelden|verwijderen)|stop met (?:mailen|het sturen)|avregistrer|avprenumerer|ta bort (?:mig|oss|min)|(?:afmeld|frameld|meld)(?:e|es)? (?:mig|meg|av)|slett (?:meg|min)|fjern (?:mig|meg|min)|"
    r"leiratkoz|toroljek|torolje|iratkoz\w+ le|poistakaa|peruuttaa? (?:\w+ )?uutiskirje|uitschrijving|dezabon|(?:удал|исключ|убер|отпиш|вычеркн)\w+ (?:меня|мой|нас|наш|пожалуйста)|не (?:присылайте|пишите|шлите)|(?:видал|відпиш)\w+ (?:мене|мою|нас)"
)
PATTERNS: Final = tuple(Guarded(each) for each in (_POLISH, _ENGLISH, _GERMAN, _ROMANCE, _OTHER))
"""By language, in lower case and plain Latin letters, within one sentence."""

DENIED: Final = Guarded(
    r"(?:unsubscribed|clicked|opted out|wypisal\w*|kliknel\w*|kliknal\w*|zrezygnowal\w*|usunel\w*|abgemeldet|abbestellt|desabonn\w+|desinscri\w+)[^.?!]{0,60}?"
    r"(?:by accident|accidentally|by mistake|in error|przez pomylke|przypadk\w+|omylkowo|niechcacy|pomylkowo|versehentlich|aus versehen|par erreur|por error|per errore)|"
    r"(?:accidentally|by accident|by mistake|przypadk\w+|przez pomylke|omylkowo|niechcacy|versehentlich|aus versehen)[^.?!]{0,40}?"
    r"(?:unsubscribed|opted|clicked|wypisal|kliknel|kliknal|usunel|zrezygnowal|abgemeldet|vom newsletter)|wieder (?:eintragen|aufnehmen|anmelden)|re-?subscribe|"
    r"(?:ponownie|z powrotem|znow(?:u)?) (?:\w+ )?(?:zapis|dopis|dodac|dodanie)|(?:zapis|dopis)\w* (?:\w+ )?(?:ponownie|z powrotem)|put me back|add me back|sign me up|"
    r"(?:don't|do not|please not|never) (?:ever )?(?:remove|unsubscribe|delete|take) (?:me|us)|prosz\w+ (?:\w+ ){0,2}nie (?:usuwa|wypisywa|skresla|wykresla)|nie (?:usuwajcie|wypisujcie|usuwaj|wypisuj)|"
    r"(?:instead of|before) (?:removing|unsubscribing|deleting)|zamiast (?:mnie )?(?:usuwa|wypisywa)|(?:bitte )?nicht (?:austragen|abmelden|loschen)|ne (?:me )?(?:desinscri|supprim|desabonn)\w+ pas"
)
"""Not this, but its contrary: to stay, or to come back."""
