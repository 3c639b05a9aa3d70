"""The runs of results folders as rows of the overview, newest first."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from perf_pipeline.errors import RunFolderError
from perf_pipeline.report.run.run_headline import FILE, read_headline
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.samples.run_record import COMPLETE, MAY_GO_ON, RUNNING, started

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from perf_pipeline.report.run.run_headline import RunHeadline
    from perf_pipeline.report.text.table import Tone
    from perf_pipeline.samples.run_list import FoundRun

_TONES: dict[str, Tone] = {
    "met": "good",
    "valid": "good",
    "missed": "bad",
    "target_failed": "bad",
    "metastable": "bad",
    "failed": "bad",
    "incomplete": "bad",
    RUNNING: "plain",
}
_PAGES = {"report.html": "report", "capacity.html": "capacity"}
_NOTHING = Cell("")
_NOT_STORED = "count not stored: perf-pipeline report RUN stores it"
"""Of a headline that an older version wrote."""


@dataclass(frozen=True)
class RunRow:
    """One run; every text is inert.

    Attributes:
        run_id: Its id.
        started: When, UTC.
        scenario: Its name.
        target: What executed the workflows; empty where it is not known yet.
        verdict: The verdict; of a run that has not ended in order, its status.
        validity: Whether its figures are a measurement; empty without any.
        level: The level with the largest load, which the figures are of.
        throughput: With its number of samples.
        p99: Likewise; ``≥`` is a lower bound.
        errors: Error ratio, likewise.
        links: Address to name of its pages.
        can_compare: It has ended and has figures.
        folder: Path of the run.
    """

    run_id: str
    started: str
    scenario: str
    target: str
    verdict: Cell
    validity: Cell
    level: str
    throughput: Cell
    p99: Cell
    errors: Cell
    links: tuple[tuple[str, str], ...]
    can_compare: bool
    folder: str


class RunRows(NamedTuple):
    """The runs of results folders.

    Attributes:
        rows: Newest first.
        damaged: A sentence for each folder that cannot be read, and why.
    """

    rows: tuple[RunRow, ...]
    damaged: tuple[str, ...]


def run_rows(results: Sequence[Path]) -> RunRows:
    """Read the runs of results folders; one that is damaged is named and hides no other."""
    found: list[FoundRun] = []
    damaged: list[str] = []
    for folder in results:
        try:
            runs = read_runs(folder)
        except RunFolderError as error:
            damaged.append(escape.visible(error))
            continue
        found += runs.found
        damaged += map(escape.visible, runs.passed_over)
    found.sort(key=_begun, reverse=True)
    return RunRows(tuple(_row(run, damaged) for run in found), tuple(damaged))


def _row(run: FoundRun, damaged: list[str]) -> RunRow:
    root, record = run.folder.root, run.record
    status = str(record["status"])
    line = _headline(root, damaged)
    verdict = line.verdict if line and status == COMPLETE else status
    return RunRow(
        run_id=escape.name(run.folder.run_id),
        started=quantity.moment(record["started_at"]).removesuffix(" UTC"),
        scenario=escape.name(line.scenario if line else record["scenario"]),
        target=escape.name(line.target) if line else "",
        verdict=_word(verdict),
        validity=_word(line.validity) if line else _NOTHING,
        level=escape.name(line.level) if line else "",
        throughput=_throughput(line) if line else _NOTHING,
        p99=_p99(line) if line else _NOTHING,
        errors=_errors(line) if line else _NOTHING,
        links=tuple(_links(root)),
        can_compare=line is not None and status not in MAY_GO_ON,
        folder=escape.visible(root),
    )


def _headline(root: Path, damaged: list[str]) -> RunHeadline | None:
    if not os.path.lexists(root / FILE):
        return None  # it goes on, has no report yet, or is of an older version
    try:
        return read_headline(root)
    except RunFolderError as error:
        damaged.append(escape.visible(error))
        return None


def _word(word: str) -> Cell:
    return Cell(escape.name(word), _TONES.get(word, "warn"))


def _links(root: Path) -> Iterable[tuple[str, str]]:
    for file, name in _PAGES.items():
        if (root / file).is_file():
            yield f"/{root.name}/{file}", name


def _throughput(line: RunHeadline) -> Cell:
    if line.throughput_per_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    return Cell(quantity.rate(line.throughput_per_s), "number", _samples(line.ok, "ok"))


def _p99(line: RunHeadline) -> Cell:
    if line.p99_s is None:
        return Cell(quantity.NOT_MEASURED, "quiet")
    bound = "≥ " if line.p99_is_bound else ""
    notes = [f"{line.times} time", _samples(line.timed, "samples")]
    if line.p99_is_weak:
        notes.append("weak: fewer than 10 beyond it")
    return Cell(f"{bound}{quantity.seconds(line.p99_s)}", "number", ", ".join(notes))


def _errors(line: RunHeadline) -> Cell:
    if line.error_ratio is None:
        return Cell(quantity.NOT_MEASURED if line.ended is not None else "not stored", "quiet")
    share = quantity.percent(100 * line.error_ratio)
    return Cell(share, "number", _samples(line.ended, "ended"))


def _samples(count: int | None, what: str) -> str:
    return _NOT_STORED if count is None else f"{quantity.count(count)} {what}"


def _begun(run: FoundRun) -> tuple[datetime, str]:
    return started(run.record), run.folder.run_id
