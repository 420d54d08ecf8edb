"""`manpage`: the manual pages, made from what `--help` says."""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click

import bouncemilter
from bouncemilter.cli.exits import Exit, Failure

_PROGRAM = "bouncemilter"


def _complete(context: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The commands that may come next."""
    found = context.find_root().command
    for word in context.params.get(param.name or "") or ():
        below = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if below is None:
            return []
        found = below
    names = found.list_commands(click.Context(found)) if isinstance(found, click.Group) else []
    return [name for name in names if name.startswith(incomplete)]


@click.command("manpage")
@click.argument("words", nargs=-1, metavar="[COMMAND]...", shell_complete=_complete)
@click.option(
    "--directory",
    type=click.Path(path_type=Path, file_okay=False),
    help="Instead: write the pages of all commands here, such as /usr/local/share/man/man1.",
)
@click.pass_context
def command(context: click.Context, words: tuple[str, ...], directory: Path | None) -> None:
    """Print the manual page of a command (roff, for `man -l -`), or write those of all.

    \b
    bouncemilter manpage suppression list | man -l -
    bouncemilter manpage --directory /usr/local/share/man/man1
    """
    main = context.find_root().command
    if directory is None:
        click.echo(page(_find(main, words), words), nl=False)
        return
    if words:
        raise click.UsageError("--directory writes the pages of all commands")
    for path, each in commands(main):
        name = directory / f"{_name(path)}.1"
        try:
            new = name.with_name(f".{name.name}.new")
            new.write_text(page(each, path), encoding="utf-8")
            os.replace(new, name)  # noqa: PTH105  (as in the documents of os)
        except OSError as error:
            raise Failure(f"{name}: {error.strerror}", Exit.IO) from None


def commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """A command and all below it, with the words that call them."""
    yield path, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            if found is not None and not found.hidden:
                yield from commands(found, (*path, name))


def page(found: click.Command, path: tuple[str, ...]) -> str:
    """The page of a command in roff (man(7)); `path`: the words that call it."""
    context = _context(found, path)
    lines = [f'.TH "{_name(path).upper()}" 1 "" "bouncemilter {bouncemilter.__version__}" "bouncemilter"']
    lines += [".SH NAME", f"{_escaped(_name(path))} \\- {_escaped(_short(found))}"]
    usage = " ".join(found.collect_usage_pieces(context))
    lines += [".SH SYNOPSIS", f".B {_escaped(context.command_path)}", _text(usage)]
    lines += [".SH DESCRIPTION", *_paragraphs(found.help or "")]
    records = [each for param in found.get_params(context) if (each := param.get_help_record(context)) and each[1]]
    if records:
        lines.append(".SH OPTIONS")
        for option, words in records:
            lines += [".TP", f"\\fB{_escaped(option)}\\fR", _text(words)]
    lines += _below(found, path)
    return "\n".join(lines) + "\n"


def _below(found: click.Command, path: tuple[str, ...]) -> Iterator[str]:
    """The commands of a group, and what else there is to read."""
    below = [(words, each) for words, each in commands(found, path) if len(words) == len(path) + 1]
    if below:
        yield ".SH COMMANDS"
    for words, each in below:
        yield from (".TP", f"\\fB{_escaped(_name(words))}\\fR(1)", _text(_short(each)))
    if path:
        yield from (".SH SEE ALSO", f"\\fB{_escaped(_name(path[:-1]))}\\fR(1)")


def _find(main: click.Command, words: tuple[str, ...]) -> click.Command:
    found = main
    for word in words:
        below = found.get_command(click.Context(found), word) if isinstance(found, click.Group) else None
        if below is None:
            raise click.UsageError(f"no such command: {' '.join(words)}")
        found = below
    return found


def _context(found: click.Command, path: tuple[str, ...]) -> click.Context:
    context = click.Context(found, info_name=" ".join((_PROGRAM, *path)))
    context.help_option_names = ["-h", "--help"]
    return context


def _name(path: tuple[str, ...]) -> str:
    return "-".join((_PROGRAM, *path))


def _short(found: click.Command) -> str:
    """The first paragraph of its help, or the first sentence of that."""
    text = " ".join(inspect.cleandoc(found.help or "").partition("\n\n")[0].split())
    return re.split(r"(?<=\w)[.:] ", text)[0].rstrip(".").replace("`", "")


def _paragraphs(words: str) -> Iterator[str]:
    """Help text; a paragraph that begins with a backspace keeps its lines, as in click."""
    for number, paragraph in enumerate(inspect.cleandoc(words).split("\n\n")):
        if number:
            yield ".PP"
        lines = paragraph.split("\n")
        if lines[0] == "\b":
            yield from (".nf", *(_text(line) for line in lines[1:]), ".fi")
        else:
            yield _text(" ".join(line.strip() for line in lines))


def _text(words: str) -> str:
    """A line of text that roff takes for nothing else; what stands in backticks is bold."""
    escaped = re.sub(r"`([^`]+)`", r"\\fB\1\\fR", _escaped(words))
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _escaped(words: str) -> str:
    return words.replace("\\", "\\e").replace("-", "\\-")
