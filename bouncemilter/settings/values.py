"""What one value of the configuration may be: each type with its own check and words."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, PositiveInt

from bouncemilter import address, returnpath
from bouncemilter.endpoint import Endpoint
from bouncemilter.model import Kind
from bouncemilter.policy import Preset
from bouncemilter.stream import OnSuppressed, StreamKind

_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}\Z")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\Z")
_MODE = re.compile(r"0[0-7]{3}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_LIST_ID = re.compile(r"[A-Za-z0-9._=+-]+\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,76}\Z")


def _socket(text: str) -> str:
    """`unix:/absolute/path` or `inet:HOST:PORT`, as Endpoint writes it."""
    endpoint = Endpoint.parse(text)
    if not endpoint.path and not endpoint.port:
        raise ValueError("a port is at least 1")
    return str(endpoint)


def _domain(text: str) -> str:
    key = address.domain_key(text)
    labels = key.split(".")
    if len(labels) < 2 or labels[-1].isdigit() or len(key) > 253 or not all(_LABEL.match(label) for label in labels):
        raise ValueError("not a domain name")
    return key


def _host(text: str) -> str:
    """The name of a host, which may have no domain."""
    if len(text) > 253 or not all(_LABEL.match(label) for label in text.lower().split(".")):
        raise ValueError("not the name of a host")
    return text


def _own_host(text: str) -> str:
    return text and _host(text)


def _resolver(text: str) -> str:
    """`HOST:PORT`, or empty."""
    return text and _socket(f"inet:{text}").removeprefix("inet:")


def _folder(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("write an absolute path")
    return path


def _rules_folder(text: str) -> str:
    return text and str(_folder(Path(text)))


def _key_file(text: str) -> str:
    return text and str(_folder(Path(text)))


def _file(text: str) -> str:
    return str(_folder(Path(text)))


def _selector(text: str) -> str:
    if len(text) > 253 or not all(_LABEL.match(label) for label in text.lower().split(".")):
        raise ValueError("not the selector of a DKIM key: the first word of its record's name, before ._domainkey")
    return text.lower()


def _mailbox(text: str) -> str:
    if not address.key(text) or "*" in text:
        raise ValueError("not an e-mail address (exact addresses only, never a whole domain)")
    return text


def _mailbox_or_none(text: str) -> str:
    return text and _mailbox(text)


def _command(words: list[str]) -> list[str]:
    if words and not Path(words[0]).is_absolute():
        raise ValueError("the first word is the absolute path of a program; no shell reads this")
    if any("\0" in word for word in words):
        raise ValueError("a word can't hold NUL")
    return words


def _environment_name(text: str) -> str:
    if text and not _VARIABLE.match(text):
        raise ValueError("not the name of an environment variable")
    return text


def _prefix(text: str) -> str:
    if not _PREFIX.match(text):
        raise ValueError("a prefix is made of letters, digits, dot, hyphen and underscore, at most 32 of them")
    if text.lower() in returnpath.PASSED_LOCAL_PARTS:
        raise ValueError(f"{text} is a mailbox that people must reach (RFC 5321 section 4.5.1, RFC 2142)")
    return text


def _delimiters(text: str) -> str:
    # A hyphen between user and domain would make user@my-domain.pl of nobody's mailbox, or somebody else's.
    if text not in ("+=", "-="):
        raise ValueError('"+=" or "-=", as in Postfix\'s default_verp_delimiters')
    return text


def _network(text: str) -> str:
    if text != "unix":
        ipaddress.ip_network(text)
    return text


def _clients(text: str) -> str:
    ipaddress.ip_network(text)
    return text


def _name(text: str) -> str:
    if not _NAME.match(text):
        raise ValueError("a name is made of letters, digits, dot, hyphen and underscore, at most 64 of them")
    return text


def _list_id(text: str) -> str:
    if text and (len(text) > 255 or not _LIST_ID.match(text)):
        raise ValueError("write the list's identifier without angle brackets, such as news.example.pl")
    return text.lower()


def _field_name(text: str) -> str:
    if not _FIELD_NAME.match(text):
        raise ValueError("not the name of a header field")
    return text


def _word(text: str) -> str:
    if not text or not text.isprintable() or " " in text:
        raise ValueError("one printable word")
    return text


def _peer(text: str) -> str:
    """A mail server: as a socket, where `inet:` may be left out, or nothing."""
    if text.startswith(("unix:", "inet:")) or not text:
        return text and _socket(text)
    try:
        return _socket(f"inet:{text}")
    except ValueError:
        raise ValueError("write HOST:PORT or unix:/absolute/path") from None


def _mode(text: str) -> str:
    if not _MODE.match(text):
        raise ValueError('write four octal digits in quotes, such as "0660"')
    return text


def _time_zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write Europe/Warsaw or UTC") from None
    return text


class OnError(StrEnum):
    """What the milter answers when what it must store could not be committed."""

    TEMPFAIL = "tempfail"
    ACCEPT = "accept"


SocketAddress = Annotated[str, AfterValidator(_socket)]
Domain = Annotated[str, AfterValidator(_domain)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
MailboxOrNone = Annotated[str, AfterValidator(_mailbox_or_none)]
Resolver = Annotated[str, AfterValidator(_resolver)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Prefix = Annotated[str, AfterValidator(_prefix)]
Delimiters = Annotated[str, AfterValidator(_delimiters)]
Network = Annotated[str, AfterValidator(_network)]
Client = Annotated[str, AfterValidator(_clients)]
Name = Annotated[str, AfterValidator(_name)]
ListId = Annotated[str, AfterValidator(_list_id)]
FieldName = Annotated[str, AfterValidator(_field_name)]
Word = Annotated[str, AfterValidator(_word)]
Peer = Annotated[str, AfterValidator(_peer)]
Mode = Annotated[str, AfterValidator(_mode)]
Host = Annotated[str, AfterValidator(_host)]
OwnHost = Annotated[str, AfterValidator(_own_host)]
RulesFolder = Annotated[str, AfterValidator(_rules_folder)]
KeyFile = Annotated[str, AfterValidator(_key_file)]
File = Annotated[str, AfterValidator(_file)]
Command = Annotated[list[str], AfterValidator(_command)]
EnvironmentName = Annotated[str, AfterValidator(_environment_name)]
Selector = Annotated[str, AfterValidator(_selector)]
Messages = Annotated[PositiveInt, Field(le=100)]
Days = Annotated[PositiveInt, Field(le=3650)]
TokenDays = Annotated[PositiveInt, Field(le=returnpath.LONGEST_LIFE.days)]

# TOML has strings only where these have types of their own, so they are read leniently.
Lenient = Field(strict=False)
PresetName = Annotated[Preset, Lenient]
KindName = Annotated[Kind, Lenient]
OnErrorName = Annotated[OnError, Lenient]
StreamKindName = Annotated[StreamKind, Lenient]
OnSuppressedName = Annotated[OnSuppressed, Lenient]
FieldNames = list[FieldName]
Folder = Annotated[Path, Lenient, AfterValidator(_folder)]
