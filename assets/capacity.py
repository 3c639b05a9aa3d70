"""Group analysis: the greatest load that meets objectives, found by its own load run."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from assets.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from assets.owners import OWNERS
from assets.progress import ProgressLog
from assets.resources import run_tags
from assets.run_inventory import FOLDER_TAG
from perf_pipeline.capacity_run import SearchedRun, capacity_run, finish_capacity
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.capacity_flags import CapacityFlags
from perf_pipeline.config.flags.overrides import FOR_CAPACITY, Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.capacity_question import capacity_question
from perf_pipeline.redaction.redact import redacted_errors
from perf_pipeline.report.report_server import report_url
from perf_pipeline.report.run.capacity_page import answer, render_markdown


@with_flags(CapacityFlags)
@with_flags(Overrides, FOR_CAPACITY)
class CapacityConfig(dg.Config):
    """The search: the flags of ``perf-pipeline capacity``."""

    scenario: str = Field(
        default="baseline", description="What the levels play: a scenario's name, or its file."
    )
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT


@dg.asset(
    group_name="analysis",
    kinds={"python", "sqlite", "html"},
    owners=OWNERS,
    output_required=False,
)
def found_capacity(
    context: dg.AssetExecutionContext, config: CapacityConfig
) -> Iterator[dg.MaterializeResult[None]]:
    """The greatest number in flight, or arrival rate, that meets objectives, with its interval.

    Steps of growing load, then bisection, at most 12; each is a level of one load run. Selected
    together with other assets and without an objective, it is skipped.
    """
    machine = read_machine_limits()
    overrides: Overrides = flags_in(config, Overrides, FOR_CAPACITY)
    scenario = open_scenario(config.scenario, machine, overrides)
    if not scenario.slos and len(context.job_def.nodes) > 1:
        context.log.warning("No objective is given (slos), so no capacity is searched for.")
        return
    question = capacity_question(scenario, machine, flags_in(config, CapacityFlags))
    settings = settings_with(config.results_dir)
    wait_s = parse_duration(config.wait, "wait")
    searched = capacity_run(scenario, question, settings, notify=context.log.info, wait_s=wait_s)
    with redacted_errors(), searched as run:
        tags = {**run_tags(scenario), FOLDER_TAG: str(run.folder.root.resolve())}
        context.instance.add_run_tags(context.run_id, tags)
        found = finish_capacity(run.load(on_progress=ProgressLog(context)))
    yield dg.MaterializeResult(metadata=_metadata(found, settings.reports_port))


def _metadata(found: SearchedRun, reports_port: int) -> dict[str, str | float | dg.MetadataValue]:
    metrics, finding, page = found
    known = {"capacity": finding.value, "below": finding.below}
    return {
        "answer": answer(finding).text,
        "verdict": finding.verdict,
        "finding": finding.summary,
        "of": finding.of,
        "steps": finding.steps,
        "run_id": metrics.run_id,
        **{name: value for name, value in known.items() if value is not None},
        "html": dg.MetadataValue.path(str(page)),
        "open": dg.MetadataValue.url(report_url(metrics.run_id, reports_port, page="capacity")),
        "summary": dg.MetadataValue.md(render_markdown(finding, metrics)),
    }
