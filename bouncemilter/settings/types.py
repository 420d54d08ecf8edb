"""Every key of the configuration, with its meaning and default. The reference file is made from this."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveFloat, PositiveInt

from bouncemilter import returnpath
from bouncemilter.policy import Preset
from bouncemilter.settings.values import (
    Client,
    Command,
    Days,
    Delimiters,
    Domain,
    EnvironmentName,
    FieldNames,
    File,
    Folder,
    Host,
    KeyFile,
    KindName,
    ListId,
    Mailbox,
    MailboxOrNone,
    Messages,
    Mode,
    Name,
    Network,
    OnError,
    OnErrorName,
    OnSuppressedName,
    OwnHost,
    Peer,
    Prefix,
    PresetName,
    Resolver,
    RulesFolder,
    Selector,
    SocketAddress,
    StreamKindName,
    TimeZone,
    TokenDays,
    Word,
)
from bouncemilter.stream import CAMPAIGN_HEADERS, OnSuppressed


class Section(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


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
    message; mail of no stream, and from the null sender, is left alone. Needs the milter.
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
    max_connections: PositiveInt = 512
    """Beyond these a connection is closed at once. Postfix keeps one for each smtpd, and has up to 100 of them for each
    service (default_process_limit)."""


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
    address: MailboxOrNone = ""
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
    resolver: Resolver = ""
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


class AlertSettings(Section):
    """Mails to you: at once for what needs you, and a daily digest. From the null sender; of one kind at most one an
    hour, of all 20 a day. `bouncemilter status` shows the same.
    """

    mail_to: list[Mailbox] = []
    """Who gets them. Empty: nobody. No address of which the returned mail is taken here."""
    mail_from: MailboxOrNone = ""
    """The address in From. Empty: bouncemilter@ this host."""
    smtp: Peer = "inet:127.0.0.1:25"
    """The mail server that takes them: HOST:PORT or unix:/path."""
    language: Literal["en", "pl"] = "en"
    """en or pl."""
    digest: Literal["daily", "never"] = "daily"
    """daily or never."""
    digest_hour: Annotated[NonNegativeInt, Field(le=23)] = 7
    """The hour of the digest, 0 to 23."""
    time_zone: TimeZone = "UTC"
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
