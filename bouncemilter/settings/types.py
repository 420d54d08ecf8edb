"""Every key of the configuration, with its meaning and default. The reference file is made from this."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from bouncemilter import address, returnpath
from bouncemilter.endpoint import Endpoint
from bouncemilter.model import Kind
from bouncemilter.policy import Preset
from bouncemilter.stream import CAMPAIGN_HEADERS, OnSuppressed, StreamKind

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


SocketAddress = Annotated[str, AfterValidator(_socket)]
Domain = Annotated[str, AfterValidator(_domain)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]
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


class Section(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class OnError(StrEnum):
    """What the milter answers when what it must store could not be committed."""

    TEMPFAIL = "tempfail"
    ACCEPT = "accept"


# TOML has strings only where these have types of their own, so they are read leniently.
Lenient = Field(strict=False)
PresetName = Annotated[Preset, Lenient]
KindName = Annotated[Kind, Lenient]
OnErrorName = Annotated[OnError, Lenient]
StreamKindName = Annotated[StreamKind, Lenient]
OnSuppressedName = Annotated[OnSuppressed, Lenient]
FieldNames = list[FieldName]
Folder = Annotated[Path, Lenient, AfterValidator(_folder)]


class StoreSettings(Section):
    """Where events and suppressions are kept."""

    url: str = ""
    """An SQLAlchemy URL. Empty: SQLite, in the file bouncemilter.db of the state directory."""
    busy_timeout_s: PositiveFloat = 5.0
    """Seconds to wait for another process's write before the mail is deferred."""


class ListenerSettings(Section):
    """One socket of the sink."""

    protocol: Literal["lmtp", "smtp"]
    """lmtp (recommended: one answer for each recipient) or smtp."""
    address: SocketAddress
    """unix:/absolute/path or inet:HOST:PORT."""


class SinkSettings(Section):
    """The sink: the mail server that return-path domains are routed to."""

    enabled: bool = True
    """Whether the sink runs."""
    trusted_clients: list[Network] = ["127.0.0.1/32", "::1/128", "unix"]
    """Who may say by XFORWARD where a mail came from: networks, and `unix` for the unix sockets."""
    mta_names: list[Host] = []
    """The names that your own mail server writes into Received headers (Postfix's myhostname).
    Empty: this host's name."""
    max_message_bytes: PositiveInt = 52_428_800
    """Larger messages are refused (SIZE). Not less than the mail server's own message_size_limit."""
    max_connections: PositiveInt = 128
    """Connections at a time."""
    command_timeout_s: PositiveFloat = 30.0
    """Seconds to wait for a command."""
    content_timeout_s: PositiveFloat = 300.0
    """Seconds to wait for the content of a message."""
    forward_to: Peer = ""
    """The mail server, HOST:PORT or unix:/path, that gets what people wrote.
    Empty: the Maildir `passed` of the state directory."""
    socket_mode: Mode = "0660"
    """Permissions of the sink's unix sockets, octal."""
    listener: list[ListenerSettings] = [
        ListenerSettings(protocol="lmtp", address="unix:/var/spool/postfix/bouncemilter/lmtp.sock")
    ]
    """The sockets."""


class MilterSettings(Section):
    """The milter: for bounces to addresses in ordinary domains, and for the outgoing mail of each [[stream]]."""

    enabled: bool = False
    """Whether the milter runs."""
    socket: SocketAddress = "unix:/var/spool/postfix/bouncemilter/milter.sock"
    """unix:/absolute/path (under a chrooted Postfix it lies below the queue directory), or inet:HOST:PORT,
    which costs 40 ms a message."""
    socket_mode: Mode = "0660"
    """Permissions of a unix socket, octal."""
    return_paths: bool = False
    """Whether the milter takes the return paths too, while the sink is enabled: for return paths in domains that are
    not routed to it. Without the sink it always does."""
    on_error: OnErrorName = OnError.TEMPFAIL
    """When the store is down: tempfail (the mail server keeps the message), or accept (a bounce is delivered unchanged,
    outgoing mail leaves unsigned, and nobody is taken out of it)."""
    trust_local_users: bool = False
    """Whether every null-sender mail made on this host is the mail server's own report.
    Any local user can forge one."""
    timeout_s: PositiveFloat = 20.0
    """Seconds until a message that is still being stored is deferred. Less than the mail server's own time-out."""
    max_connections: PositiveInt = 128
    """Sessions at a time in which our own mail is taken; beyond them it is deferred, and other mail passes."""


