"""The reference configuration."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bouncemilter.settings import Settings, SettingsError, parse, reference
from bouncemilter.settings.types import DkimSettings, MailboxSettings, MatchSettings, ReturnPathSettings, StreamSettings
from bouncemilter.stream import StreamKind

TEXT = reference.render()
SHIPPED = Path(__file__).parents[2] / "config" / "bouncemilter.toml"
EXAMPLE = ReturnPathSettings(domain="bounces.example.com", prefix="b", sender_domains=["example.com"])
DKIM = DkimSettings(domain="example.com", selector="bulk", public_key_file="/etc/bouncemilter/keys/bulk._domainkey.txt")
MAILBOX = MailboxSettings(
    name="newsletter",
    kind="imap",
    host="mail.example.com",
    user="newsletter@example.com",
    password_file="/etc/bouncemilter/keys/newsletter.password",
    address="newsletter@example.com",
)
STREAM = StreamSettings(
    name="newsletter",
    kind=StreamKind.BULK,
    match=MatchSettings(daemon_name=["ORIGINATING"], sender_domain=["example.com"]),
    return_path="bounces.example.com",
    list="news.example.com",
)


def _sections(model: type[BaseModel], name: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Every table of the file with its type; the top has no name."""
    yield name, model
    for key, field in model.model_fields.items():
        for each in (field.annotation, *get_args(field.annotation)):
            if isinstance(each, type) and issubclass(each, BaseModel):
                yield from _sections(each, f"{name}.{key}".removeprefix("."))


def _tables(text: str) -> dict[str, str]:
    """The lines of each table, by its name; before each, the comment that stands above it."""
    found = re.split(r"^#?\[{1,2}([a-z_.]+)\]{1,2}$", text, flags=re.MULTILINE)
    return {"": found[0], **dict(zip(found[1::2], found[2::2], strict=True))}


def _uncommented(text: str) -> str:
    """The file with every key and table in force."""
    return re.sub(r"^#(?=[a-z_\[])", "", text, flags=re.MULTILINE)


FIELDS = [
    (name, key)
    for name, model in _sections(Settings)
    for key, field in model.model_fields.items()
    if (f"{name}.{key}".removeprefix(".")) not in dict(_sections(Settings))
]


def test_as_shipped() -> None:
    """The file as it is shipped is TOML without a value, and nothing but whose mail it is must be filled in."""
    raw: dict[str, Any] = tomllib.loads(TEXT)
    assert not any(raw.values())
    with pytest.raises(SettingsError) as caught:
        parse(TEXT, Path("bouncemilter.toml"))
    assert [fault.key for fault in caught.value.faults] == ["return_path"]


def test_every_key_in_force() -> None:
    """With every key uncommented, the file says what holds without it; the arrays are examples."""
    settings = parse(_uncommented(TEXT), Path("bouncemilter.toml"))
    assert settings == Settings(return_path=[EXAMPLE], dkim=[DKIM], stream=[STREAM], mailbox=[MAILBOX])
    assert settings.model_copy(update={"return_path": [], "dkim": [], "stream": [], "mailbox": []}) == Settings()


def test_every_key_is_set() -> None:
    """With every key uncommented, none is left to its default."""
    raw = tomllib.loads(_uncommented(TEXT))
    for name, model in _sections(Settings):
        table: Any = raw
        for step in name.split(".") if name else ():
            table = table[step]
            table = table[0] if isinstance(table, list) else table
        assert set(table) == set(model.model_fields), name


@pytest.mark.parametrize(("table", "key"), FIELDS)
def test_every_key_is_described(table: str, key: str) -> None:
    """Each key stands right below its description."""
    model = dict(_sections(Settings))[table]
    description = " ".join((model.model_fields[key].description or "").split())
    assert description
    lines = _tables(TEXT)[table].split("\n")
    place = next(index for index, line in enumerate(lines) if line.startswith(f"#{key} = "))
    above = []
    while place and lines[place - 1].startswith("# "):
        place -= 1
        above.insert(0, lines[place].removeprefix("# "))
    assert " ".join(above) == description


@pytest.mark.parametrize(("name", "model"), [each for each in _sections(Settings) if each[0]])
def test_every_table_is_described(name: str, model: type[BaseModel]) -> None:
    """Each table stands below what it is for."""
    above = re.split(rf"^#?\[+{re.escape(name)}\]", TEXT, maxsplit=1, flags=re.MULTILINE)[0].strip().split("\n\n")[-1]
    assert " ".join(line.removeprefix("# ") for line in above.split("\n")) == " ".join((model.__doc__ or "").split())


def test_width() -> None:
    """No line is too long for a terminal of 120 columns."""
    assert max(map(len, TEXT.split("\n"))) <= 120


def test_shipped_file() -> None:
    """config/bouncemilter.toml is the reference of these very types: `bouncemilter config reference` prints it."""
    assert SHIPPED.read_text(encoding="utf-8") == TEXT


@pytest.mark.parametrize("value", ['a"b', "a\\b", "zażółć", "C:\\new\\table"])
def test_strings(value: str) -> None:
    """A default with quotes or backslashes is written so that it is read back."""
    assert tomllib.loads(f"key = {reference._value(value)}")["key"] == value
