"""Alerts in Dagster: a tick of the sensor, and what the checks say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import dagster as dg
import pytest

from assets.definitions import defs
from assets.regression.alerts import alert_sensor
from assets.regression.raised_alerts import CHECK, checked, description_of, severity_of
from perf_pipeline.alerts.changes import changed_alerts
from perf_pipeline.alerts.words import active_alerts
from perf_pipeline.config.settings import read_settings
from perf_pipeline.config.slo.slo import parse_slo
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.metrics.comparison_file import write_comparison
from tests.assets.conftest import Remembered
from tests.planted_comparison import change, comparison, run_id
from tests.simulated_run import write_run
from tests.unit.alerts.planted import Point, evidence, series

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from perf_pipeline.config.settings import Settings


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as made:
        yield made


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = read_settings({"HOME": str(tmp_path)}, system_temp=tmp_path)
    return replace(found, results_dir=tmp_path / "results")


def tick(
    instance: dg.DagsterInstance, settings: Settings, cursor: str | None
) -> dg.SensorResult | dg.SkipReason:
    context = dg.build_sensor_context(instance=instance, cursor=cursor)
    result = alert_sensor(lambda: settings)(context)
    assert isinstance(result, (dg.SensorResult, dg.SkipReason))
    return result


def evaluation(result: dg.SensorResult | dg.SkipReason) -> dg.AssetCheckEvaluation:
    assert isinstance(result, dg.SensorResult)
    (event,) = result.asset_events
    assert isinstance(event, dg.AssetCheckEvaluation)
    return event


def test_a_tick_raises_what_is_new_and_the_next_one_has_nothing_to_look_at(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    quiet = tick(instance, settings, None)
    assert evaluation(quiet).passed
    assert not settings.results_dir.exists()
    assert isinstance(quiet, dg.SensorResult)
    assert isinstance(tick(instance, settings, quiet.cursor), dg.SkipReason)
    write_comparison(settings.results_dir, comparison(1, 10, change("regression")))
    raised = tick(instance, settings, quiet.cursor)
    found = evaluation(raised)
    assert not found.passed
    assert found.severity == dg.AssetCheckSeverity.ERROR
    assert (found.asset_key, found.check_name) == (dg.AssetKey("metric_history"), CHECK)
    assert run_id(10) in (found.description or "").replace("\\", "")
    assert isinstance(raised, dg.SensorResult)
    assert "1 announced; 1 open regression" in str(raised.skip_reason)
    assert isinstance(tick(instance, settings, raised.cursor), dg.SkipReason)


def test_what_was_not_delivered_is_tried_again_by_the_next_tick(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    (settings.results_dir).mkdir()
    (settings.results_dir / "alerts.jsonl").mkdir()  # nobody can append to it
    write_comparison(settings.results_dir, comparison(1, 10, change("regression")))
    first = tick(instance, settings, None)
    assert isinstance(first, dg.SensorResult)
    assert first.cursor == ""
    assert isinstance(tick(instance, settings, first.cursor), dg.SensorResult)


def test_a_tick_beside_a_load_run_looks_at_nothing(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    with load_lock(settings.lock_path, "run 1", lambda _: None, lambda _: None):
        beside = tick(instance, settings, None)
    assert isinstance(beside, dg.SkipReason)
    assert "a load run measures" in str(beside.skip_message)
    assert isinstance(tick(instance, settings, None), dg.SensorResult)


def test_the_check_of_a_run_is_an_error_for_a_regression_and_costs_the_run_nothing(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the job that records a run executes it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = write_run(settings.results_dir, run_id(0), slos=(parse_slo("p50_s < 1"),))
    write_comparison(settings.results_dir, comparison(1, 10, change("regression")))
    config = {"resources": {"load_run_resource": {"config": {"recorded": str(folder.root)}}}}
    with dg.DagsterInstance.ephemeral(tempdir=str(tmp_path)) as instance:
        job = defs.resolve_job_def("recorded")
        job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
        run = Remembered(instance, instance.get_runs(limit=1)[0])
    assert run.run.status == dg.DagsterRunStatus.SUCCESS
    assert run.checks[CHECK] is False
    assert (settings.results_dir / "alerts.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_a_warning_is_no_error() -> None:
    found = evidence([series(Point(20, 1.2, "fast"), runs=23)])
    ((alert, _),) = changed_alerts((), found, "2026-01-14T12:00:00+00:00")
    now = active_alerts([alert])
    assert severity_of(now) == dg.AssetCheckSeverity.WARN
    assert "more runs will confirm it or take it back" in description_of(now)
    known = active_alerts([replace(alert, state="acknowledged", note="![x](http://evil)")])
    assert "![x]" not in description_of(known)


def test_a_check_says_how_sure_it_is_and_that_nobody_could_look(settings: Settings) -> None:
    lines: list[str] = []
    assert checked(settings, lines.append).passed
    write_comparison(settings.results_dir, comparison(1, 10, change("regression")))
    result = checked(settings, lines.append)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert lines[-1].startswith("announced: Regression, major: baseline (kailash)")
    (settings.results_dir / "catalogue.sqlite").write_bytes(b"no database" * 100)
    result = checked(settings, lines.append)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "is damaged" in (result.description or "")
