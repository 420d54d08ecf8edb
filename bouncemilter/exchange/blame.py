"""Who is to blame for a bounce in a provider's list: not all that they suppress is dead."""

from __future__ import annotations

from functools import lru_cache

from bouncemilter import classify
from bouncemilter.classify import Reply
from bouncemilter.model import Category, Class


class Judge:
    """Reads the server's words by the rules, each text once as long as it is remembered."""

    def __init__(self, classifier: classify.Classifier) -> None:
        self._rule = lru_cache(maxsize=8192)(lambda words, status: classifier.rule(Reply(words, status)))

    def category(self, diagnostic: str, status: str) -> Category | None:
        """Why the delivery failed; None where no rule knows the words."""
        if not diagnostic:
            return None
        ruling = self._rule(diagnostic, status)
        return None if ruling.rule.startswith("fallback.") else ruling.category


def is_senders(category: Category | None) -> bool:
    """Whether the sender is to blame, and nobody may be suppressed."""
    return category is not None and category.class_ is Class.BLOCK
