"""Sun's and Oracle's Messaging Server (iPlanet, PMDF).

Your message cannot be delivered to the following recipients:

  Recipient address: user@store.example.com
  Original address: user@example.com
  Reason: Remote SMTP server has rejected address
  Diagnostic code: smtp;550 5.1.1 unknown or illegal alias: user@example.com
  Remote system: dns;mx.example.com (TCP|192.0.2.1|42768|192.0.2.80|25)
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import Shape, compiled

FORMAT: Final = Shape(
    name="messagingserver",
    marks=("recipient address: ",),
    entries=compiled(
        r"^[ \t]*Recipient address:[ \t]*(?P<final>\S+)[ \t]*\n"
        r"(?:[ \t]*Original address:[ \t]*(?P<address>\S+)[ \t]*\n)?"
        r"(?:[ \t]*Reason:[^\n]*\n)?[ \t]*Diagnostic code:[ \t]*(?:\w+;)?(?P<error>[^\n]*)"
        r"(?:\n[ \t]*Remote system:[ \t]*dns;(?P<host>[^\s(]+))?",
        r"^[ \t]*Recipient address:[ \t]*(?P<final>\S+)[ \t]*\n"
        r"(?:[ \t]*Original address:[ \t]*(?P<address>\S+)[ \t]*\n)?"
        r"(?:[ \t]*Reason:[ \t]*(?P<error>[^\n]*(?:\n[ \t]*Reason:[^\n]*){0,3}))?",
    ),
)
