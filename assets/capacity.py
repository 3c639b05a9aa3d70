"""Group analysis: the greatest load that meets objectives, found by its own load run."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from assets.failure import VerdictFailedError
from assets.launchpad.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from assets.owners import OWNERS
from assets.resources import checked_run, hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled, reporting_run_inventory
from assets.shown.end_summary import EndSummary
from assets.shown.links import report_links
from assets.shown.progress import ProgressLog
from assets.tags import FOLDER_TAG, VERDICT_TAG, run_tags
from assets.verdict import verdict_result
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.overrides import FOR_CAPACITY, Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.capacity_question import capacity_question
from perf_pipeline.report.text.quantity import rounded
from perf_pipeline.run import Run
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from perf_pipeline.capacity_run import SearchedRun

GOOD = ("found", "at_least")
"""Verdicts of a search that found a load which meets the objectives."""


@with_flags(CapacityFlags)
@with_flags(Overrides, FOR_CAPACITY)
class CapacityConfig(dg.Config):
    """The search: the flags of ``perf-pipeline capacity``."""

    scenario: str = Field(
        default="baseline", description="What the levels play: a scenario's name, or its file."
    )
    run_id: str | None = Field(default=None, description="Id of the run; normally left empty.")
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT


@dg.asset(
    group_name="analysis",
    kinds={"python", "sqlite", "html"},
    owners=OWNERS,
    output_required=False,
)
def found_capacity(
    context: dg.AssetExecutionContext,
    config: CapacityConfig,
    end_summary: dg.ResourceParam[EndSummary],
) -> Iterator[dg.Output[str]]:
    """The greatest number in flight, or arrival rate, that meets objectives, with its interval.

    Steps of growing load, then bisection, at most 12; each is a level of one load run. Selected
    together with other assets and without an objective, it is skipped. The value is the run's
    folder.
    """
    from perf_pipeline.capacity_run import finish_capacity
    from perf_pipeline.catalogue.filing import file_measured_run

    with ending_as_canceled(context):
        run = _prepared(context, config)
    if run is None:
        context.log.info("No objective is given (slos), so no capacity is searched for.")
        return
    hang_up_as_terminate()
    with run:
        context.instance.add_run_tags(
            context.run.run_id, {FOLDER_TAG: str(run.folder.root.resolve())}
        )
        with reporting_run_inventory(context, run.folder):
            found = finish_capacity(run.load(on_progress=ProgressLog(context)))
    url = settings_with(config.results_dir).catalogue_url
    file_measured_run(found.metrics, run.folder.root, url, context.log.warning)
    end_summary.say(found.finding.summary)
    end_summary.show_path(found.page)
    yield dg.Output(str(run.folder.root), metadata=_metadata(found))


def _prepared(context: dg.AssetExecutionContext, config: CapacityConfig) -> Run | None:
    """Return the run of a search; None if the asset is one of many and none is asked for.

    Raises:
        PerfPipelineError: With what is wrong with the scenario or the question.
    """
    from perf_pipeline.capacity_run import capacity_run

    machine, settings = read_machine_limits(), settings_with(config.results_dir)
    checked = checked_run(settings, config.run_id)
    overrides: Overrides = flags_in(config, Overrides, FOR_CAPACITY)
    scenario = checked.scenario if checked else open_scenario(config.scenario, machine, overrides)
    if not scenario.slos and len(context.job_def.nodes) > 1:
        return None
    context.instance.add_run_tags(context.run.run_id, run_tags(scenario))
    return capacity_run(
        scenario,
        capacity_question(scenario, machine, flags_in(config, CapacityFlags)),
        settings,
        run_id=config.run_id,
        notify=notifier(context.log),
        environments=checked.environments if checked else {},
        wait_s=parse_duration(config.wait, "wait"),
    )


def _metadata(found: "SearchedRun") -> dict[str, str | float | dg.MetadataValue]:
    from perf_pipeline.report.run.capacity_page import answer, render_markdown

    metrics, finding, page = found
    known = {"capacity": finding.value, "below": finding.below}
    return {
        "answer": answer(finding).text,
        "verdict": finding.verdict,
        "finding": finding.summary,
        "of": finding.of,
        "run_id": metrics.run_id,
        **{name: rounded(value) for name, value in known.items() if value is not None},
        **report_links(page),
        "summary": dg.MetadataValue.md(render_markdown(finding, metrics)),
    }


@dg.multi_asset_check(
    name="capacity_verdict",
    specs=[
        dg.AssetCheckSpec(
            "verdict",
            asset=found_capacity,
            description="A load that meets the objectives was found; otherwise the Dagster run "
            "fails, after everything was stored and reported.",
        )
    ],
)
def capacity_verdict(
    context: dg.AssetCheckExecutionContext, found_capacity: str
) -> Iterator[dg.AssetCheckResult]:
    """Tag the run with the verdict of the search, and fail it unless a capacity was found."""
    from perf_pipeline.analysis.capacity_steps import measure_capacity
    from perf_pipeline.analysis.stored_metrics import metrics_of

    folder = RunFolder(Path(found_capacity))
    finding = measure_capacity(folder, metrics_of(folder).levels)
    failures = () if finding.verdict in GOOD else (f"{finding.verdict}: {finding.summary}",)
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: finding.verdict})
    key = dg.AssetCheckKey(dg.AssetKey("found_capacity"), "verdict")
    yield verdict_result(key, finding.verdict, failures)
    if failures:
        raise VerdictFailedError("\n".join(failures))
