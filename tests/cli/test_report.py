"""`report`, `stats` and `status` as an operator calls them."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner, Result

from bouncemilter.cli import main
from bouncemilter.cli.exits import Exit
from bouncemilter.model import Category
from bouncemilter.replacement import Replacement
from bouncemilter.store import Store
from tests.cli.conftest import Home
from tests.statistics.mailing import HOSTILE, failure, record, sent


@pytest.fixture
def full(home: Home) -> Home:
    """A home with 100 messages sent today and 4 that came back."""
    now = dt.datetime.now(dt.UTC)

    async def fill(store: Store) -> None:
        await store.sent.record(sent(100, now, "wp.pl", campaign="wiosna"))
        zen = "554 5.7.1 blocked using zen.spamhaus.org"
        await record(
            store,
            failure("jan@wp.pl", at=now, campaign="=wiosna", diagnostic=HOSTILE),
            failure("ewa@wp.pl", Category.MAILBOX_FULL, at=now),
            failure("ola@wp.pl", Category.BLOCKLISTED, at=now, diagnostic=zen, template=zen),
            failure("iza@wp.pl", Category.MESSAGE_TOO_BIG, at=now),
        )

    home.store(fill)
    return home


def raw(home: Home, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["report", *arguments, "--config", str(home.config)], catch_exceptions=False)


def test_table(full: Home) -> None:
    """One line a day, the total, the rate, and whether the target is reached."""
    out = full.run("report").stdout
    assert "4.00%" in out
    assert "96.00% !" in out
    assert "target: 98%: below the target" in out
    assert "poniżej celu" in full.run("report", "--lang", "pl").stdout


def test_advice(full: Home) -> None:
    """By reason, each line has its advice: also the size to keep to, and where a list is left."""
    out = full.run("report", "--by", "category").stdout
    assert "250 KB" in out
    assert "public block list" in out
    out = full.run("report", "--raw", "blocklisted", "--lang", "pl").stdout
    assert "blocked using zen.spamhaus.org" in out
    assert "https://check.spamhaus.org/" in out


def test_raw(full: Home) -> None:
    """The servers' own words of a reason, with counts; exit 1 where nothing was refused for it."""
    (found,) = json.loads(raw(full, "--raw", "user_unknown", "--json").stdout)
    assert (found["n"], found["diagnostic"]) == (1, HOSTILE)
    assert full.run("report", "--raw", "dmarc_failed").exit_code == Exit.NO


def test_json(full: Home) -> None:
    """The object has the lines, the total and the remarks; what is not known is null."""
    (found,) = full.objects("report", "--by", "campaign")
    assert found["total"]["rate"] == found["total"]["measured"] / found["total"]["sent"] == 0.04
    assert {line["name"]: (line["sent"], line["rate"]) for line in found["lines"]} == {
        "wiosna": (100, 0.0),
        "=wiosna": (None, None),
        "": (None, None),
    }


def test_csv(full: Home, tmp_path: Path) -> None:
    """The file has every line and the total, and no cell is a formula; an old file is replaced whole."""
    out = tmp_path / "r.csv"
    out.write_text("x" * 100_000)
    assert full.run("report", "--by", "campaign", "--format", "csv", "--output", str(out)).stdout == ""
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert {row["campaign"]: row["failed"] for row in rows} == {"'=wiosna": "1", "wiosna": "0", "": "3", "total": "4"}
    assert [each.name for each in tmp_path.iterdir() if each.is_file() and each.suffix == ".csv"] == ["r.csv"]


def test_html(full: Home, tmp_path: Path) -> None:
    """A whole page in the language asked for; on standard output as well."""
    out = tmp_path / "r.html"
    full.run("report", "--by", "provider", "--format", "html", "--lang", "pl", "--output", str(out))
    html = out.read_text()
    assert html.startswith("<!DOCTYPE html>")
    assert "Raport zwrotów" in html
    assert "<script" not in html
    assert raw(full, "--format", "html").stdout.rstrip().endswith("</html>")


def test_every_blocklist(home: Home) -> None:
    """A blocklist is on the page however many other wordings there are."""
    now = dt.datetime.now(dt.UTC)
    said = {"diagnostic": "554 zen.spamhaus.org", "template": "zzz"}

    async def fill(store: Store) -> None:
        others = [failure(f"a{number}@wp.pl", at=now, template=f"550 {number}") for number in range(2000)]
        await record(store, *others, failure("b@wp.pl", Category.BLOCKLISTED, at=now, **said))

    home.store(fill)
    assert "https://check.spamhaus.org/" in raw(home, "--format", "html").stdout


