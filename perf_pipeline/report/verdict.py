"""The questions that a reader comes with: is it a measurement, and does it meet the targets?

A stress run is asked one more: how much load does it hold?
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.report import held, text, words
from perf_pipeline.report.bottleneck import bottleneck_fact
from perf_pipeline.report.table import Cell

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from perf_pipeline.metrics.level import TargetRow
    from perf_pipeline.metrics.run_metrics import RunMetrics


@dataclass(frozen=True)
class Verdict:
    """A question, its answer in a word, and what it rests on.

    Attributes:
        question: What the reader wants to know.
        answer: The word of the closed list.
        sentences: What stands behind it, one thought each.
    """

    question: str
    answer: Cell
    sentences: tuple[str, ...]


def verdicts(metrics: RunMetrics) -> tuple[Verdict, ...]:
    """Return the run's verdicts, in the order in which they are read."""
    stress = [Verdict(held.QUESTION, *held.answer(metrics))] if held.is_asked(metrics) else []
    return (_measurement(metrics), *stress, *_targets(metrics), *_limited(metrics))


def _measurement(metrics: RunMetrics) -> Verdict:
    sentences = [words.VALIDITY[metrics.validity]]
    if metrics.status != "complete" or not metrics.levels:
        status = text.name(metrics.status)
        meaning = words.STATUS.get(metrics.status, "Its record knows no such end.")
        sentences.append(f"The run's own record says {status}: {meaning}")
    if not metrics.levels:
        sentences.append("No level was measured.")
    else:
        valid = sum(level.validity == "valid" for level in metrics.levels)
        sentences.append(f"{valid} of {len(metrics.levels)} levels and arms are valid.")
    sentences.extend(text.visible(reason) for reason in metrics.reasons)
    answer = words.validity_cell(metrics.validity)
    return Verdict("Is it a measurement?", answer, tuple(sentences))


def _targets(metrics: RunMetrics) -> list[Verdict]:
    tables = list(dict.fromkeys(row.table for row in metrics.targets))
    if not tables:
        none = Cell("no data", "quiet")
        return [Verdict("Does it meet the targets?", none, ("No target was evaluated.",))]
    return [_target_table(metrics, table) for table in tables]


def _limited(metrics: RunMetrics) -> list[Verdict]:
    """Return what limited the greatest level; of no other does the run's throughput speak."""
    asked = [
        (level, level.bottleneck)
        for level in metrics.levels
        if level.role == "level" and level.bottleneck is not None
    ]
    if not asked:
        return []
    level, bottleneck = max(asked, key=lambda each: each[0].concurrency)
    cell = bottleneck_fact(bottleneck).cell
    sentences = [f"At {text.name(level.shown)} in flight: {cell.note}"]
    if level.validity != "valid":
        sentences.append(f"That level is {level.validity}, so this is a hint.")
    return [Verdict("What limited it?", Cell(cell.text, cell.tone), tuple(sentences))]


def _target_table(metrics: RunMetrics, table: str) -> Verdict:
    rows = [row for row in metrics.targets if row.table == table]
    met = [row for row in rows if row.verdict == "met"]
    missed = [row for row in rows if row.verdict == "missed"]
    without = [row for row in rows if row.verdict == "no_data"]
    sentences = [f"{len(met)} of {len(rows)} met."]
    invalid = {level.label: level.validity for level in metrics.levels if level.validity != "valid"}
    if missed:
        sentences.append(f"Missed: {_listed(missed, invalid)}.")
    if without:
        sentences.append(f"No data: {_listed(without, invalid)}.")
    if missed:
        word = words.verdict_cell("missed")
    elif not met:
        word = words.verdict_cell("no_data")
    else:
        word = Cell("met as far as measured", "warn") if without else words.verdict_cell("met")
    title = words.TARGET_TABLES.get(table, text.name(table))
    return Verdict(f"Targets: {title.lower()}", word, tuple(sentences))


def _listed(rows: Iterable[TargetRow], invalid: Mapping[str, str]) -> str:
    """Return the rows in words, level by level, and which level is no measurement."""
    levels: dict[str, list[str]] = {}
    for row in rows:
        levels.setdefault(row.level, []).append(text.name(row.what))
    return "; ".join(
        f"{', '.join(found)} at {text.name(at)}{f' ({invalid[at]})' if at in invalid else ''}"
        for at, found in levels.items()
    )
