"""The history over releases has each release once, in the order of the versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.history import read_history
from perf_pipeline.analysis.release_history import MeasuredRelease, release_histories
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path


def measured(results: Path, run_id: str, release: str, *, beside: str = "2", **more: Any) -> None:
    """Write a run of one release of a package that the control target is said to have."""
    packages = {"kailash": release, "pydantic": beside}
    record = {"name": "control", "package": "kailash", "packages": packages}
    write_run(results, run_id, target=record, scenario="release", **more)


def releases(results: Path, scenario: str = "release") -> tuple[MeasuredRelease, ...]:
    found = release_histories(read_history(results), "control", scenario)
    return found[0].releases if found else ()


def test_releases_stand_in_the_order_of_their_versions_whenever_they_were_measured(
    tmp_path: Path,
) -> None:
    """2.10.0 was measured before 2.9.0; of two runs of 2.9.0 the newer one counts."""
    measured(tmp_path, "20260101_000000-0001", "2.10.0")
    measured(tmp_path, "20260102_000000-0001", "2.9.0", service_s=0.2)
    measured(tmp_path, "20260103_000000-0001", "2.9.0", service_s=0.05)
    newer, other = releases(tmp_path)
    assert (newer.release, other.release) == ("2.9.0", "2.10.0")
    assert newer.point.run_id == "20260103_000000-0001"
    assert newer.counts
    assert other.counts


def test_other_packages_compare_and_are_named_and_another_machine_does_not(tmp_path: Path) -> None:
    """As published each release brings its own packages: that is part of what is measured."""
    measured(tmp_path, "20260101_000000-0001", "2.8.0", host={"cores_usable": 4})
    measured(tmp_path, "20260102_000000-0001", "2.9.0")
    measured(tmp_path, "20260103_000000-0001", "2.10.0", beside="3")
    old, before, newest = releases(tmp_path)
    assert old.why_not == ("another machine",)
    assert not old.counts
    assert before.why_not == newest.why_not == ()
    assert [one.has_other_packages for one in (old, before, newest)] == [False, False, True]


def test_another_scenario_or_target_is_another_history(tmp_path: Path) -> None:
    measured(tmp_path, "20260101_000000-0001", "2.9.0")
    assert releases(tmp_path, "baseline") == ()
    assert release_histories(read_history(tmp_path), "kailash", "release") == ()


def test_a_target_without_a_package_of_its_own_has_no_releases(tmp_path: Path) -> None:
    write_run(tmp_path, "20260101_000000-0001")
    assert release_histories(read_history(tmp_path), "control", "simulated") == ()
