"""The composition root of an endurance campaign: hours of constant load on a target that lives on.

``begin_campaign`` makes the folder of a ``planned_campaign`` and starts the target. ``play_hour``
plays one hour, from any process: it attaches to the target, drives the load until the deadline, and
writes ``hour.json``. ``run_endurance`` plays all hours in this process without a gap between them.
``end_campaign`` ends the target, which ends by itself when no hour comes for the length of its
lease.
"""

from __future__ import annotations

import atexit
import json
import os
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from perf_pipeline.campaign.hour_player import HourPlayer
from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.errors import PerfPipelineError, RunFolderError
from perf_pipeline.host.load_lock import load_lock
from perf_pipeline.loadgen.endurance.attachment import attach, connect
from perf_pipeline.loadgen.endurance.exact_malloc import with_exact_malloc
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of
from perf_pipeline.monitoring.start_exporter import (
    LAST_SCRAPES_S,
    outlast_exporter,
    start_exporter,
)
from perf_pipeline.report.endurance.result_file import write_campaign_file
from perf_pipeline.samples.campaign.campaign import Campaign, evidence_of, write_campaign
from perf_pipeline.samples.campaign.campaign_clock import read_kernel_boot_id
from perf_pipeline.samples.campaign.campaign_folder import PLAYING, CampaignFolder
from perf_pipeline.samples.disk_space import free_bytes
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from perf_pipeline.config.endurance.endurance import Endurance
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.checked_run import CheckedRun
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.samples.campaign.hour import Hour

BYTES_PER_WORKFLOW = 80
"""Of an hour's folder: 67 in the journal, where commits of few records fill pages in part, and 8 of
the schedule (measured at 100/s)."""

HOUR_BYTES = 2_000_000
"""Of an hour's folder besides: samples of resources and signals, logs."""


def begin_campaign(
    planned: CheckedRun,
    settings: Settings,
    *,
    notify: Callable[[str], None] = lambda _text: None,
    wait_s: float = DEFAULT_WAIT_S,
) -> CampaignFolder:
    """Make a campaign's folder and start its target, which outlives this process.

    Args:
        planned: Of ``planned_campaign``.
        settings: Where things are.
        notify: Called with each line to show meanwhile.
        wait_s: How long to wait for another load run on this host to end.

    Raises:
        PerfPipelineError: The target, a server or the disk space for all hours is unavailable.
    """
    scenario, soak = planned.scenario, endurance_of(planned.scenario)
    variables = with_exact_malloc(_without_secrets(scenario.variables))
    stored = replace(scenario, variables=variables)
    folder = CampaignFolder.of(settings.results_dir, planned.run_id)
    settings.results_dir.mkdir(parents=True, exist_ok=True)
    _refuse_full_disk(soak, settings)
    (folder.root / "hours").mkdir(parents=True)
    checked = replace(planned, scenario=stored)
    write_json(folder.scenario_file, json.loads(checked.to_json()))
    attach(folder, settings, notify=notify, wait_s=wait_s).close()
    campaign = Campaign(
        campaign_id=folder.campaign_id,
        scenario=scenario.name,
        target=scenario.target,
        rate_per_s=soak.rate_per_s,
        seed=scenario.seed,
        hours=soak.hour_count,
        hour_seconds=soak.hour_seconds,
        evidence=evidence_of(soak.hour_seconds),
        begun_utc=datetime.now(UTC).isoformat(),
        workflows_per_hour=soak.workflows_per_hour,
        begun_ns=time.monotonic_ns(),
        kernel_boot_id=read_kernel_boot_id(),
        twin_leak_share=soak.twin_leak_share,
    )
    write_campaign(folder.campaign_file, campaign)
    try:
        exporter = start_exporter(folder.root, scenario.name, settings)
    except OSError as error:
        notify(f"no live metrics: the exporter cannot be started: {error}")
    else:
        if exporter is not None:  # what judges the campaign follows, in this process
            atexit.register(_outlast_exporter, folder, exporter)
    return folder