class InboundSettings(Section):
    """Whose returns are ours, beside the return paths."""

    addresses: list[Mailbox] = []
    """Exact addresses whose returned mail is consumed, such as newsletter@example.pl.
    What people write to them is delivered."""
    own_domains: list[Domain] = []
    """The domains of your From and Message-ID headers: the evidence for returns that came to no VERP address."""
    also_pass: list[KindName] = []
    """Kinds that are passed on too, beside mail, challenge and report; for example auto_reply."""


class ReturnPathSettings(Section):
    """A return path (envelope sender) of your mailings: PREFIX+user=domain@DOMAIN."""

    domain: Domain
    """A domain of its own for returns; its mail is routed to the sink."""
    prefix: Prefix
    """The local part before the delimiter."""
    delimiters: Delimiters = "+="
    """Between prefix and recipient, then within it: "+=" or "-=", as in Postfix's default_verp_delimiters."""
    sender_domains: list[Domain] = []
    """The From domains of the mail that carries this return path."""
    key_file: KeyFile = ""
    """The keys that sign this return path, made by `bouncemilter returnpath keygen`. Empty: it is not signed."""
    token_days: TokenDays = returnpath.LIFE.days
    """After so many days a signed return path proves nothing any more; at most 365."""


class DkimSettings(Section):
    """A DKIM key that signs your mail. A report that returns headers with its signature, which is less than 60 days old
    and signs To, counts as `plausible` for the addresses in To and Cc, also where the signed return path is missing.
    """

    domain: Domain
    """The tag d= of the signatures."""
    selector: Selector
    """The tag s= of the signatures. A selector of its own for bulk mail is best: customers or staff whose mail the same
    key signs can write to anybody, and forge reports about it."""
    public_key_file: File
    """The text of its DNS record (v=DKIM1; k=rsa; p=…), or the public key in PEM. DNS is never asked."""


class MatchSettings(Section):
    """What a message must have to belong to a stream: everything that is given, and of each list one."""

    daemon_name: list[Word] = []
    """What the mail server's service calls itself to milters. Postfix: `-o milter_macro_daemon_name=ORIGINATING` in
    the submission service."""
    sasl_login: list[Word] = []
    """Who has authenticated."""
    client: list[Client] = []
    """Networks of the programs that send by SMTP, such as 192.0.2.0/24."""
    local_user: bool = False
    """Only what programs on this host hand in by the command sendmail."""
    sender: list[Mailbox] = []
    """Envelope senders. Anybody can write one: give one of the keys above, too."""
    sender_domain: list[Domain] = []
    """Domains of envelope senders. Anybody can write one: give one of the keys above, too."""


class StreamSettings(Section):
    """Outgoing mail that is signed, held against the suppressions and counted. The first stream that matches owns a
    message; mail of no stream is left alone. Needs the milter.
    """

    name: Name
    """Its name in commands and metrics."""
    kind: StreamKindName
    """bulk (honours every suppression), transactional (passes opt-outs) or personal (left alone)."""
    match: MatchSettings = MatchSettings()
    return_path: str = ""
    """What the envelope sender becomes: PREFIX@DOMAIN, or the DOMAIN alone, of a [[return_path]] with a key_file.
    Empty: the envelope sender stays."""
    list: ListId = ""
    """The list that opt-outs are held against, where the mail has no List-ID header."""
    campaign_headers: FieldNames = [*CAMPAIGN_HEADERS]
    """The header fields that name the mailing; the first that is there counts."""
    suppressed: OnSuppressedName = OnSuppressed.REFUSE
    """refuse (550 in reply to RCPT) or drop (taken out of the message, with a row of the store)."""
    refuse_dead: bool = True
    """Whether a transactional stream refuses mailboxes that are dead. A bulk stream always does."""


