"""Attempts per workflow, where workflows count them: how much load retries add to a failure.

A workflow counts with ``count("attempts")``, one each, or ``count("retries")``, one for each
attempt after the first (``perf_pipeline.steps``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.analysis.recovery.lost_service import BIN_S
from perf_pipeline.metrics.types.fault.recovery import Retries
from perf_pipeline.samples.steps.level_steps import IS_COLD, IS_COUNT, IS_OUTSIDE

if TYPE_CHECKING:
    from perf_pipeline.analysis.recovery.arrivals import Arrivals
    from perf_pipeline.metrics.survival.survival_curve import Floats
    from perf_pipeline.samples.steps.level_steps import LevelSteps

ATTEMPTS, RETRIES = "attempts", "retries"
STORM_RATIO = 1.5
"""More attempts per workflow are a retry storm."""

NOT_COUNTED = (
    'no workflow counted its attempts (count("attempts") or count("retries") of '
    "perf_pipeline.steps)"
)


def attempts_of(steps: LevelSteps, arrivals: Arrivals) -> Floats | None:
    """Return the attempts of each workflow, NaN where it counted none; None where nobody did."""
    found = {name: _counted(steps, name) for name in (ATTEMPTS, RETRIES)}
    if not any(found.values()):
        return None
    extra = found[RETRIES]
    first = 1.0 if extra and not found[ATTEMPTS] else np.nan
    attempts = {**{number: 1.0 + n for number, n in extra.items()}, **found[ATTEMPTS]}
    return np.array([attempts.get(number, first) for number in arrivals.number.tolist()])


def retries_of(
    arrivals: Arrivals, attempts: Floats, before_ns: tuple[int, int], fault_ns: tuple[int, int, int]
) -> Retries:
    """Return the attempts per workflow around a failure.

    Args:
        arrivals: All workflows of the level.
        attempts: Of each of them.
        before_ns: The time of the baseline.
        fault_ns: When it was injected, when it was gone, and until when it was watched.
    """
    injecting_ns, gone_ns, until_ns = fault_ns

    def mean(start_ns: int, end_ns: int) -> float | None:
        first, last = np.searchsorted(arrivals.due_ns, [start_ns, end_ns])
        known = attempts[first:last]
        known = known[~np.isnan(known)]
        return float(known.mean()) if len(known) else None

    step_ns = round(BIN_S * 1e9)
    storm = longest = 0
    for start_ns in range(gone_ns, until_ns, step_ns):
        storm = storm + 1 if (mean(start_ns, start_ns + step_ns) or 0.0) > STORM_RATIO else 0
        longest = max(longest, storm)
    return Retries(
        before=mean(*before_ns),
        during=mean(injecting_ns, gone_ns),
        after=mean(gone_ns, until_ns),
        storm_s=longest * BIN_S,
    )


def _counted(steps: LevelSteps, name: str) -> dict[int, float]:
    """Return what each workflow counted under a name, summed."""
    if name not in steps.names:
        return {}
    rows = steps.rows[steps.rows["name"] == steps.names.index(name)]
    flags = rows["flags"]
    rows = rows[(flags & IS_COUNT != 0) & (flags & (IS_COLD | IS_OUTSIDE) == 0)]
    numbers, place = np.unique(rows["number"], return_inverse=True)
    sums = np.bincount(place, weights=rows["value"], minlength=len(numbers))
    return dict(zip(numbers.tolist(), sums.tolist(), strict=True))
