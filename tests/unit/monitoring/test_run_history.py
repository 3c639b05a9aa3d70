"""A run that has ended, served again moment by moment, is what was served while it went on."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.openmetrics.parser import text_fd_to_metric_families

from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.monitoring.families import BOUNDS
from perf_pipeline.monitoring.levels_reading import LevelsReading
from perf_pipeline.monitoring.metric_registry import BY_NAME
from perf_pipeline.monitoring.openmetrics import MetricHistory
from perf_pipeline.monitoring.run_history import RunHistory
from perf_pipeline.samples.pruned import mark_pruned
from tests.simulated_level import GO_NS, SECOND, SimulatedWorker, at_s, closed_loop, write_level
from tests.simulated_run import committed_run, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder

TARGET = {"run_id": "r-1", "scenario": 'odd "name"\\ of\none'}


def moments(folder: RunFolder, every_s: float) -> list[tuple[float, dict[Any, Any]]]:
    return [
        (at_s, {(one.metric.removeprefix("loadtest_"), *one.labels): one.value for one in samples})
        for at_s, samples in RunHistory(folder).moments(every_s)
    ]


def test_each_moment_has_what_was_committed_until_then_and_the_last_one_the_report(
    tmp_path: Path,
) -> None:
    folder = committed_run(tmp_path)
    found = moments(folder, 1.0)
    done = ("workflows_completed_total", "00-10", "a", "ok")
    rows = closed_loop(5, lambda slot: 0.05 + slot / 100, 10.0)
    for second, (_, values) in enumerate(found[:-1]):
        ended = sum(row.end_ns < GO_NS + second * SECOND for row in rows)
        assert values.get(done, 0) == ended
        count = values["service_time_seconds", "00-10"].counts.sum()
        assert count == ended
    (level,) = read_metrics(folder).levels
    last = found[-1][1]
    assert last[done] == level.outcomes["ok"]
    assert last["level_throughput_per_second", "00-10"] == level.throughput_per_s
    assert not any(key[0].startswith("level_throughput") for key in found[-2][1])


def test_phases_and_status_are_those_of_the_moment(tmp_path: Path) -> None:
    found = moments(committed_run(tmp_path), 0.5)
    phases = [key[2] for _, values in found for key in values if key[0] == "level_phase"]
    assert phases == ["ramp_up"] * 2 + ["warm_up"] * 2 + ["steady"] * 16
    status = [key[1] for _, values in found for key in values if key[0] == "run_status"]
    assert status == ["running"] * 20 + ["complete"]


def test_moments_are_on_the_wall_clock_by_which_the_level_ended(tmp_path: Path) -> None:
    """Its last phase ends after 10 s, its log says at 09:31:12."""
    found = moments(committed_run(tmp_path), 2.0)
    ended_s = datetime.fromisoformat("2026-01-14T09:31:12+00:00").timestamp()
    begun_s = [ended_s - 10 + second for second in range(0, 10, 2)]
    assert [at for at, _ in found[:-1]] == pytest.approx(begun_s)


def test_the_text_is_openmetrics_whatever_names_say(tmp_path: Path) -> None:
    """Of one moment: the parser of prometheus-client drops buckets of a second one."""
    history = MetricHistory()
    *_, (at_s, samples) = RunHistory(committed_run(tmp_path)).moments(1.0)
    history.add(at_s, samples, TARGET)
    history.write(text := io.StringIO())
    text.seek(0)
    found = {family.name: family for family in text_fd_to_metric_families(text)}
    assert {BY_NAME.get(name) or BY_NAME[f"{name}_total"] for name in found}
    (done,) = found["loadtest_workflows_completed"].samples
    assert done.labels["scenario"] == TARGET["scenario"]
    assert float(done.timestamp) == pytest.approx(at_s, abs=1e-3)
    assert len(found["loadtest_service_time_seconds"].samples) == len(BOUNDS) + 2


def test_a_run_that_goes_on_or_was_pruned_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="has not ended"):
        RunHistory(write_run(tmp_path, "r-1", status=None, measured=False))
    pruned = write_run(tmp_path, "r-2")
    mark_pruned(pruned.root / "levels" / "00-10", "2026-01-15T00:00:00Z")
    with pytest.raises(RunFolderError, match="pruned"):
        RunHistory(pruned)


def test_records_of_all_stages_are_counted_where_their_journals_are(tmp_path: Path) -> None:
    """Three stages of one load share the journals of the first one."""
    rows = [at_s(number, number / 10, number / 10 + 0.1) for number in range(100)]
    half = SimulatedWorker(blocks=[(GO_NS, rows[:50]), (GO_NS + 5 * SECOND, rows[50:])])
    levels = LevelsReading(tmp_path)
    for index in range(3):
        folder = tmp_path / f"{index:02d}-10"
        write_level(folder, [half] if not index else [], slots=1)
        path = folder / "level.json"
        log = json.loads(path.read_text())
        log["plan"]["stage"] = {"home": "00-10", "number": index + 1}
        path.write_text(json.dumps(log))
        levels.read(GO_NS)
    levels.read()
    counted = [
        one.value for one in levels.samples(0) if one.metric == "loadtest_workflows_completed_total"
    ]
    assert sum(map(float, counted)) == 100  # type: ignore[arg-type]
