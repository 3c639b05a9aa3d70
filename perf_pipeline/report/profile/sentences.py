"""Says in sentences what a differential profile found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import quantity
from perf_pipeline.report.text.escape import name, visible

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.profile import DifferentialProfile, FunctionMove

PATH_FRAMES = 4
"""Of a call path, the innermost functions that a sentence names."""
NAMED = 3
"""Functions that a summary names."""


def headline(profile: DifferentialProfile) -> str:
    """Return the finding in one sentence."""
    if profile.problem:
        return f"Not explained: {visible(profile.problem)}."
    clear = [move for move in profile.moves if move.is_clear]
    if not clear:
        moved = ""
        if profile.moves:
            first = profile.moves[0]
            moved = f"; the greatest move, of {function(first)}, is {span(first)}"
        return f"No function's own CPU time moved by more than sampling can tell{moved}."
    first = clear[0]
    more = "more" if first.move_s > 0 else "less"
    return (
        f"{function(first)} takes {quantity.seconds(abs(first.move_s))} {more} CPU time per "
        f"workflow ({quantity.seconds(first.baseline_s)} before, "
        f"{quantity.seconds(first.candidate_s)} now; {span(first)}){of_all(profile, first)}."
    )


def sentences(profile: DifferentialProfile) -> tuple[str, ...]:
    """Return the finding, the next functions that moved clearly, and what weakens the profile."""
    clear = [move for move in profile.moves if move.is_clear][1:NAMED]
    others = tuple(
        f"{function(move)}: {quantity.seconds(move.baseline_s)} before, "
        f"{quantity.seconds(move.candidate_s)} now, called by {path(move)}."
        for move in clear
    )
    return (headline(profile), *others, *(f"{visible(one)}." for one in profile.warnings))


def function(move: FunctionMove) -> str:
    """Return ``score (shop.py:6)``."""
    place = f"{move.file}:{move.line}" if move.line else move.file
    return f"{name(move.function)} ({name(place)})" if place else name(move.function)


def path(move: FunctionMove) -> str:
    """Return how a function was called, from outside to inside."""
    names = [name(one) for one in move.path]
    shown = names[-PATH_FRAMES:]
    return " > ".join((["…"] if len(names) > len(shown) else []) + shown)


def span(move: FunctionMove) -> str:
    """Return the interval of a move."""
    return f"95 % interval {quantity.between(move.low_s, move.high_s, 's')}"


def of_all(profile: DifferentialProfile, move: FunctionMove) -> str:
    """Return which part of the whole move is that of a function, as the tail of a sentence."""
    before, after = (arm.cpu_per_workflow_s for arm in (profile.baseline, profile.candidate))
    if before is None or after is None or (after - before) * move.move_s <= 0:
        return ""
    return f"; a workflow takes {quantity.seconds(before)} before and {quantity.seconds(after)} now"
