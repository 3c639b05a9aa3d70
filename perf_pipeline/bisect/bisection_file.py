"""A bisection as files: ``RESULTS/bisections/ID.json``, and its table as Markdown beside it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from perf_pipeline.bisect.table import bisection_table
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.bisect.arms import TwoArmResult

FOLDER = "bisections"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class BisectionQuestion:
    """What was asked.

    Attributes:
        bisection_id: When, as a run id.
        target: The target, without a version.
        scenario: What the comparisons play.
        metric: The metric that decides.
        releases: All releases of the range, oldest first.
    """

    bisection_id: str
    target: str
    scenario: str
    metric: str
    releases: tuple[str, ...]


def bisection_entry(asked: BisectionQuestion, found: TwoArmResult) -> dict[str, Any]:
    """Return question and result as one object of JSON."""
    arms = {"published": found.published, "pinned": found.pinned}
    return {
        **asdict(asked),
        **asdict(found),
        **{name: {**asdict(arm), "comparisons": arm.comparisons} for name, arm in arms.items()},
        "comparisons": found.comparisons,
    }


def write_bisection(results: Path, asked: BisectionQuestion, found: TwoArmResult) -> Path:
    """Write both files into a results folder; returns the one with the table."""
    folder = results / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    entry = {"schema_version": SCHEMA_VERSION, **bisection_entry(asked, found)}
    write_json(folder / f"{asked.bisection_id}.json", entry)
    page = folder / f"{asked.bisection_id}.md"
    title = f"# First bad release of {asked.target}, {asked.releases[0]} to {asked.releases[-1]}"
    page.write_text("\n".join([title, "", *bisection_table(found), ""]), encoding="utf-8")
    return page
