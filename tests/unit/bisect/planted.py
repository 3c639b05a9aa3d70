"""Releases whose cost is planted, measured with noise or without."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.comparison import (
    Change,
    ComparedSide,
    Comparison,
    ComparisonVerdict,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

METRIC = "cpu_per_workflow_s"
LIMIT = 0.05


def comparison(
    name: str, effect: float | None, half: float, verdict: ComparisonVerdict
) -> Comparison:
    """Return a comparison of one level, in which another metric always got worse."""

    def change(metric: str, verdict: ComparisonVerdict) -> Change:
        return Change(
            metric, "s", "1", "", False, "ratio", (), (), effect,
            None if effect is None else effect / (1 + half),
            None if effect is None else effect * (1 + half),
            None, verdict, "none", f"{metric}: {verdict}",
        )  # fmt: skip

    sides = [ComparedSide(one, (), one, ("valid",)) for one in ("a", "b")]
    changes = (change(METRIC, verdict), change("memory_peak_mb", "regression"))
    return Comparison(name, "release", *sides, True, (), changes, "regression", "none", ())


@dataclass
class Planted:
    """A measurer with a known truth.

    Attributes:
        cost: Release to its cost.
        broken: Release to why it cannot be measured.
        half_width: Half of the relative width of an interval at an effort.
        draw: Returns a relative error of an effect for a half width.
        asked: How often each release was compared.
        efforts: The efforts, in order.
        widths: The widths that were asked for, in order.
        installed: Packages of each release.
        added: Packages that every release has besides.
    """

    cost: Mapping[str, float]
    broken: Mapping[str, str] = field(default_factory=dict)
    half_width: Callable[[str, int], float] = lambda _release, _effort: 0.01
    draw: Callable[[float], float] = lambda _half: 0.0
    asked: Counter[str] = field(default_factory=Counter)
    efforts: list[int] = field(default_factory=list)
    widths: list[float] = field(default_factory=list)
    installed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    added: tuple[str, ...] = ()

    def problem(self, release: str) -> str:
        return self.broken.get(release, "")

    def packages(self, release: str) -> Mapping[str, str]:
        return self.installed.get(release, {})

    def compare(self, good: str, candidate: str, effort: int, width: float) -> Comparison:
        """Measure: ``unstable`` where the interval has both a change that matters and none."""
        self.asked[candidate] += 1
        self.efforts.append(effort)
        self.widths.append(width)
        half = self.half_width(candidate, effort)
        effect = self.cost[candidate] / self.cost[good] * math.exp(self.draw(half))
        low, high = effect / (1 + half), effect * (1 + half)
        verdict: ComparisonVerdict = "no_change"
        if low > 1 + LIMIT:
            verdict = "regression"
        elif high > 1 + LIMIT:
            verdict = "unstable"
        elif high < 1 - LIMIT:
            verdict = "improvement"
        return comparison(f"c-{sum(self.asked.values())}", effect, half, verdict)


def gaussian(rng: random.Random) -> Callable[[float], float]:
    """Return errors of which an interval of a half width misses 1 %."""
    return lambda half: rng.gauss(0, half / 2.576)
