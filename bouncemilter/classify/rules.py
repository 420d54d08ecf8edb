"""Rules as TOML: reading them, and telling every fault of a file at once.

    provider = "microsoft"            # `generic` for a text that many servers use
    hosts = ["outlook.com"]           # the provider's hosts; a reply from one of them is the provider's

    [[rule]]
    id = "microsoft.banned_ip"
    category = "blocked_by_provider"
    patterns = ["access denied, banned sending ip"]
    source = "https://learn.microsoft.com/exchange/…"
    examples = ["550 5.7.606 Access denied, banned sending IP [192.0.2.1]"]

A pattern is an RE2 expression in lower case and matches the template (template.py), where accents are gone and
addresses, hosts, IP addresses, numbers and ids read `<addr>`, `<host>`, `<ip>`, `#`, `<id>`. It needs a literal word.
A host name written out in a pattern (`spamhaus\\.org`) stays in templates. Further keys: see Rule.

Where a wording goes, below `rules/`: a mailbox provider's or a hoster's into its file in `providers/`; a filter's or a
gateway's into `filters/`; a mail server's into `servers/`; a sending service's or a public block list's into
`services/`. What any server may say goes into `languages/`, English into `generic/`. A file of `providers/`, `filters/`
or `services/` is called like its `provider` and like the first word of its rules' ids.

In a language's file the last resorts are vague: `generic.xx.user_vague` and `disabled_vague` (any words between a
person and the absence), `refused` (a message or connection refused, whatever the code), and last `words`, which says
that a text speaks of anything but the recipient. English has its own in `generic/vague-*.toml`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, TypeGuard

import re2

from bouncemilter.classify.reply import Reply
from bouncemilter.classify.template import fold_pattern
from bouncemilter.model import Category, Phase

GENERIC: Final = "generic"
FILE_BYTES: Final = 1024 * 1024
"""Bytes of one rule file; the largest built-in one has a twentieth."""
PATTERN_CHARACTERS: Final = 800
PROGRAM: Final = 4000
"""RE2 instructions of one pattern; `(?:a{1,1000}){…}` is refused here instead of eating memory."""
PATTERN_MEMORY: Final = 1024 * 1024
"""Bytes that RE2 may use for one pattern."""
RULES: Final = 5000
"""Rules of all files together."""

_ID = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+)+\Z")
_CODE = re.compile(r"[245](?:\d{0,2}|(?:\.\d{1,3}){0,2})\Z")


class RulesError(ValueError):
    """Rule files that cannot be used; `faults` says why, each with its file and rule."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(self.faults))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: what a text means, where the text is documented, and replies that must be read so."""

    id: str
    category: Category
    patterns: tuple[str, ...]
    """Any of them matches. Folded."""
    source: str
    """Where the text is documented, or which server software prints it."""
    examples: tuple[Reply, ...]
    provider: str = GENERIC
    unless: tuple[str, ...] = ()
    """None of them may match. Folded."""
    phases: frozenset[Phase] = frozenset()
    """The rule holds in these phases only (key `phase`); empty for all."""
    codes: tuple[str, ...] = ()
    """The rule holds for these codes and those below them only (key `code`: `5`, `550`, `5.1`); empty for all."""
    only_here: bool = False
    """The rule holds only where the reply came from a host of the provider."""
    vague: bool = False
    """The words say little: any rule that is not vague wins."""
    priority: int = 0
    """Among rules of the same level the higher one wins; 0 unless needed."""
    closed_for_good: bool = False
    already_suppressed: bool = False
    file: str = ""
    operator: bool = False
    """From the operator's rules.d: wins over every built-in rule."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules, and which host belongs to which provider."""

    rules: tuple[Rule, ...]
    hosts: Mapping[str, str]
    """Host suffix → provider."""


def read(extra: Path | None = None) -> RuleSet:
    """The built-in rules and those of `extra`/*.toml; RulesError with every fault of all files."""
    if extra is None:
        return _builtin()
    if not extra.is_dir():
        raise RulesError([f"{extra}: no such directory"])
    reader = _Reader(_builtin())
    for path in sorted(extra.glob("*.toml")):
        reader.file(path, str(path), operator=True)
    return reader.finished()


