"""A private Dovecot on loopback: own configuration, mail and log in one folder, apart from the machine's own.

It needs root, Debian's packages dovecot-imapd and dovecot-pop3d, and openssl; without them it fails, it never skips.
"""

from __future__ import annotations

import contextlib
import imaplib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.rig.postfix import free_ports
from tests.rig.process import Process

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
START_SECONDS = 60
LOG_TAIL = 40

USER = "zwroty@own.test"
# Not ASCII, and with what must be quoted.
PASSWORD = 'żółw "7\\'
TOKEN = "ya29.good-token"

_OLD = """\
protocols = imap pop3
base_dir = {folder}/run
state_dir = {folder}/state
listen = 127.0.0.1
log_path = {folder}/log
ssl = yes
ssl_cert = <{folder}/cert.pem
ssl_key = <{folder}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_location = maildir:{folder}/mail/Maildir
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
default_login_user = {login}
default_internal_user = {internal}
default_internal_group = {internal}
protocol imap {{
  imap_capability = {capability}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth2.conf
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mail
}}
"""
_OLD_TOKENS = """\
introspection_mode = get
introspection_url = http://127.0.0.1:{tokens}/?token=
active_attribute = active
active_value = true
username_attribute = email
"""
# 2.4 has other names for most of it, and takes no other configuration.
_NEW = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols {{
  imap = yes
  pop3 = yes
}}
base_dir = {folder}/run
state_dir = {folder}/state
listen = 127.0.0.1
log_path = {folder}/log
ssl = yes
ssl_server_cert_file = {folder}/cert.pem
ssl_server_key_file = {folder}/key.pem
auth_allow_cleartext = yes
auth_mechanisms = plain login xoauth2
auth_failure_delay = 0
mail_driver = maildir
mail_path = {folder}/mail/Maildir
mail_home = {folder}/mail
mail_uid = {owner}
mail_gid = {group}
first_valid_uid = 1
first_valid_gid = 1
imap_capability = {capability}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
passdb passwd-file {{
  passwd_file_path = {folder}/users
  default_password_scheme = PLAIN
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2
}}
oauth2 {{
  introspection_mode = get
  introspection_url = http://127.0.0.1:{tokens}/?token=
  active_attribute = active
  active_value = true
  username_attribute = email
}}
userdb static {{
  fields {{
    uid = {owner}
    gid = {group}
    home = {folder}/mail
  }}
}}
"""


class Dovecot(Process):
    """A Dovecot with one user, USER, that runs while the context lasts.

    `folder`: empty, passable for all users. `capability`: what IMAP says that it can; empty: what Dovecot can.
    """

    def __init__(self, folder: Path, *, capability: str = "") -> None:
        self.folder = folder
        self.maildir = folder / "mail" / "Maildir"
        self.certificate = folder / "cert.pem"
        self._capability = capability
        self._master: subprocess.Popen[bytes] | None = None
        self._tokens: ThreadingHTTPServer | None = None
        names = ("imap", "imaps", "pop3", "pop3s", "tokens")
        self.ports = dict(zip(names, free_ports(len(names)), strict=True))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if self._tokens is not None:
            self._tokens.shutdown()
            self._tokens.server_close()

    def start(self) -> None:
        """Start it, and return when it greets."""
        if os.geteuid() != 0 or shutil.which("dovecot", path=PATH) is None:
            raise RuntimeError("a private Dovecot needs root and the packages dovecot-imapd and dovecot-pop3d")
        if not self.certificate.exists():
            self._prepare()
        with (self.folder / "errors").open("ab") as errors:
            self._master = subprocess.Popen(
                ["dovecot", "-F", "-c", str(self.folder / "dovecot.conf")],
                env={**os.environ, "PATH": PATH},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self.wait_for(self._greets, START_SECONDS)

    def _require_running(self) -> None:
        if self._master is not None and self._master.poll() is not None:
            raise RuntimeError(f"Dovecot does not start\n{self.report()}")

    def kill(self) -> None:
        """End it at once, all of its processes."""
        if self._master is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._master.pid, signal.SIGKILL)
        self._master.wait(10)
        self._master = None

    def report(self) -> str:
        """The end of the log, for a failure's message."""
        found = [
            line
            for name in ("errors", "log")
            if (self.folder / name).exists()
            for line in (self.folder / name).read_text(errors="replace").splitlines()
        ]
        return "\n".join(["Dovecot's log:", *found[-LOG_TAIL:]])

    @contextlib.contextmanager
    def client(self, folder: str | None = "INBOX") -> Iterator[imaplib.IMAP4]:
        """A mail program's session, in a folder."""
        with imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=20) as found:
            found.authenticate("PLAIN", lambda _: f"\0{USER}\0{PASSWORD}".encode())
            if folder is not None:
                found.select(f'"{folder}"')
            yield found

    def put(self, mail: bytes, *, folder: str = "INBOX", at: float | None = None, flags: str = "") -> None:
        """Lay a mail into a folder, with its date (seconds) and flags."""
        with self.client(None) as client:
            client.create(f'"{folder}"')
            date = imaplib.Time2Internaldate(at or time.time())
            kind, data = client.append(f'"{folder}"', flags, date, mail.replace(b"\n", b"\r\n"))
            assert kind == "OK", data

    def messages(self, folder: str = "INBOX") -> list[tuple[int, frozenset[str]]]:
        """UID and flags (without \\Recent) of what lies in a folder."""
        with self.client(None) as client:
            kind, count = client.select(f'"{folder}"', readonly=True)
            assert kind == "OK"
            _, data = client.fetch("1:*", "(UID FLAGS)") if count != [b"0"] else ("", [])
        found = []
        for line in data:
            if isinstance(line, bytes) and (uid := re.search(rb"UID (\d+)", line)):
                flags = re.search(rb"FLAGS \(([^)]*)\)", line)
                assert flags is not None
                found.append((int(uid[1]), frozenset(flags[1].decode().split()) - {r"\Recent"}))
        return found

    def _greets(self) -> bool:
        for name in ("imap", "pop3"):
            try:
                with socket.create_connection(("127.0.0.1", self.ports[name]), 5) as found:
                    found.settimeout(5)
                    if not found.recv(10).startswith((b"* OK", b"+OK")):
                        return False
            except OSError:
                return False
        return True

    def _prepare(self) -> None:
        for each in ("run", "state", "mail"):
            (self.folder / each).mkdir()
            (self.folder / each).chmod(0o755)
        shutil.chown(self.folder / "mail", "nobody", "nogroup")
        subprocess.run(
            [
                *"openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost".split(),
                *("-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(self.folder / "key.pem"), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )
        (self.folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
        version = subprocess.run(["dovecot", "--version"], check=True, capture_output=True, text=True).stdout
        values: dict[str, Any] = {
            "folder": self.folder,
            "owner": "nobody",
            "group": "nogroup",
            "login": "dovenull",
            "internal": "dovecot",
            "capability": self._capability,
            **self.ports,
        }
        (self.folder / "oauth2.conf").write_text(_OLD_TOKENS.format(**values))
        self._answer_tokens()
        lines = (_OLD if version.startswith("2.3") else _NEW).format(**values).splitlines()
        text = "\n".join(line for line in lines if line.strip() != "imap_capability =")
        (self.folder / "dovecot.conf").write_text(text + "\n")

    def _answer_tokens(self) -> None:
        """The provider's server that says whose an access token is."""
        self._tokens = ThreadingHTTPServer(("127.0.0.1", self.ports["tokens"]), _Tokens)
        threading.Thread(target=self._tokens.serve_forever, daemon=True).start()


class _Tokens(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        good = parse_qs(urlsplit(self.path).query).get("token") == [TOKEN]
        body = json.dumps({"active": "true", "email": USER} if good else {"active": "false"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""
