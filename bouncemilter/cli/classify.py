"""`classify`: what mails and single replies mean. Needs no configuration, store or network."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from bouncemilter import report, text
from bouncemilter.classify import Classifier, Reply
from bouncemilter.classify.advice import advice
from bouncemilter.cli import language, mails, ruleset, show
from bouncemilter.cli.exits import Exit
from bouncemilter.language import Language
from bouncemilter.model import Verdict

_LINE = 64 * 1024
"""Characters of one reply read from standard input."""


@click.command("classify")
@click.argument("paths", metavar="PATH...", nargs=-1, type=click.Path(exists=True, allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="One JSON object a mail.")
@click.option(
    "--attached", is_flag=True, help="Of each mail, those that are attached to it: forwarded to be looked at."
)
@click.option("--text", "reply", metavar="REPLY", help="Classify an SMTP reply; `-` reads one a line. Prints JSON.")
@click.option("--advice", "with_advice", is_flag=True, help="Add what each category means and what to do.")
@ruleset.option
@language.option
def command(  # noqa: PLR0913, PLR0917  (one parameter for each option)
    paths: tuple[str, ...],
    as_json: bool,
    attached: bool,
    reply: str | None,
    with_advice: bool,
    extra: Path | None,
    lang: Language,
) -> None:
    """Say what mails mean: files (Outlook's .msg, too), mbox files, Maildirs, folders, or `-` for standard input.

    Exit codes: 0 done, 2 usage, 74 something could not be read, 78 bad rules.
    """
    if (reply is None) == (not paths):
        raise click.UsageError("give either PATH... or --text.")
    classifier = ruleset.load(extra)
    spoken = lang if with_advice else None
    if reply is not None:
        for line in _replies(reply):
            show.json_line(_ruled(classifier, line, spoken))
        return
    unread: list[str] = []

    def failed(source: str, error: OSError) -> None:
        unread.append(source)
        click.echo(text.visible(f"bouncemilter: {source}: {error.strerror or error}"), err=True)

    for mail in mails.read(paths, failed, inside=attached):
        verdict = classifier.verdict(report.read(mail.raw, truncated=mail.truncated))
        if as_json:
            show.json_line({"source": mail.source, **_object(verdict, spoken)})
        else:
            _lines(mail.source, verdict, spoken)
    if unread:
        raise SystemExit(Exit.IO)


def _replies(written: str) -> Iterator[str]:
    """The reply itself, or the non-empty lines of standard input."""
    if written != "-":
        yield written
        return
    while line := sys.stdin.buffer.readline(_LINE):
        found = text.decode(line).rstrip("\r\n")
        if found.strip():
            yield found


def _object(verdict: Verdict, lang: Language | None) -> dict[str, object]:
    """The object of the contract, each recipient with advice in `lang` where one is asked for."""
    found = verdict.to_dict()
    if lang:
        advised = [
            each.to_dict() | ({"advice": advice(each.ruling.category, lang)} if each.ruling else {})
            for each in verdict.concerned
        ]
        found["recipients"] = advised
    return found


def _ruled(classifier: Classifier, reply: str, lang: Language | None) -> dict[str, object]:
    ruling = classifier.rule(Reply(reply))
    found: dict[str, object] = {
        "text": reply,
        "category": ruling.category,
        "class": ruling.class_,
        "rule": ruling.rule,
        "template": ruling.template,
    }
    if ruling.closed_for_good:
        found["closed_for_good"] = True
    if ruling.already_suppressed:
        found["already_suppressed"] = True
    if ruling.retry_after is not None:
        found["retry_after"] = ruling.retry_after
    if lang:
        found["advice"] = advice(ruling.category, lang)
    return found


def _lines(source: str, verdict: Verdict, lang: Language | None) -> None:
    """A line for the mail, and one for each recipient."""
    show.line(f"{source}: {verdict.kind}" + "".join(f" ({each})" for each in verdict.report.defects))
    for each in verdict.recipients:
        reason = f"{each.ruling.category} ({each.ruling.class_}) by {each.ruling.rule}" if each.ruling else ""
        words = [each.recipient.address or "?", each.recipient.action or "", reason, each.recipient.diagnostic]
        show.line("    " + "  ".join(word for word in words if word))
        if lang and each.ruling:
            show.line(f"        {advice(each.ruling.category, lang)}")
