"""Delivery status notifications: RFC 3464, and RFC 6533 for UTF-8 addresses; also those that are written badly.

Reporting-MTA: dns; mx.example.org                  one block about the message,

Original-Recipient: rfc822;user@example.com         then one for each recipient
Final-Recipient: rfc822; user@mail.example.com
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.example.com
Diagnostic-Code: smtp; 550 5.1.1 <user@mail.example.com>: Recipient address rejected
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from bouncemilter import address, limits, text
from bouncemilter.model import Action, Defect, Kind, Phase, Report, ReportedRecipient
from bouncemilter.report import below, charset, diagnostic, notice, recipient, reply
from bouncemilter.report.header import PLAIN
from bouncemilter.report.message import Message
from bouncemilter.report.mime import normalise

STATUS_TYPES: Final = (
    b"message/delivery-status",
    b"message/global-delivery-status",
    b"text/delivery-status",
    b"message/dsn",
)

FIELDS: Final = 24 * limits.RECIPIENTS
"""Fields of all blocks that are read; a recipient has some ten."""
CONTENT: Final = 256 * 1024
"""Octets of a delivery-status part that are read: 100 recipients with diagnostics of 2 KiB."""

_FIELD: Final = re.compile(
    rb"^[ \t]?([A-Za-z][A-Za-z0-9-]{1,60}+)[ \t]*:[ \t]*([^\n]*+(?:\n[ \t]+[^\s][^\n]*+)*+)|^[ \t]*$", re.MULTILINE
)
_TYPED: Final = re.compile(r"\A\s*[A-Za-z][\w.-]{0,30}\s*;\s*")
_UNICODE: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_WORD: Final = re.compile(r"\w")
_XTEXT: Final = re.compile(r"\+(2B|3D)")
_STATUS_TEXT: Final = re.compile(
    r"^(?:Final-Recipient|Original-Recipient)[ \t]*:.{0,400}^(?:Action|Status|Diagnostic-Code)[ \t]*:",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)

_ACTIONS: Final = (
    ("fail", Action.FAILED),
    ("undeliver", Action.FAILED),
    ("bounce", Action.FAILED),
    ("error", Action.FAILED),
    ("reject", Action.FAILED),
    ("expired", Action.FAILED),
    ("delay", Action.DELAYED),
    ("defer", Action.DELAYED),
    ("warn", Action.DELAYED),
    ("deliver", Action.DELIVERED),
    ("relay", Action.RELAYED),
    ("expand", Action.EXPANDED),
)

Block = dict[str, str]


def read(message: Message) -> Report | None:
    """The report in a delivery-status part, or in the text of a mail system's message that holds its fields."""
    part = message.part(*STATUS_TYPES)
    if part is not None:
        if message.content_type != b"multipart/report" and not message.from_daemon and notice.score(message) < 1:
            return None  # somebody attached the parts of a report
        return _report(message, part.content(CONTENT))
    return _from_text(message) if b"-recipient:" in message.data[message.body_at :].lower() else None


def _from_text(message: Message) -> Report | None:
    """Fields in a text part: the type was lost on the way (only where a mail system wrote the whole message)."""
    if notice.score(message) < 2:
        return None
    for part in message.parts:
        if part.is_text or part.content_type == b"application/octet-stream":
            words = "\n" + part.text
            found = _STATUS_TEXT.search(words)
            if found is None:
                continue
            start = words.rfind("\nReporting-MTA:", 0, found.start())
            start = start if start >= 0 else max(words.rfind("\n\n", 0, found.start()), 0)
            if not below.cut(words[:start] + "\n")[1]:
                return _report(message, words[start:].encode("utf-8", "replace"))
    return None


