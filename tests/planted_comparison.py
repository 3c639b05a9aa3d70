"""Comparisons with planted verdicts, of runs that have numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.types.comparison import Change, ComparedSide, Comparison

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.comparison import ComparisonVerdict

SCENARIO = "baseline"


def run_id(number: int) -> str:
    """Return the id of the run with a number: one a minute."""
    return f"20260114_{9 + number // 60:02d}{number % 60:02d}00-4f2c"


def change(verdict: ComparisonVerdict, effect: float | None = 1.2, **more: Any) -> Change:
    """Return how the P99 of level 100 moved, with an interval of 2 % on either side."""
    values: dict[str, Any] = {
        "metric": "p99_s",
        "unit": "s",
        "level": "100",
        "family": "",
        "higher_is_better": False,
        "kind": "ratio",
        "baseline": (1.0,),
        "candidate": (effect,),
        "effect": effect,
        "low": None if effect is None else effect * 0.98,
        "high": None if effect is None else effect * 1.02,
        "p": 0.001,
        "verdict": verdict,
        "severity": "major" if verdict == "regression" else "none",
        "why": "because.",
        **more,
    }
    return Change(**values)


def comparison(
    baseline: int | Sequence[int], candidate: int | Sequence[int], *changes: Change, **more: Any
) -> Comparison:
    """Return a comparison of runs by their numbers, made just after the newest of them."""
    sides = [
        tuple(map(run_id, side if isinstance(side, tuple) else (side,)))  # type: ignore[arg-type]
        for side in (baseline, candidate)
    ]
    newest = max(max(side) for side in sides)
    values: dict[str, Any] = {
        "comparison_id": f"{newest[:13]}30-0000",
        "scenario": SCENARIO,
        "baseline": ComparedSide("pinned:1.0", sides[0], "kailash==2.19.0", ("valid",)),
        "candidate": ComparedSide("latest", sides[1], "kailash==2.20.0", ("valid",)),
        "paired": False,
        "differences": (),
        "changes": changes,
        "verdict": changes[0].verdict if changes else "no_data",
        "severity": "none",
        "recommendations": ("Look at the code.",),
        **more,
    }
    return Comparison(**values)
