"""Checking everything before a run, and the exit code after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pytest

from perf_pipeline.cli.outcome import exit_code, gate_failures
from perf_pipeline.cli.run import make_results_folder
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.types.targets import TargetRow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.exit_code import Exit
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from tests.unit.cli.conftest import Answer


@dataclass
class Judged:
    """The part of a run's metrics that exit codes are made from."""

    status: str = "complete"
    validity: str = "valid"
    targets: tuple[TargetRow, ...] = ()
    levels: tuple[()] = ()

    def code(self, failures: list[str], **flags: bool) -> Exit:
        """Return the exit code."""
        all_flags = {"accept_verdicts": False, "interrupted": False, **flags}
        return exit_code(cast("RunMetrics", self), failures, **all_flags)


def row(table: str, verdict: Any, value: float | None) -> TargetRow:
    """Make a line of the tables of targets."""
    return TargetRow(table, "100", "throughput", value, 5.0, "/s", True, 50.0, verdict)


def test_several_wrong_flags_are_reported_at_once_and_nothing_is_made(
    command: Callable[..., Answer], here: Path
) -> None:
    words = (
        "run nosuch --concurrency 0 -5 1e12 abc nan --max-concurrency 2.5 --target nope --nodes x"
        " --complexity hard --duration -1 --seed 1e3 --repeats many --gate x --results out --json"
    )
    before = sorted(here.rglob("*"))
    answer = command(*words.split())
    assert answer.code == 2
    problems = answer.reported["problems"]
    assert answer.err.splitlines() == problems
    wanted = [
        *("--gate", "scenario"),
        *["--concurrency"] * 5,
        *("--max-concurrency", "--target", "--nodes", "--complexity"),
        *("--duration", "--seed", "--repeats"),
    ]
    assert [problem.split()[0] for problem in problems] == wanted
    assert sorted(here.rglob("*")) == before


def test_an_unavailable_server_is_reported_before_anything_starts(
    command: Callable[..., Answer], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERF_PIPELINE_POSTGRES_URL", "postgresql://u:secret@127.0.0.1:9/db")
    answer = command("run", "baseline", "--concurrency", "2", "--json")
    assert (answer.code, answer.reported["error"]) == (2, "ServiceUnavailableError")
    assert "127.0.0.1:9" in answer.reported["problems"][0]
    assert "secret" not in answer.out + answer.err
    assert not (here / "results").exists()


def test_a_folder_of_results_that_cannot_be_made_is_exit_code_2(
    command: Callable[..., Answer], here: Path
) -> None:
    (here / "tiny.toml").write_text(
        'concurrency = [1]\n[[workload]]\nfamily = "transformation"\ncomplexity = "simple"\n'
    )
    answer = command("run", "tiny.toml", "--results", "tiny.toml/below", "--json")
    assert (answer.code, answer.reported["error"]) == (2, "RunFolderError")


def test_results_are_made_only_where_they_can_be_written(here: Path) -> None:
    make_results_folder(here / "new/deep")
    (here / "file").touch()
    for folder in (here / "file", here / "file/below"):
        with pytest.raises(RunFolderError, match=f"{folder}.*--results"):
            make_results_folder(folder)
    assert list((here / "new/deep").iterdir()) == []


def test_an_interruption_is_130_regardless_of_what_was_measured() -> None:
    assert Judged().code([], interrupted=True) == 130
    assert Judged(status="interrupted", validity="incomplete").code(["x"]) == 130


def test_what_is_no_measurement_is_3_before_any_gate() -> None:
    assert Judged(validity="not_steady").code(["x"]) == 3
    assert Judged(status="killed", validity="incomplete").code([]) == 3


def test_accepting_verdicts_does_not_accept_an_incomplete_run() -> None:
    assert Judged(validity="not_steady").code([], accept_verdicts=True) == 0
    assert Judged(validity="incomplete").code([], accept_verdicts=True) == 3


def test_a_failed_gate_is_1_and_a_met_one_0() -> None:
    assert Judged().code(["x"]) == 1
    assert Judged().code([]) == 0


def test_a_gate_fails_where_its_target_was_missed_or_is_undecided() -> None:
    judged = Judged(
        targets=(
            row("minimum", "met", 7.0),
            row("minimum", "missed", 2.5),
            row("minimum", "no_data", None),
            row("goal", "missed", 2.5),
        )
    )
    metrics = cast("RunMetrics", judged)
    assert gate_failures(metrics, None) == []
    assert gate_failures(metrics, "production") == [
        "throughput at 100: 2.5 /s, limit 5 /s (missed)",
        "throughput at 100: not measured, limit 5 /s (no_data)",
    ]
    assert len(gate_failures(metrics, "goal")) == 1


def test_a_gate_without_a_target_in_the_run_is_not_met() -> None:
    metrics = cast("RunMetrics", Judged())
    assert gate_failures(metrics, None) == []
    (reported,) = gate_failures(metrics, "production")
    assert "none of its targets applies to this run" in reported


def test_every_wrong_flag_of_a_comparison_is_reported_at_once(
    command: Callable[..., Answer], here: Path
) -> None:
    """Nothing is made."""
    before = sorted(here.rglob("*"))
    wrong = ("--a", "kailsh", "--width", "90", "--budget", "soon", "--b-setting", "colour=red")
    answer = command("ab", "baseline", *wrong, "--json")
    assert answer.code == 2
    starts = [problem.split(" is ")[0] for problem in answer.reported["problems"]]
    assert starts == ["--a", "--width", "--budget", '--b-setting "colour=red"']
    assert sorted(here.rglob("*")) == before


def test_every_wrong_flag_of_a_search_is_reported_at_once(
    command: Callable[..., Answer], here: Path
) -> None:
    """Without an objective, too; nothing is made."""
    before = sorted(here.rglob("*"))
    wrong = ("--of", "foo", "--max", "x", "--slots", "y")
    answer = command("capacity", "baseline", *wrong, "--json")
    assert answer.code == 2
    starts = [problem.split(" is ")[0] for problem in answer.reported["problems"]]
    assert starts[:3] == ["--of", "--max", "--slots"]
    assert starts[3] == "there"  # is no objective
    assert sorted(here.rglob("*")) == before
