"""Digital Arts' m-FILTER, in Japanese.

以下のメールアドレスへの送信に失敗しました。
user@example.jp

-------server message
550 unknown user <user@example.jp>

-------SMTP command
DATA
"""

from __future__ import annotations

from typing import Final

from bouncemilter.report.freeform.shape import ALONE, PARAGRAPH, Shape, compiled

FORMAT: Final = Shape(
    name="mfilter",
    marks=("-------server message",),
    entries=compiled(ALONE),
    shared=compiled(
        rf"^-{{3,}}server message[ \t]*\n\s*{PARAGRAPH}(?:\s*^-{{3,}}SMTP command[ \t]*\n\s*(?P<command>[^\n]*))?"
    ),
)
