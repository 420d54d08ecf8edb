"""The table [alerts]: what is refused, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.settings import SettingsError, checks
from bouncemilter.settings.load import parse

BASE = (
    '[[return_path]]\ndomain = "bounces.own.test"\nprefix = "b"\nsender_domains = ["own.test"]\n'
    '[inbound]\naddresses = ["news@own.test"]\nown_domains = ["own.test"]\n[alerts]\n'
)


def faults(text: str) -> list[str]:
    try:
        parse(BASE + text, Path("x.toml"))
    except SettingsError as error:
        return [fault.key for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('mail_to = ["root@own.test", "ewa@example.pl"]\nmail_from = "b@own.test"\nsmtp = "unix:/run/smtp"', []),
        ('time_zone = "Europe/Warsaw"\ndigest_hour = 0', []),
        ('mail_to = ["root@own.test", "news@own.test"]', ["alerts.mail_to[1]"]),
        ('mail_to = ["B+x@bounces.own.test"]', ["alerts.mail_to[0]"]),
        ('mail_to = ["postmaster@bounces.own.test"]', ["alerts.mail_to[0]"]),
        ('mail_to = ["root"]', ["alerts.mail_to[0]"]),
        ('mail_to = ["NEWS@Own.Test."]', ["alerts.mail_to[0]"]),
        ('mail_to = ["prvs=1234abcdef=news@own.test"]', ["alerts.mail_to[0]"]),
        ('mail_to = ["admin@żółw.pl"]', []),
        ('mail_to = ["żółw@own.test"]', ["alerts.mail_to[0]"]),
        ('mail_from = "żółw@own.test"', ["alerts.mail_from"]),
        ('mail_from = "no address"', ["alerts.mail_from"]),
        ('time_zone = "Europe/Warszawa"', ["alerts.time_zone"]),
        ('time_zone = "../../etc/passwd"', ["alerts.time_zone"]),
        ("digest_hour = 24", ["alerts.digest_hour"]),
        ('digest = "hourly"', ["alerts.digest"]),
        ('language = "de"', ["alerts.language"]),
        ('smtp = "127.0.0.1"', ["alerts.smtp"]),
        ("disk_low_percent = 100", ["alerts.disk_low_percent"]),
    ],
)
def test_faults(text: str, keys: list[str]) -> None:
    """A mailbox whose mail we take ourselves gets no alerts; each wrong key is named."""
    assert faults(text) == keys


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ('mail_to = ["admin@own.test"]', []),
        ('mail_to = ["admin@Bounces.own.test"]', ["alerts.mail_to[0]"]),
        ('mail_to = ["admin@bounces.own.test"]\n[sink]\nenabled = false\n[milter]\nenabled = true', []),
    ],
)
def test_warnings(text: str, warned: list[str]) -> None:
    """An address that the sink would refuse is warned of: from the null sender no bounce tells."""
    found = checks.warnings(parse(BASE + text, Path("x.toml")))
    assert [key for key, _ in found] == warned
