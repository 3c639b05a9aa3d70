"""What a Dagster run prints at its end: the headline table, and where the report is."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from perf_pipeline.cli.lines.terminal import show, show_report

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics


class EndSummary:
    """Prints on standard output what it was given, when the Dagster run gives its resources back.

    By then the log of the steps is written, so that this is what a terminal ends with.
    """

    def __init__(self) -> None:
        self._parts: list[Callable[[], None]] = []

    def show(self, metrics: "RunMetrics", page: Path) -> None:
        """Print the summary of a run, and where its report is, at the end."""
        from perf_pipeline.cli.summary import show_summary

        self._parts.append(lambda: show_summary(metrics, as_json=False))
        self.show_path(page)

    def show_path(self, page: Path) -> None:
        """Print where a report is at the end."""
        self._parts.append(lambda: show_report(page, as_json=False))

    def say(self, line: str) -> None:
        """Print a line at the end."""
        self._parts.append(lambda: show(line, as_json=False))

    def print_all(self) -> None:
        """Print it; a reader of the output that is gone misses nothing that is not stored."""
        with suppress(BrokenPipeError):
            for part in self._parts:
                part()


@dg.resource(description="Prints the headline table and the report's path when the run ends.")
def end_summary(_context: dg.InitResourceContext) -> Iterator[EndSummary]:
    """Give what prints at the end of a run, also of one that failed."""
    summary = EndSummary()
    try:
        yield summary
    finally:
        summary.print_all()
