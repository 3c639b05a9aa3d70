"""The answer of a stress run: up to how many workflows in flight the target sustains its load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.knee import knee_of
from perf_pipeline.config.scenario.scenario import Stop
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import Stopped

QUESTION = "How much load does it sustain?"


def is_asked(metrics: RunMetrics) -> bool:
    """Return whether the run's scenario looks for the highest load that the target sustains."""
    return metrics.manifest.stop != Stop() or metrics.manifest.stopped is not None


def answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]]:
    """Return the answer in a few words, with the sentences that explain it.

    A level is sustained if it ran to its end with all worker processes, and the target worked.
    Whether its numbers are valid is a separate question; the validity is shown with it.
    """
    levels = [level for level in metrics.levels if level.role == "level"]
    failed = {level.concurrency for level in levels if not _is_sustained(level)}
    first_failed = min(failed, default=None)
    sustained = [
        level
        for level in levels
        if _is_sustained(level) and (first_failed is None or level.concurrency < first_failed)
    ]
    sentences = [*_maximum_sentence(sustained), *_stop_sentences(metrics.manifest.stopped)]
    sentences += [
        f"{labels.level_name(level)} did not run to its end: "
        f"{escape.visible(level.ended_detail or level.ended_because)}."
        for level in levels
        if not (level.ended_because.ran_to_end or level.ended_because.stops_run)
    ]
    sentences += [
        f"The target failed at {labels.level_name(level)}: {escape.visible(level.reasons[0])}."
        for level in levels
        if level.has_failed_target and level.ended_because.ran_to_end
    ]
    sentences += collapse_sentences(levels)
    if not levels:
        return Cell("no data", "quiet"), ("No level was run.", *sentences)
    if not sustained:
        return Cell("no level sustained", "bad"), tuple(sentences)
    highest = max(sustained, key=lambda level: level.concurrency)
    if failed or metrics.manifest.stopped:
        return Cell(f"sustained up to {highest.concurrency}", "warn"), tuple(sentences)
    sentences.append("No level failed, so the maximum was not reached.")
    return Cell(f"all levels sustained, up to {highest.concurrency}", "good"), tuple(sentences)


def collapse_sentences(levels: Sequence[LevelMetrics]) -> list[str]:
    """Say from which number in flight throughput no longer grows, and from which it falls.

    Only valid closed-loop levels count. The knee is where their asymptotes meet (``knee.py``);
    throughput falls at a level whose whole 95 % interval lies below that of a smaller level.
    """
    valid = [
        level
        for level in sorted(levels, key=lambda one: one.concurrency)
        if level.loop == "closed" and level.validity == "valid" and level.throughput_per_s
    ]
    if len({level.concurrency for level in valid}) < 2:  # noqa: PLR2004 - one is no comparison
        return []
    in_flight = [float(level.concurrency) for level in valid]
    knee = knee_of(in_flight, [level.throughput_per_s or 0.0 for level in valid])
    best = max(valid, key=lambda level: level.throughput_per_s or 0.0)
    sentences = []
    if knee is not None and knee.is_reached and knee.in_flight < in_flight[0]:
        sentences.append(
            f"Beyond {knee.in_flight:.3g} in flight, more workflows only wait longer: with the "
            f"{quantity.seconds(knee.time_s)} that a workflow takes at the lowest level, that many "
            f"give {quantity.rate(knee.per_s)}, the highest throughput of any level."
        )
    fallen = [
        level
        for level in valid
        if level.concurrency > best.concurrency
        and level.throughput_high_per_s is not None
        and best.throughput_low_per_s is not None
        and level.throughput_high_per_s < best.throughput_low_per_s
    ]
    if fallen:
        first = fallen[0]
        sentences.append(
            f"Throughput falls from {quantity.rate(best.throughput_per_s or 0.0)} at "
            f"{best.concurrency} to {quantity.rate(first.throughput_per_s or 0.0)} at "
            f"{first.concurrency} in flight: the runtime begins to collapse there."
        )
    elif best.throughput_low_per_s is not None and best is not valid[-1]:
        sentences.append(
            f"No clear fall of throughput up to {valid[-1].concurrency} in flight: "
            "the 95 % intervals of the levels overlap."
        )
    return sentences


def _is_sustained(level: LevelMetrics) -> bool:
    played = level.ended_because.ran_to_end and all(one.reason == "done" for one in level.workers)
    return played and not level.has_failed_target


def _maximum_sentence(sustained: list[LevelMetrics]) -> list[str]:
    """Name the highest sustained level, with its share of failures and its validity."""
    if not sustained:
        return []
    highest = max(sustained, key=lambda level: level.concurrency)
    failed = "an unknown share"
    if highest.error_ratio is not None:
        failed = f"{100 * highest.error_ratio:.3g} %"
    validity = labels.validity_of(highest).text
    remark = "" if validity == "valid" else f" ({validity})"
    name = f"{labels.level_name(highest)}{remark}"
    how = f"{name} ran to its end; {failed} of the workflows in its steady phase failed."
    return [f"Sustained up to {highest.concurrency} in flight: {how}"]


def _stop_sentences(stopped: Stopped | None) -> list[str]:
    if stopped is None:
        return []
    level, detail = escape.visible(stopped.level), escape.visible(stopped.detail)
    sentences = [f"Stopped at {level} because {detail}."]
    if stopped.because in {EndedBecause.HOST_FLOOR, EndedBecause.DISK_FULL}:
        sentences.append("This is the limit of the machine, not of the target.")
    if stopped.not_run:
        sentences.append(f"Not run: {', '.join(escape.visible(one) for one in stopped.not_run)}.")
    return sentences
