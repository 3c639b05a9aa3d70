"""Plays the cause of every alert, side by side, and looks for it in Alertmanager."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.monitoring.scrape_target import register
from perf_pipeline.selftest.alert_trials import planted_values
from perf_pipeline.selftest.alert_trials.disturbed import (
    absent_redis,
    can_mount,
    exporter_of_damaged,
    exporter_on_small_disk,
)
from perf_pipeline.selftest.alert_trials.monitors import Monitors
from perf_pipeline.selftest.alert_trials.planted_target import planted_target, run_text
from perf_pipeline.selftest.alert_trials.played_run import overloaded, played_run, stopped
from perf_pipeline.servers.monitors.programs import exporter_of, node_exporter

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.monitoring.sample import Sample
    from perf_pipeline.selftest.alert_trials.monitors import Alert
    from perf_pipeline.selftest.alert_trials.played_run import PlayedRun

FACTOR = 1 / 20
"""Of all times: a scrape every 0.25 s, ``for: 5m`` is 15 s."""
STEADY_S = 36.0
"""Of the overloaded run: until its p99 is beyond 10 s for 15 s."""
LIMIT_S = 150.0
_LOOK_S = 0.2


@dataclass(frozen=True)
class Cause:
    """What must make one alert fire.

    Attributes:
        alert: Its name.
        text: The cause.
        is_real: Else values are planted in place of a real exporter's.
        labels: Labels that the alert must have: it is this cause's.
    """

    alert: str
    text: str
    is_real: bool
    labels: dict[str, str]


@dataclass(frozen=True)
class AlertTrial:
    """What became of a cause.

    Attributes:
        cause: The cause.
        fired_s: When Alertmanager had its alert, seconds after the first cause; None for never.
        is_early: It had it before the cause: the alert is false.
    """

    cause: Cause
    fired_s: float | None
    is_early: bool = False


_SERVICE = {"scenario": "overloaded"}
CAUSES = (
    Cause("GeneratorLagging", "four times more arrivals than slots serve", True, _SERVICE),
    Cause("GoodputDrop", "four times more arrivals than slots serve", True, _SERVICE),
    Cause("ErrorBudgetBurn", "every second workflow fails", True, _SERVICE),
    Cause("RetryStorm", "every workflow takes three attempts", True, _SERVICE),
    Cause("LatencySLO", "workflows wait for a slot for over 10 s", True, _SERVICE),
    Cause("ObjectiveMissed", "half of the workflows fail, 1 % may", True, _SERVICE),
    Cause("HeartbeatStale", "the run is stopped (SIGSTOP)", True, {"scenario": "stopped"}),
    Cause("RunProcessGone", "the run is killed", True, {"scenario": "stopped"}),
    Cause("ResultsDropped", "a block of a journal is damaged", True, {"scenario": "damaged"}),
    Cause("NoData", "an exporter whose run never begins", True, {"scenario": "small"}),
    Cause("DiskLow", "results on a disk of 16 MB", True, {"scenario": "small"}),
    Cause("TargetDown", "the exporter of the machine is killed", True, {"job": "node"}),
    Cause("ServerDown", "an exporter of a Redis that is not there", True, {"job": "redis"}),
    Cause("FaultActive", "values of an active failure", False, {"run_id": "without_evidence"}),
    Cause("FaultWithoutEvidence", "its signs withheld", False, {"run_id": "without_evidence"}),
    Cause("RollbackPending", "it is not undone", False, {"run_id": "without_evidence"}),
    Cause("NotRecovered", "a fifth of the former rate", False, {"run_id": "not_recovered"}),
    Cause("LeakSuspected", "the verdict of a leaking campaign", False, {"run_id": "endurance"}),
    Cause("Degradation", "15 % of the throughput lost", False, {"run_id": "endurance"}),
    Cause("PoolSaturated", "50 of 50 connections active", False, {"run_id": "saturated"}),
    Cause("HostPressure", "memory stalls half of the time", False, {"run_id": "saturated"}),
    Cause("ContainerDown", "a container that is gone", False, {"name": "perf_pipeline_redis"}),
)


QUICK = frozenset(
    ("HeartbeatStale", "RunProcessGone", "NoData", "DiskLow", "TargetDown", "ServerDown")
)
"""Of real causes that need no overloaded run: they have fired within ten seconds."""
_BEGINS_AT = {"HeartbeatStale": 1, "RunProcessGone": 2}
"""Alert to the step of the stopped run that is its cause."""


def play_alerts(
    settings: Settings,
    folder: Path,
    *,
    alerts: Collection[str] | None = None,
    limit_s: float = LIMIT_S,
) -> list[AlertTrial]:
    """Play every cause and wait until its alert has fired, or the time is over.

    Args:
        settings: Where programs are looked for, and where servers' folders are made.
        folder: Empty; for runs and what they leave.
        alerts: Which to wait for; None for all. Only then is the overloaded run played.
        limit_s: How long to wait.

    Returns:
        Every cause that can be made here. Where no disk can be mounted, that is all but two.

    Raises:
        ServiceUnavailableError: Prometheus, Alertmanager or an exporter is missing.
    """
    scrape_dir = folder / "scrape"
    scrape_dir.mkdir()
    with ExitStack() as stack:
        monitors = stack.enter_context(Monitors(settings, scrape_dir, FACTOR))
        bad = None
        if alerts is None:
            scenario = overloaded(STEADY_S)
            bad = stack.enter_context(played_run(scenario, folder / "overloaded", scrape_dir))
        hung = stack.enter_context(played_run(stopped(), folder / "stopped", scrape_dir))
        watch = _Watch(monitors, stack, folder, scrape_dir)
        watch.plant()
        has_disk = can_mount()
        if has_disk:
            disk = folder / "disk"
            stack.enter_context(exporter_on_small_disk(disk, scrape_dir, "small"))
        wanted = [one for one in CAUSES if alerts is None or one.alert in alerts]
        causes = [one for one in wanted if has_disk or one.labels != {"scenario": "small"}]
        return watch.until_fired(causes, bad, hung, limit_s)


class _Watch:
    """Looks at Alertmanager and goes on with each run as its alerts fire."""

    def __init__(
        self, monitors: Monitors, stack: ExitStack, folder: Path, scrape_dir: Path
    ) -> None:
        self._monitors, self._stack = monitors, stack
        self._folder, self._scrape_dir = folder, scrape_dir
        self._fired: dict[str, float] = {}
        self._early: set[str] = set()
        self._steps = 0
        self._is_damaged = False

    def plant(self) -> None:
        """Start what is scraped beside the runs, and Prometheus."""
        runs: tuple[Callable[..., list[Sample]], ...] = (
            planted_values.without_evidence,
            planted_values.not_recovered,
            planted_values.endurance,
            planted_values.saturated,
        )
        for values in runs:
            address = self._stack.enter_context(planted_target(run_text(values)))
            register(self._scrape_dir, values.__name__, address, {"scenario": "planted"})
        containers = planted_target(planted_values.containers(time.time))
        node = self._monitors.start(node_exporter())
        redis = exporter_of(absent_redis())
        assert redis is not None
        targets = {
            "cadvisor": f"http://{self._stack.enter_context(containers)}",
            "node": node.server.url,
            "redis": self._monitors.start(redis).server.url,
        }
        self._monitors.watch(targets)
        os.kill(node.server.pids[0], signal.SIGKILL)

    def until_fired(
        self, causes: list[Cause], bad: PlayedRun | None, hung: PlayedRun, limit_s: float
    ) -> list[AlertTrial]:
        """Wait for the alerts of the causes."""
        began_s = time.monotonic()
        while len(self._fired) < len(causes) and time.monotonic() - began_s < limit_s:
            time.sleep(_LOOK_S)
            found = self._monitors.alerts()
            for cause in causes:
                if cause.alert not in self._fired and any(_is_of(cause, one) for one in found):
                    self._fired[cause.alert] = time.monotonic() - began_s
                    if self._steps < _BEGINS_AT.get(cause.alert, 0):
                        self._early.add(cause.alert)
            self._go_on(bad, hung)
        return [
            AlertTrial(one, self._fired.get(one.alert), one.alert in self._early) for one in causes
        ]

    def _go_on(self, bad: PlayedRun | None, hung: PlayedRun) -> None:
        if self._steps == 0 and hung.phase() == "steady":
            hung.process.send_signal(signal.SIGSTOP)
            self._steps = 1
        if self._steps == 1 and "HeartbeatStale" in self._fired:
            hung.process.kill()
            hung.process.wait()
            self._steps = 2
        folder = bad.folder() if bad is not None and bad.process.poll() is not None else None
        if not self._is_damaged and folder is not None:
            self._is_damaged = True
            copy = self._folder / "copy" / folder.root.name
            self._stack.enter_context(exporter_of_damaged(folder, copy, self._scrape_dir))


def _is_of(cause: Cause, alert: Alert) -> bool:
    wanted = {"alertname": cause.alert, **cause.labels}
    return wanted.items() <= alert.items()
