"""Did something else than the run use the machine while a level was measured?

Three ways to see it: what the kernel counts during the steady phase (cores used by processes that
are not ours, cores that a hypervisor took), and fixed work of our own before and after the level
(``infrastructure/canary.py``), which finds what no counter of this machine shows: a slower clock, a
neighbour on the same physical core, a disk that others keep busy.

Limits, and how they were found on the two shared cores that this was made on: in the five levels
of an otherwise idle machine others used -0.8 to 1.3 % of the cores and 0.1 % at most was stolen; in
those beside which another program worked, others used 6 % and more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.metrics.bottleneck.rates import growth_per_s

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.metrics.samples import Sample

NoiseVerdict = Literal["quiet", "noisy", "unknown"]

OTHERS_MAX_PERCENT = 5.0
"""Of the cores. What others take of busy cores the run has not: as large a change of throughput is
what comparisons look for. Four times the most that a quiet machine showed."""

STEAL_MAX_PERCENT = 2.0
"""Of the cores. Less than ``OTHERS_MAX_PERCENT``, because what is stolen stops a thread that runs,
also when other cores are idle. Twenty times the most that was seen here."""

SPEED_MAX_PERCENT = 15.0
"""By which a core may have become slower or faster between two rounds of the canary. Rounds of a
quiet machine differed by 4 %, and by 11 % from those after a load; a neighbour on the physical core
makes 60 %."""

WAITED_MAX_RATIO = 0.2
"""Share of a round in which the canary had no core, while nothing of ours ran. One program on the
same core took 0.2 to 0.9 of each round."""

FSYNC_MAX_FACTOR = 8.0
FSYNC_LEAST_S = 0.005
"""A forced write may take so many times as long as at the other round; below 5 ms it is not held
against the machine, since a cache that is full for a moment does as much."""

LEAST_S = 3.0
"""Of the steady phase between first and last sample; in less, the 10 ms ticks in which the kernel
counts and the time between two readings make a percent of the cores."""

_WHOLE_CORE = 0.5


@dataclass(frozen=True)
class NoiseFigure:
    """One thing that was looked at.

    Attributes:
        what: In words.
        value: In ``unit``; None if it could not be measured.
        unit: ``%``, ``ms`` or ``times``.
        limit: Above it the machine is noisy; None for what is shown and decides nothing.
        noisy: Whether it is above; None without a value, and where there is no limit.
        note: Why there is no value, or what it means; may be empty.
    """

    what: str
    value: float | None
    unit: str
    limit: float | None
    noisy: bool | None
    note: str = ""


@dataclass(frozen=True)
class Noise:
    """Whether the machine was the run's own while a level was measured.

    Attributes:
        verdict: ``noisy`` when a figure is above its limit; ``unknown`` when none is, but one that
            has a limit could not be measured; else ``quiet``.
        causes: A sentence for each figure above its limit.
        judged: Whether ``noisy`` makes the level no measurement; a machine that is known to be
            shared (``PERF_PIPELINE_NOISE=tell``) is told of and not judged.
        figures: Everything that was looked at.
    """

    verdict: NoiseVerdict
    causes: tuple[str, ...]
    judged: bool
    figures: tuple[NoiseFigure, ...]

    @property
    def not_measured(self) -> tuple[str, ...]:
        """What has a limit and could not be measured, each with its reason."""
        lacking = [each for each in self.figures if each.limit is not None and each.noisy is None]
        return tuple(f"{each.what}: {each.note}" for each in lacking)


def noise_of(
    samples: Sequence[Sample],
    canaries: Mapping[str, Any],
    *,
    servers: Sequence[str],
    cpu_limit_cores: float | None,
    judged: bool,
) -> Noise:
    """Look at everything that tells of others.

    Args:
        samples: The monitor's lines of the steady phase.
        canaries: The level's ``canary.json``: ``before`` and ``after`` (fields of ``Canary``) and
            ``stalled_percent`` of the level; what is missing was not taken.
        servers: Those that the run uses.
        cpu_limit_cores: Of the control group of this run; None without one.
        judged: As ``Noise.judged``.
    """
    figures = (
        _others(samples, servers, cpu_limit_cores),
        _steal(samples),
        *_canary_figures(canaries.get("before"), canaries.get("after")),
        *_stalled(canaries.get("stalled_percent") or {}),
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


def _judged(what: str, value: float, unit: str, limit: float, note: str = "") -> NoiseFigure:
    return NoiseFigure(what, value, unit, limit, value > limit, note)


def _unknown(what: str, unit: str, limit: float, why: str) -> NoiseFigure:
    return NoiseFigure(what, None, unit, limit, None, why)


def _others(
    samples: Sequence[Sample], servers: Sequence[str], cpu_limit_cores: float | None
) -> NoiseFigure:
    """Return what processes that are not of the run used: all that was busy without ours."""
    what, unit = "cores that processes outside of the run used", "%"

    def unknown(why: str) -> NoiseFigure:
        return _unknown(what, unit, OTHERS_MAX_PERCENT, why)

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
    return _judged(
        what,
        100 * (spent["busy_s"] - ours) / cores,
        unit,
        OTHERS_MAX_PERCENT,
        f"{spent['busy_s']:.2f} of {cores:.0f} cores were busy, the run's own used {ours:.2f}",
    )


def _of(server: str) -> Any:
    return lambda process: process.get("service") == server


def _steal(samples: Sequence[Sample]) -> NoiseFigure:
    what = "time of the cores that the machine below took (steal)"
    if why := _too_short(samples):
        return _unknown(what, "%", STEAL_MAX_PERCENT, why)
    spent = _spent_cores(samples)
    return _judged(what, 100 * spent["steal_s"] / sum(spent.values()), "%", STEAL_MAX_PERCENT)


def _too_short(samples: Sequence[Sample]) -> str:
    """Say why the kernel's counters tell nothing of the steady phase; empty if they do."""
    read = [sample for sample in samples if sample.get("host")]
    if len(read) != len(samples) or not samples:
        return "the machine's counters were not read"
    elapsed_s = (samples[-1]["at_ns"] - samples[0]["at_ns"]) / 1e9
    if elapsed_s < LEAST_S:
        return f"{elapsed_s:.1f} s between first and last sample (at least {LEAST_S:g} s)"
    return ""


