"""What a failure means: rules, codes and precedence.

    classifier = load()
    classifier.rule(Reply("550 5.1.1 User unknown")).category   # user_unknown

Precedence: the operator's rules, a provider's own text, a generic text, a vague text, an enhanced code, the bare reply
code; on the same level a block beats a soft reading, and that a hard one. What was said in reply to connect, EHLO or
MAIL is never the recipient's fault; and where only a vague text or a code says hard, words about the sender veto it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bouncemilter.classify.engine import Classifier
from bouncemilter.classify.reply import Reply
from bouncemilter.classify.rules import Rule, RulesError, read, version

__all__ = ["Classifier", "Reply", "Rule", "RulesError", "builtin", "load", "version"]


def load(extra: Path | None = None) -> Classifier:
    """A classifier with the built-in rules and those of the folder `extra` (rules.d), which win.

    RulesError lists every fault of all files.
    """
    return Classifier(read(extra))


@cache
def builtin() -> Classifier:
    """The classifier with the built-in rules alone, made once a process."""
    return load()
