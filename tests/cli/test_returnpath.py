"""`returnpath`: keys are made and changed, addresses signed and verified."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bouncemilter.cli import main
from bouncemilter.cli.exits import Exit
from bouncemilter.returnpath import keyfile
from tests.cli.conftest import Home

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def key(home: Home, tmp_path: Path) -> Path:
    """A key that is 40 days old, in the configuration."""
    file = tmp_path / "b.key"
    keyfile.create(file, NOW - dt.timedelta(days=40))
    home.config.write_text(home.config.read_text() + f'key_file = "{file}"\ntoken_days = 7\n')
    return file


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["returnpath", *arguments], catch_exceptions=False)


def sign(home: Home, *arguments: str) -> str:
    done = home.run("returnpath", "sign", *arguments)
    assert done.exit_code == Exit.OK, done.stderr
    return done.stdout.strip()


def test_sign_and_verify(home: Home, key: Path) -> None:
    """What is signed is verified, in words and as JSON."""
    signed = sign(home, "Jan@Klient.test", "--campaign", "spring")
    assert signed.startswith("b+jan=klient.test=")
    done = home.run("returnpath", "verify", signed.upper())
    assert done.exit_code == Exit.OK
    assert "recipient       jan@klient.test\n" in done.stdout
    (found,) = home.objects("returnpath", "verify", signed)
    assert found["valid"] is True
    assert (found["address"], found["form"], found["recipient"]) == (signed, "literal", "jan@klient.test")
    assert (found["path"], found["purpose"], found["key_id"]) == ("b@bounces.own.test", "return", 0)
    assert len(found["campaign"]) == len(found["nonce"]) == 6


def test_verify_hashed(home: Home, key: Path) -> None:
    """Of a hashed token the hash is shown."""
    (found,) = home.objects("returnpath", "verify", sign(home, "o'neil@klient.test"))
    assert (found["form"], found["recipient"], len(found["recipient_hash"])) == ("hashed", "", 12)


@pytest.mark.parametrize("days", ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])
def test_verify_at(home: Home, key: Path, days: str) -> None:
    """A token is judged at the time that is asked for, by the path's own token_days."""
    signed = sign(home, "jan@klient.test")
    for after, code in ((6, Exit.OK), (9, Exit.NO)):
        at = (NOW + dt.timedelta(days=after)).strftime(days)
        assert home.run("returnpath", "verify", signed, "--at", at).exit_code == code
    (found,) = home.objects("returnpath", "verify", signed, "--at", f"{NOW + dt.timedelta(days=9):%Y-%m-%d}")
    assert found == {"address": signed, "valid": False, "reason": "expired"}


def test_verify_wrong(home: Home, key: Path) -> None:
    """What proves nothing ends with 1, and says why."""
    signed = sign(home, "jan@klient.test")
    unsubscribe = sign(home, "jan@klient.test", "--purpose", "unsubscribe")
    for written, reason in (
        (signed.replace("jan=", "ewa="), "forged"),
        (unsubscribe, "forged"),
        ("b+jan=klient.test@bounces.own.test", "unsigned"),
        ("jan@klient.test\x1b[31m", "unsigned"),
    ):
        done = home.run("returnpath", "verify", written)
        assert done.exit_code == Exit.NO
        assert f"reason          {reason}\n" in done.stdout
    assert home.run("returnpath", "verify", unsubscribe, "--purpose", "unsubscribe").exit_code == Exit.OK


def test_sign_path(home: Home, key: Path) -> None:
    """The return path is chosen by its address; one that is not signed is named as such."""
    assert sign(home, "jan@klient.test", "--path", "B@Bounces.Own.test").startswith("b+jan=")
    done = home.run("returnpath", "sign", "jan@klient.test", "--path", "x@bounces.own.test")
    assert done.exit_code == Exit.USAGE
    assert "x@bounces.own.test (those are: b@bounces.own.test)" in done.stderr


