"""What a verdict is worth when other programs used the machine: one rule for all limits.

A neighbour can only slow a target down. So a limit that was met beside a neighbour would have been
met without it, and one that was missed may have been missed because of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics

SLOWED = "other programs used the machine and may have slowed the target down"


def is_judged(level: LevelMetrics) -> bool:
    """Return whether limits are applied to a level: it is valid, or would be without neighbours."""
    return level.validity == "valid" or level.is_only_noisy


def beside_neighbours(
    verdict: Verdict, level: LevelMetrics, *, slower_is_worse: bool = True
) -> Verdict:
    """Return a verdict on a level as it stands beside that level's neighbours.

    Args:
        verdict: What the figures of the level give by themselves.
        level: The level; of one that has no noisy neighbour the verdict is returned as it is.
        slower_is_worse: Whether a target that is slowed down comes nearer to missing the limit.
            False for its CPU use, which a neighbour lowers: ``met`` is then what is unclear.
    """
    unsure = "missed" if slower_is_worse else "met"
    return "unclear" if level.is_only_noisy and verdict == unsure else verdict
