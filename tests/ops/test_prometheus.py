"""The alerting rules and the dashboard: they name metrics that exist, parse, and fire when they must."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bouncemilter.statistics.report import TARGET
from tests.ops.metrics import METRICS

ROOT = Path(__file__).parents[2]
RULES = ROOT / "config/prometheus-rules.yml"
CASES = Path(__file__).with_name("prometheus-rules.test.yml")
DASHBOARD = ROOT / "config/grafana-dashboard.json"

TARGET_LABELS = {"instance", "job", "alertname", "alertstate"}


def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return loaded


def panels() -> list[dict[str, Any]]:
    return [each for each in dashboard()["panels"] if each["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


def rule_lines() -> str:
    """The rules without comments and annotations, where metrics are only named in words."""
    return "\n".join(re.sub(r"^\s*(#|summary:|description:).*", "", line) for line in RULES.read_text().splitlines())


def recorded() -> set[str]:
    return set(re.findall(r"(?m)^ +- record: (\S+)$", RULES.read_text()))


def alerts() -> set[str]:
    return set(re.findall(r"(?m)^ +- alert: (\S+)$", RULES.read_text()))


@pytest.mark.parametrize("text", [rule_lines(), *expressions(), CASES.read_text()])
def test_every_metric_exists(text: str) -> None:
    """Rules, their cases and dashboard name only the daemon's metrics and the records made of them."""
    named = set(re.findall(r"\bbouncemilter[_:][a-z0-9_:]+", text))
    assert named <= METRICS.keys() | recorded()


@pytest.mark.parametrize("text", [rule_lines(), *expressions(), CASES.read_text()])
def test_every_label_exists(text: str) -> None:
    """A selector names only labels of its metric; a wrong one would match nothing, in silence."""
    for metric, selector in re.findall(r"\b(bouncemilter_[a-z_]+)\{([^}]*)\}", text):
        labels = set(re.findall(r"([a-z_]+)(?==~?\"|!=)", selector))
        assert labels <= {*METRICS[metric], *TARGET_LABELS}, selector


def test_every_alert_has_a_case() -> None:
    """Each alert is seen firing in a case of the rules' test file."""
    assert alerts() == set(re.findall(r'alertname="(\w+)"', CASES.read_text()))


def test_every_alert_says_what_to_do() -> None:
    """Each alert has a severity, a summary and a description."""
    blocks = RULES.read_text().split("- alert: ")[1:]
    assert blocks
    for block in blocks:
        assert re.search(r"severity: (critical|warning|info)\b", block), block
        assert "summary: " in block, block
        assert "description: " in block, block


def test_dashboard_stands_alone() -> None:
    """It can be imported anywhere: no id, a stable uid, and the data source is a variable."""
    found = dashboard()
    assert found["id"] is None
    assert found["uid"] == found["title"] == "bouncemilter"
    assert found["schemaVersion"] >= 36
    variables = {each["name"]: each for each in found["templating"]["list"]}
    assert (variables["datasource"]["type"], variables["datasource"]["query"]) == ("datasource", "prometheus")
    sources = [each["datasource"] for each in (*panels(), *found["annotations"]["list"], variables["instance"])]
    sources += [target["datasource"] for panel in panels() for target in panel["targets"]]
    assert all(each == {"type": "prometheus", "uid": "${datasource}"} for each in sources)


def test_mailboxes_are_shown() -> None:
    """Of the mailboxes one sees what was read in them, and whether one is not read."""
    shown = " ".join(target["expr"] for panel in panels() for target in panel["targets"])
    assert "bouncemilter_mailbox_messages_total" in shown
    assert "bouncemilter_mailbox_overdue_seconds" in shown


def delivered() -> dict[str, Any]:
    (found,) = [each for each in panels() if each["type"] == "gauge"]
    return found


def test_share_delivered() -> None:
    """The gauge turns green at the target of the reports, and says that nothing is known instead of showing nothing."""
    field = delivered()["fieldConfig"]["defaults"]
    colors = [(step["color"], step["value"]) for step in field["thresholds"]["steps"]]
    assert (field["unit"], field["max"], colors) == ("percentunit", 1, [("red", None), ("green", TARGET)])
    assert field["noValue"]


