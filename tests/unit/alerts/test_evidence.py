"""Alerts over real results folders: runs as they are stored, and the real detector."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.alerts.changes import Evidence, changed_alerts
from perf_pipeline.alerts.evidence import runs_by_metric
from perf_pipeline.alerts.history_evidence import WatchedSeries, worse_in
from perf_pipeline.alerts.news import newest
from perf_pipeline.alerts.watch import watch
from perf_pipeline.alerts.words import alert_lines
from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.config.settings import read_settings
from perf_pipeline.metrics.comparison_file import write_comparison
from perf_pipeline.metrics.types.alert import MetricKey
from tests.planted_comparison import SCENARIO, change, comparison, run_id
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.types.alert import Alert, AlertEvent

NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)
METRICS = {"throughput_per_s": True, "avg_s": False, "p99_s": False, "cpu_per_workflow_s": False}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(read_settings({"HOME": str(tmp_path)}), results_dir=tmp_path / "results")


@pytest.mark.slow
def test_stored_runs_and_comparisons_raise_alerts_once(settings: Settings) -> None:
    """Eight runs are as they were, and eight take 30 % longer."""
    results = settings.results_dir
    for number in range(16):
        service_s = (0.1 if number < 8 else 0.13) * (1 + 0.002 * (number % 3))
        write_run(results, run_id(number), service_s=service_s)
    lines: list[str] = []
    first = watch(settings, NOW, lines.append)
    (alert,) = first.alerts
    assert alert.alert_id == run_id(8)
    assert alert.last_good == run_id(7)
    assert {"throughput_per_s", "avg_s"} <= {one.key.metric for one in alert.movements}
    assert first.announced[0].event == "raised"
    assert watch(settings, NOW, lines.append).announced == ()
    assert lines == []
    news = newest(settings)
    assert news == newest(settings) != ""
    found = comparison(2, 15, change("regression", 1.3, level="10"), scenario="simulated")
    target = replace(found.candidate, target="control")
    write_comparison(results, replace(found, candidate=target))
    assert newest(settings) != news
    assert watch(settings, NOW, lines.append).announced == ()  # it is the same regression
    (results / "comparisons" / "20260101_000000-0000.json").write_text("{")
    watch(settings, NOW, lines.append)
    assert len(lines) == 1
    assert "20260101_000000-0000.json" in lines[0]


def grow(values: dict[str, list[float]], runs: int) -> Evidence:
    """Return what the real detector finds in the first runs of a history."""
    names = tuple(run_id(number) for number in range(runs))
    watched = [
        WatchedSeries(
            SCENARIO,
            MetricKey("kailash", "100", "", metric),
            "s",
            METRICS[metric],
            names,
            tuple(series[:runs]),
            find_change_points(series[:runs]),
        )
        for metric, series in values.items()
    ]
    return Evidence(
        [seen for one in watched for seen in worse_in(one)],
        runs_by_metric(watched),
        (),
    )


def announced(values: dict[str, list[float]], runs: range) -> list[tuple[int, str, AlertEvent]]:
    """Return (runs then, first bad run, event) of a history that grows by one run a look."""
    alerts: dict[str, Alert] = {}
    told = []
    for length in runs:
        for repeat in range(2):
            now = (NOW + timedelta(minutes=length)).isoformat()
            changed = changed_alerts(alerts.values(), grow(values, length), now)
            assert not (repeat and [one for one in changed if one.event]), "announced twice"
            alerts |= {one.alert.alert_id: one.alert for one in changed}
            told += [(length, one.alert.alert_id, one.event) for one in changed if one.event]
    return told


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_step_is_one_alert_while_the_history_grows(seed: int) -> None:
    """A step of 10 % in four metrics, with a spread between runs of 1 to 2 %.

    The first warning comes within seven runs, and one alert alone is confirmed, at the step.
    """
    rng = np.random.default_rng(seed)
    values = {}
    for metric, higher_is_better in METRICS.items():
        level = np.where(np.arange(60) < 30, 1.0, 0.9 if higher_is_better else 1.1)
        values[metric] = list(level * np.exp(rng.normal(0, rng.uniform(0.01, 0.02), 60)))
    told = announced(values, range(20, 61))
    first, *others = told
    assert first[1] in {run_id(n) for n in range(26, 34)}
    assert first[0] <= 36
    confirmed = [one for one in told if one[2] == "confirmed"]
    assert [one[1] in {run_id(n) for n in (29, 30, 31)} for one in confirmed] == [True]
    # A look at each run of four metrics warns now and then, and the next runs take it back.
    warned = {one[1] for one in others if one[2] == "raised"} - {confirmed[0][1]}
    assert len(warned) <= 2
    assert warned <= {one[1] for one in told if one[2] == "cleared"}


def test_histories_without_a_change_raise_nearly_nothing() -> None:
    """Twenty histories of four metrics and sixty runs: at most one false alarm in all of them."""
    rng = np.random.default_rng(14)
    raised = 0
    for _ in range(20):
        values = {metric: list(np.exp(rng.normal(0, 0.03, 60))) for metric in METRICS}
        raised += sum(event == "raised" for _, _, event in announced(values, range(20, 61, 8)))
    assert raised <= 1


@pytest.mark.parametrize("seed", range(2))
def test_a_drift_is_one_alert_that_is_announced_again_only_if_it_goes_on(seed: int) -> None:
    """Over 60 runs CPU time rises by 12 % and throughput falls by as much; the others do not move.

    As more runs come, its line begins to matter at another run, and some look like steps: it
    stays the same alert, and nothing is called as before again.
    """
    rng = np.random.default_rng(seed)
    worse = 1 + 0.12 * np.arange(60) / 59
    levels = {"cpu_per_workflow_s": worse, "throughput_per_s": 1 / worse}
    values = {
        metric: list(levels.get(metric, np.ones(60)) * np.exp(rng.normal(0, 0.01, 60)))
        for metric in METRICS
    }
    told = announced(values, range(20, 61, 2))
    events = [event for _, _, event in told]
    assert set(events) <= {"raised", "moved_again"}
    assert events.count("raised") <= len(levels)  # a metric may be taken for a step at first
    assert events.count("moved_again") <= 3 * len(levels)


def test_all_drifts_of_a_scenario_are_one_alert() -> None:
    """Found in one look, as in a history that was imported."""
    rng = np.random.default_rng(1)
    worse = 1 + 0.12 * np.arange(60) / 59
    values = {"cpu_per_workflow_s": list(worse), "throughput_per_s": list(1 / worse)}
    noisy = {
        name: list(series * np.exp(rng.normal(0, 0.01, 60))) for name, series in values.items()
    }
    (found,) = changed_alerts((), grow(noisy, 60), NOW.isoformat())
    assert found.event == "raised"
    assert found.alert.is_drift
    assert {one.key.metric for one in found.alert.movements} == set(values)
    assert (found.alert.last_good, found.alert.severity) == (run_id(0), "minor")
    lines = "\n".join(alert_lines(found.alert))
    assert f"It drifts, so no single run is to blame; {found.alert.alert_id} is the first" in lines
    assert f"drifting since {run_id(0)}" in lines


def test_a_step_that_is_greater_than_a_known_drift_is_an_alert_of_its_own() -> None:
    rng = np.random.default_rng(3)
    drifting = (1 + 0.06 * np.arange(40) / 39) * np.exp(rng.normal(0, 0.01, 40))
    series = {"cpu_per_workflow_s": [*drifting, *(1.5 * np.exp(rng.normal(0, 0.01, 20)))]}
    told = announced(series, range(36, 61))
    raised = [alert for _, alert, event in told if event == "raised"]
    assert raised[-1] in {run_id(number) for number in (39, 40, 41)}
