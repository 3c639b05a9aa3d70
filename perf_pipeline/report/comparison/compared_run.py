"""What comparisons say of a run: answers for its own report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.comparison_file import read_comparisons
from perf_pipeline.report.comparison.tables import answers
from perf_pipeline.report.text import escape

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.report.run.answers import Verdict

READ_MAX = 50
ANSWERS_MAX = 3


def compared_answers(results: Path, run_id: str) -> tuple[Verdict, ...]:
    """Return whether a run got worse, for each of the newest comparisons of which it is candidate.

    Args:
        results: The results folder; it may have no comparison.
        run_id: The run.
    """
    found = [
        one for one in read_comparisons(results, READ_MAX).found if run_id in one.candidate.runs
    ]
    return tuple(
        replace(
            answers(one)[0],
            question=f"Did it get worse than {escape.name(one.baseline.name)}?",
        )
        for one in found[:ANSWERS_MAX]
    )
