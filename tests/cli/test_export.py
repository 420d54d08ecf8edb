"""`suppression export`, and what Postfix makes of the map."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from bouncemilter.cli import identity
from tests.cli.conftest import Home
from tests.rig.postfix import Postfix, open_folder

JAN, EWA, OLA = "jan@klient.test", "ewa@klient.test", "ola@inny.test"
STREAMS = """
[[stream]]
name = "news"
kind = "bulk"
list = "l.own.test"
[stream.match]
daemon_name = ["ORIGINATING"]
sender_domain = ["own.test"]
[[stream]]
name = "bills"
kind = "transactional"
[stream.match]
daemon_name = ["BILLS"]
"""


@pytest.fixture
def filled(home: Home) -> Home:
    """Jan is dead; Ewa has left a list; Ola is blocked for a sender; Postmaster is dead, too; and some odd names."""
    home.config.write_text(home.config.read_text() + STREAMS)
    file = home.folder / "list.csv"
    file.write_text(
        "address,cause,scope,scope_value,note\n"
        f"{JAN},hard,global,,=1+1\n{EWA},unsubscribe,list,l.own.test,\n{OLA},complaint,sender,own.test,\n"
        "postmaster@klient.test,hard,global,,\n#odd@klient.test,hard,global,,\n"
        '"""a b""@klient.test",hard,global,,\nżółw@klient.test,hard,global,,\n'
    )
    done = home.run("suppression", "import", str(file))
    assert done.exit_code == 0, done.output
    return home


def exported(home: Home, *options: str) -> list[str]:
    return home.run("suppression", "export", *options).stdout.splitlines()