def test_every_panel_can_be_drawn() -> None:
    """Each panel has its own id, a title, a known type and a query under a letter of its own."""
    every = dashboard()["panels"]
    assert len({each["id"] for each in every}) == len(every)
    for panel in every:
        assert panel["type"] in {"row", "stat", "timeseries", "gauge"}
        assert panel["title"]
    for panel in panels():
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert len(set(letters)) == len(letters)
        assert all(target["legendFormat"] for target in panel["targets"])


def test_no_panel_covers_another() -> None:
    """The panels lie side by side within Grafana's 24 columns."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (column, line)
            for column in range(place["x"], place["x"] + place["w"])
            for line in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_query_knows_the_mail_server() -> None:
    """Each query obeys the variable that selects the mail server."""
    assert [each for each in expressions() if '{instance=~"$instance"' not in each and ",instance=~" not in each] == []


def filled_in(query: str, instance: str = "mx1|mx2") -> str:
    """As Grafana does, with a day shown."""
    query = query.replace("$__rate_interval", "5m").replace("$__range", "1d")
    return query.replace("$instance", instance)


def promtool(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *map(str, argv)], capture_output=True, text=True, check=False)


@pytest.mark.servers
def test_rules_are_valid() -> None:
    """Prometheus's own tool accepts the rules, and finds no two alike."""
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
def test_rules_fire_when_they_must() -> None:
    """Each case of the test file fires the alerts that it names and no other."""
    done = promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.servers
def test_every_query_parses(tmp_path: Path) -> None:
    """Prometheus can parse each query of the dashboard, after Grafana has filled in its variables."""
    rules = tmp_path / "queries.yml"
    queries = [filled_in(each) for each in expressions()]
    records = [
        f"      - record: query:{number}\n        expr: {json.dumps(each)}" for number, each in enumerate(queries)
    ]
    rules.write_text("groups:\n  - name: queries\n    rules:\n" + "\n".join(records) + "\n")
    done = promtool("check", "rules", rules)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(queries)} rules found" in done.stdout


COUNTED = (
    ("mx1", "sent", "", 100),
    ("mx1", "events", 'kind="bounce",class="hard",trust="token"', 1),
    ("mx1", "events", 'kind="bounce",class="block",trust="local"', 2),
    ("mx1", "events", 'kind="bounce",class="hard",trust="none"', 50),
    ("mx1", "events", 'kind="delayed",class="soft",trust="token"', 9),
    ("mx2", "sent", "", 0),
    ("mx2", "events", 'kind="bounce",class="hard",trust="token"', 1),
    ("mx3", "sent", "", 1),
    ("mx3", "events", 'kind="bounce",class="hard",trust="token"', 3),
    ("mx4", "sent", "", 1),
    ("mx4", "events", 'kind="bounce",class="hard",trust="token"', 0),
)
"""Instance, metric, labels, and how many more each minute of a day."""


@pytest.mark.servers
@pytest.mark.parametrize(
    ("instance", "share"), [("mx1", 0.97), ("mx2", None), ("mx3", None), ("mx4", 1), ("mx1|mx2", 0.96), ("mx9", None)]
)
def test_share_delivered_of_what_was_sent(tmp_path: Path, instance: str, share: float | None) -> None:
    """Each bounce counts against what was sent, forged ones and delays don't; where nothing was sent, or more came back
    than that, there is no value.
    """
    expr = json.dumps(filled_in(delivered()["targets"][0]["expr"], instance))
    samples = "" if share is None else f"\n        exp_samples:\n          - {{value: {share}}}"
    series = "".join(
        f"      - {{series: 'bouncemilter_{metric}_total{{instance=\"{host}\",{labels}}}', values: '0+{n}x1440'}}\n"
        for host, metric, labels, n in COUNTED
    )
    case = tmp_path / "case.yml"
    case.write_text(
        f"tests:\n  - interval: 1m\n    input_series:\n{series}    promql_expr_test:\n"
        f"      - eval_time: 1d\n        expr: {expr}{samples}\n"
    )
    done = promtool("test", "rules", case)
    assert done.returncode == 0, done.stdout + done.stderr
