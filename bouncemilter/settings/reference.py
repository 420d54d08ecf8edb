"""The reference configuration, made from the types: every key with its meaning and default."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bouncemilter.settings.types import (
    DkimSettings,
    MailboxSettings,
    MatchSettings,
    ReturnPathSettings,
    Settings,
    StreamSettings,
)
from bouncemilter.stream import StreamKind

_HEAD = """\
The configuration of bouncemilter, with every key, its meaning and its default.
A key that is commented out has the value that it shows. Check the file with: bouncemilter check-config

Two things must be filled in: whose returns are yours. Either a return path of your own, [[return_path]],
or inbound.addresses together with inbound.own_domains."""

_EXAMPLES: dict[str, BaseModel] = {
    "return_path": ReturnPathSettings(domain="bounces.example.com", prefix="b", sender_domains=["example.com"]),
    "dkim": DkimSettings(
        domain="example.com", selector="bulk", public_key_file="/etc/bouncemilter/keys/bulk._domainkey.txt"
    ),
    "stream": StreamSettings(
        name="newsletter",
        kind=StreamKind.BULK,
        match=MatchSettings(daemon_name=["ORIGINATING"], sender_domain=["example.com"]),
        return_path="bounces.example.com",
        list="news.example.com",
    ),
    "mailbox": MailboxSettings(
        name="newsletter",
        kind="imap",
        host="mail.example.com",
        user="newsletter@example.com",
        password_file="/etc/bouncemilter/keys/newsletter.password",  # noqa: S106  (a path)
        address="newsletter@example.com",
    ),
}
"""Tables that have no default, shown by an example."""


def render() -> str:
    """The text of config/bouncemilter.toml."""
    lines = [*_comment(_HEAD), ""]
    for name, field in Settings.model_fields.items():
        if not _is_table(field.annotation):
            lines += [*_comment(_described(field)), f"#{name} = {_value(field.default)}", ""]
    for name, field in Settings.model_fields.items():
        if _is_table(field.annotation):
            lines += _table(name, field.annotation, field.default)
    return "\n".join(lines).rstrip() + "\n"


def _table(name: str, annotation: Any, default: Any) -> Iterator[str]:
    model = _model(annotation)
    yield from _comment(_doc(model))
    if isinstance(default, list):
        yield from _array(name, model, default or [_EXAMPLES[name]])
        return
    yield f"[{name}]"
    arrays = []
    for key, field in model.model_fields.items():
        value = getattr(default, key)
        if _is_table(field.annotation):
            arrays.append((key, field.annotation, value))
            continue
        yield from _comment(_described(field))
        yield f"#{key} = {_value(value)}"
    yield ""
    for key, inner, value in arrays:
        yield from _comment(_doc(_model(inner)))
        yield from _array(f"{name}.{key}", _model(inner), value)


def _array(name: str, model: type[BaseModel], examples: list[BaseModel]) -> Iterator[str]:
    for example in examples:
        yield f"#[[{name}]]"
        inner = {}
        for key, field in model.model_fields.items():
            value = getattr(example, key)
            if isinstance(value, BaseModel):
                inner[f"{name}.{key}"] = value
                continue
            yield from _comment(_described(field))
            yield f"#{key} = {_value(value)}"
        for table, values in inner.items():
            yield ""
            yield from _comment(_doc(type(values)))
            yield f"#[{table}]"
            for key, field in type(values).model_fields.items():
                yield from _comment(_described(field))
                yield f"#{key} = {_value(getattr(values, key))}"
        yield ""


def _doc(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _described(field: FieldInfo) -> str:
    return " ".join((field.description or "").split())


def _is_table(annotation: Any) -> bool:
    return _model_or_none(annotation) is not None


def _model(annotation: Any) -> type[BaseModel]:
    found = _model_or_none(annotation)
    if found is None:
        raise TypeError(f"{annotation} is no table")
    return found


def _model_or_none(annotation: Any) -> type[BaseModel] | None:
    """The model of a table or of an array of tables."""
    for each in (annotation, *get_args(annotation)):
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _comment(text: str) -> list[str]:
    paragraphs = text.split("\n")
    return [f"# {line}" if line else "#" for each in paragraphs for line in _wrap(each)]


def _wrap(paragraph: str) -> list[str]:
    return textwrap.wrap(paragraph, 110, break_on_hyphens=False, break_long_words=False) or [""]


def _value(value: Any) -> str:
    """A value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Enum):
        return _value(value.value)
    if isinstance(value, str | Path):
        return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return str(value)
