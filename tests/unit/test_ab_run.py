"""The course of an interleaved comparison: which level comes next, and when it has seen enough."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline import ab_run
from perf_pipeline.ab_run import AbCourse
from perf_pipeline.config.interleaved.arms import AbArm, AbQuestion
from perf_pipeline.config.interleaved.question import scenario_of_arm
from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.metrics.types.cpu_use import CpuPerWorkflow
from perf_pipeline.samples.run_folder import RunFolder
from tests.unit.report.conftest import level as level_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.validity import Validity

BASE = Scenario("mine", target="control", concurrency=(4,))
LEVEL_S = 10.0
CPU = CpuPerWorkflow(0.004, 0.0039, 0.0041, 4000, 16.0)
Played = tuple[list["LevelPlan"], list[str]]


def quiet(pair: int, arm: str) -> float:
    """Return a throughput: up to 0.2 % apart from pair to pair."""
    return 200 * (1 + 0.001 * ((pair * 7 + (arm == "b")) % 3))


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Played]:
    """Return what plays a course on levels that take 10 s of a clock of its own."""

    def played(
        question: AbQuestion,
        throughput: Callable[[int, str], float],
        validity: Validity = "valid",
    ) -> Played:
        now = [0.0]
        lines: list[str] = []

        def measured(path: Path, _context: object) -> LevelMetrics:
            now[0] += LEVEL_S
            index, label = path.name.split("-", 1)
            pair, arm = int(index) // 2, label[-1]
            made = level_of(int(index), label, 4, throughput(pair, arm))
            made = replace(made, cpu_per_workflow=CPU)
            return replace(made, repeat=pair, validity=validity, validity_if_quiet=validity)

        monkeypatch.setattr(ab_run, "measure_level", measured)
        monkeypatch.setattr(ab_run, "write_level_metrics", lambda *_: None)
        monkeypatch.setattr(ab_run, "read_manifest", lambda _folder: None)
        monkeypatch.setattr(ab_run, "context_of", lambda _manifest: None)
        arms = {arm.name: scenario_of_arm(BASE, arm) for arm in (question.a, question.b)}
        course = AbCourse(question, arms, lines.append, lambda: now[0])
        plans = course.plans(())
        assert [plan.label for plan in plans] == ["4-a", "4-b"]
        return list(course.levels(plans, RunFolder(Path("run")))), lines

    return played


def question(**changes: float | str) -> AbQuestion:
    made = AbQuestion(AbArm("a", "control"), AbArm("b", "control_async"))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_the_arms_take_turns_in_the_order_abba_with_equal_plans(
    play: Callable[..., Played],
) -> None:
    plans, _ = play(question(), quiet)

    assert "".join(plan.label[-1] for plan in plans[:8]) == "abbaabba"
    assert [plan.repeat for plan in plans[:4]] == [0, 0, 1, 1]
    assert [plan.index for plan in plans] == list(range(len(plans)))
    assert {plan.target for plan in plans[::4]} == {"control"}
    assert all(plan.kinds == plans[0].kinds for plan in plans)


@pytest.mark.parametrize("slower", [1.0, 1.1, 3.0])
def test_a_quiet_comparison_ends_after_six_pairs_whatever_the_effect_is(
    play: Callable[..., Played], slower: float
) -> None:
    def throughput(pair: int, arm: str) -> float:
        return quiet(pair, arm) / (slower if arm == "b" else 1)

    plans, lines = play(question(), throughput)
    assert len(plans) == 12
    assert lines[-1] == "pair 6: every interval is narrow enough (+-2 %)"


def test_a_loud_one_ends_before_the_pair_that_the_budget_would_not_hold(
    play: Callable[..., Played],
) -> None:
    """Pairs take 20 s: three of them fit into 65 s, and a fourth would not."""
    plans, lines = play(question(budget_s=65), lambda pair, _arm: 100 + 50 * (pair % 2))
    assert len(plans) == 6
    assert lines[-1] == "pair 3: the budget of 65 s does not allow another pair"


def test_a_bisection_ends_when_its_own_metric_is_known(play: Callable[..., Played]) -> None:
    """Neighbours move the throughput by half, and CPU time per workflow hardly."""
    loud, lines = play(
        question(budget_s=1000, bisected_metric="cpu_per_workflow_s"),
        lambda pair, _arm: 100 + 50 * (pair % 2),
    )
    assert len(loud) == 12
    assert "narrow enough" in lines[-1]
    plans, _ = play(
        question(budget_s=1000), lambda pair, arm: 100 + 50 * ((pair + (arm == "b")) % 2)
    )
    assert len(plans) > 12


def test_no_more_pairs_are_played_than_asked_for(play: Callable[..., Played]) -> None:
    plans, _ = play(question(max_pairs=2), quiet)
    assert len(plans) == 4


def test_levels_that_are_no_measurement_do_not_spend_the_whole_budget(
    play: Callable[..., Played],
) -> None:
    plans, lines = play(question(), quiet, "not_steady")
    assert len(plans) == 2 * ab_run.HOPELESS_PAIRS
    assert "none of 6 pairs can be compared" in lines[-1]


def test_the_lines_about_pairs_show_widths_and_never_effects(play: Callable[..., Played]) -> None:
    """Who sees effects may be tempted to stop where they please."""

    def throughput(pair: int, arm: str) -> float:
        return quiet(pair, arm) / (3.7 if arm == "b" else 1)

    _, lines = play(question(), throughput)
    assert lines[0] == "pair 1: no interval yet"
    assert all("+-" in line for line in lines[1:])
    assert not any("73" in line or "270" in line for line in lines)  # -73 %, +270 %
