"""The levels of an interleaved run become two sides whose values at one position are a pair."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.comparison.interleaved import (
    compare_arms,
    deciding_values,
    metrics_of_arm,
    pairs_of,
    widths_text,
)
from perf_pipeline.analysis.comparison.sequential import PairedValues
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.errors import RunFolderError
from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from tests.manifests import make_manifest
from tests.unit.report.conftest import level as level_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.validity import Validity

HOURS = (1.0, 0.7, 0.9, 0.6, 1.1, 0.8, 1.2, 0.75)
"""What both levels of a pair share: a neighbour that comes and goes."""

OWN = (1.001, 0.999, 1.002, 0.998, 1.0, 1.001, 0.999, 1.0)
QUESTION = AbQuestion(AbArm("a", "control"), AbArm("b", "control", {"pool": 4}))


def played(
    index: int, arm: str, pair: int, times: float = 1.0, validity: Validity = "valid"
) -> LevelMetrics:
    """Return a level on which a workflow takes ``times`` as long, and as much CPU time."""
    made = level_of(index, f"50-{arm}", 50, 200 * HOURS[pair] / times, validity=validity)
    cpu_s = 0.004 * times
    cpu = CpuPerWorkflow(cpu_s, 0.99 * cpu_s, 1.01 * cpu_s, 4000, 16.0)
    return replace(made, repeat=pair, target="control", cpu_per_workflow=cpu)


def levels(slower: float = 1.0, pairs: int = 8) -> tuple[LevelMetrics, ...]:
    def every() -> Iterator[LevelMetrics]:
        for pair in range(pairs):
            order = ("a", "b") if pair % 2 == 0 else ("b", "a")
            for place, arm in enumerate(order):
                times = OWN[pair] * (slower if arm == "b" else 1.0)
                yield played(2 * pair + place, arm, pair, times)

    return tuple(every())


def run_of(found: tuple[LevelMetrics, ...], question: AbQuestion | None = QUESTION) -> RunMetrics:
    manifest = replace(make_manifest(), ab=question)
    return RunMetrics("r", "complete", "valid", (), manifest, found, (), ())


def test_a_change_of_3_percent_is_seen_below_a_neighbour_that_takes_40_percent() -> None:
    """Values of one arm differ by a factor of 2; those of a pair by 0.2 %."""
    found = compare_arms(run_of(levels(slower=1.03)))

    assert found.paired
    assert (found.verdict, found.comparison_id) == ("regression", "r")
    (throughput,) = (
        one for one in found.changes if (one.metric, one.family) == ("throughput_per_s", "")
    )
    assert throughput.level == "50"
    assert throughput.effect == pytest.approx(1 / 1.03, rel=0.01)
    assert len(throughput.baseline) == len(throughput.candidate) == 8
    assert throughput.baseline[1] == pytest.approx(200 * 0.7 / 0.999)


def test_equal_arms_are_no_change_and_what_differs_is_under_test() -> None:
    pools: dict[str, dict[str, bool | int | float | str]] = {"50-a": {}, "50-b": {"pool": 4}}
    found = compare_arms(run_of(tuple(replace(one, settings=pools[one.label]) for one in levels())))
    assert found.verdict == "no_change"
    assert [(one.what, one.under_test) for one in found.differences] == [("settings", True)]
    assert (found.baseline.target, found.candidate.target) == ("control", "control, pool=4")
    assert not any("--width" in text for text in found.recommendations)


def test_a_revision_is_compared_with_the_files_as_they_are() -> None:
    """The manifest has the commit of arm A, which is not that of arm B."""
    question = AbQuestion(
        AbArm("a", "callable", revision="main", commit="c" * 40), AbArm("b", "callable")
    )
    run = run_of(levels(), question)
    code = {"folder": "/shop", "git_commit": "c" * 40, "git_branch": "", "git_dirty": False}
    manifest = replace(make_manifest(user_code=code), ab=question)
    (one,) = compare_arms(replace(run, manifest=manifest)).differences
    assert (one.what, one.under_test) == ("code", True)
    assert (one.baseline, one.candidate) == ("main (ccccccc)", "the files as they are")


def test_half_a_pair_at_the_end_of_an_interrupted_run_is_left_out() -> None:
    whole = levels(pairs=4)
    assert [(a.index, b.index) for a, b in pairs_of(whole[:-1])] == [(0, 1), (3, 2), (4, 5)]
    with pytest.raises(RunFolderError, match="before both levels of its first pair"):
        compare_arms(run_of(whole[:1]))


def test_what_a_bisection_asks_is_marked() -> None:
    assert compare_arms(run_of(levels(), replace(QUESTION, bisected_metric="p50_s"))).is_search
    assert not compare_arms(run_of(levels())).is_search


def test_a_run_that_compares_no_arms_is_refused() -> None:
    with pytest.raises(RunFolderError, match="run r compares no arms"):
        compare_arms(run_of(levels(), None))


def test_the_rule_sees_pairs_that_have_both_values_and_names_no_effect() -> None:
    whole = list(levels(slower=2.0))
    whole[2] = replace(whole[2], validity="not_steady", validity_if_quiet="not_steady")
    values = deciding_values(whole)

    assert set(values) == {"throughput_per_s", "cpu_per_workflow_s"}
    one = values["throughput_per_s"]
    assert len(one.baseline) == len(one.candidate) == 7
    assert one.candidate[0] - one.baseline[0] == pytest.approx(-math.log(2), abs=0.01)
    assert "50" not in widths_text(values)
    assert widths_text(deciding_values(whole[:2])) == "no interval yet"
    wild = {"throughput_per_s": PairedValues((0.0, 0.0), (0.1, 9.0))}
    assert widths_text(wild) == "throughput not yet known to 100 %"


def test_too_few_pairs_for_the_width_are_said_with_what_would_help() -> None:
    found = compare_arms(run_of(levels(pairs=2)))
    (sentence,) = (text for text in found.recommendations if "--budget" in text)
    assert "Ended after 2 usable pairs" in sentence


def test_the_page_gets_the_levels_of_each_arm_by_the_labels_of_the_scenario() -> None:
    arm = metrics_of_arm(run_of(levels(pairs=3)), "b")
    assert [(one.label, one.index) for one in arm.levels] == [("50", 1), ("50", 2), ("50", 5)]
