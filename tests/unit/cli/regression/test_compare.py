"""The command compare: exit codes, what it refuses, what it stores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.metrics.comparison_file import read_comparison
from perf_pipeline.report.run.result_file import write_result_files
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.conftest import Answer


def test_a_candidate_that_takes_twice_as_long_is_a_regression_with_exit_code_1(
    command: Callable[..., Answer], here: Path
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.2)
    ended = command("compare", "r-1", "r-2", "--no-explain", "--json")

    assert ended.code == 1, ended.err
    found = ended.reported
    assert (found["verdict"], found["severity"]) == ("regression", "critical")
    (throughput,) = [
        one
        for one in found["changes"]
        if (one["metric"], one["family"]) == ("throughput_per_s", "")
    ]
    assert abs(throughput["effect"] - 0.5) < 0.02
    stored = read_comparison(Path(found["file"]))
    assert Path(found["file"]).parent == here / "results" / "comparisons"
    assert stored.verdict == "regression"
    assert stored.candidate.runs == ("r-2",)
    assert Path(found["report"]).is_file()


def test_the_latest_run_is_compared_with_a_pinned_one(
    command: Callable[..., Answer], here: Path
) -> None:
    write_run(here / "results", "r-1", service_s=0.1)
    write_run(here / "results", "r-2", service_s=0.05)
    assert command("baseline", "pin", "stable", "r-1").code == 0
    ended = command("compare", "pinned:stable", "latest", "--json")

    assert (ended.code, ended.reported["verdict"]) == (0, "improvement"), ended.err
    assert ended.reported["baseline"]["name"] == "pinned:stable"
    assert ended.reported["baseline"]["runs"] == ["r-1"]
    assert command("compare", "pinned:other", "latest").code == 2


def test_doubt_has_an_exit_code_of_its_own(command: Callable[..., Answer], here: Path) -> None:
    """One run a side rules no small change out."""
    write_run(here / "results", "r-1")
    write_run(here / "results", "r-2")
    ended = command("compare", "r-1", "r-2")

    assert ended.code == 3
    assert "unstable" in ended.out
    tolerant = command("compare", "r-1", "r-2", "--matters", "30", "--json")
    assert (tolerant.code, tolerant.reported["verdict"]) == (0, "no_change")
    assert read_comparison(Path(tolerant.reported["file"])).matters == pytest.approx(0.3)
    page = Path(tolerant.reported["report"]).read_text(encoding="utf-8")
    assert "changes below 30 % do not matter" in page


def test_four_like_runs_a_side_are_no_change(command: Callable[..., Answer], here: Path) -> None:
    times = (0.0999, 0.1, 0.1001, 0.1)
    runs = [f"r-{n}" for n in range(8)]
    for run, service_s in zip(runs, times * 2, strict=True):
        write_run(here / "results", run, service_s=service_s)
    ended = command("compare", ",".join(runs[:4]), ",".join(runs[4:]), "--json")

    assert (ended.code, ended.reported["verdict"]) == (0, "no_change"), ended.err
    assert len(ended.reported["candidate"]["runs"]) == 4


def test_a_result_file_is_compared_with_the_runs_before_the_one_that_it_is_of(
    command: Callable[..., Answer], here: Path
) -> None:
    for run in ("r-1", "r-2", "r-3"):
        folder = write_run(here / "results", run)
    (_, file) = write_result_files(here / "results", metrics_of(folder))
    ended = command("compare", "rolling:5", str(file), "--json")
    assert ended.code == 3, ended.err
    assert ended.reported["baseline"]["runs"] == ["r-1", "r-2"]


def test_a_run_is_not_compared_with_itself(command: Callable[..., Answer], here: Path) -> None:
    """As pinned:stable and latest are until the next run; it would always be no change."""
    write_run(here / "results", "r-1")
    assert command("baseline", "pin", "stable", "r-1").code == 0
    ended = command("compare", "pinned:stable", "latest")
    assert ended.code == 2
    assert "run r-1 is on both sides (pinned:stable and latest)" in ended.err
    assert not (here / "results" / "comparisons").exists()


def test_runs_of_unlike_things_are_refused_with_the_list_unless_each_is_accepted(
    command: Callable[..., Answer], here: Path
) -> None:
    write_run(here / "results", "r-1")
    write_run(here / "results", "r-2", seed=2, host={"cpu_model": "another"})
    ended = command("compare", "r-1", "r-2", "--json")

    assert ended.code == 2
    assert ended.reported["error"] == "NotComparableError"
    problems = [one.split(":")[0] for one in ended.reported["problems"]]
    assert problems == ["different seed", "different machine"]
    assert not (here / "results" / "comparisons").exists()
    accepted = command(
        *("compare", "r-1", "r-2", "--despite", "seed", "--despite", "machine", "--json")
    )
    assert accepted.code == 3
    assert {one["what"]: one["despite"] for one in accepted.reported["differences"]} == {
        "seed": True,
        "machine": True,
    }
    assert command("compare", "r-1", "r-9").code == 2
