"""The verdict of a load level on a service level objective, with its value and reason."""

from dataclasses import dataclass

from perf_pipeline.config.slo.slo import Slo
from perf_pipeline.config.slo.verdict import Verdict


@dataclass(frozen=True)
class SloVerdict:
    """One objective at one level.

    Attributes:
        slo: The objective.
        level: Name of the level for people.
        index: Position of the level in the run; -1 when it was not run.
        family: The kind of workflow, ``analytics/simple``; empty for all together.
        what: What was measured, as text: in a closed loop a latency is a service time, in an
            open one a response time.
        value: The value, in the metric's unit; None without data. For a sliding window, that of the
            worst one.
        low: Lower end of the 95 % interval; None where there is none.
        high: Upper end, likewise.
        at_least: True when the true value is ``value`` or more.
        samples: Number of workflows, or of samples of the resource monitor, behind the value.
        validity: The level's.
        at_s: End of the worst window, seconds after the level's go; None over the steady phase.
        verdict: ``met``; ``missed``; ``unclear``: the interval contains the limit, or some windows
            could not be judged; ``no_data``: too few samples, not measured, or no valid level.
        why: What it means and, unless met, what to do.
    """

    slo: Slo
    level: str
    index: int
    family: str
    what: str
    value: float | None
    low: float | None
    high: float | None
    at_least: bool
    samples: int
    validity: str
    at_s: float | None
    verdict: Verdict
    why: str
