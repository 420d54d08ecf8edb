"""Files that the configuration names, and that can't be used: each command says which, in one line, with exit 78."""

from __future__ import annotations

import os

import pytest

from bouncemilter.cli import configuration, serve
from bouncemilter.daemon import Daemon
from tests.cli.conftest import Home

RULES = {"rules.d/own.toml": "[[rule]\n"}
BROKEN_RULES = '[classify]\nrules_directory = "{folder}/rules.d"\n'
NO_RULES = '[classify]\nrules_directory = "{folder}/nowhere"\n'
NO_KEY = 'key_file = "{folder}/bounces.key"\n'
NO_DKIM = '[[dkim]]\ndomain = "own.test"\nselector = "bulk"\npublic_key_file = "{folder}/bulk.txt"\n'

INGEST = ("ingest", "{folder}/mails")
IMPORT = ("suppression", "import", "{folder}/list.txt")
RECLASSIFY = ("reclassify", "--diff")
DOCTOR = ("doctor", "--no-self-test")
SIGN = ("returnpath", "sign", "jan@klient.test")


@pytest.mark.parametrize(
    ("lines", "named", "command"),
    [
        *((BROKEN_RULES, "rules.d/own.toml", command) for command in (INGEST, IMPORT, RECLASSIFY)),
        *((NO_RULES, "nowhere", command) for command in (INGEST, IMPORT, RECLASSIFY)),
        *((NO_KEY, "bounces.key", command) for command in (INGEST, SIGN)),
        *((NO_DKIM, "bulk.txt", command) for command in (INGEST, DOCTOR)),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else value.rpartition("/")[2].strip('"\n'),
)
def test_named(home: Home, lines: str, named: str, command: tuple[str, ...]) -> None:
    """The operator reads which file it is, and no trace of the program."""
    for path, text in {"mails/one.eml": "Subject: x\n\nx\n", "list.txt": "jan@klient.test\n", **RULES}.items():
        (home.folder / path).parent.mkdir(exist_ok=True)
        (home.folder / path).write_text(text)
    with home.config.open("a") as file:
        file.write(lines.format(folder=home.folder))
    done = home.run(*(word.format(folder=home.folder) for word in command))
    assert (done.exit_code, done.stdout) == (78, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(home.folder / named) in done.stderr


@pytest.mark.parametrize("fault", configuration.UNUSABLE)
def test_served(home: Home, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]) -> None:
    """So does the daemon where root could read the file, and its owner can't."""

    async def run(_: Daemon) -> bool:
        raise fault(["/etc/bouncemilter/own: Permission denied"])

    monkeypatch.setattr(Daemon, "run", run)
    monkeypatch.setattr(serve.log, "configure", lambda _: None)
    monkeypatch.setattr(os, "umask", lambda _: None)
    with home.config.open("a") as file:
        file.write(f'[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{home.state}/lmtp.sock"\n')
    done = home.run("serve")
    assert (done.exit_code, "/etc/bouncemilter/own: Permission denied" in done.stderr) == (78, True)
