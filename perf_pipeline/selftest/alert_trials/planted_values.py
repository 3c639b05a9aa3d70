"""Values of alerts whose cause cannot be made within a minute on any machine.

A leak needs hours, a memory stall would harm what runs beside it, and a lasting failure needs a
target that does not recover. What is planted is what the exporter of a run would serve.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from perf_pipeline.monitoring.metric_registry import BY_NAME
from perf_pipeline.monitoring.sample import Sample
from perf_pipeline.monitoring.scrape_target import register
from perf_pipeline.selftest.alert_trials.planted_target import planted_target, run_text
from perf_pipeline.selftest.alert_trials.stage import Cause, CauseGroup

if TYPE_CHECKING:
    from perf_pipeline.selftest.alert_trials.stage import Looks, Stage

_FAULT = ("server_crash", "redis")
_LEVEL, _WORKLOAD = "00-4", "a:b"
_BEGAN_S, _ENDED_S = 15.0, 16.0
"""When a planted failure begins and ends, seconds after the start."""


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


def _play(stage: Stage) -> Looks:
    with ExitStack() as stack:
        for values in (without_evidence, not_recovered, endurance, saturated):
            address = stack.enter_context(planted_target(run_text(values)))
            register(stage.scrape_dir, values.__name__, address, {"scenario": "planted"})
        stage.begin(*(one.alert for one in PLANTED_VALUES.causes))
        while True:
            yield


def _planted(alert: str, text: str, run_id: str) -> Cause:
    return Cause(alert, text, {"run_id": run_id}, is_real=False)


PLANTED_VALUES = CauseGroup(
    (
        _planted("FaultActive", "values of an active failure", "without_evidence"),
        _planted("FaultWithoutEvidence", "its signs withheld", "without_evidence"),
        _planted("RollbackPending", "it is not undone", "without_evidence"),
        _planted("NotRecovered", "a fifth of the former rate", "not_recovered"),
        _planted("LeakSuspected", "the verdict of a leaking campaign", "endurance"),
        _planted("Degradation", "15 % of the throughput lost", "endurance"),
        _planted("PoolSaturated", "50 of 50 connections active", "saturated"),
        _planted("HostPressure", "memory stalls half of the time", "saturated"),
    ),
    _play,
)
