"""Which rules match a template, and which of them wins.

The patterns lie in a few `re2.Filter`s: a set of their literal atoms is matched once, and only patterns whose atoms are
there run alone. The same patterns in one `re2.Set` cost 1 ms a text, because gaps blow up its automaton; in one filter
they cost 100 µs, because so many atoms outgrow it too.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import re2

from bouncemilter.classify import fallback
from bouncemilter.classify.reply import Codes, Reply, codes_of, phase_in
from bouncemilter.classify.retry import retry_after
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

FILTER: Final = 700
"""Patterns of one filter. Measured: 800 match in 10 µs, 1,500 in 110."""

SOFTWARE: Final = ("postfix", "exim", "sendmail", "qmail")
"""Server software is no provider: its own words are known better than generic ones, but are no policy of one place."""

LEVELS: Final = ("vague", "generic", "provider", "operator")
"""The levels of precedence, the weakest first."""

_VAGUE, _GENERIC, _PROVIDER, _OPERATOR = range(4)
# The block wins over a hard reading: a false suppression loses a customer, a missed one costs one more bounce.
_CLASS_ORDER = {Class.HARD: 0, Class.SOFT: 1, Class.BLOCK: 2}

# Before RCPT nobody knows the mailbox, before DATA nobody the content, whatever the words are.
_NOT_YET_KNOWN = (Category.MAILBOX_FULL, Category.CONTENT_BLOCKED, Category.ATTACHMENT_OR_VIRUS)


# What is left of a text whose words say no more than that something is wrong.
_SAYS_NOTHING = (Category.REMOTE_SYSTEM_ERROR, Category.SOFT_OTHER)

# Who said it: `host <host><ip> said:` (Postfix), `… after RCPT TO:<addr>: host <host> <ip>:` (Exim), qmail's words.
# The names of servers are no words of theirs; the phase is read before they go. Nor is a sender to blame who only gets
# his mail back.
_SAID = re.compile(
    r"\bhost <host> ?<ip>(?: said)?: |"
    r"\bsmtp error from remote mail(?: server|er) after [^:]{0,40}(?::<addr>)?[^:]{0,20}: ?|"
    r"<ip> (?:does not like recipient|failed after i sent the message)\. remote host said: |"
    r" ?giving up on <(?:ip|host)>\.?| \(in reply to [a-z ]{1,30}\)|"
    r"\bzwr(?:ot|oc|ac)\w*\b.{0,20}\bdo nadawcy\b|\b(?:zuruck|retour)\w*\b.{0,20}\ban (?:den |die )?absender\w*|"
    r"\bre(?:tour|nvoy)\w*\b.{0,20}\ba l.expediteur\b|\bdev(?:uel|olv)\w*\b.{0,20}\b(?:al remitente|ao remetente)\b|"
    r"\b(?:restituit|rinviat|rispedit)\w*\b.{0,20}\bal mittente\b|\b(?:terug|retour)\w*\b.{0,20}\b(?:aan|naar) "
    r"(?:de )?afzender\b|\bvracen\w*\b.{0,20}\bodesilateli\b|возвра\S+(?: \S+){0,3}? отправителю"
)
_SPEAKER = re.compile(
    r"said: |host <host>|remote mail|giving up on|in reply to|do nadawcy|absender|a l.expediteur|al remitente|"
    r"ao remetente|al mittente|afzender|odesilateli|отправителю"
)


class Case(NamedTuple):
    """All that a ruling depends on, and nothing else: the key of the cache."""

    template: str
    status: str
    reply_code: str
    phase: Phase
    final: bool | None
    """The report says that delivery was given up; None where there is no report."""
    provider: str
    """Whose host answered, where it is a known provider's; else empty."""


class Candidate(NamedTuple):
    """One rule whose pattern matches."""

    rule: Rule
    pattern: str
    """The one that ranks highest of those that match."""
    rank: tuple[int, int, int, bool, int, str]
    """The highest wins: level, priority, class, software, length of the pattern, id."""
    fault: str
    """Why it does not hold all the same; empty where it does."""

    @property
    def level(self) -> str:
        """The level of precedence."""
        return LEVELS[self.rank[0]]


class Trace(NamedTuple):
    """How a reply came to its ruling."""

    case: Case
    codes: Codes
    phase: Phase
    candidates: tuple[Candidate, ...]
    """The winner first, those that do not hold last."""
    ruling: Ruling


