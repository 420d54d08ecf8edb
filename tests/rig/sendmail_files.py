"""The files of a private Sendmail: sendmail.mc and submit.mc, which m4 turns into .cf, and the look-up tables."""

import pwd
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HOST = "mx.rig.test"

# Sendmail's own hosts file and switch: no DNS, and a host name with a domain (else it sleeps for a minute).
HOSTS = f"127.0.0.1 {HOST} mx localhost\n"
SWITCH = "hosts files\naliases files\npasswd files\n"

# The namespaces that Sendmail lives in. /dev gets a log socket of its own: this machine may have none.
ENTER = """\
hostname {host}
mount --bind {folder}/etc/hosts /etc/hosts
for device in null zero random urandom; do mount --bind /dev/$device {folder}/dev/$device; done
mount --rbind {folder}/dev /dev
export PATH={binaries}:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C TZ=UTC
exec "$@"
"""

# No user of the machine gets mail: every local mailbox is a Maildir.
DELIVER = """\
set -e
umask 022
folder={folder}/mail/$1
mkdir -p "$folder/new" "$folder/tmp"
name=$(date +%s%N).$$
cat > "$folder/tmp/$name"
mv "$folder/tmp/$name" "$folder/new/$name"
"""

BASE = """\
define(`_CF_DIR_', `{cf}/')dnl
include(`{cf}/m4/cf.m4')dnl
OSTYPE(`linux')dnl
undefine(`ALIAS_FILE')dnl
define(`MAIL_SETTINGS_DIR', `{etc}/')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confSERVICE_SWITCH_FILE', `{etc}/switch')dnl
define(`confMIN_QUEUE_AGE', `0')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDOMAIN_NAME', `{host}')dnl
define(`confTO_IDENT', `0s')dnl
define(`confTO_CONNECT', `5s')dnl
define(`confTO_ICONNECT', `5s')dnl
define(`STATUS_FILE', `')dnl
"""

SERVER = """\
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`confPID_FILE', `{folder}/sendmail.pid')dnl
define(`confHOST_STATUS_DIRECTORY', `')dnl
define(`confTO_HOSTSTATUS', `0s')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confDELAY_LA', `0')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`nouucp', `reject')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`mailertable')dnl
FEATURE(`access_db', `hash -o -T<TMPF> {etc}/access')dnl
define(`LOCAL_MAILER_PATH', `/bin/sh')dnl
define(`_DEF_LOCAL_MAILER_FLAGS', `lsmn5:|/@9')dnl
define(`LOCAL_MAILER_FLAGS', `P')dnl
define(`LOCAL_MAILER_ARGS', `sh {etc}/deliver $u')dnl
define(`LOCAL_MAILER_MAXRCPTS', `1')dnl
"""

MAILERS = "MAILER(`local')dnl\nMAILER(`smtp')dnl\n"