class AccessSettings(Section):
    """A socket that Postfix asks about recipients: for hosts that refuse suppressed ones without the milter."""

    enabled: bool = False
    """Whether it runs."""
    address: SocketAddress = "unix:/var/spool/postfix/bouncemilter/access.sock"
    """unix:/absolute/path or inet:HOST:PORT. In main.cf either
    `check_recipient_access socketmap:unix:bouncemilter/access.sock:STREAM` or
    `check_policy_service { unix:bouncemilter/access.sock, policy_context=STREAM }`."""
    socket_mode: Mode = "0660"
    """Permissions of a unix socket, octal."""


class MailboxSettings(Section):
    """A mailbox in which bounces lie: read every few minutes, beside the mail programs that use it. What people wrote
    stays as it is; so does the rest, unless `after` says otherwise. `bouncemilter ingest NAME` reads it once.
    """

    name: Name
    """Its name in commands and in the log."""
    kind: Literal["imap", "pop3", "maildir", "mbox", "eml"]
    """imap, pop3, maildir, mbox or eml (a folder with a mail in each file)."""
    host: OwnHost = ""
    """The server of imap and pop3."""
    port: Annotated[NonNegativeInt, Field(le=65535)] = 0
    """Its port. 0: the usual one."""
    tls: Literal["tls", "starttls", "none"] = "tls"
    """tls (from the start), starttls, or none, which is for this host alone."""
    allow_unencrypted: bool = False
    """Whether tls = "none" may send the password over the network, where others can read it."""
    ca_file: KeyFile = ""
    """The certificates (PEM) of the authorities that are believed. Empty: the system's."""
    user: str = ""
    """Who logs in."""
    password_file: KeyFile = ""
    """A file whose first line is the password, which its owner alone can read; or a systemd credential."""
    password_env: EnvironmentName = ""
    """Instead: the environment variable that holds the password."""
    token_file: KeyFile = ""
    """Instead: a file with an OAuth access token (XOAUTH2), which another program renews. Read anew for each login."""
    folder: str = "INBOX"
    """The folder of imap."""
    path: KeyFile = ""
    """Where the Maildir, mbox or folder lies."""
    address: Annotated[str, AfterValidator(_mailbox_or_none)] = ""
    """Whose mailbox it is: for messages of which neither Delivered-To, X-Original-To, Envelope-To nor To names a
    return path or an address of yours. Empty: these are left alone."""
    interval_minutes: PositiveInt = 15
    """From one look to the next. Providers lock out who comes much more often."""
    after: Literal["leave", "move", "delete"] = "leave"
    """What becomes of a return of yours once it is on disk: leave (not even a flag is changed), move or delete."""
    move_to: str = ""
    """The folder to move to: of imap, below the Maildir, or an absolute path (eml)."""


class PolicySettings(Section):
    """When an address is suppressed."""

    preset: PresetName = Preset.HARD_ONLY
    """observe (suppresses and refuses nothing, passes everything), hard-only (soft bounces are only watched) or
    standard."""
    soft_messages: Messages = 4
    """Soft bounces, of so many messages within the window, suppress."""
    hard_messages: Messages = 2
    """Hard bounces of a category that is not certain at once, of so many messages within the window, suppress."""
    window_days: Annotated[PositiveInt, Field(le=32)] = 32
    """From the oldest counted bounce to the newest; at most 32."""
    soft_spacing_hours: Annotated[PositiveInt, Field(le=32 * 24)] = 24
    """Soft bounces of one address count once in so many hours."""
    soft_expiry_days: Days = 90
    """After so many days an address that was suppressed for soft bounces is written to again. Hard ones never are."""
    require: Literal["token", "local", "plausible", "any"] = "plausible"
    """The weakest evidence that counts: token, local, plausible or any. What can't be tied to your mail at all (trust
    none) never counts, so any is as plausible."""
    fold_local_part: bool = True
    """Whether Jan@example.pl and jan@example.pl are one address."""
    confirm_domains: bool = True
    """Ask our own DNS for domains that others did not find. One message is enough then, where it needs two else."""
    resolver: Annotated[str, AfterValidator(_resolver)] = ""
    """HOST:PORT of the resolver that is asked. Empty: those of /etc/resolv.conf."""


