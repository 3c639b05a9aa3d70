"""A resource that ran out as the bottleneck: where many workflows fail for it, it limits the rest.

It comes before every other cause. What the workflows that worked were waiting for is then beside
the point, and the cores are busy with failing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.bottleneck.evidence import TENTH, amount, need
from perf_pipeline.metrics.resources.exhaustion import CLASS
from perf_pipeline.metrics.types.bottleneck import Bottleneck, Evidence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.exhaustion import Exhaustion
    from perf_pipeline.metrics.types.level import LevelMetrics

_ENDED = ("ok", "error", "timeout")


def exhaustion_of(level: LevelMetrics) -> Bottleneck | None:
    """Return the resource that limits a level; None if less than a tenth of it failed for one.

    Counted over the steady phase, or over the whole level where nothing ended in that. Where
    nothing succeeded there was no work to limit: then the reasons of the level name the resource.
    """
    if not level.exhausted or not level.outcomes.get("ok"):
        return None
    outcomes, errors = level.steady_outcomes, level.steady_error_classes
    ended = sum(outcomes.get(name, 0) for name in _ENDED)
    if not ended:
        outcomes, errors = level.outcomes, level.error_classes
        ended = sum(outcomes.get(name, 0) for name in _ENDED)
    share = 100 * errors.get(CLASS, 0) / ended
    if share < 100 * TENTH:
        return None
    named = "; ".join(one.sentence for one in level.exhausted)
    why = f"{amount(share)} % of the workflows failed because a resource ran out: {named}."
    evidence = tuple(each for one in level.exhausted for each in _evidence(one, share))
    return Bottleneck("resource_exhaustion", why, evidence)


def _evidence(exhausted: Exhaustion, share: float) -> Iterator[Evidence]:
    what, cause = exhausted.resource, f"ran out: {exhausted.resource}"
    failed = need("workflows that failed for a resource", share, "%", minimum=100 * TENTH)
    yield Evidence(cause, failed.what, share, "%", failed.minimum, None, failed.holds)
    if exhausted.used is not None or exhausted.limit is not None:
        yield Evidence("", f"{what} in use, maximum", exhausted.used, what)
        yield Evidence("", f"limit of {what}: {exhausted.source}", exhausted.limit, what)
