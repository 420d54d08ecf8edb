"""Which rules match a template, and which of them wins.

All patterns lie in one `re2.Filter`: a set of their literal atoms is matched once, and only patterns whose atoms are
there run alone. The same patterns in one `re2.Set` cost 1 ms a text, because gaps blow up its automaton.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from bouncemilter.classify import fallback
from bouncemilter.classify.reply import Codes, Reply, codes_of, phase_in
from bouncemilter.classify.rules import GENERIC, Rule, RuleSet, options
from bouncemilter.classify.template import Normaliser, hosts_in
from bouncemilter.model import (
    Action,
    Category,
    Class,
    Kind,
    Phase,
    RecipientVerdict,
    Report,
    ReportedRecipient,
    Ruling,
    Verdict,
)

TEMPLATES: Final = 8192
"""Rulings that are remembered, by template and circumstances: at most some 10 MB."""

SOFTWARE: Final = ("postfix", "exim", "sendmail", "qmail")
"""Server software is no provider: its own words are known better than generic ones, but are no policy of one place."""

_VAGUE, _GENERIC, _PROVIDER, _OPERATOR = range(4)
# The block wins over a hard reading: a false suppression loses a customer, a missed one costs one more bounce.
_CLASS_ORDER = {Class.HARD: 0, Class.SOFT: 1, Class.BLOCK: 2}


class Case(NamedTuple):
    """All that a ruling depends on, and nothing else: the key of the cache."""

    template: str
    status: str
    reply_code: str
    phase: Phase
    final: bool
    """The report says that delivery was given up."""
    provider: str
    """Whose host answered, where it is a known provider's; else empty."""


class Classifier:
    """Rules, ready to be asked. Immutable after it is made, and safe from several threads."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.rules = ruleset.rules
        self._hosts = ruleset.hosts
        every = [(pattern, rule) for rule in ruleset.rules for pattern in rule.patterns]
        self._owners = tuple((rule, len(pattern)) for pattern, rule in every)
        self._filter = _filter(pattern for pattern, _ in every)
        self._unless = {rule.id: _filter(rule.unless) for rule in ruleset.rules if rule.unless}
        kept = {host for rule in ruleset.rules for each in (*rule.patterns, *rule.unless) for host in hosts_in(each)}
        self._normaliser = Normaliser(kept)
        self._provider = lru_cache(maxsize=4096)(self._provider_of)
        self._remembered = lru_cache(maxsize=TEMPLATES)(self.decide)

    def rule(self, reply: Reply) -> Ruling:
        """What a reply means, and which rule says so; never raises."""
        return self._remembered(self.case(reply))

    def verdict(self, report: Report) -> Verdict:
        """A report with a ruling for each recipient whose delivery failed or is delayed."""
        return Verdict(report, tuple(RecipientVerdict(each, self._ruling(report, each)) for each in report.recipients))

    def case(self, reply: Reply) -> Case:
        """All that the ruling on a reply depends on."""
        return Case(
            template=self._normaliser.template(reply.text),
            status=reply.status,
            reply_code=reply.reply_code,
            phase=reply.phase,
            final=reply.action is Action.FAILED,
            provider=self._provider(reply.remote_host) or self._provider(reply.reporting_mta),
        )

    def decide(self, case: Case) -> Ruling:
        """The ruling on a case, worked out anew."""
        codes = codes_of(case.template, case.status, case.reply_code)
        phase = case.phase if case.phase is not Phase.UNKNOWN else phase_in(case.template)
        hits = self._hits(case, codes, phase)
        if not hits:
            category, name = fallback.category(codes, phase, case.provider)
            return Ruling(_expired(category, case, codes), name, case.template)
        rule = max(hits, key=lambda hit: _rank(*hit))[0]
        return Ruling(
            category=_expired(rule.category, case, codes),
            rule=rule.id,
            template=case.template,
            closed_for_good=rule.closed_for_good,
            already_suppressed=rule.already_suppressed,
        )

    def matching(self, reply: Reply) -> list[Rule]:
        """Every rule that matches a reply in its circumstances, the winner first."""
        case = self.case(reply)
        phase = case.phase if case.phase is not Phase.UNKNOWN else phase_in(case.template)
        hits = self._hits(case, codes_of(case.template, case.status, case.reply_code), phase)
        ranked = sorted(hits, key=lambda hit: _rank(*hit), reverse=True)
        return list(dict.fromkeys(rule for rule, _ in ranked))

    def _hits(self, case: Case, codes: Codes, phase: Phase) -> list[tuple[Rule, int]]:
        """The rules that hold, each with the length of its matching pattern."""
        found = self._filter.Match(case.template) or () if self._filter else ()
        return [
            (rule, length)
            for rule, length in (self._owners[each] for each in found)
            if _holds(rule, case, codes, phase) and not self._excepted(rule, case.template)
        ]

    def _excepted(self, rule: Rule, template: str) -> bool:
        unless = self._unless.get(rule.id)
        return unless is not None and unless.Match(template) is not None

    def _ruling(self, report: Report, recipient: ReportedRecipient) -> Ruling | None:
        action = recipient.action
        if action is None and report.kind in (Kind.BOUNCE, Kind.DELAYED):
            action = Action.FAILED if report.kind is Kind.BOUNCE else Action.DELAYED
        if action not in (Action.FAILED, Action.DELAYED):
            return None
        return self.rule(
            Reply(
                text=recipient.diagnostic,
                status=recipient.status,
                reply_code=recipient.reply_code,
                phase=recipient.phase,
                action=action,
                remote_host=recipient.remote_host,
                reporting_mta=report.reporting_mta,
            )
        )

    def _provider_of(self, host: str) -> str:
        labels = host.lower().strip(" .").split(".")
        suffixes = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self._hosts[each] for each in suffixes if each in self._hosts), "")


def _holds(rule: Rule, case: Case, codes: Codes, phase: Phase) -> bool:
    """Whether a rule whose pattern matches holds in the circumstances."""
    if rule.codes and not codes.begin_with(rule.codes):
        return False
    if rule.phases and phase not in rule.phases:
        return False
    if rule.only_here and rule.provider != case.provider:
        return False
    if phase in fallback.SENDER_SIDE and not rule.operator:
        says_little = rule.vague and rule.category is Category.POLICY_OTHER
        return not says_little and rule.category.class_ is not Class.HARD and rule.category is not Category.MAILBOX_FULL
    return True


def _rank(rule: Rule, length: int) -> tuple[int, int, int, bool, int, str]:
    if rule.operator:
        level = _OPERATOR
    elif rule.vague:
        level = _VAGUE
    else:
        level = _GENERIC if rule.provider in (GENERIC, *SOFTWARE) else _PROVIDER
    return level, rule.priority, _CLASS_ORDER[rule.category.class_], rule.provider in SOFTWARE, length, rule.id


def _expired(category: Category, case: Case, codes: Codes) -> Category:
    """A greylisted message that was given up had been tried for days, unless its first answer was permanent."""
    if category is Category.GREYLISTED and case.final and codes.severity != "5":
        return Category.DELIVERY_TIMEOUT
    return category


def _filter(patterns: Iterable[str]) -> re2.Filter | None:
    found = re2.Filter()
    count = 0
    for pattern in patterns:
        found.Add(pattern, options())
        count += 1
    if not count:
        return None
    found.Compile()
    return found
