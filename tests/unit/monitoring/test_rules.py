"""The rules in ``infra/``: what promtool and amtool say, and that each alert is tested and told."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from perf_pipeline.config.settings import current_settings
from perf_pipeline.monitoring.metric_registry import BY_NAME
from perf_pipeline.selftest.alert_trials.scaled_times import scaled_times
from perf_pipeline.servers.monitors.monitor import find_program
from perf_pipeline.servers.monitors.obtain import HOW_TO_GET
from perf_pipeline.servers.monitors.programs import INFRA, prometheus_texts

if TYPE_CHECKING:
    from pathlib import Path

RULES = INFRA / "prometheus/rules"
TESTS = INFRA / "prometheus/tests"
ALERTMANAGER = INFRA / "alertmanager/alertmanager.yml"
_SUFFIXES = re.compile(r"_(bucket|sum|count)$")


def run(program: str, *arguments: object) -> str:
    """Return what a tool of Prometheus says; it must end well."""
    found = find_program(current_settings(), program)
    if found is None:
        pytest.skip(f"{program} is missing: {HOW_TO_GET}")
    done = subprocess.run(
        [found.program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules(kind: str) -> list[dict[str, Any]]:
    """Return all rules of a kind: ``alert`` or ``record``."""
    groups = [yaml.safe_load(path.read_text())["groups"] for path in RULES.glob("*.yml")]
    return [one for file in groups for group in file for one in group["rules"] if kind in one]


def test_promtool_accepts_the_configuration_and_its_rules() -> None:
    said = run("promtool", "check", "config", INFRA / "prometheus/prometheus.yml")
    assert f"{len(rules('alert'))} rules found" in said
    assert f"{len(rules('record'))} rules found" in said


@pytest.mark.parametrize("name", ["alerts.yml", "recording.yml"])
def test_every_rule_does_at_real_durations_what_its_tests_claim(name: str) -> None:
    assert "SUCCESS" in run("promtool", "test", "rules", TESTS / name)


def test_promtool_sees_an_alert_that_fires_too_early(tmp_path: Path) -> None:
    """A changed limit makes the tests fail, so they look at what they claim to look at."""
    for name, text in prometheus_texts().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("for: 1m", "for: 5s"))
    (tmp_path / "tests").mkdir()
    tests = yaml.safe_load((TESTS / "alerts.yml").read_text())
    tests["tests"] = [one for one in tests["tests"] if "PoolSaturated" in one["name"]]
    (tmp_path / "tests/alerts.yml").write_text(yaml.safe_dump(tests))
    with pytest.raises(AssertionError, match="PoolSaturated"):
        run("promtool", "test", "rules", tmp_path / "tests/alerts.yml")


def test_every_alert_is_tested_firing_and_not_firing() -> None:
    checked: dict[str, set[bool]] = {}
    for group in yaml.safe_load((TESTS / "alerts.yml").read_text())["tests"]:
        for one in group["promql_expr_test"]:
            (name,) = re.findall(r'alertname="(\w+)"', one["expr"])
            checked.setdefault(name, set()).add(bool(one["exp_samples"]))
    assert checked == {one["alert"]: {True, False} for one in rules("alert")}


def test_every_recording_rule_has_a_test_of_its_value() -> None:
    tests = yaml.safe_load((TESTS / "recording.yml").read_text())["tests"]
    valued = Counter(
        match
        for group in tests
        for one in group["promql_expr_test"]
        if one["exp_samples"]
        for match in re.findall(r"round\((\S+),", one["expr"])
    )
    assert set(valued) == {one["record"] for one in rules("record")}


def test_every_metric_of_a_run_that_a_rule_uses_exists() -> None:
    used = {
        _SUFFIXES.sub("", name)
        for text in prometheus_texts().values()
        for name in re.findall(r"\bloadtest_\w+", text)
    }
    assert len(used) > 20
    assert used <= set(BY_NAME)


def test_every_recorded_series_that_a_rule_uses_exists() -> None:
    recorded = {one["record"] for one in rules("record")}
    exprs = [one["expr"] for kind in ("alert", "record") for one in rules(kind)]
    used = {name for expr in exprs for name in re.findall(r"\b\w+:\w+:\w+", expr)}
    assert used <= recorded
    assert all(name.count(":") == 2 for name in recorded)


@pytest.mark.parametrize("rule", rules("alert"), ids=lambda rule: rule["alert"])
def test_every_alert_says_value_limit_meaning_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    description = rule["annotations"]["description"]
    assert "{{ $value" in description
    assert re.search(r"limit|expected", description)
    assert rule["annotations"]["runbook"].endswith(".")


def test_amtool_accepts_the_routes_and_each_severity_has_its_receiver() -> None:
    run("amtool", "check-config", ALERTMANAGER)
    for severity, receiver in (("critical", "critical"), ("warning", "warning"), ("info", "none")):
        route = ("config", "routes", "test", f"--config.file={ALERTMANAGER}")
        assert run("amtool", *route, f"severity={severity}").strip() == receiver


def test_every_alert_that_a_planned_failure_inhibits_exists() -> None:
    text = ALERTMANAGER.read_text()
    names = {
        name for names in re.findall(r'alertname =~? "?([\w|]+)', text) for name in names.split("|")
    }
    assert names <= {one["alert"] for one in rules("alert")}


def test_all_times_are_scaled_by_one_factor_and_nothing_else_is() -> None:
    for text in (*prometheus_texts().values(), ALERTMANAGER.read_text()):
        assert scaled_times(text, 1) == text
        assert scaled_times(scaled_times(text, 0.1), 10) == scaled_times(text, 1 + 1e-12)
    text = "expr: rate(x[1m] offset 5m) > 10\nfor: 30s\nscrape_interval: 5s\nsummary: in 5 min\n"
    assert scaled_times(text, 0.1) == (
        "expr: rate(x[6000ms] offset 30000ms) > 10\nfor: 3000ms\n"
        "scrape_interval: 500ms\nsummary: in 5 min\n"
    )
    assert scaled_times("  time() - x[15m] > 30\n", 0.05) == "  time() - x[45000ms] > 1.5\n"
