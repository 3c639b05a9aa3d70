"""Writes the page of a campaign into its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.endurance.drawn import drawn_hours, drawn_signals
from perf_pipeline.report.endurance.markdown import render_markdown
from perf_pipeline.report.endurance.page import render_html
from perf_pipeline.report.endurance.stored_campaign import stored_campaign
from perf_pipeline.samples.run_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def write_campaign_report(root: Path) -> Path:
    """Write ``report.html`` and ``report.md`` into a campaign's folder; return the page.

    Raises:
        RunFolderError: A file of the campaign is missing or damaged.
        OSError: The folder cannot be written to.
    """
    stored = stored_campaign(root)
    page = root / "report.html"
    content = render_html(stored, drawn_hours(stored), drawn_signals(stored))
    write_atomically(page.with_suffix(".md"), render_markdown(stored).encode())
    write_atomically(page, content.encode())
    return page
