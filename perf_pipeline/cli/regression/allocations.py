"""The command allocations: names the places in a target's code whose memory grows with the work."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.allocation_run import trace_growth
from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.lines.lines import show_wrapped
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    Results,
    Wait,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.cli.run import check_everything, make_results_folder
from perf_pipeline.config.duration import DEFAULT_WAIT, parse_duration
from perf_pipeline.config.flags.allocation_flags import AllocationFlags, flags_for_allocations
from perf_pipeline.config.flags.flag import check_flags
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.errors import GaveUpWaitingError, PerfPipelineError, ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.metrics.allocations.growth_file import growth_path, write_growth_places
from perf_pipeline.report.allocations.sentences import growth_sentences
from perf_pipeline.samples.campaign.campaign_folder import campaign_named
from perf_pipeline.worker.tracing.trace_job import TraceJob

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.metrics.allocations.growth_places import GrowthPlaces
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder


@takes_flags("overrides", Overrides, flags_for_allocations())
@takes_flags("asked", AllocationFlags)
def allocations(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml|CAMPAIGN",
            help="Whose workflows are played in a closed loop of one process, by name, file or id.",
            autocompletion=offer_scenarios,
        ),
    ],
    asked: AllocationFlags,
    overrides: Overrides,
    wait: Wait = DEFAULT_WAIT,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Name the lines of code whose memory grows with the number of workflows, as a leak does.

    Plays workflows with tracemalloc, in intervals of equal work, and compares what is not freed.
    Native memory is not traced. The result is a diagnosis and counts in no verdict; that of a
    campaign (endurance-ID) is in its folder, and its next report shows it.

    Exit codes: 0 nothing grew to the end; 1 a place did; 2 bad input; 3 nothing could be told;
    70 a defect of ours; 75 gave up waiting for another load run; 129, 130, 143 interrupted.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        wait_s = parse_duration(wait, "--wait")
        campaign = campaign_named(scenario, settings.results_dir)
        if campaign is None:
            checked = _check(scenario, overrides, asked, settings)
        else:
            checked = _check_campaign(campaign, overrides, asked)
        make_results_folder(settings.results_dir)
    found = _traced(checked, asked, settings, wait_s, as_json=as_json)
    file = growth_path(settings.results_dir, found.trace_id)
    path = file if campaign is None else campaign.growth_file
    write_growth_places(path, found)
    show_wrapped(growth_sentences(found), as_json=as_json)
    show(f"stored: {path}", as_json=as_json)
    answer({"file": str(path), **asdict(found)}, as_json=as_json)
    if found.problem:
        raise typer.Exit(Exit.NOT_A_MEASUREMENT)
    if found.places:
        raise typer.Exit(Exit.GATE_FAILED)


def _check(
    scenario: str, overrides: Overrides, asked: AllocationFlags, settings: Settings
) -> Scenario:
    """Check scenario, flags and servers; a wrong scenario does not hide wrong flags.

    Raises:
        ScenarioError: With every problem of scenario and flags.
        ServiceUnavailableError: With a sentence for each server that is unavailable.
    """
    problems = Problems(scenario)
    check_flags(asked, problems)
    try:
        checked = check_everything(scenario, overrides, None, settings)
    except ScenarioError as error:
        raise ScenarioError([*problems.sentences(), *error.problems]) from error
    if problems.sentences():
        raise ScenarioError(problems.sentences())
    return checked


def _check_campaign(
    campaign: CampaignFolder, overrides: Overrides, asked: AllocationFlags
) -> Scenario:
    """Return what a campaign plays; flags that change it are refused.

    Raises:
        ScenarioError: With every problem of the flags.
        RunFolderError: Its scenario cannot be read.
    """
    problems = Problems(campaign.root.name)
    check_flags(asked, problems)
    for one in flags_for_allocations():
        if getattr(overrides, one.field) != getattr(Overrides(), one.field):
            problems.flag(
                one.option,
                "changes what the campaign played: leave it out, or name its scenario instead.",
            )
    if problems.sentences():
        raise ScenarioError(problems.sentences())
    return read_checked_run(campaign.scenario_file).scenario


def _traced(
    checked: Scenario, asked: AllocationFlags, settings: Settings, wait_s: float, *, as_json: bool
) -> GrowthPlaces:
    """Trace; what prevents it is explained.

    Raises:
        typer.Exit: With the exit code.
    """
    amounts = {
        "warm_up_workflows": asked.warm_up_workflows,
        "interval_workflows": asked.interval_workflows,
        "intervals": asked.intervals,
        "limit_s": asked.limit_s,
    }
    given: dict[str, Any] = {name: value for name, value in amounts.items() if value is not None}
    try:
        return trace_growth(
            checked,
            settings,
            trace=replace(TraceJob(), **given),
            notify=lambda text: show(text, as_json=as_json),
            wait_s=wait_s,
        )
    except PerfPipelineError as error:
        problems = error.problems if isinstance(error, ScenarioError) else [str(error)]
        for problem in problems:
            show(problem, as_json=True)
        answer({"error": type(error).__name__, "problems": problems}, as_json=as_json)
        gave_up = isinstance(error, GaveUpWaitingError)
        raise typer.Exit(Exit.GAVE_UP_WAITING if gave_up else Exit.NOT_A_MEASUREMENT) from error