def _spent_cores(samples: Sequence[Sample]) -> dict[str, float]:
    """Return in what state the cores were, on average; the sum is the machine's cores."""
    first, last = samples[0], samples[-1]
    elapsed_s = (last["at_ns"] - first["at_ns"]) / 1e9
    states = ("busy_s", "iowait_s", "steal_s", "idle_s")
    return {state: (last["host"][state] - first["host"][state]) / elapsed_s for state in states}


def _canary_figures(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None
) -> tuple[NoiseFigure, ...]:
    """Hold the round after the level against the one before it."""
    slower = "fixed work took longer or shorter after the level than before it"
    waited = "fixed work before or after the level had no core"
    write = "a forced write before or after the level against the other"
    if before is None or after is None:
        why = "no canary " + " and ".join(
            when for when, one in (("before", before), ("after", after)) if one is None
        )
        return (
            _unknown(slower, "%", SPEED_MAX_PERCENT, why),
            _unknown(waited, "%", 100 * WAITED_MAX_RATIO, why),
            _unknown(write, "times", FSYNC_MAX_FACTOR, why),
        )
    then, now = before["core_ns_per_unit"], after["core_ns_per_unit"]
    waits = [100 * one["waited_ratio"] for one in (before, after)]
    return (
        _judged(
            slower,
            100 * (max(then, now) / min(then, now) - 1),
            "%",
            SPEED_MAX_PERCENT,
            f"{then:.1f} ns a unit before, {now:.1f} after",
        ),
        _judged(
            waited,
            max(waits),
            "%",
            100 * WAITED_MAX_RATIO,
            f"{waits[0]:.0f} % of the time before, {waits[1]:.0f} % after",
        ),
        _write_figure(write, before, after),
    )


def _write_figure(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> NoiseFigure:
    then, now = before["fsync_s"], after["fsync_s"]
    if then is None or now is None:
        why = before["problem"] or after["problem"]
        return _unknown(what, "times", FSYNC_MAX_FACTOR, why)
    factor, note = max(then, now) / min(then, now), f"{1e3 * then:.2f} ms, then {1e3 * now:.2f} ms"
    noisy = factor > FSYNC_MAX_FACTOR and max(then, now) > FSYNC_LEAST_S
    return NoiseFigure(what, factor, "times", FSYNC_MAX_FACTOR, noisy, note)


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
