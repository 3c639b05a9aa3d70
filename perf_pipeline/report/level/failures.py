"""Failures of a load level in one sentence: how many, of which classes, with a text of each.

What stands on top of the terminal, the report and the checks when more than a few workflows fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics

MANY = 10
"""From so many failures on, a level's failures are shown on top."""

MANY_RATIO = 0.01
"""Above this share of the workflows that ended, they are as well, however few there are."""

EXAMPLE_LENGTH_MAX = 200


def failed(level: LevelMetrics) -> int:
    """Return how many workflows of a level ended in an error or a timeout, cold starts included."""
    return level.outcomes.get("error", 0) + level.outcomes.get("timeout", 0)


def has_many_failures(level: LevelMetrics) -> bool:
    """Return whether more than a few workflows of a level failed, or one hangs."""
    count = failed(level)
    if level.hanging is not None:
        return True
    return count >= MANY or count > MANY_RATIO * (count + level.outcomes.get("ok", 0))


def failures(level: LevelMetrics) -> str:
    """Return how many workflows failed, and of what, the most frequent class first."""
    count = failed(level)
    ended = count + level.outcomes.get("ok", 0)
    share = f" ({quantity.percent(100 * count / ended)})" if ended else ""
    whole = f"{quantity.count(count)} of {quantity.count(ended)} workflows failed{share}"
    hanging = [level.hanging.sentence] if level.hanging else []
    return "; ".join([whole, *_classes(level), *hanging])


def _classes(level: LevelMetrics) -> list[str]:
    parts = []
    for name, count in sorted(level.error_classes.items(), key=lambda item: -item[1]):
        if count:
            text = next(iter(level.error_examples.get(name, ())), "")
            example = f" ({escape.visible(text, length_max=EXAMPLE_LENGTH_MAX)})" if text else ""
            parts.append(f"{escape.name(name)} {quantity.count(count)}{example}")
    if late := level.outcomes.get("timeout", 0):
        parts.append(f"longer than the deadline {quantity.count(late)}")
    return parts
