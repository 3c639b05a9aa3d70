"""A bisection ends in its time, and says before what fits into it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.bisect.arms import bisect_both
from perf_pipeline.bisect.budget import Budget, comparison_s, comparisons_max
from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.errors import ScenarioError
from tests.unit.bisect.planted import METRIC, Planted

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison

PHASES = Phases(ramp_up_s=0.0, warm_up_s=2.0, steady_s=3.0)
NAMES = [f"2.{number}.0" for number in range(33)]
ONE_S = comparison_s(PHASES, 1)
COST = {name: 1.0 if at < 20 else 1.4 for at, name in enumerate(NAMES)}


@dataclass
class Timed(Planted):
    """Releases whose installation and comparison take time on a clock."""

    clock: list[float] = field(default_factory=lambda: [0.0])
    budget: Budget | None = None
    install_s: float = 5.0

    def problem(self, release: str) -> str:
        self.clock[0] += self.install_s
        return super().problem(release)

    def compare(self, good: str, candidate: str, effort: int, width: float) -> Comparison:
        assert self.budget is not None
        self.clock[0] += self.budget.levels_s(effort)
        return super().compare(good, candidate, effort, width)


def timed(total_s: float) -> tuple[Timed, Timed, Budget]:
    clock = [0.0]
    budget = Budget(total_s, ONE_S, lambda: clock[0])
    published, pinned = (Timed(COST, clock=clock, budget=budget) for _ in range(2))
    return published, pinned, budget


def test_a_comparison_of_six_pairs_takes_its_twelve_levels_and_little_more() -> None:
    assert 12 * 5 < ONE_S < 12 * 9


@pytest.mark.parametrize("minutes", [4, 10, 25, 120])
def test_everything_ends_within_the_budget_and_one_installation(minutes: int) -> None:
    """With 2 h there is time for the answer; with 4 min for one comparison in each arm."""
    published, pinned, budget = timed(60.0 * minutes)
    found = bisect_both(NAMES, published, pinned, METRIC, budget=budget)
    assert published.clock[0] <= 60.0 * minutes + 5.0
    assert found.published.asked
    assert found.pinned.asked
    if minutes == 120:
        assert found.published.first_bad == found.pinned.first_bad == "2.20.0"
        assert found.cause == "code"


def test_a_budget_that_is_spent_leaves_the_range_that_is_known_and_says_so() -> None:
    published, pinned, budget = timed(600.0)
    found = bisect_both(NAMES, published, pinned, METRIC, budget=budget)
    assert found.published.outcome == "range"
    assert found.published.last_good < "2.20.0" <= found.published.first_bad or (
        "2.20.0" in found.published.between
    )
    assert "of the budget of 10m this search has" in found.published.why
    assert found.cause == ""


def test_what_fits_is_announced() -> None:
    *_, ample = timed(7200.0)
    assert ample.announcement(33).startswith("at most 6 comparisons as published and 6 pinned, ")
    assert "range" not in ample.announcement(33)
    *_, tight = timed(240.0)
    assert "That allows about 1 of each: the answer is a range" in tight.announcement(33)


def test_a_budget_without_room_for_one_comparison_is_refused() -> None:
    with pytest.raises(ScenarioError, match="--budget is 30s, and one comparison takes about"):
        Budget(30.0, ONE_S)


def test_the_number_of_comparisons_is_that_of_halving() -> None:
    assert [comparisons_max(count) for count in (2, 3, 9, 33)] == [1, 2, 4, 6]
