"""`scrub`: lists, files and exit codes."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bouncemilter.cli import identity
from bouncemilter.cli.exits import Failure
from bouncemilter.model import Cause, Scope, Sentence
from bouncemilter.store import Store
from tests.cli.conftest import Home

STREAMS = """
[[stream]]
name = "news"
kind = "bulk"
match = { daemon_name = ["bulk"] }
return_path = "b@bounces.own.test"
list = "news.own.test"
[[stream]]
name = "invoices"
kind = "transactional"
match = { daemon_name = ["invoices"] }
return_path = "b@bounces.own.test"
"""


@pytest.fixture
def known(home: Home) -> Home:
    """A store in which four are suppressed: for all mail, a sender, a list, and for a while that is over."""

    async def fill(store: Store) -> None:
        over = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        for address, sentence in (
            ("crm@wp.pl", Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)),
            ("blocks@wp.pl", Sentence(Scope.SENDER, "own.test", Cause.BLOCKED_BY_RECIPIENT, None)),
            ("left@wp.pl", Sentence(Scope.LIST, "news.own.test", Cause.UNSUBSCRIBE, None)),
            ("over@wp.pl", Sentence(Scope.GLOBAL, "", Cause.SOFT, over)),
            ("abuse@wp.pl", Sentence(Scope.GLOBAL, "", Cause.MANUAL, None)),
        ):
            await store.suppress(address, sentence, by="jan", note="wraca z CRM")

    home.store(fill)
    home.bounce("dead@wp.pl", times=2)
    home.config.write_text(home.config.read_text() + STREAMS)
    return home


ALL = "crm blocks left over abuse dead fine".split()


def write(home: Home, name: str = "lista.csv") -> Path:
    path = home.folder / name
    path.write_bytes(b"id;email\r\n" + b"".join(b"%d;%s@WP.pl\r\n" % each for each in enumerate(map(str.encode, ALL))))
    return path


def left(path: Path) -> str:
    """The local parts that stayed."""
    return " ".join(line.partition(";")[2].partition("@")[0] for line in path.read_text().splitlines()[1:])


def test_default(known: Home) -> None:
    """Who is suppressed for all mail goes; the list itself stays, and the cleaned one lies beside it."""
    path = write(known)
    before = path.read_bytes()
    done = known.run("scrub", str(path))
    assert done.exit_code == 0
    assert path.read_bytes() == before
    cleaned = path.with_name("lista.clean.csv")
    assert left(cleaned) == "blocks left over abuse fine"
    assert cleaned.read_bytes().endswith(b"\r\n")
    assert "7 addresses: 2 taken out, 5 kept" in done.stdout
    assert "71.4 % may be written to (98 % delivered is the target)" in done.stdout
    assert "not named, and kept: 2" in done.stdout


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--sender", "own.test"], "left over abuse fine"),
        (["--sender", "other.test"], "blocks left over abuse fine"),
        (["--list", "<NEWS.own.test>"], "blocks over abuse fine"),
        (["--stream", "news"], "over abuse fine"),
        (["--stream", "news", "--sender", "other.test"], "blocks over abuse fine"),
        (["--stream", "invoices", "--list", "news.own.test"], "left over abuse fine"),
    ],
)
def test_scopes(known: Home, options: list[str], wanted: str) -> None:
    """A mailing that is named is held against the scopes that reach it, as outgoing mail would be."""
    path = write(known)
    assert known.run("scrub", str(path), *options).exit_code == 0
    assert left(path.with_name("lista.clean.csv")) == wanted


def test_rejected(known: Home) -> None:
    """Who was taken out stands in the other file with cause, category, date, scope and reason, or the note."""
    path, out = write(known), known.folder / "rejected.jsonl"
    assert known.run("scrub", str(path), "--rejected", str(out), "--sender", "own.test").exit_code == 0
    crm, blocks, dead = (json.loads(line) for line in out.read_text().splitlines())
    today = f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    assert crm == {
        "record": 2,
        "address": "crm@WP.pl",
        "cause": "manual",
        "category": "",
        "since": today,
        "until": "",
        "scope": "global",
        "reason": "wraca z CRM",
        "by": "jan",
    }
    assert (blocks["scope"], blocks["cause"]) == ("sender own.test", "blocked_by_recipient")
    assert (dead["category"], dead["by"]) == ("user_unknown", "policy")
    assert "at once" in dead["reason"] or "message" in dead["reason"]


def test_json_and_report(known: Home) -> None:
    """The figures come as one object, or as tables by cause, category and domain."""
    path = write(known)
    [found] = known.objects("scrub", str(path), "--dry-run")
    assert found["rejected"] == 2
    assert found["by_cause"] == {"manual": 1, "hard": 1}
    assert found["by_category"] == {"none": 1, "user_unknown": 1}
    assert (found["column"], found["encoding"], found["delimiter"]) == ("email", "utf-8", ";")
    assert (found["living_before"], found["output"]) == (0.7143, None)
    shown = known.run("scrub", str(path), "--report").stdout
    assert [word in shown for word in ("cause", "category", "domain", "user_unknown", "wp.pl", "28.6 %")] == [True] * 6


def test_dry_run(known: Home) -> None:
    """A dry run writes nothing, not even who would be taken out."""
    path = write(known)
    assert known.run("scrub", str(path), "--dry-run", "--rejected", str(known.folder / "r.csv")).exit_code == 0
    assert {each.name for each in known.folder.iterdir()} == {"lista.csv", "state", "bouncemilter.toml"}


def test_in_place(known: Home) -> None:
    """In place the list changes, keeps its permissions, and what it was is kept; a second run changes nothing."""
    path = write(known)
    path.chmod(0o600)
    before = path.read_bytes()
    assert known.run("scrub", str(path), "--in-place").exit_code == 0
    copy = path.with_name("lista.csv.bak")
    assert (left(path), copy.read_bytes()) == ("blocks left over abuse fine", before)
    assert path.stat().st_mode & 0o777 == 0o600
    number = path.stat().st_ino
    done = known.run("scrub", str(path), "--in-place")
    assert "no list was written" in done.stdout
    assert (path.stat().st_ino, copy.read_bytes()) == (number, before)


@pytest.mark.parametrize(("name", "code"), [("crm@wp.pl", 1), ("fine@wp.pl", 0)])
def test_exit_code(known: Home, name: str, code: int) -> None:
    """For scripts: 1 where anything was taken out, if asked for; without that 0."""
    path = known.folder / "l.txt"
    path.write_text(f"{name}\n")
    assert known.run("scrub", str(path), "--exit-code").exit_code == code
    assert known.run("scrub", str(path)).exit_code == 0


def test_odd_cells(known: Home) -> None:
    """Angle brackets, quotes, case and other addresses in a cell hide nobody; what is no address stays, and is told."""
    path = known.folder / "l.txt"
    kept = b"fine@wp.pl, more@wp.pl\n# a note\n\n"
    path.write_bytes(b'Jan <CRM@wp.pl>\n"crm"@wp.pl\nmailto:dead@wp.pl\nfine@wp.pl; dead@WP.PL\n' + kept)
    done = known.run("scrub", str(path))
    assert path.with_name("l.clean.txt").read_bytes() == kept
    assert "no e-mail address in 1 records, the first: 6" in done.stdout


def test_international(known: Home) -> None:
    """A domain is the same as U-label and A-label."""
    known.run("suppression", "add", "jan@żółw.pl")
    path = known.folder / "l.csv"
    path.write_bytes("email,imię\njan@xn--w-uga1v8h.pl,a\njan@ŻÓŁW.pl,b\nola@żółw.pl,c\n".encode("windows-1250"))
    known.run("scrub", str(path), "--encoding", "windows-1250")
    assert path.with_name("l.clean.csv").read_bytes().splitlines()[1:] == ["ola@żółw.pl,c".encode("windows-1250")]


def test_pending_stays(known: Home) -> None:
    """What an incident holds back is not taken out."""
    path = write(known)

    async def hold(store: Store) -> None:
        async with store._writing.begin() as connection:
            await connection.exec_driver_sql("UPDATE suppressions SET pending = 1 WHERE address_key = 'dead@wp.pl'")

    known.store(hold)
    known.run("scrub", str(path))
    assert "dead" in left(path.with_name("lista.clean.csv"))


def test_workbook(known: Home) -> None:
    """A workbook is cleaned as a workbook."""
    made = openpyxl.Workbook()
    for row in (["Imię", "Adres e-mail"], ["Jan", "crm@wp.pl"], ["Ola", "fine@wp.pl"]):
        made.active.append(row)
    path = known.folder / "lista.xlsx"
    made.save(path)
    done = known.run("scrub", str(path))
    assert "column Adres e-mail of sheet Sheet" in done.stdout
    sheet = openpyxl.load_workbook(io.BytesIO(path.with_name("lista.clean.xlsx").read_bytes())).active
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["Imię", "Adres e-mail"],
        ["Ola", "fine@wp.pl"],
    ]


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"", 65, "empty"),
        (b"\x00\x01\x02" * 100, 65, "binary"),
        (b"a;b\n1;2\n", 65, "no column of e-mail addresses"),
        (b'email;x\na@wp.pl;1\n"b@wp.pl;2\n', 65, "record 3"),
        (b"a@wp.pl;b@wp.pl\n", 65, "--column"),
        (None, 74, "No such file"),
    ],
)
def test_bad_lists(known: Home, content: bytes | None, code: int, words: str) -> None:
    """A list that can't be used gives one line with its name and the place, and no file."""
    path = known.folder / "lista.csv"
    if content is not None:
        path.write_bytes(content)
    done = known.run("scrub", str(path), "--rejected", str(known.folder / "r.csv"), "--in-place")
    assert done.exit_code == code
    assert words in done.stderr
    assert str(path) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not {"r.csv", "lista.csv.bak"} & {each.name for each in known.folder.iterdir()}


