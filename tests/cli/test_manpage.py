"""`manpage` and `completion`: made from the commands themselves, so that they lack none."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from bouncemilter.cli import main
from bouncemilter.cli.manpage import commands, page

ROOT = Path(__file__).parents[2]
PAGES = {"-".join(("bouncemilter", *path)): (path, found) for path, found in commands(main)}


def run(*words: str) -> str:
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_command_has_a_page(tmp_path: Path) -> None:
    """The folder gets one page for each command and group, and nothing else."""
    run("manpage", "--directory", str(tmp_path))
    assert {each.name for each in tmp_path.iterdir()} == {f"{name}.1" for name in PAGES}
    assert {"bouncemilter-suppression-list", "bouncemilter-store-backup", "bouncemilter-serve"} <= PAGES.keys()
    assert (tmp_path / "bouncemilter-why.1").read_text() == run("manpage", "why")


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str) -> None:
    """A page names its command, each option and, of a group, each command below it; no line is an odd request."""
    path, found = PAGES[name]
    text = page(found, path)
    plain = text.replace("\\-", "-")
    assert plain.startswith(f'.TH "{name.upper()}" 1 ')
    assert f"\n.SH NAME\n{name} - " in plain
    for param in found.params:
        if isinstance(param, click.Option):
            assert all(option in plain for option in param.opts), param.name
    for other in PAGES:
        if other.rpartition("-")[0] == name and isinstance(found, click.Group):
            assert other in plain
    requests = set(re.findall(r"(?m)^[.'](\w*)", text))
    assert requests <= {"TH", "SH", "TP", "PP", "B", "nf", "fi"}
    assert "\b" not in text


@pytest.mark.skipif(not shutil.which("groff"), reason="no groff")
@pytest.mark.parametrize("name", PAGES)
def test_groff_takes_it(name: str) -> None:
    """The formatter has nothing to complain of."""
    path, found = PAGES[name]
    done = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-k"], input=page(found, path).encode(), capture_output=True, check=True
    )
    assert done.stderr == b""


def test_faults(tmp_path: Path) -> None:
    """An unknown command is a wrong use; a folder that is not there is named, and nothing is written."""
    assert CliRunner().invoke(main, ["manpage", "suppression", "nonsense"]).exit_code == 2
    assert CliRunner().invoke(main, ["manpage", "why", "--directory", str(tmp_path)]).exit_code == 2
    done = CliRunner().invoke(main, ["manpage", "--directory", str(tmp_path / "none")])
    assert (done.exit_code, str(tmp_path / "none") in done.stderr) == (74, True)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str) -> None:
    """Each script asks the program by the variable that click listens to."""
    text = run("completion", shell)
    assert "_BOUNCEMILTER_COMPLETE" in text
    assert "bouncemilter" in text


def test_bash_completes(tmp_path: Path) -> None:
    """In bash, by the printed script: commands, subcommands, options and their words."""
    script = tmp_path / "completion"
    script.write_text(run("completion", "bash"))
    program = tmp_path / "bouncemilter"
    program.write_text(f"#!{sys.executable}\nfrom bouncemilter.cli import main\nmain()\n")
    program.chmod(0o755)

    def completed(*words: str) -> set[str]:
        ask = (
            f". {script}; COMP_WORDS=(bouncemilter {' '.join(words)}); COMP_CWORD={len(words)}; "
            '_bouncemilter_completion bouncemilter; echo "${COMPREPLY[@]}"'
        )
        env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
        done = subprocess.run(["bash", "-c", ask], capture_output=True, text=True, check=True, env=env)
        return set(done.stdout.split())

    assert {"suppression", "store"} <= completed("s")
    assert completed("store", "m") == {"migrate"}
    assert completed("why", "--lang", "p") == {"pl"}
    assert completed("manpage", "store", "m") == {"migrate"}
    assert "store" in completed("manpage", '""')
