"""Compares two sampled sides: how the own CPU time of every function per workflow moved."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.profile.function_details import FunctionDetails, grown_most
from perf_pipeline.analysis.profile.own_times import own_times
from perf_pipeline.analysis.profile.python_calls import function_of, own_frame
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.profile import FunctionMove

if TYPE_CHECKING:
    from perf_pipeline.analysis.profile.arm_samples import ArmSamples
    from perf_pipeline.analysis.profile.python_calls import Function

MIN_PAIRS = 3
"""Pairs of windows of each side: with fewer, windows say nothing about how they vary."""
MIN_SAMPLES = 5
"""Functions with fewer on both sides together are not compared."""


def function_moves(
    baseline: ArmSamples, candidate: ArmSamples, seed: int = 1
) -> tuple[FunctionMove, ...]:
    """Return how each function's own time per workflow moved, the greatest move first.

    The intervals are widened for the number of functions (Bonferroni), so that they hold for all
    of them at once.

    Args:
        baseline: The older side.
        candidate: The newer side.
        seed: Of the resampling.

    Returns:
        Functions with at least ``MIN_SAMPLES`` samples; none where ``unusable`` says why.
    """
    functions = _compared_functions(baseline, candidate)
    if unusable(baseline) or unusable(candidate) or not functions:
        return ()
    rng = np.random.default_rng(seed)
    before, after = (own_times(side, functions, rng) for side in (baseline, candidate))
    degrees = len(baseline.pairs) + len(candidate.pairs) - 2
    factor = t_quantile(1 - 0.025 / len(functions), degrees)
    half_s = factor * np.hypot(before.error_s, after.error_s)
    details = FunctionDetails(baseline), FunctionDetails(candidate)
    moves = [
        _move(function, details, (float(a), float(b)), float(half))
        for function, a, b, half in zip(
            functions, before.seconds, after.seconds, half_s, strict=True
        )
    ]
    return tuple(sorted(moves, key=lambda one: (-abs(one.move_s), one.function, one.file)))


def unusable(side: ArmSamples) -> str:
    """Return why a side cannot be compared; empty where it can."""
    if len(side.pairs) < MIN_PAIRS:
        return (
            f"{side.name}: {len(side.pairs)} pairs of windows were sampled, and at least "
            f"{MIN_PAIRS} are needed to tell how they vary"
        )
    if not side.workflows:
        return f"{side.name}: no workflow ended ok while its CPU time was measured"
    if not side.samples:
        return f"{side.name}: no sample of a thread that computed"
    return ""


def _compared_functions(baseline: ArmSamples, candidate: ArmSamples) -> list[Function]:
    counts: Counter[Function] = Counter()
    for stacks in (baseline.stacks, candidate.stacks):
        for stack, count in stacks.items():
            counts[function_of(own_frame(stack))] += count
    return sorted(function for function, count in counts.items() if count >= MIN_SAMPLES)


def _move(
    function: Function,
    details: tuple[FunctionDetails, FunctionDetails],
    times_s: tuple[float, float],
    half_s: float,
) -> FunctionMove:
    before, after = details
    move_s = times_s[1] - times_s[0]
    # Of a function that became cheaper, what shows most is what the older side spent more on.
    less, more = (before, after) if move_s >= 0 else (after, before)
    name, file = function
    return FunctionMove(
        function=name,
        file=file,
        line=grown_most(less.lines_s(function), more.lines_s(function)) or 0,
        native=grown_most(less.natives_s(function), more.natives_s(function)) or "",
        path=more.path(function) or less.path(function),
        baseline_s=times_s[0],
        candidate_s=times_s[1],
        move_s=move_s,
        low_s=move_s - half_s,
        high_s=move_s + half_s,
        inclusive_baseline_s=before.inclusive_s(function),
        inclusive_candidate_s=after.inclusive_s(function),
        baseline_samples=before.samples[function],
        candidate_samples=after.samples[function],
    )