def version(extra: Path | None = None) -> str:
    """Eight hexadecimal digits that change with any octet of the rules that `read` would read."""
    digest = blake2b(digest_size=4)
    for file in (*_builtin_files().values(), *(sorted(extra.glob("*.toml")) if extra else ())):
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def _builtin() -> RuleSet:
    """The rules of the package, read once a process."""
    reader = _Reader(RuleSet((), {}))
    for name, file in _builtin_files().items():
        reader.file(file, name, operator=False)
    return reader.finished()


def _builtin_files() -> dict[str, Traversable]:
    """The rule files of the package by `folder/name`, in order of name."""
    folders = [each for each in resources.files("bouncemilter.classify").joinpath("rules").iterdir() if each.is_dir()]
    files = {f"{folder.name}/{file.name}": file for folder in folders for file in folder.iterdir()}
    return {name: files[name] for name in sorted(files) if name.endswith(".toml")}


class _Reader:
    """Collects rules, hosts and faults over all files."""

    def __init__(self, known: RuleSet) -> None:
        self._rules = {rule.id: rule for rule in known.rules}
        self._hosts = dict(known.hosts)
        self._faults: list[str] = []

    def finished(self) -> RuleSet:
        if len(self._rules) > RULES:
            self._faults.append(f"{len(self._rules)} rules, more than {RULES}")
        if self._faults:
            raise RulesError(self._faults)
        return RuleSet(tuple(self._rules.values()), self._hosts)

    def file(self, file: Traversable, name: str, *, operator: bool) -> None:
        try:
            table = _table(file)
        except (OSError, ValueError) as error:
            self._faults.append(f"{name}: {error}")
            return
        provider, hosts, rows = table.pop("provider", GENERIC), table.pop("hosts", []), table.pop("rule", [])
        if table or not isinstance(provider, str) or not _is_strings(hosts) or not isinstance(rows, list):
            self._faults.append(
                f"{name}: a rule file has `provider`, `hosts` and [[rule]] tables, nothing else: {', '.join(table)}"
            )
            return
        self._hosts.update({host.lower().strip("."): provider for host in hosts})
        for place, row in enumerate(rows, 1):
            self._row(row, name, place, provider, operator=operator)

    def _row(self, row: object, name: str, place: int, provider: str, *, operator: bool) -> None:
        label = f"{name}: rule {row.get('id', place) if isinstance(row, dict) else place}"
        if not isinstance(row, dict):
            self._faults.append(f"{label}: not a table")
            return
        try:
            rule = _rule({"provider": provider, **row}, name, operator=operator)
        except ValueError as error:
            self._faults.extend(f"{label}: {line}" for line in str(error).splitlines())
            return
        held = self._rules.get(rule.id)
        if held and (held.operator or not operator):
            self._faults.append(f"{label}: this id is taken already")
        else:
            # An operator's rule of the same id takes the built-in one's place.
            self._rules[rule.id] = rule


def _table(file: Traversable) -> dict[str, object]:
    """The table of a rule file; OSError, or ValueError with the fault."""
    raw = file.read_bytes()
    if len(raw) > FILE_BYTES:
        raise ValueError(f"longer than {FILE_BYTES} bytes")
    return tomllib.loads(raw.decode("utf-8"))


_KEYS: Final = frozenset(field.name for field in fields(Rule)) - {"file", "operator", "phases", "codes"} | {
    "phase",
    "code",
}
_FLAGS: Final = ("only_here", "vague", "closed_for_good", "already_suppressed")