def play_hour(
    folder: CampaignFolder,
    settings: Settings,
    hour: int,
    *,
    partition: str = "",
    length_s: float | None = None,
    notify: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    wait_s: float = DEFAULT_WAIT_S,
) -> Hour:
    """Play one hour of a campaign; a target that has ended is started anew, which is a break.

    An hour that was killed is not played again: what its journal holds is recovered, and returned.

    Args:
        folder: The campaign's.
        settings: Where things are.
        hour: Its number, from 0.
        partition: Its partition in Dagster; empty for none.
        length_s: Until its deadline, s, where that is sooner than a whole hour's.
        notify: Called with each line to show meanwhile.
        on_progress: Called about once a second with the progress of the load.
        wait_s: How long to wait for another load run on this host, or hour of it, to end.

    Raises:
        PerfPipelineError: The hour was played already, or is none of the campaign's; or the target
            is unavailable.
        GaveUpWaitingError: Another process plays an hour of it for longer.
    """
    with _playing(folder, notify, wait_s):
        played: dict[int, Hour] = {}
        player = HourPlayer(
            folder,
            settings,
            notify=notify,
            on_progress=on_progress,
            on_hour=lambda one: played.update({one.hour: one}),
            wait_s=wait_s,
        )
        player.play([hour], partition_of=lambda _hour: partition, length_s=length_s)
        return played[hour]


def run_endurance(
    planned: CheckedRun,
    settings: Settings,
    *,
    notify: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    on_hour: Callable[[CampaignFolder, Hour], None] = lambda _folder, _hour: None,
    partition_of: Callable[[int], str] = lambda _hour: "",
    wait_s: float = DEFAULT_WAIT_S,
) -> CampaignFolder:
    """Play all hours of a campaign without a gap between them, and end its target.

    Args:
        planned: As of ``begin_campaign``.
        settings: Likewise.
        notify: Likewise.
        wait_s: Likewise.
        on_progress: Called about once a second with the progress of the load.
        on_hour: Called with the campaign's folder and each hour as it ends.
        partition_of: Gives the partition in Dagster of an hour; empty for none.

    Raises:
        PerfPipelineError: As of ``begin_campaign``.
    """
    folder = begin_campaign(planned, settings, notify=notify, wait_s=wait_s)
    try:
        with _playing(folder, notify, wait_s):
            player = HourPlayer(
                folder,
                settings,
                notify=notify,
                on_progress=on_progress,
                on_hour=lambda hour: on_hour(folder, hour),
                wait_s=wait_s,
            )
            player.play(range(folder.campaign().hours), partition_of=partition_of)
    finally:
        end_campaign(folder)
    return folder


def end_campaign(folder: CampaignFolder) -> Path:
    """End the target of a campaign, if it lives, and write the campaign's result file.

    Returns:
        The result file: ``endurance_<h>h_<timestamp>.json`` beside the campaign's folder.

    Raises:
        RunFolderError: A file of the campaign cannot be read.
    """
    end_target(folder)
    return write_campaign_file(folder)


def end_target(folder: CampaignFolder) -> None:
    """End the target of a campaign, if it lives; its folder stays."""
    living = connect(folder)
    if living is not None:
        living.end()
        living.close()


def _outlast_exporter(folder: CampaignFolder, exporter: int) -> None:
    """At the end of a container, have the verdicts on a campaign scraped; others end at once."""
    outlast_exporter(exporter, LAST_SCRAPES_S if folder.verdicts_file.exists() else 0.0)


@contextmanager
def _playing(
    folder: CampaignFolder, notify: Callable[[str], None], wait_s: float
) -> Iterator[None]:
    """Hold the lock of a campaign: one process at a time plays an hour of it, others wait.

    Dagster begins two runs of a backfill at once where it does not know their pool yet.

    Raises:
        RunFolderError: There is no such campaign.
        GaveUpWaitingError: Another process played for longer.
    """
    if not folder.root.is_dir():
        raise RunFolderError(f"{folder.root} is missing: there is no such campaign")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    holder = f"an hour of {folder.root.name}, process {os.getpid()}, since {now}"
    with load_lock(folder.root / PLAYING, holder, notify, time.sleep, wait_s=wait_s):
        yield


def _without_secrets(variables: Variables) -> Variables:
    """Have values that may be secret passed through from the session of each hour's process."""
    secret = variables.secret_names
    values = {name: value for name, value in variables.values.items() if name not in secret}
    return Variables(values, tuple(dict.fromkeys((*variables.passed, *secret))))


def _refuse_full_disk(soak: Endurance, settings: Settings) -> None:
    workflows = soak.workflows * (2 if soak.has_twin else 1)
    needed = workflows * BYTES_PER_WORKFLOW + soak.hour_count * HOUR_BYTES
    free = free_bytes(settings.results_dir)
    if free < needed:
        raise PerfPipelineError(
            f"{settings.results_dir} has {free / 1e6:,.0f} MB free, and {soak.hours:g} hours at "
            f"{soak.rate_per_s:g} workflows a second take up to {needed / 1e6:,.0f} MB: free some, "
            "name another folder with --results, or lower the rate"
        )
