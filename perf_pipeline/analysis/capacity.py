"""The greatest load that meets its objectives: verdict of each step, and finding of all steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from perf_pipeline.analysis.beside_neighbours import SLOWED, is_judged
from perf_pipeline.analysis.capacity_search import Answer, CapacitySearch
from perf_pipeline.analysis.knee import knee_of
from perf_pipeline.analysis.queueing import LITTLE_SHARE, fit_usl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.capacity_search import StepVerdict
    from perf_pipeline.analysis.knee import Knee
    from perf_pipeline.analysis.queueing import Little, Usl
    from perf_pipeline.config.flags.capacity_flags import LoadKind
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict

Verdict = Literal["found", "at_least", "not_bounded", "none", "no_data"]
NO_MEASUREMENT = ("incomplete", "generator_limited", "noisy_host")
"""Validities that leave nothing to judge (``noisy_host`` only where more is wrong than that)."""
NOT_REACHED = (
    "up to the greatest load that ran, throughput grew about in proportion to the load, so where "
    "it stops growing is unknown"
)
UPPER_UNKNOWN = "the upper end is not known"
LOAD_UNITS: dict[LoadKind, str] = {"in_flight": " in flight", "rate": "/s"}


@dataclass(frozen=True)
class LoadPoint:
    """One run of a load.

    Attributes:
        load: Workflows in flight, or arrivals a second.
        level: Name of the level in the run.
        longer: True when it had run before and did not decide.
        verdict: What the step showed.
        why: A sentence; empty when it met.
        slos: Verdicts of the objectives at it.
        little: Little's law; None where nothing ended.
        throughput_per_s: Workflows that ended ok a second, steady phase.
        steady_s: Length of the steady phase.
        validity: The level's.
    """

    load: float
    level: str
    longer: bool
    verdict: StepVerdict
    why: str
    slos: tuple[SloVerdict, ...]
    little: Little | None
    throughput_per_s: float | None
    steady_s: float
    validity: str


@dataclass(frozen=True)
class CapacityFinding:
    """What a search found.

    Attributes:
        of: ``in_flight`` of a closed loop, or ``rate`` of an open one.
        slos: The objectives, as texts.
        verdict: ``found``; ``at_least``: the greatest load allowed still met; ``not_bounded``:
            nothing above the last that met could be judged; ``none``: even the smallest missed;
            ``no_data``: none met, and the smallest load did not certainly miss.
        value: The greatest load that met; None without any.
        below: The smallest load that missed: the capacity is less; None without any.
        first_bad: The smallest load that did not meet, for whatever reason; None without any.
        first_bad_why: The reason.
        is_narrow: Whether ``first_bad`` is as near to ``value`` as requested.
        steps: How many loads were tried.
        points: Every run of a load, in order.
        knee: Where throughput stops growing and times begin to; None without any point.
        usl: The universal scalability law through the points; None with fewer than 4 loads.
    """

    of: LoadKind
    slos: tuple[str, ...]
    verdict: Verdict
    value: float | None
    below: float | None
    first_bad: float | None
    first_bad_why: str
    is_narrow: bool
    steps: int
    points: tuple[LoadPoint, ...]
    knee: Knee | None
    usl: Usl | None

    @property
    def at_value(self) -> LoadPoint | None:
        """The point at the greatest load that met."""
        found = [p for p in self.points if p.load == self.value and p.verdict == "met"]
        return found[-1] if found else None

    @property
    def summary(self) -> str:
        """The answer, in a sentence."""
        objectives = " and ".join(self.slos)
        if self.value is None:
            smallest = min((p.load for p in self.points), default=None)
            if smallest is None:
                return f"no load ran, so nothing is known of {objectives}"
            what = "misses" if self.verdict == "none" else "does not certainly meet"
            return f"even {self.shown(smallest)} {what} {objectives}: {self.first_bad_why}"
        head = f"{self.shown(self.value)} meets {objectives}"
        match self.verdict:
            case "at_least":
                return (
                    f"{head}, and it is the maximum that was allowed: the capacity is at least that"
                )
            case "not_bounded":
                return (
                    f"{head}; greater loads could not be judged "
                    f"({self.shown(self.first_bad or 0.0)}: {self.first_bad_why})"
                )
            case _:
                tail = f"{self.shown(self.below or 0.0)} misses it"
                if self.first_bad is not None and self.first_bad != self.below:
                    tail += f"; at {self.shown(self.first_bad)} already: {self.first_bad_why}"
                wide = "" if self.is_narrow else f" (no nearer after {self.steps} steps)"
                return f"{head}, {tail}{wide}"

    @property
    def noise(self) -> str:
        """At which steps other programs used the machine, and what follows; empty at none."""
        noisy = [point for point in self.points if point.validity == "noisy_host"]
        if not noisy:
            return ""
        loads = ", ".join(dict.fromkeys(self.shown(point.load) for point in noisy))
        at = "step" if len(noisy) == 1 else "steps"
        return (
            f"other programs used the machine at {len(noisy)} of {len(self.points)} {at} "
            f"({loads}): a load that met its objectives beside them meets them without, and one "
            "that did not is unclear, so the capacity may be higher than found"
        )

    def shown(self, load: float) -> str:
        """Return a load with its unit: ``120 in flight``, ``57.3/s``."""
        return f"{load:.4g}{LOAD_UNITS[self.of]}"


def judge_step(level: LevelMetrics, little: Little | None) -> Answer:
    """Return the verdict of one level on its load.

    The objectives are judged only where the level is a measurement, and steady by its series and by
    Little's law. A growing queue is not steady, but decides: more arrives than can be served. So
    does a target that failed, and an objective that a bound misses. Beside other programs on the
    machine a load that meets its objectives meets them without; one that does not is unclear.

    Args:
        level: Its metrics, with the verdicts of its objectives.
        little: Little's law over its steady phase.
    """
    if level.ended_because.is_finding:
        return Answer("missed", level.ended_detail)
    if level.validity == "target_failed":
        return Answer("missed", level.reasons[0])
    if grew := _of_queue(level, little):
        return grew
    if not is_judged(level):
        is_missed = any(slo.verdict == "missed" for slo in level.slos)
        return _of_slos(level.slos) if is_missed else _of_doubt(level)
    if little is None or not little.holds:
        return Answer("not_steady", _unbalanced(little))
    return _of_slos(level.slos)


def _of_queue(level: LevelMetrics, little: Little | None) -> Answer | None:
    """Return the verdict of a queue that grew, unclear beside a neighbour; None where none did."""
    is_noisy = level.validity == "noisy_host"
    if_quiet = level.validity_if_quiet if is_noisy else level.validity
    load = level.open_load
    if load is None or not load.queue_grew or if_quiet in NO_MEASUREMENT:
        return None
    ended_per_s = little.ended_per_s if little else 0.0
    why = f"{load.offered_per_s:.4g}/s arrived and {ended_per_s:.4g}/s ended: the queue grew"
    if is_noisy:
        return Answer("unclear", f"{SLOWED}; {why}")
    return Answer("missed", why, ceiling=ended_per_s or None)


def _of_doubt(level: LevelMetrics) -> Answer:
    reasons = "; ".join(level.reasons) or level.validity
    if level.validity in NO_MEASUREMENT:
        return Answer("not_measured", f"{level.validity}: {reasons}")
    return Answer("unclear" if level.validity == "too_few_samples" else "not_steady", reasons)


def find_capacity(
    search: CapacitySearch, of: LoadKind, slos: Sequence[str], points: Sequence[LoadPoint]
) -> CapacityFinding:
    """Return the finding of all steps of a search.

    Args:
        search: The search, ended or interrupted.
        of: The kind of its loads.
        slos: The objectives, as texts.
        points: Every run of a load.
    """
    bad = search.first_bad
    why = next((s.answer.why for s in search.steps if s.load == bad), "")
    steady = [
        p for p in points if p.little is not None and p.verdict in ("met", "missed", "unclear")
    ]
    curve = [p.little for p in steady if p.little is not None and p.little.holds]
    in_flight, per_s = [one.in_flight for one in curve], [one.ended_per_s for one in curve]
    return CapacityFinding(
        of=of,
        slos=tuple(slos),
        verdict=_verdict(search),
        value=search.last_good,
        below=search.first_missed,
        first_bad=bad,
        first_bad_why=why,
        is_narrow=search.is_narrow,
        steps=len(search.steps),
        points=tuple(points),
        knee=knee_of(in_flight, per_s),
        usl=fit_usl(in_flight, per_s),
    )


def _verdict(search: CapacitySearch) -> Verdict:
    good, missed = search.last_good, search.first_missed
    if good is None:
        smallest = min((step.load for step in search.steps), default=None)
        return "none" if missed is not None and missed == smallest else "no_data"
    if search.first_bad is None:
        return "at_least" if good >= search.space.maximum else "not_bounded"
    return "not_bounded" if missed is None else "found"


def _unbalanced(little: Little | None) -> str:
    if little is None:
        return "no workflow ended in the steady phase"
    return (
        f"Little's law does not hold: {little.ended_per_s:.4g}/s x {little.time_s:.4g} s is "
        f"{little.ratio:.1%} of the {little.in_flight:.4g} in flight "
        f"(100 % +- {LITTLE_SHARE:.0%}): the workflows that ended in the steady phase "
        "are not like those that stayed"
    )


def _of_slos(slos: Sequence[SloVerdict]) -> Answer:
    """Return the worst of the verdicts: one objective that is missed decides for all."""
    if not slos:
        return Answer("unclear", "no objective applies to this level")
    verdicts: tuple[tuple[StepVerdict, tuple[str, ...]], ...] = (
        ("missed", ("missed",)),
        ("unclear", ("unclear", "no_data")),
    )
    for verdict, kinds in verdicts:
        found = [slo for slo in slos if slo.verdict in kinds]
        if found:
            texts = [f"{slo.slo.text}: {_value(slo)}" for slo in found]
            slowed = [SLOWED] if any(SLOWED in slo.why for slo in found) else []
            return Answer(verdict, "; ".join([*texts, *slowed]))
    return Answer("met")


def _value(slo: SloVerdict) -> str:
    if slo.value is None:
        return slo.why
    if slo.verdict == "no_data":
        return f"{slo.value:.4g} {slo.slo.about.unit}, which decides nothing: {slo.why}"
    bound = "at least " if slo.at_least else ""
    high = f"or more, {UPPER_UNKNOWN}" if slo.high is None else f"to {slo.high:.4g}"
    interval = "" if slo.low is None else f" (95 % interval {slo.low:.4g} {high})"
    return f"{bound}{slo.value:.4g} {slo.slo.about.unit}".rstrip() + interval
