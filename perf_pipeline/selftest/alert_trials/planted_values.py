"""Values of alerts whose cause cannot be made within a minute on any machine.

A leak needs hours, a memory stall would harm what runs beside it, a lasting failure needs a target
that does not recover, and a container needs an engine. What is planted is what the exporter of a
run, or cAdvisor, would serve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.monitoring.metric_registry import BY_NAME
from perf_pipeline.monitoring.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Callable

_FAULT = ("server_crash", "redis")
_LEVEL, _WORKLOAD = "00-4", "a:b"
_BEGAN_S, _ENDED_S = 15.0, 16.0
"""When a planted failure begins and ends, seconds after the start."""

_CONTAINER = 'container_last_seen{{name="perf_pipeline_{name}"}} {at_s:.3f}\n'
_STAYS_S = 15.0


def _begun() -> list[Sample]:
    return [
        Sample("loadtest_run_info", ("",) * len(BY_NAME["loadtest_run_info"].labels), 1),
        Sample("loadtest_run_status", ("running",), 1),
    ]


def without_evidence(_since_s: float) -> list[Sample]:
    """A failure that was injected and shows no sign, and one that is not undone."""
    return [
        *_begun(),
        Sample("loadtest_fault_active", _FAULT, 1),
        Sample("loadtest_fault_evidence_ratio", _FAULT, 0.1),
        Sample("loadtest_fault_pending_rollbacks", (), 1),
    ]


def not_recovered(since_s: float) -> list[Sample]:
    """Fifty good workflows a second before a failure, ten after it."""
    count = 50 * min(since_s, _BEGAN_S) + 10 * max(0.0, since_s - _BEGAN_S)
    values = [
        *_begun(),
        Sample("loadtest_level_phase", (_LEVEL, "steady"), 1),
        Sample("loadtest_workflows_completed_total", (_LEVEL, _WORKLOAD, "ok"), round(count)),
        Sample("loadtest_fault_active", _FAULT, float(_BEGAN_S <= since_s < _ENDED_S)),
    ]
    if since_s >= _ENDED_S:
        values.append(Sample("loadtest_fault_ended_timestamp_seconds", _FAULT, 1.8e9))
    return values


def endurance(_since_s: float) -> list[Sample]:
    """What the hours of a campaign have proven."""
    return [
        *_begun(),
        Sample("loadtest_leak_growth_per_hour_lower", ("uss_bytes",), 2e6),
        Sample("loadtest_leak_verdict", ("uss_bytes", "leak"), 1),
        Sample("loadtest_degradation_ratio_lower", ("throughput",), 0.15),
    ]


def saturated(since_s: float) -> list[Sample]:
    """All connections execute something, and half of the time no task has memory."""
    return [
        *_begun(),
        Sample("loadtest_server_sessions", ("postgres", "active"), 50),
        Sample("loadtest_pool_connections_limit", ("postgres",), 50),
        Sample("loadtest_host_pressure_stall_seconds_total", ("memory", "full"), since_s / 2),
    ]


def containers(now_s: Callable[[], float]) -> Callable[[float], bytes]:
    """As cAdvisor serves them: one container stays, one is gone after a while.

    Args:
        now_s: Seconds of the epoch.
    """

    def text(since_s: float) -> bytes:
        names = ["postgres", *(["redis"] if since_s < _STAYS_S else [])]
        return "".join(_CONTAINER.format(name=one, at_s=now_s()) for one in names).encode()

    return text
