"""The error about one recipient in a notice: for reports without a Diagnostic-Code, or with a poor one."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from bouncemilter import limits
from bouncemilter.report import notice, recipient, reply
from bouncemilter.report.message import Message

LINES: Final = 200
"""Lines of a notice in which an error is sought."""


class Errors:
    """The errors in one notice; what is the same for all its recipients is sought once."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def about(self, named: str) -> str:
        """What the notice gives as the error for `named`, on one line; empty only where the notice is.

        What follows the address, where that is an error; else the first line with a code and what follows it; else
        the lines with words of failure; else its beginning.
        """
        said = recipient.words_about(self._words, named)
        if reply.code(said) or reply.status(said):
            return said
        if not self._coded and said and notice.says(notice.FAILED, said.lower()):
            return said
        return self._coded or self._failed or said or " ".join(self._lines).strip()[: limits.EXCERPT]

    @cached_property
    def _words(self) -> str:
        return self._message.notice_text[: recipient.NOTICE]

    @cached_property
    def _lines(self) -> list[str]:
        return [" ".join(line.split()) for line in self._words.split("\n", LINES)[:LINES]]

    @cached_property
    def _coded(self) -> str:
        lines = self._lines
        at = next((index for index, line in enumerate(lines) if reply.code(line) or reply.status(line)), len(lines))
        return " ".join(line for line in lines[at : at + 4] if line)

    @cached_property
    def _failed(self) -> str:
        failed = " ".join(line for line in self._lines if line and notice.says(notice.FAILED, line.lower()))
        return failed[: limits.DIAGNOSTIC]
