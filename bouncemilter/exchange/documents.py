"""JSON and JSON lines as rows: a list of objects, the answers of an API, or an object in each line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bouncemilter import text
from bouncemilter.exchange.record import Bad, Record, fold
from bouncemilter.lists import ListError

_SPACE: Final = re.compile(r"\s*")
_LISTS: Final = ("suppresseddestinationsummaries", "suppresseddestination", "items", "suppressions", "results", "data")
"""Under which keys APIs give their lists."""
_DEPTH: Final = 3
"""How deep they lie: listmonk's in `data`, `results`."""


@dataclass(frozen=True, slots=True)
class Documents:
    """What JSON holds."""

    columns: frozenset[str]
    """The keys of the first row, folded; empty where the rows are no objects."""
    unit: str
    """What the numbers count: `line` or `item`."""
    rows: Iterator[tuple[int, Record | Bad]]
    partial: bool = False
    """It says itself that it is one page of many."""


def read(content: str, path: Path) -> Documents:
    """The rows of a JSON document, of several behind each other, or of JSON lines. `path`: for ListError."""
    try:
        return _read(content)
    except json.JSONDecodeError as error:
        raise ListError(f"{path}: line {error.lineno}: broken JSON: {error.msg}") from None
    except (ValueError, RecursionError) as error:
        raise ListError(f"{path}: broken JSON: {text.visible(str(error))}") from None


def _read(content: str) -> Documents:
    try:
        found = json.loads(content)
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise
    else:
        return _whole([found])
    lines = [(number, line) for number, line in enumerate(content.split("\n"), 1) if line.strip()]
    first = _line(*lines[0])[1]
    if isinstance(first, Bad) or _is_page(first):
        return _whole(_behind_each_other(content))
    return Documents(_columns(first), "line", _objects(_line(number, line) for number, line in lines))


def _whole(found: Sequence[Any]) -> Documents:
    """The rows of one JSON document or more: pages of an API's answer."""
    items = [item for each in found for item in _items(each)]
    columns = _columns(items[0] if items else None)
    return Documents(columns, "item", _objects(enumerate(items, 1)), _goes_on(found[-1], len(items)))


def _behind_each_other(content: str) -> list[Any]:
    decoder, found, place = json.JSONDecoder(), [], 0
    while (space := _SPACE.match(content, place)) and space.end() < len(content):
        each, place = decoder.raw_decode(content, space.end())
        found.append(each)
    return found


def _is_page(document: Any) -> bool:
    """Whether a JSON document holds rows, and is not one."""
    for _ in range(_DEPTH):
        if not isinstance(document, dict):
            break
        document = _within(document)
    return isinstance(document, list)


def _goes_on(document: Any, rows: int) -> bool:
    """Whether an API's answer says that there is more: SES by a token, listmonk and Postmark by a greater total."""
    for _ in range(2):
        if not isinstance(document, dict):
            return False
        more = {fold(name): value for name, value in document.items()}
        total = more.get("total", more.get("totalcount"))
        if more.get("nexttoken") or (isinstance(total, int) and total > rows):
            return True
        document = more.get("data")
    return False


def _line(number: int, line: str) -> tuple[int, Any]:
    try:
        return number, json.loads(line)
    except (ValueError, RecursionError):
        return number, Bad("no JSON object")


def _items(found: Any) -> list[Any]:
    """The list that a JSON document holds, or it itself as the only item."""
    for _ in range(_DEPTH):
        if isinstance(found, list):
            return found
        if not isinstance(found, dict):
            break
        inner = _within(found)
        if inner is None:
            return [found]
        found = inner
    raise ValueError("no list of addresses")


def _within(document: Mapping[str, Any]) -> Any:
    """The list, or what holds it, in an API's answer; None where there is none."""
    found = (each for name, each in document.items() if fold(name) in _LISTS and isinstance(each, list | dict))
    return next(found, None)


def _columns(first: Any) -> frozenset[str]:
    return frozenset(fold(name) for name in first) if isinstance(first, dict) else frozenset()


def _objects(items: Iterable[tuple[int, Any]]) -> Iterator[tuple[int, Record | Bad]]:
    for number, item in items:
        if isinstance(item, Bad):
            yield number, item
        elif isinstance(item, str):
            yield number, {"email": item}
        elif isinstance(item, Mapping):
            yield number, {fold(name): _cell(value) for name, value in item.items()}
        else:
            yield number, Bad("no JSON object")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
