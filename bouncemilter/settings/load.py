"""From a file to Settings, or to every fault of it at once."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from bouncemilter.settings import checks
from bouncemilter.settings.types import Settings

DEFAULT_PATH: Final = Path("/etc/bouncemilter/bouncemilter.toml")

_ROUNDS: Final = 4
"""A wrong key goes, then the array entry that needed it, then the table that holds it."""

_Location = tuple[int | str, ...]
"""Where something stands: keys of tables and places in arrays."""

_PLACE: Final = re.compile(r"([a-z_.]+)\[([0-9]+)\]")

_WORDING: Final = {
    "extra_forbidden": "no such key",
    "missing": "is required",
    "path_type": "Input should be a path, in quotes",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a configuration file."""

    key: str
    """`sink.listener[0].address`; empty where the file as a whole is wrong."""
    text: str

    def __str__(self) -> str:
        return f"{self.key}: {self.text}" if self.key else self.text


class SettingsError(Exception):
    """The configuration can't be used: every fault of it."""

    def __init__(self, path: Path, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(f"{path}: {fault}" for fault in faults))
        self.path = path
        self.faults = tuple(faults)


def load(path: Path, *, environment: bool = True) -> Settings:
    """The settings in the file at `path`; with `environment`, files and folders that they name must be there.

    Raises SettingsError with every fault at once.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(path, [Fault("", f"can't be read: {error.strerror}")]) from None
    except UnicodeDecodeError as error:
        raise SettingsError(path, [Fault("", f"is not UTF-8: octet {error.start}")]) from None
    return parse(text, path, environment=environment)


def parse(text: str, path: Path, *, environment: bool = False) -> Settings:
    """The settings in `text`, which came from `path`. Raises SettingsError with every fault at once."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(path, [Fault("", f"not TOML: {error}")]) from None
    remains = _Remains(copy.deepcopy(raw))
    settings, faults = _validated(remains)
    if settings:
        found = [*checks.consistency(settings), *(checks.environment(settings) if environment else ())]
        more = [Fault(remains.as_written(key), remains.as_written(words)) for key, words in found]
        # What is wrong by itself was left out of `settings`: that it is missing there is no fault of its own.
        known = [fault.key for fault in faults]
        faults += [fault for fault in more if not any(_is_within(each, fault.key) for each in known)]
    if faults or settings is None:
        raise SettingsError(path, faults)
    return settings


def _is_within(key: str, holder: str) -> bool:
    """Whether `key` is `holder`, or stands in it."""
    return key == holder or key.startswith((f"{holder}.", f"{holder}["))


@dataclass(slots=True)
class _Remains:
    """What is left of a file once the wrong keys are taken out."""

    raw: dict[str, Any]
    _taken: dict[str, list[int]] = field(default_factory=dict)
    """By the key of an array: the places, as written, of its entries that were taken out."""

    def take(self, locations: Iterable[_Location]) -> None:
        """Take out what stands at `locations`; a missing key takes its table along."""
        found = {self._present(each) for each in locations}
        whole = [each for each in found if not any(each[:length] in found for length in range(len(each)))]
        for each in sorted(whole, key=_last_first):
            self._take(each)

    def _present(self, location: _Location) -> _Location:
        holder = self._at(location[:-1])
        return location[:-1] if isinstance(holder, dict) and location[-1] not in holder else location

    def _take(self, location: _Location) -> None:
        *path, last = location
        holder = self._at(path)
        del holder[last]
        if isinstance(holder, list) and isinstance(last, int):
            array = _key(path)
            self._taken.setdefault(array, []).append(self._written_place(array, last))

    def _at(self, path: Iterable[int | str]) -> Any:
        found: Any = self.raw
        for step in path:
            found = found[step]
        return found

    def as_written(self, text: str) -> str:
        """`text` with the places in arrays that the file has: `sink.listener[1].address`."""
        return _PLACE.sub(lambda found: f"{found[1]}[{self._written_place(found[1], int(found[2]))}]", text)

    def _written_place(self, array: str, place: int) -> int:
        for taken in sorted(self._taken.get(array, ())):
            place += taken <= place
        return place


def _validated(remains: _Remains) -> tuple[Settings | None, list[Fault]]:
    """The settings and the faults of single keys; with faults, the settings of what remains without those keys.

    So a wrong key never hides that, say, two fronts share a port.
    """
    faults: list[Fault] = []
    for _ in range(_ROUNDS):
        try:
            return Settings.model_validate(remains.raw), faults
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
        # Later rounds fail only for what the first one took away.
        faults = faults or [Fault(_key(each["loc"]), _wording(each["type"], each["msg"])) for each in details]
        remains.take(each["loc"] for each in details)
    return None, faults


def _last_first(location: _Location) -> list[tuple[int, str]]:
    """Sorts higher places first, so that taking one does not move another."""
    return [(-each, "") if isinstance(each, int) else (1, each) for each in location]


def _wording(kind: str, text: str) -> str:
    return _WORDING.get(kind, text.removeprefix("Value error, "))


def _key(location: Iterable[int | str]) -> str:
    parts = [f"[{each}]" if isinstance(each, int) else f".{each}" for each in location]
    return "".join(parts).removeprefix(".")
