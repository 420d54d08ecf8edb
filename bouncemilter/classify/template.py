"""The template of a diagnostic: one line in lower case, from which all that differs between recipients is taken out.

Rules match the template and nothing else, so that a ruling depends on it and equal templates need one look only.

    550 5.1.1 <Jan.Nowak@example.pl>: user unknown (host mx3.example.pl[192.0.2.1], id 4XyZ1b2c3d)
    550 5.1.1 <addr>: user unknown (host <host><ip>, id <id>)

Out go addresses, host names, IP addresses, numbers, ids, and the variable parts of URLs. What stays: reply codes and
enhanced codes, short codes of providers (`s3150`, `ofr_417`), and the host names that a rule speaks of
(`*.spamhaus.org`).
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from bouncemilter.classify.mojibake import mended

LENGTH: Final = 600
"""Characters of a template; the reason of a refusal stands in the first few hundred."""
WORD: Final = 64
"""Characters of a word whose masked form is remembered."""
WORDS: Final = 16384
"""Masked words that are remembered: about 4 MB."""

_LETTERS = str.maketrans(
    {"ł": "l", "đ": "d", "ø": "o", "ß": "ss", "æ": "ae", "œ": "oe", "ı": "i"}
    | dict.fromkeys("‘’‚´`", "'") | dict.fromkeys("“”„«»", '"') | dict.fromkeys("‐‑‒–—", "-")
)  # fmt: skip
_ACCENTS = re.compile("[\u0300-\u036f]+")
_SOFT_BREAK = re.compile(r"=\r?\n")
_TAG = re.compile(r"</?(?:a|b|br|p|div|i|u|em|font|span|strong|td|tr|table|li|ul)(?:\s[^<>]{0,200})?/?>", re.IGNORECASE)
_TYPE = re.compile(r"\s*(?:smtp|lmtp|x-[a-z0-9-]{1,20}|dns|unix|local)\s*;\s*")
_CONTINUED = re.compile(r"([245](?<!\S.)\d\d)-")

_MASK = re.compile(
    r"(?P<url>(?:https?://|www\.)[^\s<>\"'\])]+)"
    r"|(?P<addr><?[^\s<>()\[\]\"',;:|/]+@[\w-]+(?:\.[\w-]+)*>?)"
    r"|(?P<ip>\[?(?<![\w.])(?:ipv6:)?(?:\d{1,3}(?:\.\d{1,3}){3}|"
    r"(?=[0-9a-f:]*::|(?:[0-9a-f]{1,4}:){4})(?:[0-9a-f]{1,4}|(?=::))(?::[0-9a-f]{0,4}){2,8})(?![\w.]*\w)\]?)"
    r"|(?P<code>(?<![\w.])#?(?:[245]\.\d{1,3}\.\d{1,3}|[245]\d\d)(?!\.?\w))"
    r"|(?P<host>(?<![\w.])(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)+[a-z][a-z0-9-]*[a-z0-9](?![\w]))"
    r"|(?P<size>(?<![\w.])\d+(?:[.,]\d+)?(?P<unit>kb|mb|gb|kib|mib|k|m|g|s|ms|sec|min|h)?(?!\w))"
    r"|(?P<id>[a-z_#-]*\d[\w#-]*)"
)
# Codes that providers put into their replies: letters, then a few digits.
_SHORT_CODE = re.compile(r"(?:[a-z]{1,10}[-_#]?){1,3}\d{1,6}(?:[-_]\d{1,4})?\Z")
_TLD: Final = frozenset(
    "com net org edu gov mil int info biz name pro test example invalid local localdomain lan internal arpa "
    "cloud email online shop site store tech io app dev xyz agency company group".split()
)
# A number of things behind a word (`at most 500 messages`), which only looks like a reply code.
_COUNT = re.compile(
    r" [245]\d\d(?= (?:(?:out )?of [#\d]+ )?(?:messages|mails|e-?mails|letters|recipients|connections|sessions|bytes|"
    r"octets|[kmg]i?b|seconds|minutes|hours|days|users|addresses)\b)(?<=[a-z] ...)"
)
_VARIABLE = re.compile(r"[^/?&=#;]*[\d@.%][^/?&=#;]*")


def fold(text: str) -> str:
    """Lower case, without accents, typographic marks, HTML and soft line breaks; white space as it was."""
    if "=" in text:
        text = _SOFT_BREAK.sub("", text)
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    text = text.lower()
    return text if text.isascii() else _fold_letters(text)


def fold_pattern(pattern: str) -> str:
    """A rule's pattern folded like the texts that it is to match; escapes (`\\S`) stay as they are."""
    return re.sub(
        r"\\.|[^\\]+", lambda part: part[0] if part[0][0] == "\\" else _fold_letters(part[0].lower()), pattern
    )


