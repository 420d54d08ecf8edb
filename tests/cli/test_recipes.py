"""The README's recipes for list software, as they stand there, with real jq and curl, by the hook or as cron would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.daemon import hook
from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Store
from tests.cli.conftest import Home

pytestmark = pytest.mark.servers

README = (Path(__file__).parents[2] / "README.md").read_text()
JAN, EWA, OLA = "jan@klient.test", "Ewa@klient.test", "o'la+x@klient.test"
CONTACTS = {"7": "nowak-jan@klient.test", "8": "Jan@Klient.test", "9": OLA}
"""Of Mautic; whose search for Jan finds Nowak first."""


class Listener:
    """The list software's API; `asked`: path and JSON of each order; `fails`: it answers none."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.fails = False
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                wanted = query["search"][0].removeprefix("email:").lower()
                hits = {number: name for number, name in CONTACTS.items() if wanted in name.lower()}
                contacts = {
                    number: {"id": int(number), "fields": {"all": {"email": name}}} for number, name in hits.items()
                }
                self._answer({"total": str(len(hits)), "contacts": contacts or []})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not listener.fails:
                    listener.asked.append((self.path, body))
                self._answer({})

            def _answer(self, found: object) -> None:
                known = self.headers["Authorization"] == "Basic dTpw"
                self.send_response(503 if listener.fails else 200 if known else 401)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def recipe(mark: str, folder: Path, **instead: str) -> Path:
    """The README's script that holds `mark`, with words of it replaced."""
    (script,) = [part.partition("```")[0] for part in README.split("```sh\n") if mark in part.partition("```")[0]]
    for old, new in instead.items():
        assert old.replace("__", "/") in script
        script = script.replace(old.replace("__", "/"), new)
    path = folder / "recipe"
    path.write_text(script)
    path.chmod(0o755)
    return path


def key(folder: Path) -> str:
    file = folder / "key"
    file.write_text('user = "u:p"\n')
    return str(file)


async def told(store: Store, script: Path) -> hook.RunResult:
    """Tell the script all changes as the hook does; how it ended."""
    outcome, words = await hook._run([str(script)], await store.cursors.changes(0, 100))
    assert outcome is not hook.RunResult.OK or not words
    return outcome


async def fill(store: Store) -> None:
    """Jan is dead, Ewa has complained, Ola has left a list; Adam was dead."""
    for address, scope, value, cause in (
        (JAN, Scope.GLOBAL, "", Cause.HARD),
        (EWA, Scope.GLOBAL, "", Cause.COMPLAINT),
        (OLA, Scope.LIST, "l.own.test", Cause.UNSUBSCRIBE),
        ("adam@klient.test", Scope.GLOBAL, "", Cause.HARD),
    ):
        await store.suppress(address, Sentence(scope, value, cause, None), by="test")
    await store.lift("adam@klient.test", by="test")


@pytest.fixture
def filled(home: Home) -> Home:
    home.store(fill)
    return home


def run(home: Home, script: Path) -> hook.RunResult:
    return home.store(lambda store: told(store, script))


def test_listmonk(filled: Home, listener: Listener) -> None:
    """It is told of each address that is suppressed for all mail; while it is down, the hook is to come again."""
    where = {
        "__etc__bouncemilter__keys__listmonk.curl": key(filled.folder),
        "http:____127.0.0.1:9000": listener.url,
    }
    script = recipe("webhooks/bounce", filled.folder, **where)
    listener.fails = True
    assert run(filled, script) is hook.RunResult.FAILED
    listener.fails = False
    assert run(filled, script) is hook.RunResult.OK
    assert listener.asked == [
        ("/webhooks/bounce", {"email": JAN, "source": "bouncemilter", "type": "hard"}),
        ("/webhooks/bounce", {"email": EWA, "source": "bouncemilter", "type": "complaint"}),
    ]


def test_mautic(filled: Home, listener: Listener) -> None:
    """Mautic's very contact is marked, with the reason; unknown ones are left out; a failing look-up comes again."""
    where = {
        "__etc__bouncemilter__keys__mautic.curl": key(filled.folder),
        "https:____mautic.example.pl": listener.url,
    }
    script = recipe("/dnc/email/add", filled.folder, **where)
    listener.fails = True
    assert run(filled, script) is hook.RunResult.FAILED
    listener.fails = False
    assert run(filled, script) is hook.RunResult.OK
    assert listener.asked == [
        ("/api/contacts/8/dnc/email/add", {"reason": 2}),
        ("/api/contacts/9/dnc/email/add", {"reason": 1}),
    ]
    (filled.folder / "key").write_text('user = "u:wrong"\n')
    assert run(filled, script) is hook.RunResult.FAILED


def test_mailman(filled: Home) -> None:
    """Cron takes from Mailman's lists who is suppressed for all mail, once; where Mailman fails, the next run does."""
    folder, state = filled.folder, filled.folder / "members"
    programs = {
        "bouncemilter": f'exec "{sys.executable}" -m bouncemilter "$@" --config "{filled.config}"',
        "sudo": '[ "$1 $2" = "-u list" ] && shift 2 && exec "$@"',
        "mailman": f'echo "$@" >> "{state}"; cat >> "{state}"; exit $(cat "{folder}/code")',
    }
    (folder / "bin").mkdir()
    for name, body in programs.items():
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / "bin" / name).chmod(0o755)
    script = recipe("delmembers", folder, __var__lib__mailman3=str(folder))

    def cron(code: int) -> list[str]:
        (folder / "code").write_text(str(code))
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        environment = os.environ | {"PATH": path, "TMPDIR": str(folder / "tmp")}
        done = subprocess.run([script], env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode == 0, done.stderr) == (code == 0, "")
        assert list((folder / "tmp").iterdir()) == []
        lines = state.read_text().splitlines() if state.exists() else []
        state.unlink(missing_ok=True)
        return lines

    (folder / "tmp").mkdir()
    order = ["delmembers --fromall --no-goodbye-ack -f -", JAN, EWA]
    assert cron(3) == cron(0) == order
    assert cron(0) == []