class Classifier:
    """Rules, ready to be asked. Immutable after it is made, and safe from several threads."""

    def __init__(self, ruleset: RuleSet) -> None:
        self.rules = ruleset.rules
        self._hosts = ruleset.hosts
        # Vague rules lose to every other one, so they are asked only where no other one holds.
        self._clear = _Patterns(rule for rule in ruleset.rules if not rule.vague or rule.operator)
        self._vague = _Patterns(rule for rule in ruleset.rules if rule.vague and not rule.operator)
        kept = {host for rule in ruleset.rules for each in (*rule.patterns, *rule.unless) for host in hosts_in(each)}
        # The recipients of one report often share their diagnostic, which has up to 1,024 characters.
        self._template = lru_cache(maxsize=2)(Normaliser(kept).template)
        self._provider = lru_cache(maxsize=4096)(self._provider_of)
        self._remembered = lru_cache(maxsize=TEMPLATES)(self.decide)

    def rule(self, reply: Reply) -> Ruling:
        """What a reply means, and which rule says so; never raises."""
        ruling = self._remembered(self.case(reply))
        # Numbers are not in the template, so the time is read apart; few texts get this far.
        if "#" in ruling.template and ruling.class_ is not Class.HARD and (seconds := retry_after(reply.text)):
            return dataclasses.replace(ruling, retry_after=seconds)
        return ruling

    def verdict(self, report: Report) -> Verdict:
        """A report with a ruling for each recipient whose delivery failed or is delayed.

        A failure that names nobody is ruled on all the same: its return path may say whom it is about.
        """
        recipients = report.recipients
        if not recipients and report.kind in (Kind.BOUNCE, Kind.DELAYED):
            recipients = (ReportedRecipient("", diagnostic=report.excerpt),)
        return Verdict(report, tuple([RecipientVerdict(each, self._ruling(report, each)) for each in recipients]))

    def case(self, reply: Reply) -> Case:
        """All that the ruling on a reply depends on."""
        return Case(
            template=self._template(reply.text),
            status=reply.status,
            reply_code=reply.reply_code,
            phase=reply.phase,
            final=None if reply.action is None else reply.action is Action.FAILED,
            provider=self._provider(reply.remote_host) or self._provider(reply.reporting_mta),
        )

    def decide(self, case: Case) -> Ruling:
        """The ruling on a case, worked out anew."""
        codes = codes_of(case.template, case.status, case.reply_code)
        phase = case.phase if case.phase is not Phase.UNKNOWN else phase_in(case.template)
        words = _words(case.template)
        hits = self._clear.hits(words, case, codes, phase)
        for each in () if hits else _bare(words):
            hits = hits or self._vague.hits(each, case, codes, phase)
        if not hits:
            category, name = fallback.category(codes, phase, case.provider)
            found = Ruling(_expired(category, case, codes), name, case.template)
        else:
            rule = max(hits, key=lambda hit: _rank(*hit))[0]
            found = Ruling(
                category=_expired(rule.category, case, codes),
                rule=rule.id,
                template=case.template,
                closed_for_good=rule.closed_for_good,
                already_suppressed=rule.already_suppressed,
            )
            if not rule.vague:
                return found
        if found.class_ is Class.HARD and fallback.speaks_of_the_sender(words, codes):
            return Ruling(Category.POLICY_OTHER, "fallback.sender_side", case.template)
        if found.category in _SAYS_NOTHING and fallback.is_policy(words, codes):
            return Ruling(Category.POLICY_OTHER, "fallback.sender_side", case.template)
        return found

    def trace(self, reply: Reply) -> Trace:
        """Every step from a reply to its ruling: for people who ask why."""
        case = self.case(reply)
        codes = codes_of(case.template, case.status, case.reply_code)
        phase = case.phase if case.phase is not Phase.UNKNOWN else phase_in(case.template)
        words = _words(case.template)
        found: dict[str, Candidate] = {}
        vague = next((each for each in _bare(words) if self._vague.hits(each, case, codes, phase)), words)
        for patterns, said in ((self._clear, words), (self._vague, vague)):
            for rule, pattern in patterns.matches(said):
                fault = _fault(rule, case, codes, phase) or patterns.exception(rule, said)
                candidate = Candidate(rule, pattern, _rank(rule, len(pattern)), fault)
                if rule.id not in found or candidate.rank > found[rule.id].rank:
                    found[rule.id] = candidate
        ranked = sorted(found.values(), key=lambda each: (not each.fault, each.rank), reverse=True)
        return Trace(case, codes, phase, tuple(ranked), self.rule(reply))

    def matching(self, reply: Reply) -> list[Rule]:
        """Every rule that matches a reply in its circumstances, the winner first."""
        return [each.rule for each in self.trace(reply).candidates if not each.fault]

    def _ruling(self, report: Report, recipient: ReportedRecipient) -> Ruling | None:
        reply = reply_of(report, recipient)
        return self.rule(reply) if reply else None

    def _provider_of(self, host: str) -> str:
        labels = host.lower().strip(" .").split(".")
        suffixes = (".".join(labels[start:]) for start in range(len(labels)))
        return next((self._hosts[each] for each in suffixes if each in self._hosts), "")


