"""The tables [[stream]]: what is refused at once, what is only warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from bouncemilter.settings import SettingsError, parse
from bouncemilter.settings.checks import warnings
from bouncemilter.settings.sections import return_path_of

PATH = Path("/etc/bouncemilter/bouncemilter.toml")
HEAD = """
[milter]
enabled = true
[[return_path]]
domain = "bounces.example.com"
prefix = "b"
sender_domains = ["example.com"]
[[return_path]]
domain = "bounces.example.com"
prefix = "inv"
sender_domains = ["example.com"]
"""
STREAM = '[[stream]]\nname = "news"\nkind = "bulk"\n'


def faults(text: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        parse(text, PATH)
    return [line.removeprefix(f"{PATH}: ") for line in str(caught.value).split("\n")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            HEAD + STREAM,
            ["stream[0].match: empty: say whose mail it is, else incoming mail belongs to the stream, too"],
        ),
        (
            HEAD + STREAM + 'match.daemon_name = ["O"]\nreturn_path = "x@bounces.example.com"',
            ["stream[0].return_path: no [[return_path]] is x@bounces.example.com"],
        ),
        (
            HEAD + 2 * (STREAM + 'match.daemon_name = ["O"]\n'),
            ["stream[1].name: news is already the name of stream[0]"],
        ),
        (
            HEAD + STREAM + 'match.client = ["192.0.2.1/24"]',
            ["stream[0].match.client[0]: 192.0.2.1/24 has host bits set"],
        ),
        (HEAD + STREAM + 'match.daemon = ["O"]', ["stream[0].match.daemon: no such key"]),
        (
            HEAD + STREAM + 'match.daemon_name = ["O"]\ncampaign_headers = ["X Campaign"]',
            ["stream[0].campaign_headers[0]: not the name of a header field"],
        ),
        (
            HEAD + STREAM + 'match.daemon_name = ["O"]\nlist = "<news.example.com>"',
            [
                "stream[0].list: write the list's identifier without angle brackets, such as news.example.pl",
            ],
        ),
        (
            HEAD + '[[stream]]\nname = "a b"\nkind = "spam"\nmatch.daemon_name = ["O"]',
            [
                "stream[0].name: a name is made of letters, digits, dot, hyphen and underscore, at most 64 of them",
                "stream[0].kind: Input should be 'bulk', 'transactional' or 'personal'",
            ],
        ),
    ],
)
def test_wrong_stream(text: str, expected: list[str]) -> None:
    """A stream that can't be meant so is named with its key."""
    assert faults(text) == expected


def test_forged_senders_are_warned_of() -> None:
    """A stream known by its envelope sender alone would sign a stranger's mail, and check-config says so."""
    settings = parse(HEAD + STREAM + 'match.sender_domain = ["example.com"]', PATH)
    assert [key for key, _ in warnings(settings)] == ["stream[0].match"]
    text = HEAD + STREAM + 'match.sender_domain = ["example.com"]\nmatch.daemon_name = ["O"]'
    assert not list(warnings(parse(text, PATH)))
    without = parse(text.replace("enabled = true", "enabled = false"), PATH)
    assert [key for key, _ in warnings(without)] == ["milter.enabled"]


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("bounces.example.com", "b"), ("INV@Bounces.Example.com", "inv"), ("b@bounces.example.com", "b")],
)
def test_return_path_by_name(name: str, prefix: str) -> None:
    """A stream names its return path by the domain alone, or with the prefix."""
    settings = parse(HEAD + STREAM + f'match.daemon_name = ["O"]\nreturn_path = "{name}"', PATH)
    path = return_path_of(settings, settings.stream[0])
    assert path is not None
    assert path.prefix == prefix


def test_unsigned_return_path_is_warned_of() -> None:
    """A stream whose return path has no key leaves unsigned, and check-config says so."""
    text = HEAD + STREAM + 'match.daemon_name = ["O"]\nreturn_path = "inv@bounces.example.com"'
    assert [key for key, _ in warnings(parse(text, PATH))] == ["stream[0].return_path"]
    signed = text.replace('prefix = "inv"\n', 'prefix = "inv"\nkey_file = "/etc/bouncemilter/inv.key"\n')
    assert not list(warnings(parse(signed, PATH)))


def test_half_signed_domains_are_warned_of() -> None:
    """An own domain beside the signed ones, whose reports need no signature, is named, unless tokens are required."""
    signed = HEAD.replace('prefix = "b"\n', 'prefix = "b"\nkey_file = "/etc/bouncemilter/b.key"\n')
    text = signed + '[inbound]\nown_domains = ["example.com", "news.example.com", "example.org"]\n'
    assert [key for key, _ in warnings(parse(text, PATH))] == ["inbound.own_domains[2]"]
    assert not list(warnings(parse(text + '[policy]\nrequire = "token"\n', PATH)))
    assert not list(warnings(parse(text.replace("key_file", "#"), PATH)))
