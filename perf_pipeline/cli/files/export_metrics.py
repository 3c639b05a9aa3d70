"""The command export-metrics: runs that have ended, as Prometheus would have seen them."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.completion import offer_runs
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Results,
    answer,
    bad_input_explained,
    found_run,
    settings_with,
)
from perf_pipeline.errors import ScenarioError
from perf_pipeline.monitoring.openmetrics import MetricHistory
from perf_pipeline.monitoring.run_history import RunHistory
from perf_pipeline.samples.campaign.campaign_folder import campaign_named
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.servers.monitors.monitor import find_program

if TYPE_CHECKING:
    from perf_pipeline.samples.run_folder import RunFolder

JOB = "runs"
"""The job of Prometheus that scrapes runs; of an old run it has no address."""
_CAMPAIGN = (
    "{root} is an endurance campaign, and export-metrics writes load runs alone: the hours of a "
    "campaign may lie on the clocks of several boots. `perf-pipeline start --monitoring` before a "
    "campaign has its metrics scraped while it is played; afterwards its report and verdicts.json "
    "have its figures."
)


def export_metrics(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Ids or folders of runs that have ended; default: the latest.",
            autocompletion=offer_runs,
        ),
    ] = None,
    openmetrics: Annotated[
        Path, typer.Option("--openmetrics", metavar="FILE", help="Where the text is written.")
    ] = Path("metrics.om"),
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="Time between two values.")
    ] = 5.0,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write the metrics of runs that have ended, with times, for a Prometheus to take in.

    The values are those that the exporter would have served while the run went on. Endurance
    campaigns are refused: they are scraped while they are played.
    """
    with bad_input_explained(as_json=as_json):
        if not every > 0:
            raise ScenarioError([f"--every is {every:g}; it must be more than 0 s."])
        names: list[str | None] = [*runs] if runs else [None]
        _refuse_campaigns(runs or [], results)
        found = {run.root: run for run in (found_run(name, results) for name in names)}
        history = MetricHistory()
        for run in found.values():
            with damage_named(run):
                _add(run, every, history)
        try:
            with openmetrics.open("w", encoding="utf-8") as file:
                history.write(file)
        except OSError as error:
            raise ScenarioError([f"{openmetrics} cannot be written: {error.strerror}."]) from error
    # After `make monitoring` it may be in the cache alone, which no PATH has.
    installed = find_program(settings_with(results), "promtool")
    promtool = shlex.quote(str(installed.program)) if installed else "promtool"
    show(
        f"{openmetrics}: {history.points:,} values (a histogram is one) of {history.moments:,} "
        "moments. Into the blocks of a Prometheus (its storage.tsdb.path):\n"
        f"  {promtool} tsdb create-blocks-from openmetrics {openmetrics} DATA",
        as_json=as_json,
    )
    answer(
        {
            "runs": [run.run_id for run in found.values()],
            "file": str(openmetrics),
            "moments": history.moments,
            "values": history.points,
        },
        as_json=as_json,
    )


def _refuse_campaigns(names: list[str], results: Path | None) -> None:
    """Raise ScenarioError for each name that is a campaign's."""
    folder = settings_with(results).results_dir
    named = [found.root for name in names if (found := campaign_named(name, folder)) is not None]
    if named:
        raise ScenarioError([_CAMPAIGN.format(root=root) for root in named])


def _add(run: RunFolder, every_s: float, history: MetricHistory) -> None:
    scenario = run.read_status()["scenario"]
    target = {"job": JOB, "run_id": run.run_id, "scenario": scenario}
    for at_s, samples in RunHistory(run).moments(every_s):
        history.add(at_s, samples, target)