# As Debian's submit.mc: the command sendmail hands its mail to the server by SMTP.
SUBMIT = """\
define(`__OSTYPE__', `linux')dnl
define(`confRUN_AS_USER', `nobody')dnl
define(`confTRUSTED_USER', `nobody')dnl
define(`MSP_QUEUE_DIR', `{folder}/clientqueue')dnl
FEATURE(`use_ct_file')dnl
define(`confCT_FILE', `-o {etc}/trusted')dnl
define(`RELAY_MAILER_ARGS', `TCP $h {port}')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""


def write(
    folder: Path,
    package: Path,
    *,
    local_domains: Sequence[str],
    transports: Mapping[str, str],
    services: Mapping[str, tuple[int, str]],
    definitions: str,
    mailers: str,
) -> None:
    """Lay out `folder`: etc/, queue/, clientqueue/, mail/, dev/. The rest is explained at `Sendmail`."""
    etc, cf, binaries = folder / "etc", package / "usr/share/sendmail/cf", package / "usr/libexec/sendmail"
    for name in ("etc", "queue", "clientqueue", "mail", "dev"):
        (folder / name).mkdir(mode=0o755)
    for name in ("queue", "clientqueue"):
        (folder / name).chmod(0o700)
    shutil.chown(folder / "clientqueue", "nobody", pwd.getpwnam("nobody").pw_gid)  # the command sendmail drops root
    (folder / "mail").chmod(0o777)  # the local mailer runs as an ordinary user
    (etc / "hosts").write_text(HOSTS)
    (etc / "switch").write_text(SWITCH)
    (etc / "trusted").write_text("root\n")
    # Both are run by sh: nothing below /run may be executed itself on many hosts.
    (folder / "enter").write_text(ENTER.format(host=HOST, folder=folder, binaries=binaries))
    (etc / "deliver").write_text(DELIVER.format(folder=folder))
    _devices(folder)
    routes = {key: _mailer(number, each) for number, (key, each) in enumerate(transports.items())}
    table(folder, package, "mailertable", {key: line for key, (line, _) in routes.items()})
    table(folder, package, "access", {"Connect:127.0.0.1": "RELAY"})
    values = {"cf": cf, "etc": etc, "folder": folder, "host": HOST}
    daemons = "".join(_service(name, port, options) for name, (port, options) in services.items())
    domains = "".join(f"LOCAL_DOMAIN(`{each}')dnl\n" for each in local_domains)
    own = "".join(definition for _, definition in routes.values() if definition)
    server = BASE.format(**values) + SERVER.format(**values) + daemons + domains + definitions + MAILERS
    server += mailers + (f"MAILER_DEFINITIONS\n{own}" if own else "")
    compile_cf(etc / "sendmail.mc", server)
    first = next(port for port, _ in services.values())
    compile_cf(etc / "submit.mc", BASE.format(**values) + SUBMIT.format(port=first, **values))


def compile_cf(path: Path, text: str) -> None:
    """Write a .mc and the .cf that m4 makes of it. RuntimeError with m4's words where it complains."""
    path.write_text(text)
    done = subprocess.run(["m4", path], capture_output=True, text=True, check=False)
    if done.returncode != 0 or done.stderr:
        raise RuntimeError(f"m4 {path}: {done.stderr}")
    path.with_suffix(".cf").write_text(done.stdout)


def table(folder: Path, package: Path, name: str, entries: Mapping[str, str]) -> None:
    """Write etc/NAME and etc/NAME.db, a hash table of makemap(8)."""
    text = "".join(f"{key}\t{value}\n" for key, value in entries.items())
    path = folder / "etc" / name
    path.write_text(text)
    makemap = package / "usr/libexec/sendmail/makemap"
    subprocess.run([makemap, "-C", "/dev/null", "hash", path], input=text, text=True, check=True)


def _mailer(number: int, transport: str) -> tuple[str, str]:
    """(the right side of a mailertable line, the mailer that it needs or an empty string) of a transport of Peer."""
    kind, _, rest = transport.partition(":")
    if kind not in ("smtp", "lmtp"):
        return transport, ""
    way, _, place = rest.rpartition(":")
    arguments = f"FILE {place}" if way == "unix" else f"TCP $h {place}"
    flags = "mDFMuX" if kind == "smtp" else "mnSXz"
    definition = (
        f"Mpeer{number}, P=[IPC], F={flags}, S=EnvFromSMTP/HdrFromSMTP, R=EnvToSMTP, E=\\r\\n, L=990,\n"
        f"\tT=DNS/RFC822/SMTP, A={arguments}\n"
    )
    return f"peer{number}:[127.0.0.1]", definition


def _service(name: str, port: int, options: str) -> str:
    more = f", {options}" if options else ""
    return f"DAEMON_OPTIONS(`Name={name}, Family=inet, Addr=127.0.0.1, Port={port}{more}')dnl\n"


def _devices(folder: Path) -> None:
    for name in ("null", "zero", "random", "urandom"):
        (folder / "dev" / name).touch()
    (folder / "dev/log").symlink_to(folder / "log.socket")
