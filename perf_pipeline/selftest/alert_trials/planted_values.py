"""Values of alerts whose cause cannot be made within a minute on any machine.

A leak needs hours, and a memory stall would harm what runs beside it. What is planted is what the
exporter of a run would serve.
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


def _begun() -> list[Sample]:
    return [
        Sample("loadtest_run_info", ("",) * len(BY_NAME["loadtest_run_info"].labels), 1),
        Sample("loadtest_run_status", ("running",), 1),
    ]


def endurance(_since_s: float) -> list[Sample]:
    """What the hours of a campaign have proven."""
    return [
        *_begun(),
        Sample("loadtest_leak_growth_per_hour_lower", ("uss_bytes",), 2e6),
        Sample("loadtest_leak_verdict", ("uss_bytes", "leak"), 1),
        Sample("loadtest_degradation_ratio_lower", ("throughput",), 0.15),
    ]


def stalled(since_s: float) -> list[Sample]:
    """Half of the time no task has memory."""
    return [
        *_begun(),
        Sample("loadtest_host_pressure_stall_seconds_total", ("memory", "full"), since_s / 2),
    ]


def _play(stage: Stage) -> Looks:
    with ExitStack() as stack:
        for values in (endurance, stalled):
            address = stack.enter_context(planted_target(run_text(values)))
            register(stage.scrape_dir, values.__name__, address, {"scenario": "planted"})
        stage.begin(*(one.alert for one in PLANTED_VALUES.causes))
        while True:
            yield


def _planted(alert: str, text: str, run_id: str) -> Cause:
    return Cause(alert, text, {"run_id": run_id}, is_real=False)


PLANTED_VALUES = CauseGroup(
    (
        _planted("LeakSuspected", "the verdict of a leaking campaign", "endurance"),
        _planted("Degradation", "15 % of the throughput lost", "endurance"),
        _planted("HostPressure", "memory stalls half of the time", "stalled"),
    ),
    _play,
)