def test_sign_nobody(home: Home, key: Path) -> None:
    """What is no address is bad data."""
    done = home.run("returnpath", "sign", "jan")
    assert done.exit_code == Exit.DATA
    assert done.stderr == "bouncemilter: not an e-mail address: jan\n"


def test_unsigned(home: Home) -> None:
    """Without a key file nothing can be signed or verified, and it is said why."""
    for arguments in (("sign", "jan@klient.test"), ("verify", "b@bounces.own.test")):
        done = home.run("returnpath", *arguments)
        assert done.exit_code == Exit.CONFIGURATION
        assert "no [[return_path]] has a key_file" in done.stderr


def test_loose_key(home: Home, key: Path) -> None:
    """A key that others can read is not used (F50)."""
    key.chmod(0o644)
    done = home.run("returnpath", "sign", "jan@klient.test")
    assert done.exit_code == Exit.CONFIGURATION
    assert "its group or others can read or write it" in done.stderr


def test_keygen(tmp_path: Path) -> None:
    """A key is made once; nothing of it is shown."""
    file = tmp_path / "b.key"
    done = run("keygen", str(file))
    assert done.exit_code == Exit.OK
    secret = keyfile.load(file).signing.secret.hex()
    assert f'key_file = "{file}"' in done.stdout
    assert secret not in done.output
    assert run("keygen", str(file)).exit_code == Exit.IO
    assert keyfile.load(file).signing.secret.hex() == secret


def test_rotate(home: Home, key: Path) -> None:
    """After a rotation both keys verify; the next one must wait for the tokens' life, or be forced."""
    before = sign(home, "jan@klient.test")
    done = home.run("returnpath", "rotate", str(key))
    assert done.exit_code == Exit.OK
    assert "key 1 signs, key 0 verifies" in done.stdout
    assert [each["key_id"] for each in home.objects("returnpath", "verify", before)] == [0]
    assert [each["key_id"] for each in home.objects("returnpath", "verify", sign(home, "jan@klient.test"))] == [1]
    ring = keyfile.load(key)
    older = key.read_text().replace(f"{ring.signing.created:%Y-%m-%d}", f"{NOW - dt.timedelta(days=7):%Y-%m-%d}")
    key.write_text(older)
    done = home.run("returnpath", "rotate", str(key))
    assert done.exit_code == Exit.NO
    assert "key 0 signed until" in done.stderr
    assert "--force" in done.stderr
    assert key.read_text() == older
    assert home.run("returnpath", "rotate", str(key), "--force").exit_code == Exit.OK
    assert home.run("returnpath", "verify", before).exit_code == Exit.NO


def test_rotate_life(home: Home, key: Path) -> None:
    """How long a key is needed says the configuration that names its file; without one, 30 days."""
    home.run("returnpath", "rotate", str(key))
    signing = keyfile.load(key).signing.created
    key.write_text(key.read_text().replace(f"{signing:%Y-%m-%d}", f"{NOW - dt.timedelta(days=9):%Y-%m-%d}"))
    done = run("rotate", str(key), "--config", str(home.folder / "missing.toml"))
    assert done.exit_code == Exit.NO
    assert home.run("returnpath", "rotate", str(key)).exit_code == Exit.OK


def test_rotate_wrong(home: Home, tmp_path: Path) -> None:
    """What is no key file stays as it is."""
    file = tmp_path / "notes"
    file.write_text("buy milk")
    file.chmod(0o600)
    done = home.run("returnpath", "rotate", str(file))
    assert done.exit_code == Exit.DATA
    assert "notes:1: a key has three words" in done.stderr
    assert file.read_text() == "buy milk"


def test_json_is_ascii(home: Home, key: Path) -> None:
    """What is foreign in an address is escaped."""
    done = home.run("returnpath", "verify", "żółw\x1b@bounces.own.test", "--json")
    assert json.loads(done.stdout)["address"] == "żółw\x1b@bounces.own.test"
    assert done.stdout.isascii()
