"""The files of a private Postfix: main.cf, master.cf and the look-up tables."""

import os
import pwd
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

MAILBOX_OWNER = "nobody"  # virtual(8) refuses to deliver as root

SETTINGS = {
    "compatibility_level": "3.6",  # Debian 12 has 3.7, Debian 13 3.10: both shall behave alike
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "mydestination": "",
    "myhostname": "mx.rig.test",
    "mydomain": "rig.test",
    "append_dot_mydomain": "no",
    # What comes by SMTP counts as mail from outside: SOURCE=REMOTE in XFORWARD, and headers as they are.
    "local_header_rewrite_clients": "",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    "biff": "no",
    "default_transport": "error:5.4.4 this rig has no route to that domain",
    "relay_transport": "$default_transport",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "smtpd_peername_lookup": "no",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_client_connection_count_limit": "0",
    "mailbox_size_limit": "0",
    "virtual_mailbox_limit": "0",
    "message_size_limit": "52428800",
    "milter_default_action": "tempfail",
    # Deferred mail is tried again within seconds, and a peer that was down is not counted as dead for long.
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
    "transport_retry_time": "1s",
    "in_flow_delay": "0",
    "smtp_connect_timeout": "5s",
    "lmtp_connect_timeout": "5s",
}

# service, type, private, unpriv, chroot, wakeup, maxproc, command: nothing is chrooted.
DAEMONS = """\
pickup    unix       n - n 1     1 pickup
cleanup   unix       n - n -     0 cleanup
qmgr      unix       n - n 1     1 qmgr
tlsmgr    unix       - - n 1000? 1 tlsmgr
rewrite   unix       - - n -     - trivial-rewrite
bounce    unix       - - n -     0 bounce
defer     unix       - - n -     0 bounce
trace     unix       - - n -     0 bounce
verify    unix       - - n -     1 verify
flush     unix       n - n 1000? 0 flush
proxymap  unix       - - n -     - proxymap
smtp      unix       - - n -     - smtp
relay     unix       - - n -     - smtp
lmtp      unix       - - n -     - lmtp
showq     unix       n - n -     - showq
error     unix       - - n -     - error
retry     unix       - - n -     - error
discard   unix       - - n -     - discard
local     unix       - n n -     - local
virtual   unix       - n n -     - virtual
anvil     unix       - - n -     1 anvil
scache    unix       - - n -     1 scache
postlog   unix-dgram n - n -     1 postlogd
"""


def write(
    folder: Path,
    *,
    mailboxes: Sequence[str],
    transports: Mapping[str, str],
    services: Mapping[str, tuple[int, Mapping[str, str]]],
    parameters: Mapping[str, str],
) -> None:
    """Lay out `folder`: etc/, queue/, data/, mail/. `services`: smtpd service → its port and its `-o` parameters."""
    etc, queue, data, mail = (folder / name for name in ("etc", "queue", "data", "mail"))
    for each in (etc, queue, data, mail):
        each.mkdir()
        each.chmod(0o755)
    owner = pwd.getpwnam(MAILBOX_OWNER)
    shutil.chown(data, "postfix")
    shutil.chown(mail, owner.pw_uid)
    _write_table(etc / "mailboxes", {address: f"{address.lower()}/" for address in mailboxes})
    _write_table(etc / "domains", {address.rpartition("@")[2]: "local" for address in mailboxes})
    _write_table(etc / "transport", transports)
    own = {
        "queue_directory": str(queue),
        "data_directory": str(data),
        "maillog_file": str(folder / "log"),
        "maillog_file_prefixes": str(folder),
        "virtual_mailbox_base": str(mail),
        "virtual_mailbox_domains": f"texthash:{etc / 'domains'}",
        "virtual_mailbox_maps": f"texthash:{etc / 'mailboxes'}",
        "virtual_uid_maps": f"static:{owner.pw_uid}",
        "virtual_gid_maps": f"static:{owner.pw_gid}",
        "transport_maps": f"texthash:{etc / 'transport'}",
    }
    lines = [f"{name} = {value}\n" for name, value in (SETTINGS | own | dict(parameters)).items()]
    _write(etc / "main.cf", "".join(lines))
    _write(etc / "master.cf", DAEMONS + "".join(_service(*each) for each in services.values()))


def _write_table(path: Path, entries: Mapping[str, str]) -> None:
    _write(path, "".join(f"{key.lower()} {value}\n" for key, value in entries.items()))


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    look_old(path)


def look_old(path: Path) -> None:
    """Set a file's time back: each Postfix process dozes 0.3 s before it reads one that may just be changing."""
    os.utime(path, (0, 0))


def _service(port: int, parameters: Mapping[str, str]) -> str:
    options = "".join(f" -o {{ {name} = {value} }}" for name, value in parameters.items())
    return f"127.0.0.1:{port} inet n - n - - smtpd{options}\n"
