"""The two protocols by which Postfix asks about a recipient, as pure functions. No I/O.

socketmap_table(5): `LENGTH:STREAM ADDRESS,`, answered by `LENGTH:OK RESULT,` or `LENGTH:NOTFOUND ,`.
SMTPD_POLICY_README: lines `name=value` and an empty one, answered by `action=RESULT` and an empty line.
Which of them a client speaks, its first octet shows: a length begins with a digit, a name does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from bouncemilter import text
from bouncemilter.stream import Origin

OCTETS: Final = 8192
"""Of one request. Postfix sends some 1,000 in a policy request, and names in a socketmap request."""
ASKED_AT: Final = "RCPT"
"""The state of the SMTP session at which a recipient is judged."""


class ProtocolError(Exception):
    """What came is no request; the text says why."""


@dataclass(frozen=True, slots=True)
class Question:
    """A recipient to judge."""

    recipient: str
    stream: str
    """The name of the stream that the client gives, by the name of the map or the policy context; may be empty."""
    origin: Origin


def socketmap(request: bytes) -> Question | None:
    """The question in the content of a netstring; None where it is about a part of an address.

    Postfix asks a recipient's access table for the whole address, then for its domain and its local part.
    """
    stream, space, key = text.decode(request).partition(" ")
    if not space:
        raise ProtocolError("no space behind the name of the map")
    if "@" not in key.strip("@"):
        return None
    return Question(key, stream, Origin())


def policy(request: bytes) -> Question | None:
    """The question in the lines of a policy request; None where it is not about a recipient."""
    given = _attributes(request)
    if given.get("request") != "smtpd_access_policy":
        raise ProtocolError("the request is not smtpd_access_policy")
    if given.get("protocol_state") != ASKED_AT or not given.get("recipient"):
        return None
    origin = Origin(
        client=given.get("client_address", ""),
        daemon_name=given.get("policy_context", ""),
        sasl_login=given.get("sasl_username", ""),
        sender=given.get("sender"),
    )
    return Question(given["recipient"], given.get("policy_context", ""), origin)


def netstring(content: str) -> bytes:
    """`content` as a netstring."""
    raw = content.encode()
    return b"%d:%s," % (len(raw), raw)


def _attributes(request: bytes) -> Mapping[str, str]:
    found = {}
    for line in text.decode(request).split("\n"):
        name, equals, value = line.partition("=")
        if not equals:
            raise ProtocolError("a line without an equals sign")
        found[name] = value
    return found
