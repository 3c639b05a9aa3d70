"""Does a setting of the target protect it: the same failure at the same arrivals, off and on.

Two figures decide, both in seconds of arrivals: what failed, timed out or was dropped, and lost
service, in which late answers count as well. A difference counts from a quarter of the figure
without the protection on, and from a twentieth of the time until service was back. Its interval
has the chance of the single workflow (binomial) and what the two failures differed by: how much
longer one of them lasted, and the quarter of a second between two observations of it.

Two levels that agree within that are ``no_effect``: nothing was protected, whatever is switched on.
Where the interval is wider, it is ``unclear``.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from perf_pipeline.analysis.recovery.arrivals import SLOW
from perf_pipeline.metrics.types.fault.protection import Change, ProtectionEffect
from perf_pipeline.metrics.types.fault.recovery import Estimate
from perf_pipeline.metrics.validity import worst

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.metrics.types.fault.protection import ChangeVerdict, ProtectionVerdict
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics

    Arm = tuple[LevelMetrics, FaultRecovery]

MATTERS_SHARE = 0.25
"""Of the figure without the protection."""

MATTERS_OF_DUE = 0.05
"""Of the time from the injection until service was back."""

OBSERVED_EVERY_S = 0.25
_Z = 1.96


def protection_effects(levels: Sequence[LevelMetrics]) -> tuple[ProtectionEffect, ...]:
    """Compare the levels that differ in the settings of their target alone, failure by failure.

    Args:
        levels: Of a run. Closed levels are left out: how many of their workflows meet a failure
            depends on how they fail.
    """
    arms: dict[object, list[Arm]] = {}
    for level in levels:
        found = level.recovery
        if found is None or found.is_control or level.open_load is None:
            continue
        windows = tuple(map(_window, found.faults))
        for fault, window in zip(found.faults, windows, strict=True):
            arms.setdefault((_load(level), windows, window), []).append((level, fault))
    return tuple(effect for same in arms.values() for effect in _effects(same))


def _window(fault: FaultRecovery) -> tuple[object, ...]:
    settings = tuple(sorted(fault.settings.items()))
    return fault.kind, fault.server, settings, fault.at_s, fault.duration_s


def _load(level: LevelMetrics) -> tuple[object, ...]:
    load = level.open_load
    assert load is not None  # of an open level
    limits = tuple((use.server, use.limit) for use in level.connections)
    arrivals = (load.offered, load.slots, load.start_timeout_s)
    return level.target, level.nodes, level.repeat, limits, arrivals


def _effects(arms: Sequence[Arm]) -> Iterator[ProtectionEffect]:
    """Yield each arm against those with fewer settings on that differ least from it.

    What acts only beside another setting is so compared with that setting alone.
    """
    ordered = sorted(arms, key=_settings_on)
    for at, on in enumerate(ordered):
        fewer = [off for off in ordered[:at] if _settings_on(off) < _settings_on(on)]
        pairs = [(off, _switched(off, on)) for off in fewer or ordered[:at]]
        least = min((len(switched) for _, switched in pairs if switched), default=0)
        for off, switched in pairs:
            if switched and len(switched) == least:
                yield _effect(off, on, switched)


def _settings_on(arm: Arm) -> int:
    """Return how many settings are neither false nor 0."""
    return sum(map(bool, arm[0].settings.values()))


def _switched(off: Arm, on: Arm) -> dict[str, SettingValue]:
    before = off[0].settings
    return {name: value for name, value in on[0].settings.items() if before.get(name) != value}


def _effect(off: Arm, on: Arm, switched: dict[str, SettingValue]) -> ProtectionEffect:
    why = _why_not(off) or _why_not(on)
    failed = None if why else _failed(off, on)
    lost = None if why else _lost_service(off, on)
    fault = off[1]
    return ProtectionEffect(
        kind=fault.kind,
        server=fault.server,
        at_s=fault.at_s,
        duration_s=fault.duration_s,
        off=off[0].shown_apart,
        on=on[0].shown_apart,
        switched=switched,
        target=off[0].target,
        validity=worst([off[0].validity, on[0].validity]),
        verdict=_verdict(failed, lost),
        why=why,
        failed_s=failed,
        lost_service_s=lost,
        attempts_off=_attempts(off[1]),
        attempts_on=_attempts(on[1]),
    )


def _attempts(fault: FaultRecovery) -> float | None:
    return None if fault.retries is None else fault.retries.during


def _why_not(arm: Arm) -> str:
    level, fault = arm
    if fault.verdict in ("invalid", "not_possible"):
        return f"at {level.shown_apart} it is {fault.verdict.replace('_', ' ')}: {fault.why}"
    if fault.harm is None or fault.lost_service_s is None:
        return f"at {level.shown_apart} nobody arrived from its injection on"
    return ""


def _failed(off: Arm, on: Arm) -> Change:
    (before_s, spread_s), (after_s, after_spread_s) = _failed_s(off[1]), _failed_s(on[1])
    return _change(off, on, (before_s, after_s), math.hypot(spread_s, after_spread_s))


def _lost_service(off: Arm, on: Arm) -> Change:
    lost, then = off[1].lost_service_s, on[1].lost_service_s
    assert lost is not None  # ``_why_not`` is empty
    assert then is not None
    spread_s = math.hypot((lost.high - lost.low) / 2, (then.high - then.low) / 2)
    return _change(off, on, (lost.value, then.value), spread_s)


def _failed_s(fault: FaultRecovery) -> tuple[float, float]:
    """Return the seconds of arrivals that failed, and half of their 95 % interval.

    The share of those that arrived is taken, since how many arrive is chance as well.
    """
    harm = fault.harm
    assert harm is not None  # ``_why_not`` is empty
    failed, known = harm.bad - harm.by_class.get(SLOW, 0), harm.due - harm.unknown
    guess = (failed + 1) / (known + 2)  # a share of 0 or 1 of few is not known exactly either
    length_s = _harmed_s(fault)
    spread_s = _Z * math.sqrt(guess * (1 - guess) / max(known, 1)) * length_s
    return failed / max(known, 1) * length_s, spread_s


def _harmed_s(fault: FaultRecovery) -> float:
    """Return the time from the injection until service was back, or was no longer watched."""
    back = fault.time_to_recover_s
    return _lasted_s(fault) + (fault.watched_s if back is None else back.value)


def _lasted_s(fault: FaultRecovery) -> float:
    begun_s, gone_s = fault.moments.injecting_s, fault.moments.gone_s
    return fault.duration_s if begun_s is None or gone_s is None else gone_s - begun_s


def _change(off: Arm, on: Arm, figures_s: tuple[float, float], spread_s: float) -> Change:
    """Judge the difference of two figures; ``spread_s`` is half of its interval by chance."""
    before_s, after_s = figures_s
    harmed_s = _harmed_s(off[1])
    share = min(1.0, max(before_s / harmed_s, after_s / _harmed_s(on[1])))
    apart_s = abs(_lasted_s(off[1]) - _lasted_s(on[1])) + OBSERVED_EVERY_S
    spread_s += share * apart_s
    value_s = after_s - before_s
    difference = Estimate(value_s, value_s - spread_s, value_s + spread_s)
    matters_s = max(MATTERS_SHARE * before_s, MATTERS_OF_DUE * harmed_s)
    verdict: ChangeVerdict = "unclear"
    if difference.high < 0 and value_s <= -matters_s:
        verdict = "less"
    elif difference.low > 0 and value_s >= matters_s:
        verdict = "more"
    elif -matters_s <= difference.low and difference.high <= matters_s:
        verdict = "same"
    return Change(before_s, after_s, difference, matters_s, verdict)


def _verdict(failed: Change | None, lost: Change | None) -> ProtectionVerdict:
    if failed is None or lost is None:
        return "no_data"
    found = {failed.verdict, lost.verdict}
    if {"less", "more"} <= found:
        return "mixed"
    if "more" in found:
        return "worse"
    if "less" in found:
        return "protected"
    return "no_effect" if found == {"same"} else "unclear"
