"""What a catalogue has, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select

from perf_pipeline.catalogue.tables import Alert, Baseline, Metric, Run, Verdict

if TYPE_CHECKING:
    from perf_pipeline.catalogue.store import Catalogue


def count_contents(catalogue: Catalogue) -> dict[str, int]:
    """Return the number of runs, metrics, verdicts, baselines and alerts, by what they are.

    Raises:
        CatalogueError: It cannot be read.
    """
    with catalogue.reading() as session:
        return {
            what: session.scalar(select(func.count()).select_from(table)) or 0
            for what, table in (
                ("run", Run),
                ("metric", Metric),
                ("verdict", Verdict),
                ("baseline", Baseline),
                ("alert", Alert),
            )
        }
