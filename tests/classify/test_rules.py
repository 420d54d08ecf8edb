"""The rule files: every rule against its own examples, and every fault of an operator's file at once."""

from pathlib import Path

import pytest

from bouncemilter import classify
from bouncemilter.classify import Reply, RulesError
from bouncemilter.classify.check import faults
from bouncemilter.model import Category

_GOOD = """
[[rule]]
id = "own.gone"
category = "mailbox_disabled"
patterns = ["pan wyjechał"]
source = "our own"
closed_for_good = true
examples = ["550 Pan wyjechal na dobre"]
"""


def _load(folder: Path, written: str) -> classify.Classifier:
    (folder / "own.toml").write_text(written, encoding="utf-8")
    return classify.load(folder)


def test_every_example_is_decided_by_its_own_rule() -> None:
    """No built-in rule's example may be decided by another rule, or by none."""
    assert faults(classify.builtin()) == []


def test_every_category_has_a_rule_but_the_unexplained_ones() -> None:
    """Each category that a text can express is reached by at least one built-in rule."""
    assert set(Category) - {rule.category for rule in classify.builtin().rules} == set()


@pytest.mark.parametrize("folder", ["providers", "filters", "services"])
def test_files_are_called_like_what_they_hold(folder: str) -> None:
    """Where a rule stands tells its provider and the first word of its id, so a wording is found by its name."""
    rules = [rule for rule in classify.builtin().rules if rule.file.startswith(f"{folder}/")]
    assert rules
    for rule in rules:
        name = Path(rule.file).stem
        assert (rule.provider, rule.id.split(".")[0]) == (name, name)


def test_whatever_any_server_may_say_is_generic() -> None:
    """A text of a language, or of English, is nobody's own: a provider's own text must beat it."""
    loose = [rule for rule in classify.builtin().rules if rule.file.startswith(("generic/", "languages/"))]
    assert loose
    assert {rule.provider for rule in loose} == {"generic"}


def test_operator_rule_wins_over_a_provider(tmp_path: Path) -> None:
    """A rule of rules.d beats a provider's text, whatever the classes are."""
    written = _GOOD.replace("pan wyjechał", "p=nosuchuser").replace(
        "Pan wyjechal na dobre", "https://x.test/?p=NoSuchUser"
    )
    ruling = _load(tmp_path, written).rule(Reply("550 does not exist https://support.google.com/mail/?p=NoSuchUser"))
    assert (ruling.rule, ruling.category, ruling.closed_for_good) == ("own.gone", Category.MAILBOX_DISABLED, True)


def test_operator_rule_of_the_same_id_takes_the_place_of_a_built_in_one(tmp_path: Path) -> None:
    """An id of the built-in rules in rules.d replaces that rule."""
    loaded = _load(tmp_path, _GOOD.replace("own.gone", "gmail.no_such_user"))
    assert [rule.file for rule in loaded.rules if rule.id == "gmail.no_such_user"] == [str(tmp_path / "own.toml")]


def test_accents_in_patterns_match_texts_without(tmp_path: Path) -> None:
    """A pattern written with Polish letters matches the text without them, and the other way round."""
    loaded = _load(tmp_path, _GOOD)
    assert faults(loaded) == []
    assert loaded.rule(Reply("550 PAN WYJECHAŁ")).rule == "own.gone"


def test_a_rule_that_takes_another_rules_example_is_a_fault(tmp_path: Path) -> None:
    """An operator's pattern that is too wide shows up as a fault of the rule whose example it takes."""
    loaded = _load(tmp_path, _GOOD.replace("pan wyjechał", "wyjechal|no such user"))
    assert any("its example is decided by own.gone" in fault for fault in faults(loaded))


@pytest.mark.parametrize(
    ("written", "fault"),
    [
        ("rule = 3", "nothing else"),
        ("colour = 'red'", "nothing else"),
        ("[[rule]", "own.toml"),
        (_GOOD.replace("mailbox_disabled", "gone"), "unknown category `gone`"),
        (_GOOD.replace("own.gone", "gone"), "`id` is two or more words"),
        (_GOOD.replace("own.gone", "fallback.gone"), "does not begin with `fallback.`"),
        (_GOOD.replace("source", "sauce"), "`source` is missing"),
        (_GOOD.replace("source", "sauce"), "unknown key `sauce`"),
        (_GOOD.replace("pan wyjechał", "pan (wyjechał"), "missing )"),
        (_GOOD.replace("pan wyjechał", ".*"), "needs a literal word"),
        (_GOOD.replace("pan wyjechał", "(?:(?:pan.{200}){200})"), "pattern"),
        (_GOOD.replace("pan wyjechał", "pan" * 300), "more than 800 characters"),
        (_GOOD + "phase = ['party']", "unknown phase `party`"),
        (_GOOD + "code = ['999']", "`999` is no code"),
        (_GOOD + "vague = 'yes'", "neither true nor false"),
        (_GOOD + "priority = 'high'", "`priority` is not a number"),
        (_GOOD + "unless = 'x'", "`unless` is not a list of texts"),
        (_GOOD.replace('["550 Pan wyjechal na dobre"]', "[{ txt = 'x' }]"), "an example is a text"),
        (_GOOD + _GOOD, "this id is taken already"),
    ],
)
def test_faults_of_a_file_name_file_and_rule(tmp_path: Path, written: str, fault: str) -> None:
    """A broken rule file is refused, and each fault says where it is."""
    with pytest.raises(RulesError, match=r"own\.toml") as caught:
        _load(tmp_path, written)
    assert any(fault in each for each in caught.value.faults), caught.value.faults


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    """Two broken rules in two files give at least two faults."""
    (tmp_path / "a.toml").write_text(_GOOD.replace("mailbox_disabled", "gone"), encoding="utf-8")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(RulesError) as caught:
        classify.load(tmp_path)
    assert len(caught.value.faults) == 2


def test_a_missing_folder_is_a_fault(tmp_path: Path) -> None:
    """A rules.d that is not there is refused, not ignored."""
    with pytest.raises(RulesError, match="no such directory"):
        classify.load(tmp_path / "nowhere")
