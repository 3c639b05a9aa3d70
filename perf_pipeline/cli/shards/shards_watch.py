"""The progress of a run in shards: the sums of what its shards write."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.plan.phase_rules import CONTROL_S, timed_phases
from perf_pipeline.monitoring.run_progress import OVERHEAD_S, REPORT, RunWatch
from perf_pipeline.samples.planned_levels import PlannedLevel, read_planned_levels
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.shards.shard_order import shard_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.monitoring.run_progress import RunProgress


class ShardsWatch:
    """Reads the folders of the shards of a run as they grow."""

    def __init__(self, run: RunFolder, count: int) -> None:
        """Read nothing yet.

        Args:
            run: The folder of the run; need not be there yet.
            count: How many shards it has.
        """
        self._folders = [RunFolder(shard_folder(run.root, index)) for index in range(count)]
        self._watches = [RunWatch(folder) for folder in self._folders]

    def look(self) -> RunProgress | None:
        """Return how far the run is: as far as the last of the shards that have begun."""
        found = [one for watch in self._watches if (one := watch.look()) is not None]
        if not found:
            return None
        playing = [one for one in found if one.phase != REPORT] or found
        level = min(one.index for one in playing)
        at = [one for one in playing if one.index == level]
        planned = next(filter(None, map(read_planned_levels, self._folders)))
        return replace(
            min(at, key=lambda one: one.elapsed_s),
            in_flight=sum(one.in_flight for one in at),
            ended=sum(one.ended for one in at),
            failed=sum(one.failed for one in at),
            rate_per_s=sum(one.rate_per_s for one in at),
            mean_service_s=_mean([(one.mean_service_s, one.rate_per_s) for one in at]),
            mean_response_s=_mean([(one.mean_response_s, one.rate_per_s) for one in at]),
            errors=_errors(at),
            left_s=_left_s(planned[level:], min(one.elapsed_s for one in at)),
            concerns=(),  # a share is judged by nothing: only the sum can be in flight as asked for
        )


def _mean(weighted: Sequence[tuple[float | None, float]]) -> float | None:
    """Return the mean of the shards' means, each by its rate; None where none has one."""
    known = [(mean, weight) for mean, weight in weighted if mean is not None and weight > 0]
    total = sum(weight for _, weight in known)
    return sum(mean * weight for mean, weight in known) / total if known else None


def _errors(at: Sequence[RunProgress]) -> dict[str, int] | None:
    """Return the errors of all; None where those of one cannot be read."""
    if any(one.errors is None for one in at):
        return None
    errors: Counter[str] = Counter()
    for one in at:
        errors.update(one.errors or {})
    return dict(errors)


def _left_s(levels: Sequence[PlannedLevel], elapsed_s: float) -> float:
    """Return what is left of the run: phases of shards end by time alone."""
    lengths_s = [_length_s(level) for level in levels]
    return max(0.0, lengths_s[0] - elapsed_s) + sum(lengths_s[1:])


def _length_s(level: PlannedLevel) -> float:
    is_open = level.loop == "open"
    phases_s = sum(length_s for _, length_s in timed_phases(level.phases, ramps=not is_open))
    control_s = CONTROL_S if is_open else 0.0
    return phases_s + control_s + OVERHEAD_S + level.phases.cooldown_s