def test_bundle(full: Home, tmp_path: Path) -> None:
    """The provider's refusals go into a ZIP file; without a provider, or a refusal, there is none."""
    out = tmp_path / "b.zip"
    done = full.run("report", "--bundle", str(out), "--provider", "WP.pl")
    assert "refusals: 4;" in done.stdout
    assert b"jan@" not in zipfile.ZipFile(out).read("refusals.csv")
    assert (
        "refusals: 1;"
        in full.run("report", "--bundle", str(out), "--provider", "wp.pl", "--campaign", "=wiosna").stdout
    )
    out.unlink()
    assert full.run("report", "--bundle", str(out), "--provider", "onet.pl").exit_code == Exit.NO
    assert full.run("report", "--bundle", str(out)).exit_code == Exit.USAGE
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--time-zone", "Europe/Warszawa"],
        ["--time-zone", "../../etc/passwd"],
        ["--from", "2026-02-01", "--to", "2026-01-01"],
        ["--from", "2000-01-01", "--to", "2026-01-01"],
        ["--raw", "user_unknown", "--format", "html"],
        ["--from", "yesterday"],
        ["--from", "2026-13-45"],
        ["--from", "9999-12-31", "--to", "9999-12-31"],
        ["--from", "0001-01-01", "--to", "0001-01-02", "--time-zone", "Asia/Tokyo"],
        ["--provider", ".."],
        ["--provider", "http://wp.pl/"],
        ["--raw", "user_unknown", "--category", "mailbox_full"],
        ["--bundle", "b.zip", "--provider", "wp.pl", "--json"],
        ["--bundle", "b.zip", "--provider", "wp.pl", "--raw", "user_unknown"],
    ],
)
def test_usage(home: Home, arguments: list[str]) -> None:
    """What can't be meant is 2, and named."""
    done = home.run("report", *arguments)
    assert (done.exit_code, done.stdout) == (Exit.USAGE, "")


def test_output_that_can_not_be(full: Home, tmp_path: Path) -> None:
    """A file that can't be written is named, before anything is computed; the exit is 74."""
    done = full.run("report", "--output", str(tmp_path / "none" / "r.txt"))
    assert done.exit_code == Exit.IO
    assert "No such file or directory" in done.stderr


