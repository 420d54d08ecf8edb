"""The arguments of MAIL, RCPT and XFORWARD, read without I/O."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bouncemilter.model import Source

# A path (RFC 5321 section 4.1.2): in angle brackets with quoted strings inside, or, as some clients send it, bare.
_PATH = re.compile(r'\s*(?:<((?:"(?:[^"\\]|\\.)*"|[^"<>\s])*)>|([^<>\s"]+))(?:\s+(.*))?\Z', re.DOTALL)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PARAMETER = re.compile(r"([A-Za-z0-9][A-Za-z0-9-]*)(?:=([^=\s]\S*))?\Z")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNAVAILABLE: Final = "[UNAVAILABLE]"

XFORWARD_NAMES: Final = ("NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE")
"""Postfix's XFORWARD_README, in the order of its EHLO line."""
MAIL_PARAMETERS: Final = frozenset(("SIZE", "BODY", "SMTPUTF8", "RET", "ENVID", "AUTH", "BY", "MT-PRIORITY"))
"""Taken, with or without effect: RFC 1870, 6152, 6531, 3461, 4954, 2852, 6710."""
RCPT_PARAMETERS: Final = frozenset(("NOTIFY", "ORCPT", "RRVS"))
"""RFC 3461 and 7293; none of them changes anything here."""


class CommandError(ValueError):
    """An argument that can't be read; its text is the reply."""


@dataclass(frozen=True, slots=True)
class Path:
    """The address of MAIL or RCPT, without angle brackets, and its parameters by upper-case name."""

    address: str
    parameters: Mapping[str, str]


def path(argument: str | None, keyword: str, known: frozenset[str]) -> Path:
    """Read `FROM:<address> parameters` or `TO:<address> parameters` (RFC 5321 section 4.1.1.2 and 3).

    `argument` is decoded as UTF-8 with surrogateescape. Raises CommandError.
    """
    text = argument or ""
    if text[: len(keyword)].upper() != keyword:
        raise CommandError(f"501 5.5.4 Syntax: {keyword}<address>")
    if _CONTROL.search(text) or _SURROGATE.search(text):
        raise CommandError("501 5.5.4 Controls and octets that are not UTF-8 are not allowed")
    found = _PATH.match(text, len(keyword))
    if not found:
        raise CommandError(f"501 5.5.4 Syntax: {keyword}<address>")
    return Path(found[1] if found[1] is not None else found[2], _parameters(found[3] or "", known))


def _parameters(text: str, known: frozenset[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for word in text.split():
        found = _PARAMETER.match(word)
        if not found:
            raise CommandError("501 5.5.4 Malformed parameter")
        name = found[1].upper()
        if name not in known:
            raise CommandError("555 5.5.4 Parameter not implemented")
        values[name] = found[2] or ""
    return values


def size(parameters: Mapping[str, str]) -> int:
    """The SIZE that a client announces in octets (RFC 1870), 0 without one. Raises CommandError."""
    text = parameters.get("SIZE", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise CommandError("501 5.5.4 Malformed SIZE")
    return int(text)


def xforward(argument: str | None) -> dict[str, str]:
    """Read `NAME=value …` of XFORWARD: values decoded from xtext, empty where unavailable. Raises CommandError."""
    values: dict[str, str] = {}
    for word in (argument or "").split():
        name, equals, value = word.partition("=")
        name = name.upper()
        if name not in XFORWARD_NAMES or not equals or _CONTROL.search(word):
            raise CommandError("501 5.5.4 Bad XFORWARD attribute")
        decoded = _XTEXT.sub(lambda code: chr(int(code[1], 16)), value)
        values[name] = "" if value.upper() == _UNAVAILABLE else decoded
        if name == "SOURCE" and values[name].upper() not in ("", "LOCAL", "REMOTE"):
            raise CommandError("501 5.5.4 Bad XFORWARD SOURCE")
    if not values:
        raise CommandError("501 5.5.4 Syntax: XFORWARD attribute=value")
    return values


def source(attributes: Mapping[str, str]) -> Source:
    """Where the message entered the MTA, by the attributes of XFORWARD.

    LOCAL only without a client: Postfix also says it of SMTP clients on its own interfaces or in
    local_header_rewrite_clients, and of a report by bounce(8) it never names one.
    """
    named = attributes.get("SOURCE", "").upper()
    if named == "LOCAL":
        return Source.REMOTE if attributes.get("ADDR") else Source.LOCAL
    return Source.REMOTE if named else Source.UNKNOWN


def client(attributes: Mapping[str, str]) -> str:
    """The IP address of the MTA's own client, or an empty string. Postfix writes IPv6 as `IPv6:…`."""
    text = attributes.get("ADDR", "")
    bare = text[5:] if text[:5].upper() == "IPV6:" else text
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        return ""
