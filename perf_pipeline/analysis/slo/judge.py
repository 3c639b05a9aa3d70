"""Judges service level objectives: ``met``, ``missed``, ``unclear`` or ``no_data``.

``unclear`` is a measurement that leaves the question open, ``no_data`` the lack of a measurement.
A level that is not valid meets no limit, unless other programs on the machine are the only reason
(``analysis/beside_neighbours.py``). It misses one where that is sure all the same: where a bound
decides (``bounds.py``), where the objective ended the level, and where the target failed: of such a
level a limit on times, throughput or failures that is missed is missed by what users got.

A limit on a time is met by workflows that succeed. Where most failed, the times are those of
failing, which may be quick, and decide nothing.

Exit codes of the SLOs alone (the whole rule: ``cli/outcome.exit_code``): 1 when any is missed; 3
when none is missed and any is ``unclear`` or ``no_data``; 0 when all are met.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.analysis.beside_neighbours import SLOWED, beside_neighbours
from perf_pipeline.analysis.slo.bounds import SHORT, surely_missed
from perf_pipeline.analysis.slo.explain import what_it_means
from perf_pipeline.analysis.slo.steady import Measured, is_response, over_steady
from perf_pipeline.config.scenario.scenario import MAX_ERROR_RATIO
from perf_pipeline.metrics.types.slo_verdict import SloVerdict
from perf_pipeline.samples.ended_because import EndedBecause

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.analysis.slo.windows import LevelHistory
    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.records import FamilyMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

WORSE_BY_FAILING = ("error_ratio", "throughput_per_s")
"""Metrics beside times whose limits a target that failed misses by failing."""


def judge_slos(
    slos: Sequence[Slo], level: LevelMetrics, history: LevelHistory | None = None
) -> tuple[SloVerdict, ...]:
    """Judge every SLO that applies to a level.

    Args:
        slos: The objectives.
        level: The metrics of the level; its ``slos`` are not read.
        history: Its records, for sliding windows, which have no data without them.

    Returns:
        In the order of ``slos``; for a family, one for each complexity of it.
    """
    return tuple(
        _verdict(slo, level, family, history)
        for slo in slos
        if slo.applies_to(level.role, level.label)
        for family in _families(slo, level)
    )


def run_slos(metrics: RunMetrics) -> tuple[SloVerdict, ...]:
    """Return the verdicts of a run: those of its levels, and of levels that were not run."""
    verdicts = [verdict for level in metrics.levels for verdict in level.slos]
    played = {f"{level.index:02d}-{level.label}" for level in metrics.levels}
    manifest = metrics.manifest
    why = "the level was not run"
    if stopped := manifest.stopped:
        why += f", because level {stopped.level} was ended: {stopped.detail}"
    for folder in manifest.plan_hashes:
        label = folder.partition("-")[2]
        if folder in played or not label:
            continue
        verdicts += [
            _not_run(slo, label, why)
            for slo in manifest.slos
            if slo.applies_to("arm" if label in manifest.arms else "level", label)
        ]
    return tuple(verdicts)


def _families(slo: Slo, level: LevelMetrics) -> list[FamilyMetrics | None]:
    if slo.family is None:
        return [None]
    return [family for family in level.families if family.family == slo.family]


def decide(
    slo: Slo,
    level: LevelMetrics,
    family: FamilyMetrics | None = None,
    history: LevelHistory | None = None,
) -> Measured:
    """Return the value of an SLO's metric at a level, with the verdict and its reason.

    Args:
        slo: The objective.
        level: The metrics of the level.
        family: Only workflows of this kind; None for all together.
        history: The records of the level, for a sliding window.
    """
    if slo.window_s and slo.metric != "memory_mb":
        from perf_pipeline.analysis.slo.windows import (  # noqa: PLC0415 - numpy and polars
            over_window,
        )

        found = over_window(slo, level, family, history)
    else:
        found = over_steady(slo, level, family)
    found = _unless_by_failing(slo, level, family, found)
    is_noisy = level.validity == "noisy_host"
    if_quiet = level.validity_if_quiet if is_noisy else level.validity
    if ended_by(slo, level) and if_quiet in (*SHORT, "target_failed"):
        found = replace(found, verdict="missed", why=level.ended_detail)
    elif level.is_only_noisy:
        verdict = beside_neighbours(found.verdict, level, slower_is_worse=_slower_is_worse(slo))
        why = found.why if verdict == found.verdict else _slowed(found.why)
        return replace(found, verdict=verdict, why=why)
    elif level.validity != "valid":
        surely = None
        if if_quiet == "target_failed" and _missed_by_failing(slo, found):
            surely = found
        elif if_quiet in SHORT:
            surely = surely_missed(slo, level, family, found)
        if surely is None:
            reasons = "; ".join(level.reasons) or "no reason is recorded"
            why = f"the level is {level.validity}: {reasons}"
            return replace(found, verdict="no_data", why=why)
        found = surely
    if is_noisy and found.verdict == "missed":
        why = f"the level was ended: {found.why}" if found.why else ""
        return replace(found, verdict="unclear", why=_slowed(why))
    return found


def _slowed(why: str) -> str:
    return "; ".join(filter(None, (SLOWED, why)))


def _slower_is_worse(slo: Slo) -> bool:
    return slo.metric != "cpu_percent"


def _unless_by_failing(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, found: Measured
) -> Measured:
    """Return a value that decides nothing where a limit on a time was met by failing."""
    ratio = (level if family is None else family).error_ratio
    if not slo.about.times or found.verdict == "missed" or (ratio or 0.0) <= MAX_ERROR_RATIO:
        return found
    why = f"{100 * (ratio or 0.0):.3g} % of the workflows failed, so the times are those of failing"
    return replace(found, verdict="no_data", why=why)


def _missed_by_failing(slo: Slo, found: Measured) -> bool:
    """Return whether a target that failed missed a limit on what its users got."""
    is_theirs = bool(slo.about.times) or slo.metric in WORSE_BY_FAILING
    return found.verdict == "missed" and is_theirs


def _verdict(
    slo: Slo, level: LevelMetrics, family: FamilyMetrics | None, history: LevelHistory | None
) -> SloVerdict:
    found = decide(slo, level, family, history)
    name = "/".join(filter(None, [family.family, family.complexity])) if family else ""
    made = SloVerdict(
        slo=slo,
        level=level.shown + (f", repeat {level.repeat + 1}" if level.repeat else ""),
        index=level.index,
        family=name,
        what=_what(slo, level, name),
        value=found.value,
        low=found.low,
        high=found.high,
        at_least=found.at_least,
        samples=found.samples,
        validity=level.validity,
        at_s=found.at_s,
        verdict=found.verdict,
        why=found.why,
    )
    return what_it_means(made)


def ended_by(slo: Slo, level: LevelMetrics) -> bool:
    """Return whether this SLO ended the level."""
    return level.ended_because == EndedBecause.SLO_ABORTED and level.ended_detail.startswith(
        f"{slo.text}: "
    )


def _what(slo: Slo, level: LevelMetrics, family: str) -> str:
    what = slo.about.label
    if slo.about.times == "latency":
        which = "response time" if is_response(slo, level) else "service time"
        what += f" ({which}, {level.loop} loop)"
    over = f" in the worst {slo.window_s:g} s" if slo.window_s else ""
    return f"{what}{over}" + (f" of {family}" if family else "")


def _not_run(slo: Slo, label: str, why: str) -> SloVerdict:
    what = slo.about.label + (f" of {slo.family}" if slo.family else "")
    made = SloVerdict(
        slo=slo,
        level=label,
        index=-1,
        family=slo.family or "",
        what=what,
        value=None,
        low=None,
        high=None,
        at_least=False,
        samples=0,
        validity="incomplete",
        at_s=None,
        verdict="no_data",
        why=why,
    )
    return what_it_means(made)
