"""The time of a whole bisection: what fits into it is known beforehand, and it ends in time.

Both searches and the question for the cause share one budget, in turn. Each comparison gets an
equal part of what is left to its search; a search ends with what it knows when no comparison fits
any more. What was begun is finished: the budget may be exceeded by one installation, or by the
pages of one comparison.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from perf_pipeline.analysis.comparison.sequential import MIN_PAIRS
from perf_pipeline.config.duration import duration_text
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.scenario import Phases

LEVEL_S = 2.5
"""What a level takes beside its phases: its worker process starts, and its records are measured."""

SET_UP_S = 6.0
"""What a comparison takes beside its levels: trying the release, and writing the pages."""

FEWEST_PAIRS = 3
"""With fewer pairs, an interval decides nothing."""

COMPARISON_MAX_S = 600.0
"""Maximum time of the levels of a first comparison, however much is left."""

SHARES = (0.45, 0.9, 1.0)
"""Which part of the budget has passed, at most, when each search ends."""


def comparison_s(phases: Phases, in_flight: int, pairs: int = MIN_PAIRS) -> float:
    """Return about how long a comparison of so many pairs of levels takes.

    Args:
        phases: Of its levels.
        in_flight: Workflows in flight.
        pairs: The comparison ends after six at the soonest.
    """
    level_s = phases.ramp_s(in_flight) + phases.warm_up_s + phases.steady_s + phases.cooldown_s
    return SET_UP_S + 2 * pairs * (level_s + LEVEL_S)


def comparisons_max(releases: int) -> int:
    """Return how many comparisons a search among releases takes at most, without repetitions."""
    return 1 if releases <= 2 else 1 + math.ceil(math.log2(releases - 1))  # noqa: PLR2004 - two ends


class Budget:
    """What is left of the time of a bisection."""

    def __init__(
        self, total_s: float, one_s: float, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin.

        Args:
            total_s: For everything.
            one_s: How long a comparison takes, by ``comparison_s``.
            clock_s: A clock that does not go back.

        Raises:
            ScenarioError: Not one comparison fits.
        """
        if total_s < one_s:
            problem = (
                f"--budget is {duration_text(total_s)}, and one comparison takes about "
                f"{_about(one_s)}: {2 * MIN_PAIRS} levels. Give more time, or shorter levels "
                "(--duration)."
            )
            raise ScenarioError([problem])
        self._total_s = total_s
        self._one_s = one_s
        self._clock_s = clock_s
        self._began_s = clock_s()
        self._until_s = total_s
        self._expected = 1

    def announcement(self, releases: int) -> str:
        """Return what fits: the comparisons of both searches, and what they take."""
        most = comparisons_max(releases)
        needed_s = 2 * most * self._one_s
        text = (
            f"at most {most} comparisons as published and {most} pinned, each from "
            f"{_about(self._one_s)} on: about {_about(needed_s)}, without installing; the "
            f"budget is {duration_text(self._total_s)}"
        )
        if needed_s <= self._total_s:
            return text
        fit = max(int(SHARES[0] * self._total_s / self._one_s), 1)
        return (
            f"{text}. That allows about {fit} of each: the answer is a range of releases, unless "
            "the search is lucky. Give more time (--budget), shorter levels (--duration) or a "
            "narrower range"
        )

    def begin_search(self, number: int, releases: int) -> None:
        """Begin a search.

        Args:
            number: 0 as published, 1 pinned, 2 for the cause.
            releases: Among how many.
        """
        self._until_s = SHARES[number] * self._total_s
        self._expected = comparisons_max(releases)

    def levels_s(self, effort: int) -> float:
        """Return for how long the levels of the next comparison may be played."""
        if effort == 1:
            share_s = max(self._left_s() / max(self._expected, 1), self._one_s)
            self._expected -= 1
        else:
            share_s = self._left_s()
        return max(min(share_s, effort * COMPARISON_MAX_S, self._left_s()) - SET_UP_S, 0.0)

    def spent(self) -> str:
        """Return why no further comparison is begun; empty if one is."""
        left_s = self._left_s()
        fewest_s = SET_UP_S + (self._one_s - SET_UP_S) * FEWEST_PAIRS / MIN_PAIRS
        if left_s >= fewest_s:
            return ""
        return (
            f"of the budget of {duration_text(self._total_s)} this search has "
            f"{_about(max(left_s, 0.0))} left, and a comparison takes {_about(fewest_s)}"
        )

    def _left_s(self) -> float:
        return self._until_s - (self._clock_s() - self._began_s)


def _about(seconds: float) -> str:
    """Return a length of time for people: ``45 s``, ``3 min``, ``1.5 h``."""
    if seconds < 100:  # noqa: PLR2004 - then minutes say enough
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"  # noqa: PLR2004
