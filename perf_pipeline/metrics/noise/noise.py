"""Did something else than the run use the machine while a level was measured?

Three ways to see it: what the kernel counts during the steady phase (cores used by processes that
are not ours, cores that a hypervisor took), and fixed work of our own before and after the level
(``host/calibration.py``), which finds what no counter of this machine shows: a slower clock, a
neighbour on the same physical core, a disk that others keep busy.

Limits, and how they were found on the two shared cores that this was made on: in the five levels
of an otherwise idle machine others used -0.8 to 1.3 % of the cores and 0.1 % at most was stolen; in
those beside which another program worked, others used 6 % and more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.noise.calibration_noise import calibration_figures
from perf_pipeline.metrics.resources.resource_samples import growth_per_s
from perf_pipeline.metrics.types.noise import (
    Noise,
    NoiseFigure,
    NoiseVerdict,
    judged_figure,
    unknown_figure,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample


OTHERS_MAX_PERCENT = 5.0
"""Of the cores. What others take of busy cores the run has not: as large a change of throughput is
what comparisons look for. Four times the most that a quiet machine showed."""

STEAL_MAX_PERCENT = 2.0
"""Of the cores. Less than ``OTHERS_MAX_PERCENT``, because what is stolen stops a thread that runs,
also when other cores are idle. Twenty times the most that was seen here."""

MIN_S = 3.0
"""Of the steady phase between first and last sample; in less, the 10 ms ticks in which the kernel
counts and the time between two readings make a percent of the cores."""

_WHOLE_CORE = 0.5


def noise_of(
    samples: Sequence[Sample],
    calibrations: Mapping[str, Any],
    *,
    servers: Sequence[str],
    cpu_limit_cores: float | None,
    judged: bool,
) -> Noise:
    """Look at everything that tells of others.

    Args:
        samples: The monitor's lines of the steady phase.
        calibrations: The level's ``canary.json``: ``before``, ``after`` (``Calibration``) and
            ``stalled_percent`` of the level; what is missing was not taken.
        servers: Those that the run uses.
        cpu_limit_cores: Of the control group of this run; None without one.
        judged: As ``Noise.judged``.
    """
    figures = (
        _others(samples, servers, cpu_limit_cores),
        _steal(samples),
        *calibration_figures(calibrations.get("before"), calibrations.get("after")),
        *_stalled(calibrations.get("stalled_percent") or {}),
    )
    causes = tuple(_cause(each) for each in figures if each.noisy)
    unknown = any(each.noisy is None for each in figures if each.limit is not None)
    verdict: NoiseVerdict = "noisy" if causes else "unknown" if unknown else "quiet"
    return Noise(verdict, causes, judged, figures)


def _cause(figure: NoiseFigure) -> str:
    note = f" ({figure.note})" if figure.note else ""
    return (
        f"{figure.what}: {figure.value:.3g} {figure.unit}, limit {figure.limit:g} "
        f"{figure.unit}{note}"
    )


def _others(
    samples: Sequence[Sample], servers: Sequence[str], cpu_limit_cores: float | None
) -> NoiseFigure:
    """Return what processes that are not of the run used: all that was busy without ours."""
    what, unit = "share of the cores that other programs used", "%"

    def unknown(why: str) -> NoiseFigure:
        return unknown_figure(what, unit, OTHERS_MAX_PERCENT, why)

    if why := _too_short(samples):
        return unknown(why)
    spent, usable = _spent_cores(samples), samples[-1]["host"]["cores_usable"]
    cores = sum(spent.values())
    if usable < cores - _WHOLE_CORE:
        return unknown(f"the run may use {usable} of {cores:.0f} cores, others the rest as well")
    if cpu_limit_cores is not None and cpu_limit_cores < cores - _WHOLE_CORE:
        return unknown(f"the run may use {cpu_limit_cores:g} of {cores:.0f} cores")
    known = [growth_per_s(samples, role, "cpu_s") for role in ("workers", "harness")]
    for server in servers:
        known.append(growth_per_s(samples, "servers", "cpu_s", _of(server)))
        if known[-1] is None:
            return unknown(f"{server} is no process of ours: its cores look like those of others")
    if None in known:
        return unknown("what the run's own processes used was not read")
    ours = sum(sum(each.values()) for each in known if each is not None)
    return judged_figure(
        what,
        100 * (spent["busy_s"] - ours) / cores,
        unit,
        OTHERS_MAX_PERCENT,
        f"{spent['busy_s']:.2f} of {cores:.0f} cores were busy, the run's own used {ours:.2f}",
    )


def _of(server: str) -> Any:
    return lambda process: process.get("service") == server


def _steal(samples: Sequence[Sample]) -> NoiseFigure:
    what = "share of the cores that the host of this virtual machine took (steal)"
    if why := _too_short(samples):
        return unknown_figure(what, "%", STEAL_MAX_PERCENT, why)
    spent = _spent_cores(samples)
    return judged_figure(what, 100 * spent["steal_s"] / sum(spent.values()), "%", STEAL_MAX_PERCENT)


def _too_short(samples: Sequence[Sample]) -> str:
    """Say why the kernel's counters tell nothing of the steady phase; empty if they do."""
    read = [sample for sample in samples if sample.get("host")]
    if len(read) != len(samples) or not samples:
        return "the machine's counters were not read"
    elapsed_s = (samples[-1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    if elapsed_s < MIN_S:
        return f"{elapsed_s:.1f} s between first and last sample (at least {MIN_S:g} s)"
    return ""


def _spent_cores(samples: Sequence[Sample]) -> dict[str, float]:
    """Return in what state the cores were, on average; the sum is the machine's cores."""
    first, last = samples[0], samples[-1]
    elapsed_s = (last["at_ns"] - first["at_ns"]) / 1e9
    states = ("busy_s", "iowait_s", "steal_s", "idle_s")
    return {state: (last["host"][state] - first["host"][state]) / elapsed_s for state in states}


def _stalled(percents: Mapping[str, float | None]) -> tuple[NoiseFigure, ...]:
    """Return what the pressure files say of the level; it decides nothing: we are among it."""
    return tuple(
        NoiseFigure(
            f"time in which some thread of the machine waited for {resource}",
            percent,
            "%",
            None,
            None,
            "of the whole level; the run's own load is among it"
            if percent is not None
            else "the kernel does not tell",
        )
        for resource, percent in percents.items()
    )
