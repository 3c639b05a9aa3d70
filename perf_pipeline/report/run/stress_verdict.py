"""The question of a stress run: up to how many in flight does the target hold its load?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from perf_pipeline.analysis.queueing import knee_of
from perf_pipeline.report.text import escape, labels, quantity
from perf_pipeline.report.text.table import Cell
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

QUESTION = "How much load does it hold?"
NEVER = {"error_ratio": 1.0, "memory_free_mb": 0.0, "descriptors_free": 0}
"""The limits of ``config.scenario.Stop`` that end nothing."""


def is_asked(metrics: RunMetrics) -> bool:
    """Return whether the run's scenario looks for the end of what the target holds."""
    stop = metrics.manifest.get("stop")
    watched = isinstance(stop, Mapping) and any(stop.get(k, v) != v for k, v in NEVER.items())
    return watched or isinstance(metrics.manifest.get("stopped"), Mapping)


def answer(metrics: RunMetrics) -> tuple[Cell, tuple[str, ...]]:
    """Return the answer in a few words, and the sentences that it rests on.

    A level is held if it ran to its end with every worker; whether its numbers are a measurement
    is another question, and stands beside it.
    """
    levels = [level for level in metrics.levels if level.role == "level"]
    broken = {level.concurrency for level in levels if not _is_held(level)}
    least_broken = min(broken, default=None)
    held = [
        level
        for level in levels
        if _is_held(level) and (least_broken is None or level.concurrency < least_broken)
    ]
    sentences = [*_held_sentence(held), *_stopped_sentences(metrics.manifest.get("stopped"))]
    sentences += [
        f"{labels.level_name(level)} did not run to its end: "
        f"{escape.visible(level.ended_detail or level.ended_because)}."
        for level in levels
        if not (level.ended_because.ran_to_end or level.ended_because.stops_run)
    ]
    sentences += collapse_sentences(levels)
    if not levels:
        return Cell("no data", "quiet"), ("No level was played.", *sentences)
    if not held:
        return Cell("held at no level", "bad"), tuple(sentences)
    most = max(held, key=lambda level: level.concurrency)
    if broken or isinstance(metrics.manifest.get("stopped"), Mapping):
        return Cell(f"held up to {most.concurrency}", "warn"), tuple(sentences)
    sentences.append("Its end was not reached: no level failed.")
    return Cell(f"held every level, up to {most.concurrency}", "good"), tuple(sentences)


def collapse_sentences(levels: Sequence[LevelMetrics]) -> list[str]:
    """Say where more in flight stops helping, and where it begins to harm.

    By valid closed levels alone: the knee is where their asymptotes meet (``queueing.py``),
    and throughput falls where a level's whole 95 % interval lies below that of a smaller level.
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
            f"More than {knee.in_flight:.3g} in flight only wait longer: so many give "
            f"{quantity.rate(knee.per_s)}, the most of any level, if one takes "
            f"{quantity.seconds(knee.time_s)} as at the lowest."
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
            f"{first.concurrency} in flight: there the runtime begins to collapse."
        )
    elif best.throughput_low_per_s is not None and best is not valid[-1]:
        sentences.append(
            f"Throughput does not surely fall up to {valid[-1].concurrency} in flight: "
            "the 95 % intervals of the levels overlap."
        )
    return sentences


def _is_held(level: LevelMetrics) -> bool:
    return level.ended_because.ran_to_end and all(one.reason == "done" for one in level.workers)


def _held_sentence(held: list[LevelMetrics]) -> list[str]:
    """Name the greatest level that was held, with its share of failures and its validity."""
    if not held:
        return []
    most = max(held, key=lambda level: level.concurrency)
    failed = "an unknown share"
    if most.error_ratio is not None:
        failed = f"{100 * most.error_ratio:.3g} %"
    found = labels.validity_of(most).text
    doubt = "" if found == "valid" else f" ({found})"
    name = f"{labels.level_name(most)}{doubt}"
    how = f"{name} ran to its end, and {failed} of what ended in its steady phase failed."
    return [f"Held up to {most.concurrency} in flight: {how}"]


def _stopped_sentences(stopped: Any) -> list[str]:
    if not isinstance(stopped, Mapping):
        return []
    level, detail = escape.visible(stopped.get("level")), escape.visible(stopped.get("detail"))
    sentences = [f"Stopped at {level} because {detail}."]
    if stopped.get("because") == EndedBecause.HOST_FLOOR:
        sentences.append("That is the machine's end, not the target's.")
    not_run = stopped.get("not_run")
    if isinstance(not_run, list | tuple) and not_run:
        sentences.append(f"Not run: {', '.join(escape.visible(one) for one in not_run)}.")
    return sentences