def _report(message: Message, content: bytes) -> Report | None:
    about, blocks = _blocks(normalise(content))
    back = message.returned
    errors = diagnostic.Errors(message)
    found = []
    for block in blocks[: limits.RECIPIENTS + 1]:
        if message.is_late():
            break
        found.append(_recipient(message, block, errors))
    found = _named(message, found, back.to if back else "")
    if not found and not blocks:
        return None
    recipients = recipient.capped(found, message.defects)
    if not any(each.address for each in recipients):
        message.defects.add(Defect.NO_RECIPIENT)
    return Report(
        kind=kind([each.action for each in found] or [_action(block, errors) for block in blocks]),
        recipients=recipients,
        format="dsn",
        envelope_id=text.clean(about.get("original-envelope-id", ""), limits.SUBJECT),
        reporting_mta=text.clean(_untyped(about.get("reporting-mta", "")), 255),
        returned=back,
        excerpt="" if any(each.address for each in recipients) else text.clean(message.notice_text, limits.EXCERPT),
        known_by_words=not message.made_by_machine,
    )


def kind(actions: list[Action | None]) -> Kind:
    """What a report with these actions is: a failure beats a delay, a delay beats a success."""
    if Action.FAILED in actions or not actions:
        return Kind.BOUNCE
    return Kind.DELAYED if Action.DELAYED in actions else Kind.DELIVERED


def _fields(content: bytes) -> Iterator[tuple[str, str]]:
    """The fields in order, names in lower case, values unfolded; a blank line has no name."""
    decode = bytes.decode if content.isascii() and b"\x1b" not in content else _decoded
    found: Iterable[tuple[bytes, bytes]]
    if content.count(b"\n") < FIELDS:
        found = _FIELD.findall(content)  # twice as fast, but what it finds has no bound of its own
    else:
        found = ((match[1] or b"", match[2] or b"") for match in islice(_FIELD.finditer(content), FIELDS + 1))
    for name, raw in found:
        value = decode(raw)
        plain = value.isprintable() and "  " not in value
        yield name.decode("ascii").lower(), value.strip() if plain else " ".join(value.split())


def _decoded(value: bytes) -> str:
    return text.decode(value, "" if value.isascii() and b"\x1b" not in value else charset.guess(value))


_OWN: Final = frozenset(
    (
        "final-recipient",
        "original-recipient",
        "action",
        "status",
        "diagnostic-code",
        "x-actual-recipient",
        "remote-mta",
    )
)
_ABOUT: Final = ("reporting-mta", "original-envelope-id")
_NAMES: Final = ("final-recipient", "original-recipient", "x-actual-recipient")


def _blocks(content: bytes) -> tuple[Block, list[Block]]:
    """The fields about the message, and a block for each recipient.

    Blank lines that are missing or too many don't matter: a recipient begins where a field of it comes again, and a
    block that names nobody belongs to the one before it.
    """
    about: Block = {}
    blocks: list[Block] = []
    current: Block = {}
    for name, value in _fields(content):
        if not name:
            current = _closed(current, blocks)
        elif name in _OWN:
            if name in current:
                current = _closed(current, blocks)
                if len(blocks) > limits.RECIPIENTS:
                    break
            current[name] = value
        else:
            target = about if not current or name in _ABOUT else current
            target.setdefault(name, value)
    _closed(current, blocks)
    return about, blocks


def _closed(current: Block, blocks: list[Block]) -> Block:
    """An empty block; `current` is added to the blocks, or to the last one where each has what the other lacks."""
    if current:
        names = any(name in current for name in _NAMES)
        last = blocks[-1] if blocks else None
        if (
            last is not None
            and not (set(current) & set(last) & _OWN)
            and (not names or not any(n in last for n in _NAMES))
        ):
            last.update(current)
        else:
            blocks.append(current)
    return {}


