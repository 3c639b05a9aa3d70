"""Did another program use the machine while a load level was measured?

Evidence of a neighbour is what the kernel counts during the steady phase: cores that processes
outside of the run used (``resources/host_cores.py``), and cores that the hypervisor took. Fixed
work before and after the level (``calibration_figures.py``) shows what these counters cannot: a
slower clock, a neighbour on the same physical core, a busy disk. A change of it alone has many
causes, so it is a warning and makes no level invalid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.noise.calibration_figures import calibration_figures
from perf_pipeline.metrics.types.noise import Noise, NoiseFigure, NoiseVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.metrics.types.cpu_use import CpuOfOthers, HostCores

OTHERS_MAX_PERCENT = 3.0
"""Of the cores. On saturated cores a neighbour lowers throughput by about the share that it takes,
and CPU time per workflow hardly at all. Planted neighbours on two cores (``perf-pipeline selftest
noise --size full --seed 7``; 8 to 10 undisturbed pairs of turns each, 95 % intervals):

=============  =============  ===============  ====================
share of a     CPU of others  throughput       CPU per workflow
core           (% of cores)   (% of A)         (% of A)
=============  =============  ===============  ====================
0 %            0.9            +0.5 +- 5.3      -0.3 +- 4.6
5 %            3.2            -3.4 +- 5.8      +2.3 +- 5.1
10 %           5.5            -5.3 +- 4.0      +1.3 +- 4.1
20 %           9.6            -10.1 +- 2.6     +2.7 +- 3.8
40 %           15.8           -11.7 +- 5.9     +0.3 +- 4.0
=============  =============  ===============  ====================

The limit is where throughput is about 3 % too low. How often a quiet level exceeds it: ``selftest
quiet``.
"""

STEAL_MAX_PERCENT = 2.0
"""Of the cores; at most 0.1 % was stolen in the same levels. The limit is lower than that for other
programs because stolen time stops a running thread even while other cores are idle."""

MIN_S = 3.0
"""Minimum time between the first and the last sample of the steady phase. In less, the kernel's
10 ms ticks and the time between two readings amount to a percent of the cores."""


def noise_of(
    host: HostCores | None,
    others: CpuOfOthers,
    calibrations: Mapping[str, Any],
    *,
    judged: bool,
) -> Noise:
    """Judge everything that shows whether the machine was the run's own.

    Args:
        host: The machine's cores over the steady phase; None if they were not read.
        others: The cores that processes outside of the run used meanwhile.
        calibrations: The level's ``canary.json``: ``before``, ``after`` (``Calibration``) and
            ``stalled_percent`` of the level; what is missing was not taken.
        judged: As ``Noise.judged``.
    """
    figures = (
        _others(host, others),
        _steal(host),
        *calibration_figures(calibrations.get("before"), calibrations.get("after")),
        *_stalled(calibrations.get("stalled_percent") or {}),
    )
    above = [each for each in figures if each.above_limit]
    causes = tuple(_sentence(each) for each in above if each.is_evidence)
    warnings = tuple(_sentence(each) for each in above if not each.is_evidence)
    unknown = any(each.value is None for each in figures if each.is_evidence)
    verdict: NoiseVerdict = "noisy" if causes else "unknown" if unknown else "quiet"
    return Noise(verdict, causes, judged, figures, warnings)


def _sentence(figure: NoiseFigure) -> str:
    note = f" ({figure.note})" if figure.note else ""
    return (
        f"{figure.what}: {figure.value:.3g} {figure.unit}, limit {figure.limit:g} "
        f"{figure.unit}{note}"
    )


def _others(host: HostCores | None, others: CpuOfOthers) -> NoiseFigure:
    what = "share of the cores that other programs used"
    why = _too_short(host) or others.why_not
    if why or host is None or others.cores is None:
        return NoiseFigure(what, None, "%", OTHERS_MAX_PERCENT, None, why)
    percent = 100 * others.cores / host.cores
    note = (
        f"{host.busy:.2f} of {host.cores:.0f} cores were busy, the run's own processes used "
        f"{others.own_cores:.2f}"
    )
    above = percent > OTHERS_MAX_PERCENT
    return NoiseFigure(what, percent, "%", OTHERS_MAX_PERCENT, above, note)


def _steal(host: HostCores | None) -> NoiseFigure:
    what = "share of the cores that the hypervisor of this virtual machine took (steal)"
    why = _too_short(host)
    if why or host is None:
        return NoiseFigure(what, None, "%", STEAL_MAX_PERCENT, None, why)
    percent = 100 * host.steal / host.cores
    return NoiseFigure(what, percent, "%", STEAL_MAX_PERCENT, percent > STEAL_MAX_PERCENT)


def _too_short(host: HostCores | None) -> str:
    """Return why the kernel's counters say nothing of the steady phase; empty if they do."""
    if host is None:
        return "the machine's counters were not read in two samples of the steady phase"
    if host.seconds < MIN_S:
        return f"{host.seconds:.1f} s between first and last sample (at least {MIN_S:g} s)"
    return ""


def _stalled(percents: Mapping[str, float | None]) -> tuple[NoiseFigure, ...]:
    """Return the kernel's pressure figures; they include the run's own load and decide nothing."""
    return tuple(
        NoiseFigure(
            f"time in which some thread of the machine waited for {resource}",
            percent,
            "%",
            None,
            None,
            "not counted by this kernel"
            if percent is None
            else "over the whole level, the run's own load included",
            is_evidence=False,
        )
        for resource, percent in percents.items()
    )
