"""DKIM keys in the configuration: every fault is found before the daemon starts, and named by its key (F52)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.assembly.pipeline import pipeline_options
from bouncemilter.assembly.returnpaths import dkim_keys
from bouncemilter.daemon.reload import needs_restart
from bouncemilter.settings import SettingsError, load, parse
from tests.dkim.signing import KEY, RECORD

PRIVATE = RECORD.with_name("test-only.private.pem")
OURS = '[[return_path]]\ndomain = "bounces.own.test"\nprefix = "b"\n'
ENTRY = '[[dkim]]\ndomain = "{domain}"\nselector = "{selector}"\npublic_key_file = "{file}"\n'


def entry(domain: str = "own.test", selector: str = "bulk", file: str | Path = RECORD) -> str:
    return ENTRY.format(domain=domain, selector=selector, file=file)


def faults(folder: Path, text: str) -> list[str]:
    file = folder / "bouncemilter.toml"
    sockets = f'[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{folder}/lmtp.sock"\n'
    file.write_text(f'state_directory = "{folder}"\n{sockets}{OURS}{text}')
    try:
        load(file)
    except SettingsError as error:
        return [str(fault) for fault in error.faults]
    return []


def test_good(tmp_path: Path) -> None:
    """A key is read from its file; names are compared in lower case."""
    text = entry("Own.test", "BULK")
    assert faults(tmp_path, text) == []
    assert dkim_keys(parse(OURS + text, Path("x.toml"))) == (KEY,)
    assert dkim_keys(parse(OURS, Path("x.toml"))) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (entry(file="bulk.txt"), "dkim[0].public_key_file: write an absolute path"),
        (entry(file=""), "dkim[0].public_key_file: write an absolute path"),
        (entry(file="/nonexistent.txt"), "dkim[0].public_key_file: /nonexistent.txt: No such file or directory"),
        (
            entry(file=PRIVATE),
            f"dkim[0].public_key_file: {PRIVATE}: a private key; the public one is needed, and nothing else",
        ),
        (entry("own"), "dkim[0].domain: not a domain name"),
        (
            entry(selector="bulk key"),
            "dkim[0].selector: not the selector of a DKIM key: the first word of its record's name, before ._domainkey",
        ),
        (entry() + entry(selector="Bulk"), "dkim[1]: the same domain and selector as dkim[0]"),
        ('[[dkim]]\ndomain = "own.test"\nselector = "bulk"\n', "dkim[0].public_key_file: is required"),
    ],
)
def test_faults(tmp_path: Path, text: str, said: str) -> None:
    """Each fault names its key."""
    assert faults(tmp_path, text) == [said]


def test_reload() -> None:
    """A reload takes keys over, and reads their files anew."""
    before, after = (parse(OURS + text, Path("x.toml")) for text in ("", entry()))
    assert needs_restart(before, after) == []
    assert pipeline_options(after).attribution.prover is not pipeline_options(before).attribution.prover
