"""What `bouncemilter config sendmail` prints: every line that Sendmail needs, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from bouncemilter import selftest
from bouncemilter.mta.comment import comment
from bouncemilter.mta.sendmail import definitions
from bouncemilter.mta.site import FIRST_PORT, Site
from bouncemilter.stream import Stream


@dataclass(frozen=True, slots=True)
class Snippet:
    """The lines for each file, with their explanations as comments."""

    definitions: str
    """For sendmail.mc, before its MAILER lines."""
    rules: str
    """For sendmail.mc, at its end; empty without a sink."""
    mailertable: str
    """For the mailertable; empty without a sink."""

    def __str__(self) -> str:
        parts = [
            ("/etc/mail/sendmail.mc, before the MAILER lines", self.definitions),
            ("/etc/mail/sendmail.mc, at the end", self.rules),
            ("/etc/mail/mailertable", self.mailertable),
        ]
        return "\n".join(f"##### {title}\n\n{text}" for title, text in parts if text)


def snippet(site: Site) -> Snippet:
    """The lines for `site`. Raises ValueError where neither a sink nor a milter listens."""
    if not site.sink and not site.milter:
        raise ValueError("neither an LMTP sink nor a milter is configured")
    rules = mailertable = ""
    if site.sink:
        rules = "\n".join(_rules(site)) + "\n"
        mailertable = "\n".join(_mailertable(site)) + "\n"
    return Snippet("\n".join(_definitions(site)) + "\n", rules, mailertable)


def _definitions(site: Site) -> Iterator[str]:
    yield _HEAD
    if site.sink:
        yield _dnl("""
            Mail to the return paths goes to the sink: bounces of remote hosts and of this Sendmail alike. A return-path
            domain must not be a local one (LOCAL_DOMAIN, local-host-names), nor stand in the virtusertable.""")
        yield "FEATURE(`mailertable')dnl"
    else:
        yield _dnl("""
            This Sendmail's own reports pass milters by, whatever is written here: on a sending host these are most
            bounces. Only a sink sees them: enable it, and give the return paths a domain of their own.""")
    if site.milter:
        yield _dnl("""
            The inbound milter, behind the spam filter: the last of these lines. Without F=: while it is away, mail is
            delivered as if it weren't there; its own time-outs: while it hangs, a session waits seconds instead of
            minutes. The milter asks for the macros that it needs; no confMILTER_MACROS_* is to be set for it.""")
        yield f"INPUT_MAIL_FILTER(`bouncemilter', `S={definitions.socket(site.milter)}, T={definitions.TIMEOUTS}')dnl"
        yield from _submission(site)


def _submission(site: Site) -> Iterator[str]:
    """A listener of its own for each stream that is told by its daemon's name."""
    named = [stream for stream in site.owned if stream.match.daemon_name]
    if not named:
        return
    yield _dnl("""
        Programs that send hand their mail in at a port of their own; the name is what a [[stream]] matches as
        daemon_name. F=T: while the milter is away they wait, and nothing leaves unsigned. A DKIM signer comes behind
        ours, parted by a semicolon: InputMailFilters=bouncemilterout;opendkim.""")
    yield f"MAIL_FILTER(`bouncemilterout', `S={definitions.socket(site.milter)}, F=T, T={definitions.TIMEOUTS}')dnl"
    for number, stream in enumerate(named):
        yield _listener(stream, FIRST_PORT + number)


def _listener(stream: Stream, port: int) -> str:
    name = stream.match.daemon_name[0]
    options = f"Name={name}, Family=inet, Addr=127.0.0.1, Port={port}, InputMailFilters=bouncemilterout"
    return f"DAEMON_OPTIONS(`{options}')dnl"


def _rules(site: Site) -> Iterator[str]:
    yield _dnl("""
        The way to the sink: LMTP, one reply for each recipient. While the sink is away the mail waits in the queue.""")
    yield f"MAILER_DEFINITIONS\n{definitions.mailer(site)}"
    yield _dnl("""
        Port 25 takes the return paths, postmaster@, abuse@ and review@ of their domains for everybody, and itself
        refuses what else is said to live there. Else Sendmail would take it, the sink refuse it, and Sendmail would
        mail a report to a forged sender. A Local_check_rcpt that is there already gets these lines on top.""")
    yield f"LOCAL_CONFIG\nKbouncemilterours regex -a@OURS `{definitions.recipient_pattern(site)}'"
    yield f"Kbouncemilterdomain regex -a@OURS `{definitions.domain_pattern(site)}'"
    yield _RULESET


def _mailertable(site: Site) -> Iterator[str]:
    yield comment(
        f"""
        Then: makemap hash mailertable < mailertable. This Sendmail's own reports come to the sink by these lines alone.
        {selftest.DOMAIN} is for `bouncemilter doctor`: the sink refuses it.""",
    ).lstrip()
    width = max(len(domain) for domain, _ in definitions.routes(site))
    yield from (f"{domain:<{width}}  {mailer}" for domain, mailer in definitions.routes(site))


# A comment of m4, for sendmail.mc.
_dnl = partial(comment, mark="dnl ")

_HEAD = """\
dnl What is there already stays as it is and is not written twice. Then (Debian: sendmailconfig does it)
dnl   m4 sendmail.mc > sendmail.cf && systemctl restart sendmail && bouncemilter doctor"""

# Tabs part the two sides of a rule.
_RULESET = """\
LOCAL_RULESETS
SLocal_check_rcpt
R$*\t$: $1 $| $(bouncemilterours $1 $)
R$* $| @OURS\t$# OK
R$* $| $*\t$: $1 $| $(bouncemilterdomain $1 $)
R$* $| @OURS\t$#error $@ 5.1.1 $: "550 User unknown"
R$* $| $*\t$: $1"""
