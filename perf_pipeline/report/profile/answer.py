"""A differential profile as one more answer of a comparison: why did it get worse?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.profile.sentences import function, sentences
from perf_pipeline.report.run.answers import Verdict
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.profile import DifferentialProfile


def why(profile: DifferentialProfile | None) -> tuple[Verdict, ...]:
    """Return the answer; nothing where the comparison was not explained."""
    if profile is None:
        return ()
    return (Verdict("Why?", _answer(profile), sentences(profile)),)


def _answer(profile: DifferentialProfile) -> Cell:
    if profile.problem:
        return Cell("not explained", "quiet")
    clear = next((move for move in profile.moves if move.is_clear), None)
    return Cell("no function moved clearly", "quiet") if clear is None else Cell(function(clear))
