"""Checking rules against their own examples, and measuring what they cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bouncemilter.classify.engine import Classifier
from bouncemilter.classify.rules import faults_of_patterns

ROUNDS: Final = 5
"""The best of so many rounds counts: whatever else runs only makes a round slower."""
FACTOR: Final = 2.0
"""Own rules may make a new text cost so many times what it costs with the built-in ones."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds a text."""

    new: float
    """Of a template that was not seen before."""
    known: float
    """Of a text whose template was."""


def faults(classifier: Classifier) -> list[str]:
    """A line for each bad pattern, and for each example that another rule, or none, decides; empty when all is well."""
    found = []
    for rule in classifier.rules:
        found += [f"{rule.file}: rule {rule.id}: {each}" for each in faults_of_patterns(rule.patterns, rule.unless)]
        for example in rule.examples:
            ruling = classifier.rule(example)
            if ruling.rule != rule.id:
                found.append(f"{rule.file}: rule {rule.id}: its example is decided by {ruling.rule}: {example.text}")
            elif ruling.category is not rule.category:
                found.append(f"{rule.file}: rule {rule.id}: its example gets {ruling.category}: {example.text}")
    return found


def cost(classifier: Classifier) -> Cost:
    """What the examples of all built-in rules cost, text by text."""
    replies = [example for rule in classifier.rules if not rule.operator for example in rule.examples]
    cases = [classifier.case(reply) for reply in replies]

    def new() -> None:
        for case in cases:
            classifier.decide(case)

    def known() -> None:
        for reply in replies:
            classifier.rule(reply)

    return Cost(_microseconds(new, len(replies)), _microseconds(known, len(replies)))


def too_slow(costs: Cost, builtin: Cost) -> str:
    """A line where rules cost more than they may; empty where they don't."""
    if costs.new <= FACTOR * builtin.new:
        return ""
    return (
        f"a text costs {costs.new:.0f} µs, more than {FACTOR:.0f} times the {builtin.new:.0f} µs of the built-in rules"
    )


def _microseconds(work: Callable[[], None], texts: int) -> float:
    """The best round, for each text."""
    best = float("inf")
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - begin)
    return best / max(texts, 1) * 1e6
