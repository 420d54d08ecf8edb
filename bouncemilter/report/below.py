"""Where the report ends and the returned message begins, in a free-form report's text."""

from __future__ import annotations

import re
from typing import Final

_MARK: Final = re.compile(
    r"\n[ \t>|]*(?:"
    r"\*{2,}+[^\n]{0,10}?text of (?:mail|message) follows[^\n]*"
    r"|-{2,}+[^\n]{0,10}?(?:below this line|this is a copy of|the body of the message is|(?:unsent|original|returned|"
    r"undelivered|"
    r"rejected|failed|bounced) message|transcript of message|message (?:header|text|contents?) follows|"
    r"the header of the original|enclosed is a copy|header of message|returned mail file|"
    r"forwarded message|oryginaln|urspr[uü]nglich|"
    r"message d.origine|mensaje original|mensagem original|messaggio originale|included|下面是|原信|原邮件|"
    r"以下は)[^\n]*"
    r"|(?:message|message headers?|headers?|original (?:message )?headers?|original message|the original message|"
    r"returned message)"
    r"(?: text)?(?: follows)?(?: is (?:below|included below|attached))?:?[ \t]*"
    r"|(?:below is|following is|here is|this is) a copy of[^\n]*"
    r"|(?:the )?(?:headers?|text|body) (?:of|from) the (?:original|returned|undelivered) (?:message|mail)[^\n]*"
    r")$",
    re.MULTILINE | re.IGNORECASE,
)
# Two fields after a trace field, or three after one that people quote too, are a header block.
_BLOCK: Final = re.compile(
    r"\n(?:Return-Path|Received|DKIM-Signature|Message-I[dD]|MIME-Version|Delivered-To|X-[A-Za-z-]{2,40}):[^\n]*\n"
    r"(?:(?:[ \t][^\n]*|[A-Za-z-]{2,40}:[^\n]*)\n){2}"
    r"|\n(?:From|To|Date|Subject|Reply-To|Sender): [^\n]*\n(?:(?:[ \t]+[^\n]*|[A-Za-z-]{2,40}: [^\n]*)\n){3}",
    re.MULTILINE,
)


_FIELD: Final = re.compile(r"[ \t>|]*[A-Za-z-]{2,40}:")


SEARCHED: Final = 32 * 1024
"""Characters in which the cut is sought; the longest notices of MTAs are shorter."""


def cut(notice: str) -> tuple[str, str]:
    """A free-form report's text, and the returned message below it (its headers first; empty where there is none)."""
    notice = f"\n{notice}"  # a pattern that begins with a literal is sought at memory's speed, one with ^ is not
    block = _BLOCK.search(notice, 0, SEARCHED)
    mark = _MARK.search(notice, 0, SEARCHED)
    if mark and (block is None or mark.start() < block.start()):
        if block and not notice[mark.end() : block.start()].strip("\n\r\t >-"):
            return notice[1 : mark.start() + 1], notice[block.start() + 1 :]
        below = notice[mark.end() :].lstrip("\n")
        if _FIELD.match(below):
            return notice[1 : mark.start() + 1], below
    if block:
        return notice[1 : block.start() + 1], notice[block.start() + 1 :]
    return notice[1:], ""
