"""A Postfix that knows its answers: the outputs of postconf and postmap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bouncemilter.doctor.command import Output
from bouncemilter.returnpath import ROLES

MASTER = """\
smtp       inet  n       -       y       -       -       smtpd
cleanup    unix  n       -       y       -       0       cleanup
lmtp       unix  -       -       y       -       -       lmtp
error      unix  -       -       y       -       -       error
bouncemilter unix -      -       n       -       50      lmtp -o lmtp_send_xforward_command=yes
"""
MILTER = "{ unix:bouncemilter/milter.sock, connect_timeout=5s, default_action=accept }"
MAIN = {
    "compatibility_level": "3.6",
    "queue_directory": "/var/spool/postfix",
    "mydestination": "mx.example.com, localhost",
    "relay_domains": "bounces.example.com",
    "transport_maps": "hash:/etc/postfix/transport, texthash:/t",
    "relay_recipient_maps": "regexp:/r",
    "bouncemilter_destination_recipient_limit": "1",
    "lmtp_send_xforward_command": "no",
    "smtpd_milters": f"inet:localhost:8891, {MILTER}",
    "non_smtpd_milters": MILTER,
    "smtpd_recipient_restrictions": "check_recipient_access regexp:/a, check_policy_service inet:127.0.0.1:10023",
    "milter_default_action": "tempfail",
    "internal_mail_filter_classes": "bounce",
    "default_verp_delimiters": "+=",
    "masquerade_classes": "envelope_sender, header_sender, header_recipient",
    "recipient_delimiter": "+",
    "sendmail_path": "/usr/sbin/sendmail",
}
TABLES = {
    "texthash:/t": {
        "bounces.example.com": "bouncemilter:unix:bouncemilter/lmtp.sock",
        "selftest.bouncemilter.invalid": "error:5.1.1 bouncemilter self-test",
    },
    "regexp:/a": {"bounces@bounces.example.com": "OK"},
    "regexp:/r": dict.fromkeys(
        (f"{local}@bounces.example.com" for local in ("bounces", "bounces+jan=example.org", *ROLES)),
        "OK",
    ),
}


@dataclass
class FakePostfix:
    """Answers `postconf -x`, `postconf -M` and `postmap -q`, takes mail by sendmail; by default all is well."""

    main: dict[str, str] = field(default_factory=lambda: dict(MAIN))
    master: str = MASTER
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: {k: dict(v) for k, v in TABLES.items()})
    sent: list[tuple[tuple[str, ...], bytes]] = field(default_factory=list)
    sendmail_code: int = 0

    async def __call__(self, argv: tuple[str, ...], stdin: bytes) -> Output:
        match argv:
            case ("postconf", "-x"):
                return Output(0, "".join(f"{name} = {value}\n" for name, value in self.main.items()))
            case ("postconf", "-M"):
                return Output(0, self.master)
            case ("postmap", "-q", key, table):
                found = self.tables.get(table, {}).get(key, "")
                return Output(0 if found else 1, f"{found}\n" if found else "")
            case (command, *_) if command.endswith("sendmail"):
                self.sent.append((argv, stdin))
                return Output(self.sendmail_code, err="sendmail: fatal: no queue" if self.sendmail_code else "")
        raise AssertionError(argv)


async def well(name: str, kind: str) -> tuple[str, ...]:
    """DNS where every domain has what it needs."""
    if name.startswith("_dmarc."):
        return ("v=DMARC1; p=none",)
    return {"MX": ("10 mx.example.com.",), "TXT": ("v=spf1 mx -all",)}.get(kind, ())


async def no_postfix(argv: tuple[str, ...], _stdin: bytes) -> Output:
    """A host without the command."""
    return Output(127, err=f"{argv[0]}: not found")
