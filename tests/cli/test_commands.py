"""What all commands share: help, exit codes, identity, closed pipes; and the small `config` and `check-config`."""

from __future__ import annotations

import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

import bouncemilter
from bouncemilter.cli import identity, main
from bouncemilter.cli.exits import Exit, Failure
from bouncemilter.store import Store
from bouncemilter.store.listing import Listing
from tests.cli.conftest import Home
from tests.rig.postfix import open_folder

ROOT = Path(__file__).parents[2]
JAN = "jan@klient.test"


def commands(group: click.Group = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, as it is typed."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_help(path: tuple[str, ...]) -> None:
    """Each command says what it does, and each of its options has a line."""
    done = CliRunner().invoke(main, [*path, "--help"])
    assert done.exit_code == 0
    usage, _, rest = done.stdout.partition("\n\n")
    assert usage.startswith("Usage: ")
    assert rest.strip()
    for option in re.findall(r"(?m)^  (-\S+(?:,? --\S+)*(?: [A-Z-]+)?) *$", rest):
        pytest.fail(f"{option} has no help")


def test_exit_codes_are_documented() -> None:
    """The help names every code that a command may end with."""
    text = " ".join(CliRunner().invoke(main, ["--help"]).stdout.split())
    codes = text.partition("Exit codes: ")[2].partition(".")[0]
    assert {int(each) for each in re.findall(r"\b\d+\b", codes)} == set(Exit)


def test_version() -> None:
    """It tells its version."""
    assert CliRunner().invoke(main, ["--version"]).stdout == f"bouncemilter, version {bouncemilter.__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["why"], ["suppression", "nonsense"], ["serve", "--nonsense"]])
def test_usage(arguments: list[str]) -> None:
    """What can't be understood is 2."""
    assert CliRunner().invoke(main, arguments).exit_code == Exit.USAGE


def test_reference() -> None:
    """`config reference` prints the shipped file."""
    done = CliRunner().invoke(main, ["config", "reference"])
    assert done.stdout == (ROOT / "config/bouncemilter.toml").read_text()


def test_fine(home: Home) -> None:
    """A good configuration is said to be, and the exit is 0."""
    done = home.run("check-config", "--no-environment")
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{home.config}: fine\n", "")


FAULTY = """
colour = "red"
[return_path]
[policy]
soft_messages = 0
preset = "strict"
[web]
address = "127.0.0.1:9125"
"""


@pytest.mark.parametrize("command", ["check-config", "serve", "why", "suppression list", "config postfix", "doctor"])
def test_every_fault(home: Home, command: str) -> None:
    """Each command that reads the configuration ends with 78 and names file and key of every fault (F52)."""
    home.config.write_text(FAULTY)
    done = home.run(*command.split(), *([JAN] if command == "why" else []))
    assert (done.exit_code, done.stdout) == (Exit.CONFIGURATION, "")
    lines = done.stderr.splitlines()
    assert all(line.startswith(f"bouncemilter: {home.config}: ") for line in lines)
    keys = {line.split(": ")[2] for line in lines}
    if command in ("check-config", "serve"):  # they look at the machine, too
        keys -= {"state_directory", "sink.listener[0].address"}
    assert keys == {"colour", "return_path", "policy.soft_messages", "policy.preset", "web.address"}


def test_environment(home: Home) -> None:
    """What is named must be there, unless the file alone is to be checked."""
    home.state.rmdir()
    for command in ("check-config", "serve"):
        done = home.run(command)
        assert done.exit_code == Exit.CONFIGURATION
        assert f"state_directory: no such folder: {home.state}" in done.stderr
        assert "sink.listener[0].address: no such folder" in done.stderr
    assert home.run("check-config", "--no-environment").exit_code == 0
    assert home.run("why", JAN).exit_code == Exit.CONFIGURATION


def test_rules_and_warnings(home: Home) -> None:
    """Every fault of the operator's rules is told, and every warning beside them."""
    rules = home.folder / "rules.d"
    rules.mkdir()
    (rules / "a.toml").write_text("[[rule]]\n")
    (rules / "b.toml").write_text("[")
    text = home.config.read_text().replace('["own.test"]', '["own.test", "inny.pl"]').replace("[policy]", "[policy]\n")
    home.config.write_text(f'{text}[classify]\nrules_directory = "{rules}"\n')
    done = home.run("check-config", "--no-environment")
    assert done.exit_code == Exit.CONFIGURATION
    for words in ("a.toml", "b.toml", "return_path[0].domain: warning: bounces.own.test and inny.pl"):
        assert words in done.stderr
    (rules / "a.toml").unlink()
    (rules / "b.toml").unlink()
    done = home.run("check-config", "--no-environment")
    assert done.exit_code == 0
    assert "warning: bounces.own.test and inny.pl" in done.stderr
    assert done.stdout == f"{home.config}: fine\n"


def test_missing_configuration(home: Home) -> None:
    """A file that is not there is named."""
    home.config.unlink()
    done = home.run("why", JAN)
    assert done.exit_code == Exit.CONFIGURATION
    assert done.stderr == f"bouncemilter: {home.config}: can't be read: No such file or directory\n"


def test_failure_is_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """A fault's text may hold what the file holds; the terminal gets no controls."""
    Failure("a: \x1b[31m\nb: \u202e", Exit.DATA).show()
    assert capsys.readouterr().err == "bouncemilter: a: \\x1b[31m\nbouncemilter: b: \\u202e\n"


def test_other_users(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is neither root nor the owner gets 77, and the command to use."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    monkeypatch.setattr(sys, "argv", ["bouncemilter", "why", "jan o@klient.test"])
    done = home.run("why", JAN)
    owner = pwd.getpwuid(os.getuid()).pw_name
    assert done.exit_code == Exit.PERMISSION
    assert done.stderr.endswith(f"use: sudo -u {owner} bouncemilter why 'jan o@klient.test'\n")
    assert list(home.state.iterdir()) == []


@pytest.mark.parametrize(("euid", "code"), [(0, Exit.CONFIGURATION), (1, Exit.PERMISSION)])
def test_owner_without_account(home: Home, monkeypatch: pytest.MonkeyPatch, euid: int, code: Exit) -> None:
    """A folder of a user who is gone is explained, to root too."""

    def gone(_: int) -> Any:
        raise KeyError

    monkeypatch.setattr(os, "geteuid", lambda: euid)
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((0o40700, 0, 0, 0, 4321, 0, 0, 0, 0, 0)))
    monkeypatch.setattr(identity.pwd, "getpwuid", gone)
    with pytest.raises(Failure, match=r"belongs to (user )?4321") as caught:
        identity.become_owner(home.state)
    assert caught.value.exit_code == code


def test_root_drops_everything(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root: first the groups, then the group, the user last; afterwards nothing of root is left."""
    done: list[str] = []
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((0o40700, 0, 0, 0, nobody.pw_uid, 0, 0, 0, 0, 0)))
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *given, name=name: done.append(f"{name} {given[-1]}"))
    identity.become_owner(home.state)
    assert done == [f"initgroups {nobody.pw_gid}", f"setgid {nobody.pw_gid}", f"setuid {nobody.pw_uid}"]


def python(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, **options
    )


@pytest.mark.parametrize("options", [(), ("--json",)], ids=["table", "json"])
def test_closed_pipe(home: Home, options: tuple[str, ...]) -> None:
    """`bouncemilter suppression list | head -1`: the reader goes, and nobody complains."""
    home.run("suppression", "add", JAN, "ewa@klient.test")
    process = python("-m", "bouncemilter", "suppression", "list", *options, "--config", str(home.config))
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    process.wait(30)


AS_ROOT = """
import contextlib, shutil, sys
from pathlib import Path
from bouncemilter.cli import identity, main
from bouncemilter.store import migration
folder, warm, *command = sys.argv[1:]
# The interpreter may lie where nobody can't read it: all that the command needs is loaded before it.
migration.SCRIPTS = Path(shutil.copytree(migration.SCRIPTS, Path(folder) / "scripts", dirs_exist_ok=True))
identity._refuse_unreadable = str
with contextlib.suppress(SystemExit):
    main(["suppression", "add", "x@klient.test", "--config", warm])
main(command)
"""


@pytest.mark.servers
def test_root_makes_no_files_of_root() -> None:
    """As root a command takes on the identity of the state folder's owner: all files are the owner's."""
    nobody = pwd.getpwnam("nobody")
    with open_folder() as folder:
        for name in ("warm", "cold"):
            (folder / name).mkdir(mode=0o755)
        warm, home = Home(folder / "warm"), Home(folder / "cold")
        os.chown(home.state, nobody.pw_uid, nobody.pw_gid)
        for arguments, code in ((["add", JAN], 0), (["check", JAN], 0), (["check", "ewa@klient.test"], 1)):
            options = ["--config", str(home.config)]
            # Whose identity changes can't write the coverage of the tree.
            plain = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
            command = ["-c", AS_ROOT, str(folder), str(warm.config), "suppression", *arguments, *options]
            process = python(*command, env=plain)
            _, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (code, b"")
        files = list(home.state.iterdir())
        assert files
        assert {(each.stat().st_uid, each.stat().st_gid) for each in files} == {(nobody.pw_uid, nobody.pw_gid)}


def test_unreadable_installation(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the owner can't read the program itself, that is said, not a trace of its next import."""
    nobody = pwd.getpwnam("nobody")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Path, "stat", lambda _: os.stat_result((0o40700, 0, 0, 0, nobody.pw_uid, 0, 0, 0, 0, 0)))
    for name in ("initgroups", "setgid", "setuid"):
        monkeypatch.setattr(os, name, lambda *_: None)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with pytest.raises(Failure, match=r"nobody can't read .*: install where other users can") as caught:
        identity.become_owner(home.state)
    assert caught.value.exit_code == Exit.PERMISSION


@pytest.mark.parametrize("arguments", [["suppression", "check", "jan@klient.test"], ["manpage"]])
def test_full_disk_is_no_answer(home: Home, arguments: list[str]) -> None:
    """Where an answer can't be written, the exit code is that of the disk and not `no`."""
    home.run("suppression", "add", "jan@klient.test")
    environment = os.environ | {"BOUNCEMILTER_CONFIG": str(home.config)}
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bouncemilter", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=environment,
        )
    assert (done.returncode, done.stderr) == (74, "bouncemilter: standard output: No space left on device\n")


def test_an_interrupt_is_no_answer(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is interrupted has not said `no`."""

    async def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Store, "suppressed", interrupted)
    monkeypatch.setattr(Listing, "of", interrupted)
    assert home.run("why", "jan@klient.test").exit_code == 130
