"""Runs as series: only the same plan, environment and machine compare; nothing is left unsaid."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.history import SeriesKey, read_history
from perf_pipeline.analysis.setups import setups_of
from perf_pipeline.samples.run_folder import read_json, write_json
from perf_pipeline.samples.run_record import INTERRUPTED
from tests.simulated_level import SimulatedWorker, closed_loop
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

KEY = SeriesKey("simulated", "10", "control")


def test_a_series_holds_what_each_run_measured_oldest_first(tmp_path: Path) -> None:
    """10 in flight at 100, 200 and 400 ms are 100, 50 and 25/s."""
    for run_id, service_s in (("r-1", 0.1), ("r-2", 0.2), ("r-3", 0.4)):
        write_run(tmp_path, run_id, service_s=service_s)
    history = read_history(tmp_path)
    (series,) = history.series
    assert series.key == KEY
    assert [point.run_id for point in series.points] == ["r-1", "r-2", "r-3"]
    rates = [point.value("throughput_per_s") for point in series.points]
    assert rates == pytest.approx([100, 50, 25], rel=0.03)
    averages_s = [point.value("avg_s") for point in series.points]
    assert averages_s == pytest.approx([0.1, 0.2, 0.4], rel=0.03)
    assert [series.why_not(point) for point in series.points] == [(), (), ()]
    assert (history.runs, history.unread, history.older) == (3, (), 0)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"phases": {"steady_s": 60}}, "other phases"),
        ({"workloads": [{"family": "analytics", "complexity": "simple"}]}, "other workloads"),
        ({"processes": 2}, "other processes"),
        ({"seed": 2}, "another seed"),
        ({"target": {"packages": {"numpy": "2.0"}}}, "other packages"),
        ({"lock_hashes": {}}, "other packages"),
        ({"servers": [{"version": "17.0"}]}, "other servers"),
        ({"host": {"cores_usable": 4}}, "another machine"),
        ({"host": {"cpu_model": "another processor"}}, "another machine"),
    ],
)
def test_a_run_that_differs_in_what_must_match_is_in_a_series_of_its_own(
    tmp_path: Path, changed: dict[str, Any], why: str
) -> None:
    """A target whose packages are not known matches none either; the newest setup is the first."""
    write_run(tmp_path, "r-1", **changed)
    write_run(tmp_path, "r-2")
    newest, earlier = setups_of(read_history(tmp_path).series)
    assert [one.run_id for one in newest.series.points] == ["r-2"]
    assert [one.run_id for one in earlier.series.points] == ["r-1"]
    assert (newest.place, newest.differences) == (0, ())
    assert (earlier.place, earlier.differences) == (1, (why,))


def test_a_setup_that_comes_back_goes_on_with_its_series(tmp_path: Path) -> None:
    for number, seed in enumerate((1, 2, 1), start=1):
        write_run(tmp_path, f"r-{number}", seed=seed)
    newest, other = (one.series for one in setups_of(read_history(tmp_path).series))
    assert [point.run_id for point in newest.points] == ["r-1", "r-3"]
    assert [point.run_id for point in other.points] == ["r-2"]


def test_runs_whose_packages_are_not_known_compare_with_none(tmp_path: Path) -> None:
    """Not with each other either: they may have had others each time."""
    for number in (1, 2):
        write_run(tmp_path, f"r-{number}", lock_hashes={})
    (series,) = read_history(tmp_path).series
    older, newest = series.points
    assert series.why_not(older) == ("other packages",)
    assert series.why_not(newest) == ()
    (rate,) = (one for one in series.metrics() if str(one.metric) == "throughput_per_s")
    assert [point.run_id for point in rate.points] == ["r-2"]


def test_another_kernel_on_the_same_machine_is_no_other_machine(tmp_path: Path) -> None:
    """It keeps some other megabytes of the memory to itself."""
    write_run(tmp_path, "r-1", host={"memory_total_bytes": 8_003_000_000})
    write_run(tmp_path, "r-2")
    (series,) = read_history(tmp_path).series
    assert series.why_not(series.points[0]) == ()


def test_targets_and_repeats_are_series_of_their_own(tmp_path: Path) -> None:
    write_run(tmp_path, "r-1")
    folder = write_run(tmp_path, "r-2")
    metrics = read_json(folder.metrics)
    again = {**metrics["levels"][0], "repeat": 1}
    other = {**metrics["levels"][0], "target": "kailash==2.0.0"}
    write_json(folder.metrics, {**metrics, "levels": [again, other]})
    assert [str(series.key) for series in read_history(tmp_path).series] == [
        "simulated 10 control",
        "simulated 10 repeat 2 control",
        "simulated 10 kailash",
    ]


def test_an_invalid_level_keeps_its_validity_and_a_weak_p99_its_doubt(tmp_path: Path) -> None:
    """16 workflows of 5 s are less than three turnovers of 10, and none lies beyond their P99."""
    slow = SimulatedWorker(closed_loop(10, lambda _slot: 4.9, until_s=10))
    write_run(tmp_path, "r-1", status=INTERRUPTED, workers=[slow])
    (series,) = read_history(tmp_path).series
    assert series.newest.validity == "not_steady"
    assert series.newest.doubt("p99_s") in {"at least this long", "0 samples beyond, 10 needed"}


def test_unreadable_runs_are_named_running_ones_left_alone_and_older_ones_counted(
    tmp_path: Path,
) -> None:
    for number in range(1, 5):
        write_run(tmp_path, f"r-{number}")
    write_run(tmp_path, "r-5", measured=False)
    damaged = write_run(tmp_path, "r-6")
    write_json(damaged.metrics, {"schema_version": 1, "levels": [{"label": "10"}]})
    write_run(tmp_path, "r-7", status=None)
    history = read_history(tmp_path, runs_max=5)
    assert [point.run_id for point in history.series[0].points] == ["r-3", "r-4"]
    assert (history.runs, history.older) == (2, 2)
    missing, wrong = history.unread
    assert "r-5/metrics.json is missing" in missing
    assert "r-6/metrics.json is not what this version writes (" in wrong


def test_a_level_compares_at_whatever_position_of_its_run(tmp_path: Path) -> None:
    """``--concurrency 10`` alone, and after other levels: its plan has another hash there."""
    write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2", plan_hashes={"00-10": "plan b"})
    (series,) = read_history(tmp_path).series
    assert series.why_not(series.points[0]) == ()


def test_a_series_leads_over_the_versions_of_its_target(tmp_path: Path) -> None:
    """The version is what is under test, so it need not match."""
    for number, version in enumerate(("2.18.0", "2.19.0"), start=1):
        target = {"name": "control", "package": "kailash", "packages": {"kailash": version}}
        write_run(tmp_path, f"r-{number}", target=target)
    (series,) = read_history(tmp_path).series
    assert [point.version for point in series.points] == ["2.18.0", "2.19.0"]
    assert series.why_not(series.points[0]) == ()


def test_every_metric_is_a_series_over_the_runs_in_which_it_is_a_measurement(
    tmp_path: Path,
) -> None:
    """Left out: a run of other phases, and one that is not valid."""
    write_run(tmp_path, "r-1", service_s=0.1)
    write_run(tmp_path, "r-2", phases={"steady_s": 60})
    slow = SimulatedWorker(closed_loop(10, lambda _slot: 4.9, until_s=10))
    write_run(tmp_path, "r-3", workers=[slow])
    write_run(tmp_path, "r-4", service_s=0.2)
    series = setups_of(read_history(tmp_path).series)[0].series
    found = {str(one.metric): one for one in series.metrics()}
    rate = found["throughput_per_s"]
    assert [point.run_id for point in rate.points] == ["r-1", "r-4"]
    assert rate.values == pytest.approx([100, 50], rel=0.03)
    assert (rate.unit, rate.higher_is_better) == ("/s", True)
    assert {"avg_s", "p50_s", "error_ratio", "transformation/simple avg_s"} <= set(found)
    assert not found["transformation/simple avg_s"].higher_is_better


def test_a_run_stays_in_the_history_when_its_folder_is_gone(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1")
    write_run(tmp_path, "r-2")
    read_history(tmp_path)
    shutil.rmtree(folder.root)
    (series,) = read_history(tmp_path).series
    assert [point.run_id for point in series.points] == ["r-1", "r-2"]


def test_levels_of_an_interleaved_comparison_are_in_no_history(tmp_path: Path) -> None:
    """The next comparison is of other arms, which would look like a change."""
    write_run(tmp_path, "r-1")
    arms = {name: {"name": name, "target": "control"} for name in ("a", "b")}
    write_run(tmp_path, "r-2", ab=arms)
    (series,) = read_history(tmp_path).series
    assert [point.run_id for point in series.points] == ["r-1"]


def test_an_empty_folder_has_no_history(tmp_path: Path) -> None:
    history = read_history(tmp_path / "none")
    assert (history.series, history.runs, history.unread) == ((), 0, ())
    assert list(tmp_path.iterdir()) == []
