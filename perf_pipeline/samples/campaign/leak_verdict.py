"""Whether one signal of a long run leaks."""

from dataclasses import dataclass
from typing import Literal

LeakWord = Literal["leak", "clean", "inconclusive"]


@dataclass(frozen=True)
class LeakVerdict:
    """Whether a signal leaks, and what the run could have seen.

    Attributes:
        name: Of the signal, as ``target.heap_blocks``.
        verdict: ``leak``: it grows, and no warm-up, allocator, step, daily cycle or load explains
            it; ``clean``: it grows by less than is harmful; ``inconclusive``: neither is proven.
        growth_per_hour: At the end of the run, in the unit of the signal; None where there are too
            few samples, and then so are all that follow but ``reason``.
        interval: Ends of its 95 % interval.
        growth_per_1000_workflows: The same for 1000 workflows; None unless they were counted.
        interval_per_1000_workflows: Likewise.
        smallest_visible: Growth an hour that this run would have called a leak four times in five.
        growth_percent_per_day: ``growth_per_hour`` in 24 hours, of the level.
        level: Median of the floors.
        hours: Time that was judged.
        limit: Value that the signal must not reach; None where there is none.
        hours_to_limit: Until the growth reaches the limit; None without a limit, where the signal
            is clean, and where its interval does not exclude that it does not grow.
        warm_up_hours: Length of the warm-up that was found; None without one.
        warm_up_workflows: Workflows that ended in it; None unless they were counted.
        step: Height of a step that was found, which is no leak; None without one.
        step_hour: When it was.
        leak_probability: That there is a growth which is not negligible.
        reason: Why the verdict is what it is, as a sentence.
    """

    name: str
    verdict: LeakWord
    growth_per_hour: float | None
    interval: tuple[float, float] | None
    growth_per_1000_workflows: float | None
    interval_per_1000_workflows: tuple[float, float] | None
    smallest_visible: float | None
    growth_percent_per_day: float | None
    level: float | None
    hours: float
    limit: float | None
    hours_to_limit: float | None
    warm_up_hours: float | None
    warm_up_workflows: float | None
    step: float | None
    step_hour: float | None
    leak_probability: float | None
    reason: str
