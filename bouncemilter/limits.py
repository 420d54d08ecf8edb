"""Every limit on what comes from outside: name, default, reason. A leaf."""

from __future__ import annotations

from typing import Final

KEPT_BYTES: Final = 512 * 1024
"""Bytes of a message that are kept in memory and read. Postfix cuts bounces at 50,000."""
HEADER_BLOCK: Final = 100 * 1024
"""Bytes of one header block. Postfix's own header_size_limit is 102,400."""
HEADER_LINE: Final = 8 * 1024
"""Bytes of one unfolded header field; longer ones are cut."""
MIME_DEPTH: Final = 8
"""Nested multiparts and message/rfc822 parts. Real reports use 3; parsers cost lines times depth."""
MIME_PARTS: Final = 64
"""Parts of one message."""
RECIPIENTS: Final = 100
"""Recipients in one report; our own mailings have one."""
DIAGNOSTIC: Final = 1024
"""Characters of one diagnostic; the rules need the first few hundred."""
ADDRESS: Final = 320
"""Octets of an address: 64 before the @, 255 after it (RFC 5321 section 4.5.3.1)."""
PARSE_SECONDS: Final = 0.05
"""What reading and classifying one message within the limits above takes at most; the fuzzer watches it."""
EXCERPT: Final = 500
"""Characters kept of an auto-reply's text."""
SUBJECT: Final = 200
"""Characters kept of a subject, a list or a campaign name."""
MESSAGE_ID: Final = 998
"""Characters of a Message-ID: one line (RFC 5322 section 2.1.1)."""
CONNECTIONS: Final = 128
"""Connections of one front."""
