"""Plays an endurance scenario as one Dagster run, all its hours without a gap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import typer

from perf_pipeline.cli.dagster_child import DagsterChild, endurance_job
from perf_pipeline.cli.interruptions import EndAtOnceError, interruptions_noted
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.views import LinesView
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.dagster_home import dagster_environment
from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder
from perf_pipeline.servers.lifecycle.resolve import users_url_variables

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.checked_run import CheckedRun


def launch_campaign(
    scenario: str, checked: CheckedRun, settings: Settings, *, wait: str, as_json: bool
) -> None:
    """Play a campaign as one Dagster run, and print what was proven.

    Args:
        scenario: As the user named it.
        checked: Its scenario and environments; its id is the campaign's.
        settings: Where results are.
        wait: How long to wait for another load run on this host to end.
        as_json: Print one JSON object at the end, and everything else on standard error.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    folder = CampaignFolder.of(settings.results_dir, checked.run_id)
    environ = dagster_environment(
        {**os.environ, **users_url_variables(settings)}, settings.state_dir
    )
    job = endurance_job(scenario, checked, settings.results_dir, wait=wait)
    child = DagsterChild(job, LinesView(as_json=as_json), checked, environ)
    with interruptions_noted() as noted:
        child.run(noted)
        from perf_pipeline.cli.endurance.campaign_outcome import (  # noqa: PLC0415 - imported late
            finish_campaign,
        )

        try:
            noted.raise_at_once()
            finish_campaign(folder, child, noted.code, as_json=as_json)
        except EndAtOnceError as error:
            show(f"ended at once; what was measured is kept in {folder.root}", as_json=as_json)
            raise typer.Exit(noted.code or Exit.INTERRUPTED) from error
