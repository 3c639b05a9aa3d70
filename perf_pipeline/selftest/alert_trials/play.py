"""Plays the cause of every alert, side by side, and looks for it in Alertmanager."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.selftest.alert_trials.absent_servers import ABSENT_SERVERS
from perf_pipeline.selftest.alert_trials.ageing_campaign import AGEING_CAMPAIGN
from perf_pipeline.selftest.alert_trials.failed_server import FAILED_SERVER
from perf_pipeline.selftest.alert_trials.gone_container import GONE_CONTAINER
from perf_pipeline.selftest.alert_trials.memory_stall import MEMORY_STALL
from perf_pipeline.selftest.alert_trials.monitors import Monitors
from perf_pipeline.selftest.alert_trials.overloaded_run import OVERLOADED_RUN
from perf_pipeline.selftest.alert_trials.saturated_pool import SATURATED_POOL
from perf_pipeline.selftest.alert_trials.small_disk import SMALL_DISK
from perf_pipeline.selftest.alert_trials.stage import Cause, Stage
from perf_pipeline.selftest.alert_trials.stopped_run import STOPPED_RUN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.selftest.alert_trials.stage import CauseGroup, Looks

FACTOR = 1 / 20
"""Of all times: a scrape every 0.25 s, ``for: 5m`` is 15 s."""
LIMIT_S = 150.0
_LOOK_S = 0.2
GROUPS = (
    OVERLOADED_RUN,
    STOPPED_RUN,
    ABSENT_SERVERS,
    SMALL_DISK,
    FAILED_SERVER,
    SATURATED_POOL,
    AGEING_CAMPAIGN,
    MEMORY_STALL,
    GONE_CONTAINER,
)
QUICK = tuple(one for one in GROUPS if one.is_quick)
CAUSES = tuple(cause for group in GROUPS for cause in group.causes)


@dataclass(frozen=True)
class AlertTrial:
    """What became of a cause.

    Attributes:
        cause: The cause.
        fired_s: When Alertmanager had its alert, seconds after the first cause; None for never.
        is_early: It had it before the cause: the alert is false.
        why_not_here: Why the cause was not made on this machine; empty if it was.
    """

    cause: Cause
    fired_s: float | None = None
    is_early: bool = False
    why_not_here: str = ""


def play_alerts(
    settings: Settings,
    folder: Path,
    *,
    groups: Sequence[CauseGroup] = GROUPS,
    limit_s: float = LIMIT_S,
) -> list[AlertTrial]:
    """Play causes and wait until their alerts have fired, or the time is over.

    Args:
        settings: Where programs are looked for, and where servers' folders are made.
        folder: Empty; for runs and what they leave.
        groups: Which causes.
        limit_s: How long to wait.

    Returns:
        One a cause, in their order.

    Raises:
        ServiceUnavailableError: Prometheus, Alertmanager or an exporter is missing.
    """
    refused = [one.why_not_here(settings) for one in groups]
    played = [group for group, why in zip(groups, refused, strict=True) if not why]
    scrape_dir = folder / "scrape"
    scrape_dir.mkdir()
    with Monitors(settings, scrape_dir, FACTOR) as monitors:
        stage = Stage(settings, folder, monitors)
        _watch(stage, played, limit_s)
    return [
        AlertTrial(one, stage.fired.get(one.alert), one.alert in stage.early, why)
        for group, why in zip(groups, refused, strict=True)
        for one in group.causes
    ]


def _watch(stage: Stage, groups: Sequence[CauseGroup], limit_s: float) -> None:
    """Look at Alertmanager and go on with each script, until all alerts have fired."""
    causes = [cause for group in groups for cause in group.causes]
    with ExitStack() as stack:
        scripts = [group.script(stage) for group in groups]
        for script in scripts:
            stack.callback(script.close)
        _go_on(scripts)
        stage.monitors.watch()
        began_s = time.monotonic()
        while len(stage.fired) < len(causes) and time.monotonic() - began_s < limit_s:
            time.sleep(_LOOK_S)
            _go_on(scripts)
            stage.alerts = stage.monitors.alerts()
            for cause in causes:
                if cause.alert not in stage.fired and stage.is_active(cause.alert, cause.labels):
                    stage.fired[cause.alert] = time.monotonic() - began_s
                    stage.early |= {cause.alert} - stage.begun


def _go_on(scripts: list[Looks]) -> None:
    for script in scripts:
        next(script, None)
