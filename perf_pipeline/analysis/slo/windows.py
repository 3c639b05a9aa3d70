"""An SLO over a sliding window, judged from the records: the worst window decides.

A workflow counts in the window in which it was decided whether it meets a limit on its time: at
its end if it ended within the limit, else at the moment when it exceeded the limit. So each counts
once, and a standstill breaks the limit while it lasts, not when it ends. Dropped and timed-out
workflows break every limit. A workflow that the end of the level abandoned before its limit
decided nothing and does not count.

The content of a window is known exactly, so there is no interval. A percentile of few workflows is
not judged: a window with fewer than 10 / (1 - p) is judged only when at least 10 of them broke the
limit. A share of failures and a mean need 20.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.analysis.slo.sliding import Span, Worst, min_count, worst_mean, worst_share
from perf_pipeline.analysis.slo.steady import DROPS_NOTHING, Measured, is_response, no_times
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.survival.outcomes import ENDED
from perf_pipeline.samples.record import NOT_STARTED, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import FamilyMetrics

MIN_ENDED = 20
_UNANSWERED = [int(Outcome.TIMEOUT), int(Outcome.DROPPED)]


@dataclass(frozen=True)
class LevelHistory:
    """The records from which sliding windows are judged.

    Attributes:
        frame: Records of ``SCHEMA`` without cold starts.
        kinds: (family, complexity) of each kind, by index.
        go_ns: CLOCK_MONOTONIC of the go.
        steady_ns: Start and end of the steady phase.
    """

    frame: pl.DataFrame
    kinds: Sequence[tuple[str, str]]
    go_ns: int
    steady_ns: tuple[int, int]

    def of(self, family: FamilyMetrics | None) -> pl.DataFrame:
        """Return the records of one kind of workflow, or of all kinds for None."""
        if family is None:
            return self.frame
        kind = self.kinds.index((family.family, family.complexity))
        return self.frame.filter(pl.col("kind") == kind)


def over_window(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, history: LevelHistory | None
) -> Measured:
    """Return the value of the worst window within the steady phase, and what it decides."""
    why = _why_not(slo, level)
    if why or history is None:
        return Measured(None, why=why or "the records of the level are not available")
    span = Span(*history.steady_ns, round(slo.window_s * 1e9))
    if span.first_ns > span.end_ns:
        length_s = (span.end_ns - span.start_ns) / 1e9
        why = f"the steady phase lasted {length_s:.3g} s, less than a window: run longer"
        return Measured(None, why=why)
    if slo.about.kind == "cpu":
        return _cpu(slo, level, span, history.go_ns)
    return _of_records(slo, level, history.of(family), span, history.go_ns)


def _why_not(slo: Slo, level: LevelMetrics) -> str:
    """Return why a closed level has no such metric; empty if it has one."""
    if level.loop == "open":
        return ""
    if slo.about.times and is_response(slo, level):
        return no_times(slo, level)
    return DROPS_NOTHING if slo.metric == "dropped_ratio" else ""


def _of_records(
    slo: Slo, level: LevelMetrics, frame: pl.DataFrame, span: Span, go_ns: int
) -> Measured:
    match slo.about.kind:
        case "percentile" | "maximum":
            return _times(slo, level, frame, span, go_ns)
        case "mean":
            return _mean(slo, level, frame, span, go_ns)
        case "rate":
            return _rate(slo, frame, span, go_ns)
        case _:
            return _share(slo, frame, span, go_ns)


def _times(slo: Slo, level: LevelMetrics, frame: pl.DataFrame, span: Span, go_ns: int) -> Measured:
    response = is_response(slo, level)
    if not response:
        frame = frame.filter((pl.col("flags") & NOT_STARTED) == 0)
    begin = pl.col("intended_start_ns" if response else "start_ns")
    limit_ns = round(slo.limit * 1e9)
    lasted = pl.col("end_ns") - begin
    abandoned = pl.col("outcome") == int(Outcome.ABANDONED)
    decided = (
        frame.filter(~abandoned | (lasted > limit_ns))
        .select(
            at=pl.when(lasted > limit_ns).then(begin + limit_ns).otherwise(pl.col("end_ns")),
            bad=(lasted > limit_ns) | pl.col("outcome").is_in(_UNANSWERED),
            lasted=lasted,
        )
        .sort("at")
    )
    allowed, enough, sure = 0.0, 1.0, 1
    if slo.about.kind == "percentile":
        allowed = 1 - slo.about.p
        enough, sure = MIN_TAIL_SAMPLES / allowed - 1e-6, MIN_TAIL_SAMPLES
    at_ns = decided["at"].to_numpy()
    bad = decided["bad"].to_numpy()
    worst = worst_share(at_ns, bad, span, allowed=allowed, enough=enough, sure=sure)
    inside = (at_ns > worst.at_ns - span.length_ns) & (at_ns <= worst.at_ns)
    lasted_ns = decided["lasted"].to_numpy()[inside]
    p = slo.about.p if slo.about.kind == "percentile" else 1.0
    value_s = _nearest_rank(lasted_ns, p) / 1e9 if len(lasted_ns) else None
    return _measured(worst, value_s, span, go_ns, enough=enough)


def _nearest_rank(values: npt.NDArray[np.int64], p: float) -> float:
    rank = max(1, int(np.ceil(p * len(values) - 1e-9)))
    return float(np.partition(values, rank - 1)[rank - 1])


def _mean(slo: Slo, level: LevelMetrics, frame: pl.DataFrame, span: Span, go_ns: int) -> Measured:
    begin = "intended_start_ns" if is_response(slo, level) else "start_ns"
    if not is_response(slo, level):
        frame = frame.filter((pl.col("flags") & NOT_STARTED) == 0)
    ended = frame.filter(pl.col("outcome").is_in(ENDED))["end_ns"].sort().to_numpy()
    worst = worst_mean(
        frame[begin].sort().to_numpy(),
        frame["end_ns"].sort().to_numpy(),
        ended,
        span,
        limit_ns=slo.limit * 1e9,
        enough=MIN_ENDED,
    )
    return _measured(worst, worst.amount / 1e9, span, go_ns, enough=MIN_ENDED)


def _rate(slo: Slo, frame: pl.DataFrame, span: Span, go_ns: int) -> Measured:
    ok = frame.filter(pl.col("outcome") == int(Outcome.OK))["end_ns"].sort().to_numpy()
    worst = min_count(ok, span, limit=slo.limit * slo.window_s)
    return _measured(worst, worst.amount / slo.window_s, span, go_ns, enough=0)


def _share(slo: Slo, frame: pl.DataFrame, span: Span, go_ns: int) -> Measured:
    if slo.metric == "dropped_ratio":
        known = frame.filter(pl.col("outcome") != int(Outcome.ABANDONED))
        bad = pl.col("outcome") == int(Outcome.DROPPED)
    else:
        known = frame.filter(pl.col("outcome").is_in(ENDED))
        bad = pl.col("outcome") != int(Outcome.OK)
    rows = known.select(at="end_ns", bad=bad).sort("at")
    at_ns, is_bad = rows["at"].to_numpy(), rows["bad"].to_numpy()
    worst = worst_share(at_ns, is_bad, span, allowed=slo.limit, enough=MIN_ENDED, sure=MIN_ENDED)
    return _measured(worst, worst.amount, span, go_ns, enough=MIN_ENDED)


def _cpu(slo: Slo, level: LevelMetrics, span: Span, go_ns: int) -> Measured:
    """Return the greatest mean of the samples in a window; windows end at samples.

    A sample gives the CPU use since the sample before.
    """
    first_s, end_s = (span.first_ns - go_ns) / 1e9, (span.end_ns - go_ns) / 1e9
    points = [
        (point.t_s, 100 * point.workers_cores)
        for point in level.resources.series
        if point.workers_cores is not None
    ]
    best: tuple[float, float, int] | None = None
    for t_s, _ in points:
        if first_s <= t_s <= end_s:
            inside = [percent for at_s, percent in points if t_s - slo.window_s < at_s <= t_s]
            mean = sum(inside) / len(inside)
            best = max(best or (mean, t_s, len(inside)), (mean, t_s, len(inside)))
    if best is None:
        return Measured(None, why="the resource monitor has no sample in any window")
    value, at_s, samples = best
    verdict: Verdict = "met" if value <= slo.limit else "missed"
    return Measured(value, samples, at_s=at_s, verdict=verdict)


def _measured(
    worst: Worst, value: float | None, span: Span, go_ns: int, *, enough: float
) -> Measured:
    """Return the verdict: missed by any window, met by all, or how much could not be judged."""
    at_s = (worst.at_ns - go_ns) / 1e9
    if worst.missed:
        return Measured(value, worst.samples, at_s=at_s, verdict="missed")
    few = f"fewer than {enough:,.0f} workflows, too few for one"
    if not worst.judged:
        why = f"every window had {few}: a longer window_s or more load gives more"
        return Measured(value, worst.samples, at_s=at_s, why=why)
    if worst.thin_s > 0:
        why = (
            f"for {worst.thin_s:.3g} s of the {span.positions_s:.3g} s in which it can slide the "
            f"window had {few}: a longer window_s gives more"
        )
        return Measured(value, worst.samples, at_s=at_s, verdict="unclear", why=why)
    return Measured(value, worst.samples, at_s=at_s, verdict="met")