def _fold_letters(text: str) -> str:
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_LETTERS)))
    return unicodedata.normalize("NFC", bare)


def hosts_in(pattern: str) -> frozenset[str]:
    """The host names that a pattern speaks of: `spamhaus\\.org` → `spamhaus.org`."""
    found = re.findall(r"[a-z0-9-]+(?:\\\.[a-z0-9-]+)+", pattern)
    names = (each.replace("\\", "") for each in found)
    return frozenset(name for name in names if not name.rpartition(".")[2].isdigit())


class Normaliser:
    """Makes templates; `kept_hosts` are the host names that rules speak of."""

    def __init__(self, kept_hosts: Iterable[str] = ()) -> None:
        self._kept = tuple(sorted(kept_hosts, key=lambda host: (-len(host), host)))
        self._masked = lru_cache(maxsize=WORDS)(self._mask)

    def template(self, text: str) -> str:
        """The template of a diagnostic of any length, at most LENGTH characters long."""
        folded = fold(mended(text[: 4 * LENGTH]))
        if prefix := _TYPE.match(folded):
            folded = folded[prefix.end() :]
        words = folded.split()
        if "-" in folded and (continued := _CONTINUED.search(folded)):
            words = _joined(words, continued[1])
        found = [
            word if word.isalpha() else self._masked(word) if len(word) <= WORD else self._mask(word) for word in words
        ]
        return _COUNT.sub(" #", " ".join(found)[:LENGTH].rstrip())

    def _mask(self, word: str) -> str:
        return _MASK.sub(self._replaced, word)

    def _replaced(self, part: re.Match[str]) -> str:
        kind, text = part.lastgroup, part.group()
        if part["url"]:
            return _url(text)
        if part["host"]:
            return self._host(text)
        if part["size"]:
            return f"#{part['unit'] or ''}"
        if part["id"]:
            return text if len(text) <= 16 and _SHORT_CODE.match(text) else "<id>"
        return text if kind == "code" else f"<{kind}>"

    def _host(self, host: str) -> str:
        dotted = f".{host}."
        for kept in self._kept:
            if f".{kept}." in dotted:
                return kept if kept == host else f"*.{kept}"
        label = host.rpartition(".")[2]
        # `denied.please` is a forgotten space, and `resolver.adr.recipnotfound` a name of a program's own.
        # … nor does a top-level domain hold digits (`trojan.downloader-771`), but for `xn--…`.
        is_name = label in _TLD or len(label) == 2 or any(char.isdigit() for char in host.removesuffix(label))
        return "<host>" if is_name else host


def _url(url: str) -> str:
    """A URL without its variable parts; its host and constant words stay (`?p=nosuchuser`)."""
    scheme, separator, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    if not re.search("[a-z]", host):
        host = "<ip>"
    path, mark, fragment = path.partition("#")
    path = _VARIABLE.sub("#", path)
    return f"{scheme}{separator}{host}{slash}{path}{mark}{fragment if _SHORT_CODE.match(fragment) else ''}"


def _joined(words: list[str], code: str) -> list[str]:
    """The words of a reply of several lines, without the codes that begin its second and later lines."""
    found: list[str] = []
    first, status = True, ""
    skip = ""
    for word in words:
        head, dash, rest = word.partition("-")
        if head == code and (dash or not first):
            if first:
                found.append(code)
                status = rest if rest[:2] in ("4.", "5.") else ""
                if rest:
                    found.append(rest)
                first = False
            elif rest and rest != status:
                found.append(rest)
            skip = status
            continue
        if skip and word == skip:
            skip = ""
            continue
        skip = ""
        found.append(word)
    return found
