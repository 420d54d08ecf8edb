"""README: what it names exists, and what exists is named."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click

from bouncemilter.cli import main
from bouncemilter.daemon.reload import RELOADED, RELOADED_KEYS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def logged() -> Iterator[str]:
    """The event names in the source, but for those of the level debug."""
    yield from ("library_message", "log_lines_lost")
    for path in (ROOT / "bouncemilter").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Name(id="log" | "_log"), attr="info" | "warning" | "error" | "exception"
                    ),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield name


def test_log_events() -> None:
    """The troubleshooting table has every event that is logged, and no other."""
    table = README.partition("| `event` | meaning |")[2].partition("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert sorted(name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)) == sorted(set(logged()))


def test_commands() -> None:
    """Every `bouncemilter …` of the README is a command of the CLI, by its whole name."""
    named = set(re.findall(r"(?m)(?:^ *|`)bouncemilter ([a-z-]+(?: [a-z-]+)?)", README))
    assert {"check-config", "config postfix", "suppression list", "incident undo", "returnpath rotate"} <= named
    context = click.Context(main)
    for words in named:
        group: click.Command | None = main
        for word in words.split():
            if not isinstance(group, click.Group):  # an argument
                break
            group = group.get_command(context, word)
            assert group is not None, words


def test_files() -> None:
    """Every file that the installation copies is there."""
    named = re.findall(r"[ `]((?:systemd|config)/[\w.-]+|requirements[\w.-]*)", README)
    assert len(named) > 6
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_reload() -> None:
    """What a reload takes over is said whole, and nothing else is promised."""
    sentence = README.partition("(SIGHUP) takes over")[2].partition(": all of it")[0]
    assert set(re.findall(r"`\[+(\w+)\]+`", sentence)) == RELOADED
    assert set(re.findall(r"`(\w+)`", sentence)) == {key for keys in RELOADED_KEYS.values() for key in keys}


def test_links() -> None:
    """Each link within the README leads to a heading of it."""
    headings = re.findall(r"(?m)^#{2,3} (.+)$", README)
    anchors = {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}
    links = re.findall(r"\]\(#([^)]+)\)", README)
    assert links
    assert [each for each in links if each not in anchors] == []
