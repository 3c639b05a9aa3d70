"""A planted regression, as the comparison of two releases would find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.metrics.types.comparison import (
    Change,
    ComparedSide,
    Comparison,
    ComparisonVerdict,
    Difference,
    Severity,
)
from tests.unit.report.conftest import HOSTILE

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISON_ID = "20260114_093012-4f2c"


def change(
    metric: str,
    verdict: ComparisonVerdict,
    interval: tuple[float, float, float] | None,
    severity: Severity = "none",
    **other: Any,
) -> Change:
    """Return a change; ``interval`` is its effect, and the ends of its interval."""
    effect, low, high = interval or (None, None, None)
    known: dict[str, Any] = {
        "unit": {"throughput_per_s": "/s", "memory_peak_mb": "MB"}.get(metric, "s"),
        "level": "500",
        "family": "",
        "higher_is_better": metric == "throughput_per_s",
        "kind": "ratio",
        "baseline": (1.0, 1.02, 0.99),
        "candidate": (1.0, 1.02, 0.99),
        "p": None if interval is None else 0.0004,
        "why": "The interval lies beyond 1 %.",
    }
    return Change(
        metric=metric,
        effect=effect,
        low=low,
        high=high,
        verdict=verdict,
        severity=severity,
        **{**known, **other},
    )


def comparison(changes: Sequence[Change], verdict: ComparisonVerdict, **other: Any) -> Comparison:
    """Return a comparison with these changes."""
    known: dict[str, Any] = {
        "comparison_id": COMPARISON_ID,
        "scenario": "baseline",
        "baseline": ComparedSide("pinned:main", ("r-1", "r-2"), "kailash 2.17.0", ("valid",)),
        "candidate": ComparedSide("r-3", ("r-3",), "kailash 2.18.0", ("valid", "noisy_host")),
        "paired": False,
        "differences": (
            Difference("version", "2.17.0", "2.18.0", under_test=True, despite=False),
            Difference("packages", "pandas 2.2.3", "none", under_test=False, despite=True),
        ),
        "severity": "none",
        "recommendations": (
            "CPU time per workflow rose by 14 %: profile the target.",
            "Compare the packages.",
        ),
    }
    return Comparison(changes=tuple(changes), verdict=verdict, **{**known, **other})


@pytest.fixture(scope="session")
def planted() -> Comparison:
    """A release that is slower at 500, cheaper at 100, and whose memory was not measured."""
    changes = (
        change("throughput_per_s", "no_change", (1.003, 0.99, 1.01), level="100"),
        change("throughput_per_s", "regression", (0.86, 0.83, 0.90), "major"),
        change("p99_s", "regression", (1.31, 1.18, 1.44), "critical", family="analytics/simple"),
        change("p99_s", "unstable", (1.06, 0.96, 1.17), level="100"),
        change("cpu_per_workflow_s", "improvement", (0.91, 0.88, 0.94), level="100"),
        change("cpu_per_workflow_s", "regression", (1.14, 1.12, 1.16), "major"),
        change("p90_s", "regression", (5.2, 3.9, 8.0), "critical"),
        change(
            "error_ratio",
            "no_change",
            (0.001, -0.002, 0.004),
            kind="difference",
            unit="ratio",
            baseline=(0.01, 0.012, 0.009),
        ),
        change("memory_peak_mb", "no_data", None, baseline=(None, 512.0), candidate=(None,)),
    )
    return comparison(changes, "regression", severity="critical")


@pytest.fixture(scope="session")
def hostile() -> Comparison:
    """A comparison in which every text is hostile."""
    changes = [
        change(
            HOSTILE,
            "regression",
            (1.2, 1.1, 1.3),
            "minor",
            unit=HOSTILE,
            level=HOSTILE,
            family=HOSTILE,
            why=HOSTILE,
        ),
        change("cpu_per_workflow_s", "no_data", None, level=HOSTILE, family=HOSTILE, why=HOSTILE),
    ]
    side = ComparedSide(HOSTILE, (HOSTILE,), HOSTILE, (HOSTILE,))
    return comparison(
        changes,
        "regression",
        comparison_id=HOSTILE,
        scenario=HOSTILE,
        baseline=side,
        candidate=side,
        differences=(Difference(HOSTILE, HOSTILE, HOSTILE, under_test=False, despite=True),),
        recommendations=(HOSTILE,),
    )