def _rule(row: Mapping[str, object], file: str, *, operator: bool) -> Rule:
    """A rule from its table; ValueError with a line for each fault."""
    faults = [f"unknown key `{key}`" for key in row if key not in _KEYS]
    faults += [
        f"`{key}` is missing" for key in ("id", "category", "patterns", "source", "examples") if not row.get(key)
    ]
    faults += [
        f"`{key}` is not a text"
        for key in ("id", "category", "provider", "source")
        if not isinstance(row.get(key, ""), str)
    ]
    faults += [
        f"`{key}` is not a list of texts"
        for key in ("patterns", "unless", "phase", "code")
        if not _is_strings(row.get(key, []))
    ]
    faults += [f"`{key}` is neither true nor false" for key in _FLAGS if not isinstance(row.get(key, False), bool)]
    if not isinstance(row.get("priority", 0), int):
        faults.append("`priority` is not a number")
    if faults:
        raise ValueError("\n".join(faults))
    texts = {key: tuple(fold_pattern(each) for each in _strings(row, key)) for key in ("patterns", "unless")}
    faults += _name_faults(row)
    if operator:  # the built-in ones are checked by the tests; it takes longer than all else together
        faults += faults_of_patterns(texts["patterns"], texts["unless"])
    examples = tuple(_example(each, faults) for each in _list(row, "examples"))
    if faults:
        raise ValueError("\n".join(faults))
    return Rule(
        id=str(row["id"]),
        category=Category(str(row["category"])),
        patterns=texts["patterns"],
        source=str(row["source"]),
        examples=examples,
        provider=str(row["provider"]),
        unless=texts["unless"],
        phases=frozenset(Phase(each) for each in _strings(row, "phase")),
        codes=_strings(row, "code"),
        priority=int(str(row.get("priority", 0))),
        file=file,
        operator=operator,
        **{flag: bool(row.get(flag, False)) for flag in _FLAGS},
    )


def _name_faults(row: Mapping[str, object]) -> list[str]:
    faults = []
    if not _ID.match(str(row["id"])) or str(row["id"]).startswith("fallback."):
        faults.append(
            "`id` is two or more words of a-z, 0-9 and _, joined by dots, and does not begin with `fallback.`"
        )
    if row["category"] not in list(Category):
        faults.append(f"unknown category `{row['category']}`")
    faults += [f"unknown phase `{each}`" for each in _strings(row, "phase") if each not in list(Phase)]
    faults += [f"`{each}` is no code" for each in _strings(row, "code") if not _CODE.match(each)]
    return faults


def faults_of_patterns(patterns: Iterable[str], unless: Iterable[str]) -> list[str]:
    """What is wrong with the folded patterns of a rule."""
    found = [fault for each in patterns for fault in pattern_faults(each, needs_word=True)]
    return found + [fault for each in unless for fault in pattern_faults(each, needs_word=False)]


def pattern_faults(pattern: str, *, needs_word: bool) -> list[str]:
    """What is wrong with one folded pattern."""
    if len(pattern) > PATTERN_CHARACTERS:
        return [f"a pattern of more than {PATTERN_CHARACTERS} characters: {pattern[:40]}…"]
    try:
        compiled = re2.compile(pattern, options())
        size = compiled.programsize
    except re2.error as error:
        return [f"pattern `{pattern}`: {error}"]
    if size > PROGRAM:
        return [f"pattern `{pattern}`: takes {size} RE2 instructions, more than {PROGRAM}"]
    if needs_word and _lacks_a_word(pattern):
        return [f"pattern `{pattern}`: needs a literal word, or it would be tried on every text"]
    return []


@cache
def options() -> re2.Options:
    """How every pattern is compiled."""
    chosen = re2.Options()
    chosen.max_mem = PATTERN_MEMORY
    chosen.log_errors = False
    chosen.never_capture = True
    return chosen


def _lacks_a_word(pattern: str) -> bool:
    alone = re2.Filter()
    alone.Add(pattern, options())
    alone.Compile()
    return alone.Match("", potential=True) is not None


def _example(row: object, faults: list[str]) -> Reply:
    if isinstance(row, str):
        return Reply(row)
    allowed = {"text", "status", "reply_code", "phase", "remote_host", "reporting_mta"}
    if (
        not isinstance(row, dict)
        or not set(row) <= allowed
        or not all(isinstance(each, str) for each in row.values())
        or "text" not in row
    ):
        faults.append(f"an example is a text, or a table of texts with {', '.join(sorted(allowed))}")
        return Reply("")
    phase = row.get("phase", Phase.UNKNOWN)
    if phase not in list(Phase):
        faults.append(f"unknown phase `{phase}` in an example")
        return Reply("")
    return Reply(**{**row, "phase": Phase(phase)})


def _is_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _list(row: Mapping[str, object], key: str) -> list[object]:
    value = row.get(key, [])
    return value if isinstance(value, list) else [value]


def _strings(row: Mapping[str, object], key: str) -> tuple[str, ...]:
    return tuple(str(each) for each in _list(row, key))