def _recipient(message: Message, block: Block, errors: diagnostic.Errors) -> ReportedRecipient:
    """One recipient of a report; its address is empty where the block names nobody."""
    original = _mailbox(block.get("original-recipient", ""), message.defects, xtext=True)
    final = _mailbox(block.get("final-recipient", ""), message.defects)
    named = original or final or _mailbox(block.get("x-actual-recipient", ""), message.defects) or _written(block)
    said = written_code = _untyped(block.get("diagnostic-code", "")[: 4 * limits.DIAGNOSTIC])
    written = reply.STATUS.search(block.get("status", "")) or reply.STATUS.search(block.get("action", ""))
    status = written[1] if written else ""
    action = _action(block, errors)
    if status and action and _contradicts(status, action):
        message.defects.add(Defect.BAD_STATUS)
    phase = reply.phase(said)
    poor = action is not Action.DELIVERED and recipient.is_poor(said)
    words = ""
    if poor or phase is Phase.UNKNOWN:
        words = recipient.words_about(message.text, final)
        if not words and original != final:
            words = recipient.words_about(message.text, original)
    if phase is Phase.UNKNOWN:
        phase = reply.phase(words)
    if phase is Phase.UNKNOWN:
        phase = reply.phase_in_transcript(message.text[: recipient.NOTICE], said or words)
    if poor:
        said = (words if reply.code(words) else "") or errors.about(final or original) or words or said
    return recipient.finish(
        ReportedRecipient(
            address=named,
            phase=phase,
            remote_host=_untyped(block.get("remote-mta", "")).partition(" ")[0].strip("[]"),
            original_address=original,
            final_address=final,
        ),
        message.defects,
        action=action,
        status=status,
        diagnostic=said,
        phase_sought=written_code,
    )


def _named(message: Message, found: list[ReportedRecipient], returned_to: str) -> list[ReportedRecipient]:
    """The recipients that are named; where the only block names nobody, the address stands elsewhere in the report."""
    named = [each for each in found if each.address]
    if named or not found:
        return named
    # One without an address keeps its reason: the envelope may know whom it is about.
    elsewhere = next(iter(recipient.failed_header(message)), returned_to) if len(found) == 1 else ""
    return [dataclasses.replace(found[0], address=elsewhere)]


def _action(block: Block, errors: diagnostic.Errors) -> Action | None:
    """The action as written, in any spelling; where there is none, by status, then by the words of the notice."""
    written = block.get("action", "").strip(" <>\"'").lower()
    for prefix, action in _ACTIONS:
        if written.startswith(prefix):
            return action
    status = block.get("status", "").strip()
    if status.startswith("5"):
        return Action.FAILED
    if status.startswith("2"):
        return Action.DELIVERED
    return errors.action


def _contradicts(status: str, action: Action) -> bool:
    """Whether the class of a status and an action can't both be true (`failed` with 4.x.x is common and fine)."""
    if action is Action.FAILED:
        return status[0] == "2"
    return status[0] != ("4" if action is Action.DELAYED else "2")


def _untyped(value: str) -> str:
    """A value without its type: `smtp; 550 no` → `550 no`."""
    match = _TYPED.match(value)
    return value[match.end() :].strip() if match else value.strip()


def _mailbox(value: str, defects: set[Defect], *, xtext: bool = False) -> str:
    """The address in a recipient field, empty where there is none."""
    if not value:
        return ""
    bare = _untyped(value).strip(" <>'") if "@" in value else ""
    if bare.startswith('"') and bare.endswith('"'):
        bare = bare.strip('"')  # quotes around all of it, not around a local part (RFC 5321 section 4.1.2)
    if "\\x{" in bare:  # RFC 6533 section 3, utf-8-addr-xtext
        bare = _UNICODE.sub(lambda match: chr(int(match[1], 16)) if int(match[1], 16) < 0x110000 else "", bare)
    if xtext and "+" in bare:
        bare = _xtext(bare)
    if len(bare.encode("utf-8", "replace")) > limits.ADDRESS:
        defects.add(Defect.LIMIT_ADDRESS)
        return ""
    if PLAIN.match(bare):
        return bare
    if address.split(bare) is None:
        return next(iter(recipient.addresses(bare, 1)), "")
    return text.clean(bare.removeprefix("@").rpartition(":")[2] if bare.startswith("@") else bare, limits.ADDRESS)


def _written(block: Block) -> str:
    """What a recipient field calls a mailbox where that is no address: a name, a number, `user@#example`."""
    written = _untyped(block.get("original-recipient", "") or block.get("final-recipient", "")).strip(" <>\\")
    return text.clean(written, limits.ADDRESS) if len(written) <= limits.ADDRESS and _WORD.search(written) else ""


def _xtext(value: str) -> str:
    """An ORCPT whose xtext (RFC 3461 section 4) was not undone.

    Only what an address needs encoded: `+2B` and `+3D`; other pairs are more likely a tag of the address itself.
    """
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)), value)
