"""What the check of the repeats says: do they differ by more than one of them can explain?"""

import dagster as dg

from assets.verdicts import described
from perf_pipeline.metrics.types.run_metrics import RunMetrics
from perf_pipeline.report.text import escape

_MEANS = (
    "Something that is drawn once a run, or that changes while it lasts, moves the throughput by "
    "more than its interval says: a single run of this scenario is less certain than it looks."
)
_TO_DO = (
    "What to do: compare by the interval between repeats, with more of them and with order = "
    '"shuffled"; see whether the machine was quiet.'
)


def repeats_result(metrics: RunMetrics) -> dg.AssetCheckResult:
    """Warn where the throughputs of repeats lie wider than the interval within one of them."""
    lines = {escape.name(each.label): each.told for each in metrics.repeats}
    differing = [each for each in metrics.repeats if each.of("throughput_per_s").differ]
    unknown = [each for each in metrics.repeats if each.of("throughput_per_s").differ is None]
    told = ["No level was repeated."]
    if metrics.repeats:
        told = [f"Repeats of {len(metrics.repeats)} levels agree as far as one of them can tell."]
    if differing or unknown:
        told = [each.told for each in (*differing, *unknown)]
        told += [_MEANS, _TO_DO] if differing else ["Whether they agree is not known."]
    return dg.AssetCheckResult(
        passed=not differing and not unknown,
        severity=dg.AssetCheckSeverity.WARN,
        description=described(told),
        metadata=lines,
    )
