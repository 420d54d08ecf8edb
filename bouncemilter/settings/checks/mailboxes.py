"""The mailboxes: what is wrong or odd about them."""

from __future__ import annotations

from pathlib import Path

from bouncemilter.fronts.mailbox import After, MailboxError, MailboxOptions, SourceKind
from bouncemilter.settings.checks.found import Found
from bouncemilter.settings.sections import mailbox
from bouncemilter.settings.types import Settings

SHORTEST_MINUTES = 10
"""Below it, providers take a poller for an attack, or count it against their limits."""

_SECRETS = ("token_file", "password_file", "password_env")


def faults(settings: Settings) -> Found:
    """Key and text of what contradicts itself."""
    names: dict[str, int] = {}
    places: dict[str, int] = {}
    for index, each in enumerate(settings.mailbox):
        key = f"mailbox[{index}]"
        made = mailbox(each)
        before = names.setdefault(each.name, index)
        if before != index:
            yield f"{key}.name", f"{each.name} is already the name of mailbox[{before}]"
        before = places.setdefault(made.identity, index)
        if before != index:
            yield key, f"the same mailbox as mailbox[{before}]"
        yield from ((f"{key}.{name}", text) for name, text in impossible(made))


def impossible(made: MailboxOptions) -> Found:
    """Setting and text of what one mailbox can't be read with."""
    if made.kind.is_remote:
        yield from _remote(made)
    elif not made.path:
        yield "path", f"is required: where the {made.kind} lies"
    if made.after is After.MOVE and not made.move_to:
        yield "move_to", "is required: the folder to move to"
    if made.after is After.MOVE and made.kind is SourceKind.POP3:
        yield "after", "move: POP3 has no folders; use delete, or IMAP"
    if made.after is not After.LEAVE and made.kind is SourceKind.MBOX:
        yield "after", f"{made.after}: an mbox is only read"
    if made.after is After.MOVE and made.kind is SourceKind.IMAP and made.move_to == made.folder:
        yield "move_to", "is the folder itself"
    if made.move_to and made.kind is SourceKind.MAILDIR and "/" in made.move_to:
        yield "move_to", "the name of a folder of the Maildir, without a slash"
    if made.move_to and made.kind is SourceKind.EML and not Path(made.move_to).is_absolute():
        yield "move_to", "write an absolute path"
    for name, text in (("user", made.user), ("folder", made.folder), ("move_to", made.move_to)):
        if any(ord(char) < 32 or ord(char) == 127 for char in text):
            yield name, "holds a control character"


def _remote(made: MailboxOptions) -> Found:
    if not made.host:
        yield "host", "is required"
    if not made.user:
        yield "user", "is required"
    given = [name for name in _SECRETS if getattr(made.secret, name)]
    if not given and not made.secret.held:
        yield (
            "password_file",
            f"is required, or one of {', '.join(name for name in _SECRETS if name != 'password_file')}",
        )
    if len(given) > 1:
        yield given[1], f"{given[0]} is given, too: one of them"
    if made.host and not made.may_send_password:
        yield "tls", "none: the password would travel unencrypted; use tls or starttls, or set allow_unencrypted"


def unusable(settings: Settings) -> Found:
    """Key and text of files that are named, but can't be used."""
    for index, each in enumerate(settings.mailbox):
        made = mailbox(each)
        if made.kind.is_remote and not each.password_env:
            try:
                made.secret.read()
            except MailboxError as error:
                yield f"mailbox[{index}].{'token_file' if each.token_file else 'password_file'}", str(error)
        if each.ca_file and not Path(each.ca_file).is_file():
            yield f"mailbox[{index}].ca_file", f"no such file: {each.ca_file}"


def warnings(settings: Settings) -> Found:
    """Key and text of what works, but is likely not meant."""
    for index, each in enumerate(settings.mailbox):
        if each.interval_minutes < SHORTEST_MINUTES:
            yield (
                f"mailbox[{index}].interval_minutes",
                f"{each.interval_minutes}: providers lock out who comes too often; not below {SHORTEST_MINUTES}",
            )
        if each.tls == "none" and each.allow_unencrypted:
            yield f"mailbox[{index}].allow_unencrypted", "true: the password can be read on its way"