class ClassifySettings(Section):
    """How failures are understood."""

    rules_directory: RulesFolder = ""
    """A folder of your own rules (*.toml), which win over the built-in ones. Empty: none."""


class RetentionSettings(Section):
    """How long things are kept. Counts by day are kept for good."""

    events_days: Annotated[PositiveInt, Field(ge=33, le=3650)] = 400
    """What was learnt of an address; 33 at least, since policy counts for so long. A suppression keeps its own
    evidence."""
    excerpt_days: Days = 30
    """The words of a returned message, but for what a server said."""
    auto_reply_excerpt_days: Days = 14
    """The same of auto-replies: they tell where somebody is, and until when."""
    keep_auto_reply_text: bool = True
    """Whether the words of an auto-reply are kept at all. That somebody has left is noted in any case."""
    address_days: Annotated[NonNegativeInt, Field(le=36500)] = 0
    """So old, a suppression is kept without its address and evidence, as by the command forget: the address is not
    written to any more than before, but stands in no list. Not less than events_days. 0: never."""


class WebSettings(Section):
    """HTTP: /metrics, /healthz, /readyz."""

    enabled: bool = True
    """Whether it runs."""
    address: SocketAddress = "inet:127.0.0.1:9125"
    """inet:HOST:PORT on a loopback address, or unix:/absolute/path."""


def _time_zone(text: str) -> str:
    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("no such time zone; write Europe/Warsaw or UTC") from None
    return text


class AlertSettings(Section):
    """Mails to you: at once for what needs you, and a daily digest. From the null sender; of one kind at most one an
    hour, of all 20 a day. `bouncemilter status` shows the same.
    """

    mail_to: list[Mailbox] = []
    """Who gets them. Empty: nobody. No address of which the returned mail is taken here."""
    mail_from: Annotated[str, AfterValidator(_mailbox_or_none)] = ""
    """The address in From. Empty: bouncemilter@ this host."""
    smtp: Peer = "inet:127.0.0.1:25"
    """The mail server that takes them: HOST:PORT or unix:/path."""
    language: Literal["en", "pl"] = "en"
    """en or pl."""
    digest: Literal["daily", "never"] = "daily"
    """daily or never."""
    digest_hour: Annotated[NonNegativeInt, Field(le=23)] = 7
    """The hour of the digest, 0 to 23."""
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "UTC"
    """Whose hour it is, such as Europe/Warsaw."""
    disk_low_percent: Annotated[PositiveInt, Field(le=99)] = 10
    """So much of the state directory's disk must be free."""
    key_age_days: Days = 180
    """So old a key that signs a return path may be."""


class LogSettings(Section):
    """JSON lines on standard output."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged: debug, info, warning or error."""


class HooksSettings(Section):
    """Commands of yours that are told what happens."""

    on_change: Command = []
    """Told of every suppression that is added, removed or expires, at least once: JSON lines on standard input, at most
    500 a run, in order. The program and its arguments; no shell reads them. Ending with another code than 0, or taking
    longer than 60 seconds, it is told the same again later. Empty: nobody is told."""


class Settings(Section):
    """The whole file."""

    state_directory: Folder = Path("/var/lib/bouncemilter")
    """The store, and the Maildir of what was passed on."""
    hostname: OwnHost = ""
    """The name that SMTP peers are shown. Empty: this host's fully qualified name."""
    store: StoreSettings = StoreSettings()
    sink: SinkSettings = SinkSettings()
    milter: MilterSettings = MilterSettings()
    inbound: InboundSettings = InboundSettings()
    return_path: list[ReturnPathSettings] = []
    dkim: list[DkimSettings] = []
    stream: list[StreamSettings] = []
    access: AccessSettings = AccessSettings()
    mailbox: list[MailboxSettings] = []
    policy: PolicySettings = PolicySettings()
    classify: ClassifySettings = ClassifySettings()
    retention: RetentionSettings = RetentionSettings()
    web: WebSettings = WebSettings()
    alerts: AlertSettings = AlertSettings()
    hooks: HooksSettings = HooksSettings()
    log: LogSettings = LogSettings()

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the store."""
        return self.store.url or f"sqlite+aiosqlite:///{self.state_directory / 'bouncemilter.db'}"
