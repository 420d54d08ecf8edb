"""Signed return paths in the configuration: key files are looked at before the daemon starts (F50, F52)."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest

from bouncemilter.assembly.returnpaths import signed_paths
from bouncemilter.returnpath import KeyFileError, keyfile
from bouncemilter.settings import SettingsError, checks, load, parse
from bouncemilter.settings.sections import return_path

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PATH = '[[return_path]]\ndomain = "bounces.example.com"\nprefix = "{prefix}"\nkey_file = "{file}"\n'


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "b.key"
    keyfile.create(file, NOW)
    return file


def config(folder: Path, text: str) -> Path:
    """A configuration whose other folders are there."""
    file = folder / "bouncemilter.toml"
    sockets = f'[[sink.listener]]\nprotocol = "lmtp"\naddress = "unix:{folder}/lmtp.sock"\n'
    file.write_text(f'state_directory = "{folder}"\n{sockets}{text}')
    return file


def faults(file: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(file)
    return [str(fault) for fault in caught.value.faults]


def test_good(tmp_path: Path, key: Path) -> None:
    """A signed return path beside an unsigned one: each is what it says."""
    unsigned = '[[return_path]]\ndomain = "bounces.example.com"\nprefix = "c"\n'
    settings = load(config(tmp_path, f"{PATH.format(prefix='b', file=key)}token_days = 10\n{unsigned}"))
    paths = [str(return_path(each)) for each in settings.return_path]
    assert paths == ["b@bounces.example.com", "c@bounces.example.com"]
    (signed,) = signed_paths(settings)
    assert str(signed.path) == "b@bounces.example.com"
    assert signed.life == dt.timedelta(days=10)
    assert signed.keys.signing.id == 0


def test_unsigned() -> None:
    """Without a key file nothing is signed, and nothing is missing."""
    settings = parse('[[return_path]]\ndomain = "bounces.example.com"\nprefix = "b"\n', Path("x.toml"))
    assert signed_paths(settings) == ()
    assert settings.return_path[0].token_days == 30


def test_missing(tmp_path: Path) -> None:
    """A key file that is not there is named with its key."""
    file = config(tmp_path, PATH.format(prefix="b", file=tmp_path / "b.key"))
    assert faults(file) == [f"return_path[0].key_file: {tmp_path}/b.key: No such file or directory"]


def test_loose(tmp_path: Path, key: Path) -> None:
    """A key file that others can read is refused."""
    key.chmod(0o640)
    file = config(tmp_path, PATH.format(prefix="b", file=key))
    said = f"return_path[0].key_file: {key}: its group or others can read or write it (mode 0640): chmod 600"
    assert faults(file) == [said]
    with pytest.raises(KeyFileError):
        signed_paths(load(file, environment=False))


def test_broken(tmp_path: Path, key: Path) -> None:
    """A line that is no key is named, and nothing of it is shown."""
    key.write_text(f"0 2026-11-22T00:00:00Z {'5ec7e7' * 10}\n")
    said = f"return_path[0].key_file: {key}:1: the third word is the secret, 64 hexadecimal digits"
    assert faults(config(tmp_path, PATH.format(prefix="b", file=key))) == [said]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_not_the_daemons(tmp_path: Path, key: Path) -> None:
    """Where root could read a key that the daemon's user can't, a warning says so before the daemon finds out."""
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65534, 65534)
    file = config(tmp_path, PATH.format(prefix="b", file=key))
    file.write_text(file.read_text().replace(f'state_directory = "{tmp_path}"', f'state_directory = "{state}"'))
    settings = load(file)
    warning = ("return_path[0].key_file", "its owner is not that of state_directory: can the daemon read it?")
    assert warning in list(checks.warnings(settings))
    os.chown(key, 65534, 65534)
    assert warning not in list(checks.warnings(settings))
    key.unlink()
    assert warning not in list(checks.warnings(settings))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PATH.format(prefix="b", file="b.key"), "return_path[0].key_file: write an absolute path"),
        (
            PATH.format(prefix="b" * 29, file="/k"),
            "return_path[0].prefix: a signed return path's prefix has at most 28 characters",
        ),
        (
            PATH.format(prefix="b", file="/k").replace("bounces", "a." * 90 + "bounces"),
            "return_path[0].domain: a signed return path's domain has at most 189 characters",
        ),
        (
            PATH.format(prefix="b", file="/k") + "token_days = 366",
            "return_path[0].token_days: Input should be less than or equal to 365",
        ),
        (
            PATH.format(prefix="b", file="/k") + "token_days = 0",
            "return_path[0].token_days: Input should be greater than 0",
        ),
    ],
)
def test_wrong(text: str, said: str) -> None:
    """What can't be signed is said with its key."""
    with pytest.raises(SettingsError) as caught:
        parse(text, Path("x.toml"))
    assert [str(fault) for fault in caught.value.faults] == [said]


def test_longest_unsigned_prefix() -> None:
    """Without signing a prefix may be longer."""
    text = PATH.format(prefix="b" * 32, file="/k").replace('key_file = "/k"', "")
    assert parse(text, Path("x.toml")).return_path[0].prefix == "b" * 32


@pytest.mark.parametrize("signed", [True, False])
def test_require_token(signed: bool) -> None:
    """That only tokens count is in vain where no return path is signed, and said so."""
    text = PATH.format(prefix="b", file="/k" if signed else "") + '[policy]\nrequire = "token"\n'
    found = [key for key, _ in checks.warnings(parse(text, Path("x.toml")))]
    assert ("policy.require" in found) is not signed
