"""Compares two sampled sides: how the own CPU time of every function per workflow moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.profile.function_details import FunctionDetails, grown_most
from perf_pipeline.analysis.profile.move_errors import move_errors
from perf_pipeline.analysis.profile.own_times import own_times
from perf_pipeline.metrics.survival.student import t_quantile
from perf_pipeline.metrics.types.profile import FunctionMove

if TYPE_CHECKING:
    from perf_pipeline.analysis.profile.arm_samples import ArmSamples
    from perf_pipeline.analysis.profile.python_calls import Function

MIN_LEVELS = 2
"""Sampled levels of each side: one process says nothing about how processes differ."""
MIN_SAMPLES = 5
"""Functions with fewer on both sides together are not compared."""


def function_moves(baseline: ArmSamples, candidate: ArmSamples) -> tuple[FunctionMove, ...]:
    """Return how each function's own time per workflow moved, the greatest move first.

    The intervals are widened for the number of functions (Bonferroni), so that they hold for all
    of them at once.

    Args:
        baseline: The older side.
        candidate: The newer side.

    Returns:
        Functions with at least ``MIN_SAMPLES`` samples; none where ``unusable`` says why.
    """
    if unusable(baseline) or unusable(candidate):
        return ()
    functions = _compared_functions(baseline, candidate)
    if not functions:
        return ()
    before, after = (own_times(side, functions) for side in (baseline, candidate))
    errors = move_errors((before, after))
    half_s = t_quantile(1 - 0.025 / len(functions), errors.degrees) * errors.seconds
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
    if not side.workflows:
        return f"{side.name}: no workflow ended ok while its CPU time was measured"
    if not side.samples:
        return f"{side.name}: no sample of a thread that computed"
    if (measured := len(side.measured_levels)) < MIN_LEVELS:
        return (
            f"{side.name}: stacks were sampled in {measured} of its levels; at least {MIN_LEVELS}, "
            "each with a process of its own, are needed to tell how processes differ"
        )
    return ""


def _compared_functions(baseline: ArmSamples, candidate: ArmSamples) -> list[Function]:
    counts = baseline.counts + candidate.counts
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
