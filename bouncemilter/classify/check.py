"""Checking rules against their own examples."""

from __future__ import annotations

from bouncemilter.classify.engine import Classifier


def faults(classifier: Classifier) -> list[str]:
    """A line for each example that another rule, or none, decides; empty when all is well."""
    found = []
    for rule in classifier.rules:
        for example in rule.examples:
            ruling = classifier.rule(example)
            if ruling.rule != rule.id:
                found.append(f"{rule.file}: rule {rule.id}: its example is decided by {ruling.rule}: {example.text}")
            elif ruling.category is not rule.category:
                found.append(f"{rule.file}: rule {rule.id}: its example gets {ruling.category}: {example.text}")
    return found