def test_full_disk(full: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the old file stays as it was, and nothing lies beside it."""
    folder = tmp_path / "out"
    folder.mkdir()
    out = folder / "r.txt"
    out.write_text("old")

    def no_room(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    assert full.run("report", "--output", str(out)).exit_code == Exit.IO
    assert out.read_text() == "old"
    assert list(folder.iterdir()) == [out]


def test_output_is_whole(full: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a report is on the disk, the old one stands there; its permissions stay, a new one is not for all."""
    out, new = tmp_path / "r.txt", tmp_path / "new.txt"
    out.write_text("old")
    out.chmod(0o604)
    seen: list[str] = []
    real = Replacement.commit

    def commit(self: Replacement) -> None:
        seen.append(out.read_text())
        real(self)

    monkeypatch.setattr(Replacement, "commit", commit)
    for path in (out, new):
        assert full.run("report", "--output", str(path)).exit_code == 0
    assert (seen[0], "total" in out.read_text()) == ("old", True)
    assert (out.stat().st_mode & 0o777, new.stat().st_mode & 0o007) == (0o604, 0)


def test_output_to_a_device(full: Home) -> None:
    """What is no plain file is written to, and stays what it is."""
    assert full.run("report", "--output", "/dev/null").exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_stats(full: Home) -> None:
    """One screen: suppressions, watched addresses, what came back in 1, 7 and 30 days."""
    full.bounce("adam@klient.test", times=2)
    full.run("suppression", "add", "zofia@klient.test")
    out = full.run("stats").stdout
    assert out.startswith("suppressions in force: 2\n")
    assert full.run("stats", "--lang", "pl").stdout.startswith("blokady w mocy: 2\n")
    for words in ("manual", "hard", "1/2", "user_unknown", "blocklisted", "30 days"):
        assert words in out
    (found,) = full.objects("stats")
    assert found["in_force"] == 2
    assert found["days"]["7"]["sent"] == 100
    assert found["days"]["1"]["kinds"]["block"] == 2


def test_empty(home: Home) -> None:
    """An empty store has figures, too."""
    assert home.run("stats").exit_code == 0
    assert home.run("report").exit_code == 0
    assert home.objects("stats")[0]["days"]["1"]["rate"] is None


ROOMY = "[alerts]\ndisk_low_percent = 1\n"
METRICS = "bouncemilter_info 1\nbouncemilter_store_up 1\nbouncemilter_reload_success 1\n"


class Daemon(BaseHTTPRequestHandler):
    """Answers as the daemon's pages do."""

    pages: ClassVar[dict[str, tuple[int, str]]] = {}

    def do_GET(self) -> None:
        status, body = self.pages[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def daemon(home: Home) -> Iterator[type[Daemon]]:
    server = HTTPServer(("127.0.0.1", 0), Daemon)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    home.config.write_text(home.config.read_text() + f'{ROOMY}[web]\naddress = "inet:127.0.0.1:{server.server_port}"\n')
    Daemon.pages = {"/readyz": (200, "ready\n"), "/metrics": (200, METRICS)}
    home.store(lambda store: store.ping())
    yield Daemon
    server.shutdown()
    thread.join()
    server.server_close()


def subjects(home: Home) -> tuple[int, list[str]]:
    done = home.run("status", "--json")
    found = json.loads(done.stdout)
    assert found["well"] == (done.exit_code == 0)
    return done.exit_code, [each["subject"] for each in found["findings"] if not each["well"]]


def test_status(home: Home, daemon: type[Daemon]) -> None:
    """All is well: exit 0. Something is not: exit 1, and it is named."""
    assert subjects(home) == (0, [])
    assert "takes mail" in home.run("status").stdout
    daemon.pages["/readyz"] = (503, "store unavailable\n")
    daemon.pages["/metrics"] = (200, METRICS.replace("store_up 1", "store_up 0"))
    assert subjects(home) == (1, ["daemon", "store"])
    assert "nie przyjmuje poczty: store unavailable" in home.run("status", "--lang", "pl").stdout


def test_status_of_an_open_balance(home: Home, daemon: type[Daemon], monkeypatch: pytest.MonkeyPatch) -> None:
    """A balance that is still open at a second look is told."""
    monkeypatch.setattr("bouncemilter.cli.status.AGAIN_SECONDS", 0)
    daemon.pages["/metrics"] = (200, METRICS + 'bouncemilter_received_total{front="sink"} 1\n')
    assert subjects(home) == (1, ["balances"])


def test_status_without_a_daemon(home: Home) -> None:
    """Nobody answers: the heartbeat in the store tells whether a daemon lives; with silent pages it is not well."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        web = f'[web]\naddress = "inet:127.0.0.1:{free.getsockname()[1]}"\n'
        home.config.write_text(home.config.read_text() + ROOMY + web)
        assert subjects(home) == (1, ["daemon"])
        home.store(lambda store: store.ping())
        assert subjects(home) == (1, ["daemon"])
        assert "alive, by its heartbeat in the store, but nothing answers at inet:127" in home.run("status").stdout
        home.config.write_text(home.config.read_text().replace("[web]\n", "[web]\nenabled = false\n"))
        assert subjects(home) == (0, [])


def test_status_of_a_broken_store(home: Home) -> None:
    """A store that is none is a line of the screen, among all that can still be seen; the exit is 1."""
    (home.state / "bouncemilter.db").write_bytes(b"no database" * 500)
    home.config.write_text(home.config.read_text() + ROOMY + "[web]\nenabled = false\n")
    assert subjects(home) == (1, ["daemon", "store"])
    assert "not a SQLite database" in home.run("status").stdout


def test_status_of_passed_mail(full: Home) -> None:
    """Mail of people that nobody has read, and blocklists, need attention."""
    (full.state / "passed" / "new").mkdir(parents=True)
    (full.state / "passed" / "new" / "1").write_text("")
    full.store(lambda store: store.ping())
    full.config.write_text(full.config.read_text() + ROOMY + "[web]\nenabled = false\n")
    assert subjects(full) == (1, ["blocklists", "passed_mail"])
