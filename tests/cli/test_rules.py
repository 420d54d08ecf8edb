"""`rules test`, `rules unmatched` and `reclassify --diff`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bouncemilter.classify import check
from bouncemilter.classify.check import Cost
from bouncemilter.cli import main
from tests.cli.conftest import Home

JAN = "jan@klient.test"
STRANGE = "550 xyzzy <{}> plugh"
OWN = """
[[rule]]
id = "own.xyzzy"
category = "policy_other"
patterns = ["xyzzy"]
source = "our own"
examples = ["550 xyzzy"]
"""


def _test(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rules", "test", *arguments], catch_exceptions=False)


def test_the_built_in_rules_are_sound() -> None:
    """No fault, and the microseconds are told."""
    done = _test("--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["faults"]) == (0, [])
    assert found["rules"] > 300
    assert found["microseconds"]["new"] > found["microseconds"]["known"] > 0


def test_own_rules(tmp_path: Path) -> None:
    """A sound folder passes; a rule that takes another one's example, or misses its own, fails with its place."""
    (tmp_path / "own.toml").write_text(OWN)
    done = _test(str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "with the built-in rules alone" in done.stdout
    (tmp_path / "own.toml").write_text(OWN.replace('["xyzzy"]', '["unknown"]'))
    done = _test(str(tmp_path))
    assert done.exit_code == 1
    assert "rule own.xyzzy: its example is decided by fallback.550: 550 xyzzy" in done.stdout
    assert "rule generic.user_unknown: its example is decided by own.xyzzy" in done.stdout
    (tmp_path / "own.toml").write_text("[[rule]")
    assert _test(str(tmp_path)).exit_code == 78


def test_rules_that_double_the_cost_are_refused() -> None:
    """Twice the microseconds of the built-in rules is the most."""
    assert check.too_slow(Cost(199, 9), Cost(100, 5)) == ""
    assert "more than 2 times the 100 µs" in check.too_slow(Cost(201, 9), Cost(100, 5))


def test_unmatched(home: Home) -> None:
    """The templates that only a code decided, the most frequent first, each once."""
    home.bounce(JAN, STRANGE, times=2)
    home.bounce("anna@klient.test", STRANGE)
    home.bounce(JAN, "550 5.2.1 <{}> frotz")
    home.bounce(JAN, "550 5.1.1 <{}>: User unknown")
    first, second = home.objects("rules", "unmatched")
    assert (first["n"], first["template"], first["rule"]) == (3, "550 xyzzy <addr> plugh", "fallback.550")
    assert (second["n"], second["rule"]) == (1, "fallback.5.2.1")
    assert first["diagnostic"].startswith("550 xyzzy <")
    assert len(home.objects("rules", "unmatched", "--limit", "1")) == 1
    assert "550 xyzzy <addr> plugh" in home.run("rules", "unmatched").stdout


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "rules.d"
    folder.mkdir()
    (folder / "own.toml").write_text(OWN)
    return folder


def test_reclassify_shows_what_would_change(home: Home, own: Path) -> None:
    """Events that changed rules would read otherwise are counted by change; the store stays as it is."""
    home.bounce(JAN, STRANGE, times=2)
    home.bounce(JAN, "550 5.1.1 <{}>: User unknown")
    assert home.objects("reclassify", "--diff") == []
    before = home.objects("why", JAN)
    (found,) = home.objects("reclassify", "--diff", "--rules", str(own))
    assert (found["events"], found["category"], found["rule"]) == (2, "hard_other", "fallback.550")
    assert (found["new_category"], found["new_rule"]) == ("policy_other", "own.xyzzy")
    assert "xyzzy" in found["diagnostic"]
    done = home.run("reclassify", "--diff", "--rules", str(own))
    assert done.stdout.endswith("3 events, 2 of another category, 2 of another class\n")
    assert home.objects("why", JAN) == before


def test_reclassify_tells_of_the_rule_alone_if_asked(home: Home, own: Path) -> None:
    """The same category by another rule is a change only with --all."""
    home.bounce(JAN, STRANGE)
    (own / "own.toml").write_text(OWN.replace("policy_other", "hard_other"))
    assert home.objects("reclassify", "--diff", "--rules", str(own)) == []
    (found,) = home.objects("reclassify", "--diff", "--all", "--rules", str(own))
    assert found["new_rule"] == "own.xyzzy"


def test_reclassify_needs_diff(home: Home) -> None:
    """Nothing else is offered yet."""
    assert home.run("reclassify").exit_code == 2
