"""`explain FILE`: every step from a mail, or from one reply, to what it means; trust is the daemon's part."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bouncemilter import report, text
from bouncemilter.classify import Classifier, Reply
from bouncemilter.classify.advice import advice
from bouncemilter.classify.engine import Candidate, Trace, reply_of
from bouncemilter.cli import language, mails, ruleset, show
from bouncemilter.cli.exits import Exit
from bouncemilter.language import Language
from bouncemilter.model import Verdict
from bouncemilter.report.message import Message

_SHOWN = 8
"""Rules shown of those that match; more say nothing."""


@click.command("explain")
@click.argument("paths", metavar="FILE...", nargs=-1, type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--attached", is_flag=True, help="Of each mail, those that are attached to it: forwarded to be looked at."
)
@click.option(
    "--text", "reply", metavar="REPLY", help="Explain an SMTP reply instead; `-` reads it from standard input."
)
@ruleset.option
@language.option
def command(paths: tuple[str, ...], attached: bool, reply: str | None, extra: Path | None, lang: Language) -> None:
    """Print every step to a verdict: the reader, the parts, the recipients, the template, the rules, the advice.

    Exit codes: 0 done, 2 usage, 74 something could not be read, 78 bad rules.
    """
    if (reply is None) == (not paths):
        raise click.UsageError("give either FILE... or --text.")
    classifier = ruleset.load(extra)
    if reply is not None:
        _reply(classifier, Reply(sys.stdin.read() if reply == "-" else reply), lang, "")
        return
    unread: list[str] = []

    def failed(source: str, error: OSError) -> None:
        unread.append(source)
        click.echo(text.visible(f"bouncemilter: {source}: {error.strerror or error}"), err=True)

    for mail in mails.read(paths, failed, inside=attached):
        _mail(classifier, mail, lang)
    if unread:
        raise SystemExit(Exit.IO)


def _mail(classifier: Classifier, mail: mails.Mail, lang: Language) -> None:
    verdict = classifier.verdict(report.read(mail.raw, truncated=mail.truncated))
    found = verdict.report
    show.line(f"{mail.source}: {verdict.kind}")
    _fields(
        "  ",
        ("read as", found.format or "no report"),
        ("parts", _parts(mail)),
        ("defects", ", ".join(found.defects)),
        ("reported by", found.reporting_mta),
        ("envelope id", found.envelope_id),
        ("returned", _returned(verdict)),
        ("excerpt", found.excerpt),
    )
    for each in verdict.recipients:
        recipient = each.recipient
        show.line(f"  recipient {recipient.address or '(nobody named)'}")
        _fields(
            "    ",
            ("action", recipient.action or ""),
            ("original", recipient.original_address),
            ("final", recipient.final_address),
            ("said", recipient.diagnostic),
            ("said by", recipient.remote_host),
        )
        if reply := reply_of(found, recipient):
            _reply(classifier, reply, lang, "    ")


def _reply(classifier: Classifier, reply: Reply, lang: Language, indent: str) -> None:
    trace = classifier.trace(reply)
    ruling = trace.ruling
    words = [f"{ruling.category} ({ruling.class_}) by {ruling.rule}"]
    words += ["closed for good"] if ruling.closed_for_good else []
    words += ["already suppressed"] if ruling.already_suppressed else []
    words += [f"retry after {ruling.retry_after} s"] if ruling.retry_after is not None else []
    _fields(
        indent,
        ("template", trace.case.template or "(nothing)"),
        ("codes", " ".join(each for each in (trace.codes.reply, trace.codes.status) if each) or "none"),
        ("phase", trace.phase),
        ("provider", trace.case.provider),
        ("given up", "yes" if trace.case.final else "not said"),
        *_rules(trace),
        ("ruling", ", ".join(words)),
        ("advice", str(advice(ruling.category, lang))),
    )


def _rules(trace: Trace) -> list[tuple[str, str]]:
    """A line for each rule whose pattern matches: the winner, those that it beat, those that do not hold."""
    if not trace.candidates:
        return [("rules", "none matches, the codes decide")]
    winner = trace.candidates[0] if not trace.candidates[0].fault else None
    lines = []
    for each in trace.candidates[:_SHOWN]:
        if each is winner:
            lines.append(("rule", f"+ {each.rule.id}: {each.rule.category} ({each.level}), matches `{each.pattern}`"))
        else:
            lines.append(("rule", f"- {each.rule.id}: {each.rule.category} ({each.level}): {_why_not(each, winner)}"))
    if more := len(trace.candidates) - _SHOWN:
        lines += [("rule", f"… and {more} more")] if more > 0 else []
    return lines


def _why_not(beaten: Candidate, winner: Candidate | None) -> str:
    """The first of the ranks in which the winner stands higher, in words."""
    if beaten.fault or winner is None:
        return beaten.fault
    reasons = (
        f"a {winner.level} rule wins over a {beaten.level} one",
        f"priority {winner.rule.priority} over {beaten.rule.priority}",
        f"{winner.rule.category.class_} wins over {beaten.rule.category.class_}",
        "its software's own words win",
        "a longer pattern wins",
        "by name",
    )
    places = zip(winner.rank, beaten.rank, reasons, strict=True)
    return next((reason for one, other, reason in places if one != other), "")


def _parts(mail: mails.Mail) -> str:
    """The leaves of the message, by content type."""
    try:
        message = Message(mail.raw, truncated=mail.truncated)
        return ", ".join(part.content_type.decode("ascii", "replace") for part in message.parts)
    except Exception:  # noqa: BLE001  (the reader gave up on it too: its defect says so)
        return "unreadable"


def _returned(verdict: Verdict) -> str:
    """What names the original message."""
    returned = verdict.report.returned
    if not returned:
        return ""
    return "  ".join(each for each in (returned.message_id, returned.sender, returned.subject) if each)


def _fields(indent: str, *fields: tuple[str, str]) -> None:
    for name, value in fields:
        if value:
            show.line(f"{indent}{name:13}{value}")
