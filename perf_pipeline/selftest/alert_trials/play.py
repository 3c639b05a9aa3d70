"""Plays the cause of every alert, side by side, and looks for it in Alertmanager."""

from __future__ import annotations

import time
from contextlib import ExitStack, closing, contextmanager
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
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.selftest.alert_trials.stage import CauseGroup, Looks

FACTOR = 1 / 20
"""Of all times: a scrape every 0.25 s, ``for: 5m`` is 15 s."""
LIMIT_S = 240.0
"""Of causes that are played together; some 60 s are needed where nothing else is at work."""
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


@dataclass(frozen=True)
class AlertTrial:
    """What became of a cause.

    Attributes:
        cause: The cause.
        fired_s: When Alertmanager had its alert, seconds after Prometheus was started; None for
            never.
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
        limit_s: How long to wait for those that are played together.

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
        together = [one for one in played if not one.is_alone]
        with _scripts(stage, together) as scripts:
            monitors.watch()
            stage.began_s = time.monotonic()
            _look(stage, together, scripts, limit_s)
        for group in (one for one in played if one.is_alone):
            with _scripts(stage, [group]) as scripts:
                _look(stage, [group], scripts, limit_s)
    return [
        AlertTrial(one, stage.fired.get(one.alert), one.alert in stage.early, why)
        for group, why in zip(groups, refused, strict=True)
        for one in group.causes
    ]


@contextmanager
def _scripts(stage: Stage, groups: Sequence[CauseGroup]) -> Iterator[list[Looks]]:
    """Begin the scripts of groups; each ends what it has started with the block."""
    with ExitStack() as stack:
        scripts = [stack.enter_context(closing(group.script(stage))) for group in groups]
        _go_on(scripts)
        yield scripts


def _look(stage: Stage, groups: Sequence[CauseGroup], scripts: list[Looks], limit_s: float) -> None:
    """Go on with each script and look at Alertmanager, until all alerts of groups have fired."""
    waited_for = [cause for group in groups for cause in group.causes]
    end_s = time.monotonic() + limit_s
    while waited_for and time.monotonic() < end_s:
        time.sleep(_LOOK_S)
        _go_on(scripts)
        stage.alerts = stage.monitors.alerts()
        for cause in waited_for:
            if stage.is_active(cause.alert, cause.labels):
                stage.fired[cause.alert] = time.monotonic() - stage.began_s
                stage.early |= {cause.alert} - stage.begun
        waited_for = [one for one in waited_for if one.alert not in stage.fired]


def _go_on(scripts: list[Looks]) -> None:
    for script in scripts:
        next(script, None)
