"""`[retention]`: how long things are kept."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

import bouncemilter
from bouncemilter.assembly.pipeline import pipeline_options, retention
from bouncemilter.daemon.reload import needs_restart
from bouncemilter.settings import Settings, SettingsError, parse
from bouncemilter.store import Retention

BASE = '[[return_path]]\ndomain = "bounces.example.com"\nprefix = "b"\nsender_domains = ["example.com"]\n[retention]\n'


def settings(lines: str) -> Settings:
    return parse(BASE + lines, Path("x.toml"))


def test_defaults() -> None:
    """What nothing is said about is kept as long as the store does by itself."""
    assert retention(settings("")) == Retention()


def test_each_age() -> None:
    """Event, excerpt, auto-reply's excerpt and address have ages of their own."""
    lines = "events_days = 90\nexcerpt_days = 7\nauto_reply_excerpt_days = 1\naddress_days = 1000\n"
    found = retention(settings(lines))
    ages = found.events, found.excerpts, found.auto_reply_excerpts, found.addresses
    assert ages == tuple(dt.timedelta(days=days) for days in (90, 7, 1, 1000))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("events_days = 32", "retention.events_days: .* greater than or equal to 33"),
        ("excerpt_days = 0", "retention.excerpt_days: .* greater than 0"),
        ("address_days = 399", "retention.address_days: less than events_days"),
        ("address_days = -1", "retention.address_days: .* greater than or equal to 0"),
    ],
)
def test_faults(line: str, words: str) -> None:
    """Ages at which policy could not count, or names would outlive their hash, are refused."""
    with pytest.raises(SettingsError, match=words):
        settings(line)


def test_changed_by_a_reload() -> None:
    """New ages need no restart."""
    assert needs_restart(settings(""), settings("events_days = 50\nkeep_auto_reply_text = false")) == []


@pytest.mark.parametrize("kept", [True, False])
def test_text_of_auto_replies(kept: bool) -> None:
    """The setting reaches those who make events."""
    found = settings(f"keep_auto_reply_text = {str(kept).lower()}")
    assert pipeline_options(found).attribution.keep_auto_reply_text is kept


def test_rule_version(tmp_path: Path) -> None:
    """Events say by which rules they were judged: it changes with any file of the operator's, and back."""
    own = BASE + f'[classify]\nrules_directory = "{tmp_path}"\n'
    versions = []
    for content in (None, "# mine\n", "# mine, too\n", None):
        rules = tmp_path / "own.toml"
        rules.unlink(missing_ok=True)
        if content:
            rules.write_text(content)
        versions.append(pipeline_options(parse(own, Path("x.toml"))).attribution.rule_version)
    assert versions[0] == versions[3] == pipeline_options(settings("")).attribution.rule_version
    assert len(set(versions)) == 3
    assert all(each.startswith(f"{bouncemilter.__version__}+") for each in versions)