def records(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def test_csv(filled: Home) -> None:
    """CSV has a header and a record for each suppression; no cell begins like a formula, but with --raw (F46)."""
    file = filled.folder / "out.csv"
    filled.run("suppression", "export", "--output", str(file))
    rows = records(file)
    assert [row["address"] for row in rows][-3:] == [OLA, "postmaster@klient.test", "żółw@klient.test"]
    assert {row["note"] for row in rows} == {"'=1+1", ""}
    assert all(cell[:1] not in tuple("=+-@\t\r") for row in rows for cell in row.values())
    filled.run("suppression", "export", "--raw", "--output", str(file))
    assert "=1+1" in [row["note"] for row in records(file)]


def test_json_lines(filled: Home) -> None:
    """JSON lines are the objects of `list --json`, by address; filters narrow them."""
    found = [
        json.loads(line) for line in exported(filled, "--format", "jsonl", "--cause", "hard", "--domain", "klient.test")
    ]
    assert [each["address_key"] for each in found][1:3] == ["#odd@klient.test", JAN]
    listed = {each["id"]: each for each in filled.objects("suppression", "list", "--cause", "hard")}
    assert {each["id"]: each for each in found} == listed


def test_pending_is_left_out(filled: Home) -> None:
    """What an incident holds back is in no export."""

    async def hold(store) -> None:  # type: ignore[no-untyped-def]
        connection = await store._writing.connect()
        await connection.exec_driver_sql("UPDATE suppressions SET pending = 1 WHERE address_key = ?", (JAN,))
        await connection.commit()
        await connection.close()

    filled.store(hold)
    for form in ("csv", "jsonl", "postfix", "plain"):
        assert not [line for line in exported(filled, "--format", form) if JAN in line]


WORDS = "550 5.7.1 suppressed: bouncemilter sends nothing to this address"
DEAD = [JAN, "żółw@klient.test"]


@pytest.mark.parametrize(
    ("options", "addresses"),
    [([], DEAD), (["--stream", "news"], [EWA, JAN, OLA, "żółw@klient.test"]), (["--stream", "bills"], DEAD)],
)
def test_postfix_map(filled: Home, options: list[str], addresses: list[str]) -> None:
    """The map refuses what is suppressed for all mail, or what the stream refuses; never postmaster, nor why."""
    done = filled.run("suppression", "export", "--format", "postfix", *options)
    assert done.stdout.splitlines() == [f"{address} {WORDS}" for address in addresses]
    assert "2 addresses are left out" in done.stderr


def test_plain_for_a_stream(filled: Home) -> None:
    """A plain list for a stream has the addresses that it refuses, each once."""
    assert exported(filled, "--format", "plain", "--stream", "bills")[-2:] == DEAD
    assert filled.run("suppression", "export", "--stream", "none").exit_code == 2


def test_file_is_whole_or_as_before(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file keeps its permissions, is replaced at the end, and stays as it was where something fails."""
    file = filled.folder / "map"
    file.write_text("before")
    file.chmod(0o640)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        done = filled.run("suppression", "export", "--output", str(file))
    assert (done.exit_code, file.read_text()) == (74, "before")
    assert filled.run("suppression", "export", "--format", "plain", "--output", str(file)).exit_code == 0
    assert JAN in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o640
    fresh = filled.folder / "fresh"
    filled.run("suppression", "export", "--output", str(fresh))
    assert fresh.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in filled.folder.iterdir()} == {"map", "fresh", "list.csv", "state", "bouncemilter.toml"}


def test_forgotten_addresses(filled: Home) -> None:
    """Of an address that was forgotten there is nothing to write; how many these are is said."""
    assert filled.run("forget", JAN).exit_code == 0
    done = filled.run("suppression", "export", "--format", "plain")
    assert JAN not in done.stdout
    assert "1 suppressions of forgotten addresses are left out" in done.stderr


@pytest.mark.servers
@pytest.mark.skipif(not shutil.which("postmap"), reason="no Postfix")
def test_real_postmap(filled: Home, tmp_path: Path) -> None:
    """Postfix itself reads the map as texthash, and finds what is suppressed and nobody else."""
    file = tmp_path / "suppressed"
    assert filled.run("suppression", "export", "--format", "postfix", "--output", str(file)).exit_code == 0
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "main.cf").write_text("compatibility_level = 3.6\n")
    (tmp_path / "etc" / "master.cf").write_text("")

    def ask(address: str) -> str:
        command = ["postmap", "-c", str(tmp_path / "etc"), "-q", address, f"texthash:{file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == ""
        return done.stdout.strip()

    assert ask(JAN) == ask("JAN@Klient.Test") == ask("żółw@klient.test") == WORDS
    assert ask(EWA) == ask("odd@klient.test") == ask("postmaster@klient.test") == ""


@pytest.mark.servers
def test_real_smtpd(filled: Home) -> None:
    """Postfix's smtpd refuses the recipients of the exported map as README says, odd ones too, and nobody else."""
    odd = [f"{local}@klient.test" for local in ("o'la", "a/b=c", "{x}|y", "100%", "a..b", "*", "!", "~$`^&?")]
    file = filled.folder / "odd"
    file.write_text("\n".join([*odd, "JAN.Duży@Żółw.test"]) + "\n")
    assert filled.run("suppression", "import", "--format", "plain", str(file)).exit_code == 0
    with open_folder() as folder:
        table = folder / "suppressed"
        filled.run("suppression", "export", "--format", "postfix", "--output", str(table))
        parameters = {
            "smtpd_recipient_restrictions": f"check_recipient_access texthash:{table}, permit_mynetworks, reject",
            "smtputf8_enable": "yes",
        }
        with Postfix(
            folder / "postfix", mailboxes=["@klient.test", "@xn--w-uga1v8h.test", "@żółw.test"], parameters=parameters
        ) as postfix:

            def refused(*recipients: str) -> list[str]:
                sent = postfix.inject("a@own.test", recipients, b"Subject: x\n\nx\n", mail_options=["SMTPUTF8"])
                words = {name: f"{each.code} {each.text}" for name, each in sent.rcpt.items()}
                assert all("suppressed: bouncemilter" in each or each[:3] == "250" for each in words.values()), words
                return [name for name, each in words.items() if each[:3] == "550"]

            dead = [JAN, JAN.upper(), "żółw@klient.test", *odd, "jan.duży@xn--w-uga1v8h.test", "Jan.Duży@żółw.test"]
            assert refused(*dead) == dead
            assert (
                refused(EWA, "postmaster@klient.test", "odd@klient.test", "x@klient.test", "jan@xn--w-uga1v8h.test")
                == []
            )


@pytest.mark.servers
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_as_root(filled: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root gets the file where only root may write, though the store is its owner's."""
    # The interpreter that runs the tests may lie in root's own folder; all modules are imported by now.
    monkeypatch.setattr(identity, "_refuse_unreadable", lambda _: None)
    for path in (filled.folder, filled.state, *filled.state.iterdir()):
        os.chown(path, 65534 if path != filled.folder else 0, 65534 if path != filled.folder else 0)
    for parent in (filled.folder, *filled.folder.parents[:3]):
        if os.access(parent, os.W_OK) and str(parent) != "/tmp":
            parent.chmod(0o755)
    file = filled.folder / "map"
    assert filled.run("suppression", "export", "--format", "plain", "--output", str(file)).exit_code == 0
    assert (file.stat().st_uid, JAN in file.read_text()) == (0, True)
    assert {each.stat().st_uid for each in filled.state.iterdir()} == {65534}