@pytest.mark.parametrize(
    "options",
    [["--in-place", "--output", "x"], ["--output", "lista.csv"], ["--rejected", "lista.csv"], ["--stream", "?"]],
)
def test_usage(known: Home, options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Options that contradict each other, or would write over the list, are refused."""
    path = write(known)
    before = path.read_bytes()
    monkeypatch.chdir(known.folder)
    assert known.run("scrub", "lista.csv", *options).exit_code == 2
    assert path.read_bytes() == before


def _program(home: Home, *arguments: str, before: str = "") -> list[str]:
    program = f"import resource, signal\n{before}\nfrom bouncemilter.cli import main\nmain()"
    return [sys.executable, "-c", program, *arguments, "--config", str(home.config)]


def test_identity(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root the store is opened as its owner, and then root is back: list and output are root's own affair."""
    nobody = pwd.getpwnam("nobody")
    done: list[str] = []
    monkeypatch.setattr(identity.os, "geteuid", lambda: 0)
    for name in ("initgroups", "setegid", "seteuid", "setgroups"):
        monkeypatch.setattr(os, name, lambda *given, name=name: done.append(f"{name} {given[-1]}"))
    monkeypatch.setattr(os, "getgroups", lambda: [7])
    monkeypatch.setattr(os, "getegid", lambda: 8)
    real = Path.stat
    owned = os.stat_result((0o40700, 0, 0, 0, nobody.pw_uid, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **how: owned if self == known.state else real(self, **how))
    with identity.acting_as_owner(known.state):
        assert done == [f"initgroups {nobody.pw_gid}", f"setegid {nobody.pw_gid}", f"seteuid {nobody.pw_uid}"]
        done.clear()
    assert done == ["seteuid 0", "setegid 8", "setgroups [7]"]


def test_stranger(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may not open the store gets the command to use, and nothing is written."""
    path = write(known)
    monkeypatch.setattr(identity.os, "geteuid", lambda: known.state.stat().st_uid + 1 or 1)
    done = known.run("scrub", str(path))
    assert (done.exit_code, "use: sudo bouncemilter" in done.stderr) == (77, True)
    assert not path.with_name("lista.clean.csv").exists()


def test_full_disk(known: Home) -> None:
    """A disk that takes no more gives 74 and the file's name; the list is as it was, and nothing is left over."""
    path = known.folder / "lista.csv"
    path.write_bytes(b"crm@wp.pl\n" + b"fine@wp.pl\n" * 300_000)
    known.run("suppression", "list")
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))"
    arguments = ("scrub", str(path), "--in-place", "--rejected", str(known.folder / "r.csv"))
    done = subprocess.run(_program(known, *arguments, before=limit), capture_output=True, text=True, check=False)
    assert (done.returncode, "File too large" in done.stderr, str(path) in done.stderr) == (74, True, True)
    assert path.stat().st_size == 3_300_010
    assert {each.name for each in known.folder.iterdir()} == {"lista.csv", "state", "bouncemilter.toml"}


def test_killed(known: Home) -> None:
    """Killed in the middle, or by Ctrl-C, the list is as it was, and nothing is left over."""
    path = known.folder / "lista.csv"
    path.write_bytes(b"crm@wp.pl\n" + b"fine@wp.pl\n" * 10)
    slow = (
        "from bouncemilter.lists.textlist import TextList\nimport time\ncopy = TextList.copy\n"
        "def wait(self, out, keep, progress):\n    copy(self, out, keep, progress)\n    out.flush()\n"
        "    print('written', flush=True)\n    time.sleep(60)\nTextList.copy = wait"
    )
    for number in (signal.SIGKILL, signal.SIGINT):
        with subprocess.Popen(
            _program(known, "scrub", str(path), "--in-place", before=slow),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"written\n"
            process.send_signal(number)
        assert process.returncode != 0
        assert {each.name for each in known.folder.iterdir()} == {"lista.csv", "state", "bouncemilter.toml"}
        assert path.read_bytes().startswith(b"crm@wp.pl\n")


def test_changed_meanwhile(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that somebody changes while it is read is left alone: try again later."""
    path = write(known)

    def settle(after: float) -> None:
        os.utime(path, (after, after))

    monkeypatch.setattr("bouncemilter.lists.textlist.TextList.copy", lambda *_: settle(time.time() + 60))
    done = known.run("scrub", str(path), "--in-place")
    assert (done.exit_code, "changed while it was read" in done.stderr) == (75, True)


@given(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8", exclude_characters='"', exclude_categories=("Cc",)), max_size=12),
            st.booleans(),
        )
    ),
    st.sampled_from(["utf-8", "utf-16-le", "utf-8-sig"]),
    st.booleans(),
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nobody_suppressed(home: Home, rows: list[tuple[str, bool]], codec: str, end: bool) -> None:
    """Where nobody is suppressed the cleaned list is equal to the list, octet for octet."""
    path = home.folder / "l.csv"
    lines = ("\r" * windows + f'\njan@wp.pl,"{text}"' for text, windows in rows)
    content = "email,x" + "".join(lines) + "\n" * end
    mark = "\ufeff" if codec == "utf-16-le" else ""
    path.write_bytes((mark + content).encode(codec))
    assert home.run("scrub", str(path), "--column", "1").exit_code == 0
    assert path.with_name("l.clean.csv").read_bytes() == path.read_bytes()


def test_program_out_of_reach(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the store's owner can't read the program, root is told so, and is root again."""
    given: list[int] = []
    monkeypatch.setattr(identity.os, "geteuid", lambda: 0)
    for name in ("initgroups", "setegid", "setgroups"):
        monkeypatch.setattr(os, name, lambda *_: None)
    monkeypatch.setattr(os, "seteuid", given.append)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    real, nobody = Path.stat, pwd.getpwnam("nobody").pw_uid
    owned = os.stat_result((0o40700, 0, 0, 0, nobody, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **how: owned if self == known.state else real(self, **how))
    with pytest.raises(Failure, match="install where other users can"), identity.acting_as_owner(known.state):
        pass
    assert given == [nobody, 0]


def test_folder_here(known: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder where one stands is no list."""
    monkeypatch.chdir(known.folder)
    for name in (".", "..", "/"):
        done = known.run("scrub", name)
        assert (done.exit_code, "a folder, no list" in done.stderr) == (65, True)


def test_empty_store(home: Home) -> None:
    """Where nobody is suppressed it is asked whether this is the right store."""
    path = write(home)
    assert "the store suppresses nobody" in home.run("scrub", str(path)).stdout
    home.run("suppression", "add", "other@wp.pl")
    assert "the store suppresses nobody" not in home.run("scrub", str(path)).stdout


def test_nearly_all(known: Home) -> None:
    """One of many is not rounded away."""
    path = known.folder / "l.txt"
    path.write_text("crm@wp.pl\n" + "fine@wp.pl\n" * 3000)
    assert "99.9 % may be written to" in known.run("scrub", str(path)).stdout