def _words(template: str) -> str:
    """A template without the names of those who said it."""
    return _SAID.sub("", template) if _SPEAKER.search(template) else template


def _bare(words: str) -> tuple[str, ...]:
    """What vague rules are asked: the words behind a prefix that says nothing, where there is one, then all."""
    bare = fallback.PREFIX.sub("", words)
    return (words,) if bare == words else (bare, words)


def reply_of(report: Report, recipient: ReportedRecipient) -> Reply | None:
    """What a report says about one recipient, as a reply; None where nothing failed or was delayed."""
    action = recipient.action
    if action is None and report.kind in (Kind.BOUNCE, Kind.DELAYED):
        action = Action.FAILED if report.kind is Kind.BOUNCE else Action.DELAYED
    if action not in (Action.FAILED, Action.DELAYED):
        return None
    return Reply(
        text=recipient.diagnostic,
        status=recipient.status,
        reply_code=recipient.reply_code,
        phase=recipient.phase,
        action=action,
        remote_host=recipient.remote_host,
        reporting_mta=report.reporting_mta,
    )


class _Patterns:
    """The patterns of some rules, in filters that each stay small enough for RE2's automaton."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        every = [(pattern, rule) for rule in rules for pattern in rule.patterns]
        self._filters = [_filter(every[start : start + FILTER]) for start in range(0, len(every), FILTER)]
        # Compiled when first needed: most exceptions of most rules never are.
        self._unless: dict[str, re2._Regexp] = {}

    def hits(self, words: str, case: Case, codes: Codes, phase: Phase) -> list[tuple[Rule, int]]:
        """The rules that hold for the words of a template, each with the length of its matching pattern."""
        excepted: dict[str, bool] = {}
        hits = []
        for rule, pattern in self.matches(words):
            if _fault(rule, case, codes, phase):
                continue
            if rule.id not in excepted:
                excepted[rule.id] = bool(rule.unless) and self._unless_of(rule).search(words) is not None
            if not excepted[rule.id]:
                hits.append((rule, len(pattern)))
        return hits

    def matches(self, words: str) -> Iterator[tuple[Rule, str]]:
        """The rules and patterns that match, whatever the circumstances."""
        for found, owners in self._filters:
            for each in found.Match(words) or ():
                yield owners[each]

    def exception(self, rule: Rule, words: str) -> str:
        """The words that `unless` keeps a rule from; empty where there are none."""
        found = self._unless_of(rule).search(words) if rule.unless else None
        return f"unless `{found.group()}`" if found else ""

    def _unless_of(self, rule: Rule) -> re2._Regexp:
        compiled = self._unless.get(rule.id)
        if compiled is None:
            compiled = re2.compile("|".join(f"(?:{each})" for each in rule.unless), options())
            self._unless[rule.id] = compiled
        return compiled


def _fault(rule: Rule, case: Case, codes: Codes, phase: Phase) -> str:
    """Why a rule whose pattern matches does not hold in the circumstances; empty where it does."""
    # What has no code is as good as a 5xx, unless delivery is still being tried.
    as_5xx = "5" in rule.codes and case.final is not False and not any(codes)
    if rule.codes and not as_5xx and not codes.begin_with(rule.codes):
        return "for other codes"
    if rule.phases and phase not in rule.phases:
        return "for another phase"
    if rule.only_here and rule.provider != case.provider:
        return f"for hosts of {rule.provider} only"
    if phase in fallback.SENDER_SIDE and not rule.operator:
        if rule.vague and rule.category is Category.POLICY_OTHER:
            return f"says less than the phase, {phase}"
        if rule.category.class_ is Class.HARD or rule.category in _NOT_YET_KNOWN:
            return f"nobody knows that at {phase}"
    return ""


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


def _filter(patterns: Iterable[tuple[str, Rule]]) -> tuple[re2.Filter, tuple[tuple[Rule, str], ...]]:
    """A filter, and for each pattern its rule."""
    made, owners = re2.Filter(), []
    for pattern, rule in patterns:
        made.Add(pattern, options())
        owners.append((rule, pattern))
    made.Compile()
    return made, tuple(owners)
