"""The reasons of decisions, as they are recorded and as people read them."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path
from typing import Final

import pytest

from bouncemilter import policy, reasons
from bouncemilter.language import Language
from bouncemilter.reasons import Counted, DecisionReason

GIVEN: Final = {
    "days": 32,
    "messages": 2,
    "needed": 4,
    "requests": 60,
    "kind": "auto_reply",
    "trust": "token",
    "required": "plausible",
    "incident": "own_outage",
    "what": Counted.SOFT_ON_PROBATION.value.en,
    "count": "hard, message 2 of 2 within 32 days",
}
POLISH: Final = GIVEN | {
    "what": Counted.SOFT_ON_PROBATION.value.pl,
    "count": "twardy zwrot, wiadomość 2 z 2 w ciągu 32 dni",
}


@pytest.mark.parametrize("form", DecisionReason)
def test_each_form(form: DecisionReason) -> None:
    """What is recorded by any form is read in Polish with the same values, and stays as it is in English."""
    recorded = form.recorded(**GIVEN)
    assert "{" not in recorded
    assert reasons.told(recorded, Language.EN) == recorded
    assert reasons.told(recorded, Language.PL) == form.value.in_(Language.PL, **POLISH) != recorded


def test_no_form_is_another() -> None:
    """What one form records, no other form reads, and no form has the joint within: the first match is the only one."""
    for one, other in itertools.permutations(DecisionReason, 2):
        pattern = dict(reasons._patterns())[other]
        assert not pattern.fullmatch(one.recorded(**GIVEN)), (one, other)
    assert not [each for each in DecisionReason if reasons.JOINT in each.value.en + each.value.pl]


@pytest.mark.parametrize("counted", Counted)
def test_joined(counted: Counted) -> None:
    """A reason of several parts is read part by part, with what it counts."""
    count = policy.Count(counted, 2, 2, 32)
    recorded = reasons.joined(
        DecisionReason.TRUSTED.recorded(count=count, trust="plausible"), DecisionReason.OBSERVED.recorded()
    )
    assert recorded == (
        f"{counted.value.en}, message 2 of 2 within 32 days (trust plausible); "
        "would suppress, but the preset is observe"
    )
    assert reasons.told(recorded, Language.PL) == (
        f"{counted.value.pl}, wiadomość 2 z 2 w ciągu 32 dni (wiarygodność plausible); "
        "byłaby blokada, ale zestaw to observe"
    )


@pytest.mark.parametrize("recorded", ["", "by hand", "counted; by another program (trust x)", "hard, message two of 2"])
def test_unknown(recorded: str) -> None:
    """What no form has written is shown as it stands."""
    assert reasons.told(recorded, Language.PL) == recorded


def test_policy_writes_no_other() -> None:
    """Policy has no sentence of its own: each comes from a form, so none can be without its Polish."""
    tree = ast.parse(Path(policy.__file__).read_text("utf-8"))
    docs = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    texts = [
        each.value
        for each in ast.walk(tree)
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in docs
    ]
    sentences = [each for each in texts if re.search(r"\w \w", each)]
    assert [set(each.split()) for each in sentences] == [policy._ROLES]
