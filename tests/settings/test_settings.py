"""What good configurations mean, and what they are warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.model import Kind, Trust
from bouncemilter.policy import Preset, Rules
from bouncemilter.settings import Settings, checks, parse
from bouncemilter.settings.checks.domains import free_mail_domains
from bouncemilter.settings.types import PolicySettings

RETURN_PATH = '[[return_path]]\ndomain = "bounces.example.com"\nprefix = "b"\nsender_domains = ["example.com"]\n'


def settings(text: str = "") -> Settings:
    return parse(text + RETURN_PATH, Path("bouncemilter.toml"))


def test_least() -> None:
    """A return path is all that a file must say; the sink runs, the milter does not, and soft bounces are watched."""
    found = settings()
    assert found.sink.enabled
    assert not found.milter.enabled
    assert found.policy.preset is Preset.HARD_ONLY
    assert found.store_url == "sqlite+aiosqlite:////var/lib/bouncemilter/bouncemilter.db"


def test_defaults_are_those_of_policy() -> None:
    """The file's defaults are the rules' own."""
    found, rules = PolicySettings(), Rules()
    assert found.preset is rules.preset
    assert (found.soft_messages, found.hard_messages) == (rules.soft_messages, rules.hard_messages)
    assert (found.window_days, found.soft_expiry_days) == (rules.window.days, rules.soft_expiry.days)
    assert found.soft_spacing_hours * 3600 == rules.soft_spacing.total_seconds()
    assert Trust(found.require) is rules.require


def test_spellings() -> None:
    """Domains are kept as A-labels in lower case; whole numbers do for seconds; kinds are kinds."""
    found = parse(
        '[inbound]\nown_domains = ["ŻÓŁW.pl", "Example.COM."]\nalso_pass = ["auto_reply"]\n'
        'addresses = ["<News@Example.com>"]\n'
        "[sink]\ncommand_timeout_s = 30\n",
        Path("bouncemilter.toml"),
    )
    assert found.inbound.own_domains == ["xn--w-uga1v8h.pl", "example.com"]
    assert found.inbound.also_pass == [Kind.AUTO_REPLY]
    assert found.sink.command_timeout_s == 30.0


@pytest.mark.parametrize(
    ("written", "peer"),
    [
        ("", ""),
        ("127.0.0.1:10025", "inet:127.0.0.1:10025"),
        ("[::1]:10025", "inet:[::1]:10025"),
        ("inet:Mail.example.com:25", "inet:mail.example.com:25"),
        ("unix:/run/mail/smtp.sock", "unix:/run/mail/smtp.sock"),
    ],
)
def test_forward_to(written: str, peer: str) -> None:
    """What people wrote goes to a host's port, with or without `inet:`, or a unix socket."""
    assert settings(f"[sink]\nforward_to = '{written}'\n").sink.forward_to == peer


@pytest.mark.parametrize("name", ["", "mx", "MX.example.com", "mx-1.example.com", "xn--w-uga1v8h.pl"])
def test_hostname(name: str) -> None:
    """A host's name may have no domain."""
    assert settings(f"hostname = '{name}'\n").hostname == name


@pytest.mark.parametrize("delimiters", ["+=", "-="])
def test_delimiters(delimiters: str) -> None:
    """A prefix may end at a plus sign or at a hyphen."""
    assert (
        settings(RETURN_PATH.replace('"b"', f'"c"\ndelimiters = "{delimiters}"')).return_path[0].delimiters
        == delimiters
    )


def test_prefixes_of_prefixes() -> None:
    """One prefix may begin another."""
    assert len(settings(RETURN_PATH.replace('"b"', '"b-news"')).return_path) == 2


def test_settings_are_frozen() -> None:
    """A reload makes new settings; nobody changes those in use."""
    with pytest.raises(ValueError, match="frozen"):
        settings().policy.preset = Preset.STANDARD  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("[web]\naddress = 'inet:[::1]:9125'\n", []),
        ("[web]\naddress = 'inet:localhost:9125'\n", []),
        ("[web]\naddress = 'unix:/run/bouncemilter/web.sock'\n", []),
        ("[web]\naddress = 'inet:127.0.0.2:9125'\n", []),
        ("[web]\naddress = 'inet:0.0.0.0:9125'\n", ["web.address"]),
        ("[web]\naddress = 'inet:[::]:9125'\n", ["web.address"]),
        ("[web]\naddress = 'inet:192.0.2.1:9125'\n", ["web.address"]),
        ("[web]\nenabled = false\naddress = 'inet:0.0.0.0:9125'\n", []),
        ("[inbound]\naddresses = ['news@example.com']\n", ["inbound.own_domains"]),
        ("[inbound]\naddresses = ['news@example.com']\nown_domains = ['example.com']\n", []),
        ("[policy]\nrequire = 'token'\n", ["policy.require"]),
        ("[policy]\nrequire = 'local'\n", []),
        ("[policy]\nsoft_messages = 4\nwindow_days = 3\n", []),
        ("[policy]\nsoft_messages = 5\nwindow_days = 3\n", ["policy.soft_messages"]),
        ("[inbound]\nown_domains = ['example.com', 'com.pl']\n", ["inbound.own_domains[1]"]),
        (RETURN_PATH.replace('"b"', '"c"').replace('["example.com"]', '["mail.example.com"]'), []),
        (RETURN_PATH.replace('"b"', '"c"').replace('["example.com"]', '["example.org"]'), ["return_path[0].domain"]),
        (RETURN_PATH.replace('"b"', '"b-news"\ndelimiters = "-="'), ["return_path[1].delimiters"]),
    ],
)
def test_warnings(text: str, expected: list[str]) -> None:
    """What works, but is likely not meant, is said with its key."""
    assert [key for key, _ in checks.warnings(settings(text))] == expected


def test_free_mail_domains() -> None:
    """The list of providers is in lower case, each once, without comments."""
    found = free_mail_domains()
    assert {"wp.pl", "gmail.com", "onet.pl", "mail.ru"} <= found
    assert all(name == name.strip().lower() and "." in name and "#" not in name for name in found)
