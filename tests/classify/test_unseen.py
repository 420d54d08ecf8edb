"""Replies that were written from knowledge of servers before the rules were looked at, each set scored once, then kept.

What they gave when they were new tells how the rules do on texts that they never met:

| set | replies | class | category | sender's fault called hard | by codes alone |
|---|---|---|---|---|---|
| first | 153 | 94.1 % | 85.0 % | 1 of 72 | 6 |
| second | 81 | 96.3 % | 84.0 % | 1 of 38 | 28 |
| third | 117 | 95.7 % | 94.0 % | 1 of 59 | 9 |
| fourth | 62 | 95.2 % | 80.6 % | 0 of 30 | 4 |
| fifth | 67 | 95.5 % | 89.6 % | 1 of 32 | 4 |
| sixth | 355 | 98.6 % | 91.5 % | 2 of 204 | 12 |
| seventh | 91 | 93.4 % | 83.5 % | 4 of 48 | 9 |
| eighth | 86 | 90.7 % | 73.3 % | 2 of 50 | 19 |
| ninth | 235 | 97.0 % | 90.6 % | 1 of 134 | 5 |
| tenth | 81 | 100.0 % | 95.1 % | 0 of 45 | 1 |
| eleventh | 61 | 95.1 % | 88.5 % | 0 of 34 | 2 |
| terse | 145 | 97.2 % | 95.9 % | 0 of 74 | 6 |
| twelfth | 88 | 97.7 % | 93.2 % | 0 of 47 | 1 |
| languages-fifth | 120 | 100.0 % | 96.7 % | 0 of 59 | 7 |
| thirteenth | 67 | 98.5 % | 94.0 % | 0 of 39 | 4 |
| fourteenth | 67 | 97.0 % | 88.1 % | 1 of 37 | 2 |
| sixteenth | 82 | 98.8 % | 95.1 % | 0 of 60 | 2 |
| seventeenth | 60 | 91.7 % | 75.0 % | 1 of 37 | 13 |
| eighteenth | 60 | 88.3 % | 71.7 % | 2 of 35 | 16 |
| hunted-first | 122 | 80.3 % | 65.6 % | 15 of 98 | 25 |
| hunted-second | 98 | 75.5 % | 59.2 % | 13 of 71 | 30 |
| free-first | 65 | 66.2 % | 26.2 % | 12 of 33 | 40 |
| free-second | 56 | 85.7 % | 39.3 % | 2 of 30 | 30 |
| fifteenth | 63 | 98.4 % | 90.5 % | 0 of 31 | 6 |
| languages-first | 204 | 83.8 % | 71.6 % | 25 of 105 | 58 |
| languages-second | 71 | 69.0 % | 59.2 % | 20 of 47 | 28 |
| languages-third | 72 | 76.4 % | 43.1 % | 12 of 46 | 35 |
| languages-fourth | 62 | 88.7 % | 74.2 % | 5 of 41 | 9 |

The sixth and seventh were written together, in the words of known servers, and the rules were mended after the sixth:
that brought the seventh, before it was looked at, to 97.8 %, 84.6 % and 0 of 48. The eighth is of freer wording and was
written when the rules had been mended after the seventh, which had brought it no more than 74.4 % of the categories.

The sets of other languages, a third to a half of them Polish, are mostly refusals behind a bare 550 or 554. The first
two were scored together before anything was mended; the third, of odd wording on purpose, when the rules had been
mended after them (without that: 59.7 %, 33.3 % and 24 of 46), the fourth, of plain wording, after the third (79.0 %,
64.5 % and 11 of 41).

The ninth and later are what servers are known to say, as far as memory serves, in the order of the table; the terse
ones are a few words, with and without a code. A half of the tenth, a third of the eleventh and a fifth of the
thirteenth are Polish and other languages. Who wrote them had written rules of the same kind before, and the other
languages of the tenth and of languages-fifth are plain words, so the world will do worse than these figures. Of the
ninth three texts were dropped, and of all eight some twenty-five labels widened, after they were scored.

The hunted ones speak of the sender, the message, the rate or the far side's trouble in the words of a lost mailbox, on
purpose. The sixteenth was written before them, half in English, a quarter in Polish, a quarter in other languages; the
seventeenth and eighteenth, divided alike but worded more freely, after them, by who had read the rules by then. Three
labels of the sixteenth and seventeenth were widened after they were scored.

The free ones are in words that hardly any server uses, to see what is made of texts that no rule knows; the second was
written when a refusal that speaks to the sender, and of no recipient, was no longer hard.

The rules were mended after each, and some thirty labels, which were wrong or too narrow; two texts of the sixth
were dropped, as no server says them. Since then they only must not get worse: a new figure needs new texts.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.model import CLASS_OF, Category, Class

_SETS = Path(__file__).parent / "unseen"
# Categories that stay wrong, by set: words too free for a rule.
_WRONG = {
    "fourth": 1, "fifth": 1, "eighth": 2, "sixteenth": 2, "seventeenth": 4, "eighteenth": 4, "hunted-first": 4,
    "hunted-second": 4, "free-first": 20, "free-second": 15,
}  # fmt: skip


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (_SETS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("name", sorted(path.stem for path in _SETS.glob("*.jsonl")))
def test_once_unseen_replies(name: str) -> None:
    """At most so many categories are wrong, and no sender's fault is called hard."""
    wrong, harm = [], []
    for row in _rows(name):
        ruling = classify.builtin().rule(Reply(row["text"]))
        if ruling.category not in row["accept"]:
            wrong.append((row["text"], ruling.category, ruling.rule))
        if ruling.class_ is Class.HARD and {CLASS_OF[Category(each)] for each in row["accept"]} == {Class.BLOCK}:
            harm.append(row["text"])
    assert harm == []
    assert len(wrong) <= _WRONG.get(name, 0), wrong


@pytest.mark.parametrize(
    "said",
    [
        "host mx1.example.com[192.0.2.25] said: {} (in reply to RCPT TO command)",
        "SMTP error from remote mail server after RCPT TO:<a@example.com>: host mx1.example.com [192.0.2.25]: {}",
        "192.0.2.25 does not like recipient. Remote host said: {} Giving up on 192.0.2.25.",
    ],
    ids=["postfix", "exim", "qmail"],
)
def test_who_said_it_changes_nothing(said: str) -> None:
    """A reply means the same as each mail server passes it on."""
    rule = classify.builtin().rule
    texts = [row["text"] for path in sorted(_SETS.glob("*.jsonl")) for row in _rows(path.stem)]
    replies = [text for text in texts if text[:3].isdigit()]
    assert len(replies) > 400
    changed = [text for text in replies if rule(Reply(said.format(text))).category != rule(Reply(text)).category]
    assert changed == []
