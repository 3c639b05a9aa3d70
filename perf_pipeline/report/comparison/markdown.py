"""A comparison as Markdown: the answers and tables of the page, without charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.comparison import tables
from perf_pipeline.report.comparison.page import in_short, title
from perf_pipeline.report.profile.answer import why
from perf_pipeline.report.run.markdown import answer_on_top, markdown_table
from perf_pipeline.report.text.escape import markdown as inert

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.comparison import Comparison
    from perf_pipeline.metrics.types.profile import DifferentialProfile


def render_markdown(comparison: Comparison, profile: DifferentialProfile | None = None) -> str:
    """Return a comparison as Markdown, every text of unknown origin escaped.

    Args:
        comparison: Any value may be missing.
        profile: What explains it; None without.
    """
    answers = (*tables.answers(comparison), *why(profile))
    changes = tables.changes_table("Every metric", tables.by_weight(comparison.changes))
    differences = tables.differences_table(comparison)
    blocks = [
        f"# {inert(title(comparison))}",
        f"Comparison {inert(comparison.comparison_id)}",
        " · ".join(map(inert, in_short(comparison))),
        *map(answer_on_top, answers),
        "\n".join(f"- {inert(sentence)}" for one in answers for sentence in one.rest),
        "## Every metric",
        markdown_table(changes, titled=False),
        "## What differs",
        markdown_table(differences, titled=False),
        "## The two sides",
        markdown_table(tables.sides_table(comparison), titled=False),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"
