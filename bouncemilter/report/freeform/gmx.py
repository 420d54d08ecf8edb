"""GMX and web.de: the sentences of Exim, the recipient in quotation marks, and the remote server's reason.

This message was created automatically by mail delivery software.
The following address failed:

"user@example.com":
SMTP error from remote server for RCPT TO command, host: mx.example.com (192.0.2.1) reason: 550 5.1.1 User
unknown
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ADDRESS, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="gmx",
    marks=("smtp error from remote server ",),
    entries=compiled(
        rf"^[ \t]*{ADDRESS}:[ \t]*\nSMTP error from remote server (?:for|after) (?P<command>[^\n:,]{{1,60}}?)"
        rf"(?: command)?[:,]\s*host:? (?P<host>[\w.-]{{1,255}})[^\n]{{0,60}}?(?:reason:|:[ \t]*\n)\s*{PARAGRAPH}"
    ),
)
