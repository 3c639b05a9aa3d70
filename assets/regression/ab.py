"""Group analysis: two arms compared by their own load run, their levels in turn."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from assets.launchpad.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from assets.owners import OWNERS
from assets.regression.verdict import judged
from assets.resources import checked_run, hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled, reporting_run_inventory
from assets.shown.end_summary import EndSummary
from assets.shown.progress import ProgressLog
from assets.tags import FOLDER_TAG, run_tags
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.ab_flags import AbFlags, flags_for_ab
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.interleaved.question import ab_question
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.run import Run

if TYPE_CHECKING:
    from perf_pipeline.ab_run import ComparedRun


@with_flags(AbFlags)
@with_flags(Overrides, flags_for_ab())
class AbConfig(dg.Config):
    """The comparison: the flags of ``perf-pipeline ab``."""

    scenario: str = Field(
        default="baseline", description="What both arms play: a scenario's name, or its file."
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
def ab_comparison(
    context: dg.AssetExecutionContext,
    config: AbConfig,
    end_summary: dg.ResourceParam[EndSummary],
) -> Iterator[dg.Output[str]]:
    """How arm B differs from arm A: effects with intervals, from levels in the order ABBA.

    Levels of both arms take turns in one load run, each in an environment of its own, until the
    effects are known well enough or the budget is spent. Selected together with other assets and
    without an arm, it is skipped. The value is the file of the comparison.
    """
    if flags_in(config, AbFlags) == AbFlags() and len(context.job_def.nodes) > 1:
        context.log.info("No arm is given (a, b), so nothing is compared.")
        return
    from perf_pipeline.ab_run import file_compared, finish_ab

    with ExitStack() as stack:
        with ending_as_canceled(context):
            run = _prepared(context, config, stack)
        hang_up_as_terminate()
        context.instance.add_run_tags(
            context.run.run_id, {FOLDER_TAG: str(run.folder.root.resolve())}
        )
        with reporting_run_inventory(context, run.folder):
            found = finish_ab(run.load(on_progress=ProgressLog(context)))
    settings = settings_with(config.results_dir)
    file_compared(found, run.folder, settings, context.log.warning)
    end_summary.say(_summary(found))
    end_summary.show_path(found.page)
    yield dg.Output(str(found.file), metadata=_metadata(found))


def _prepared(context: dg.AssetExecutionContext, config: AbConfig, stack: ExitStack) -> Run:
    """Return the run of a comparison.

    Raises:
        PerfPipelineError: With what is wrong with the scenario or the arms.
    """
    from perf_pipeline.ab_run import ab_run

    machine, settings = read_machine_limits(), settings_with(config.results_dir)
    checked = checked_run(settings, config.run_id)
    overrides: Overrides = flags_in(config, Overrides, flags_for_ab())
    scenario = checked.scenario if checked else open_scenario(config.scenario, machine, overrides)
    context.instance.add_run_tags(context.run.run_id, run_tags(scenario))
    return stack.enter_context(
        ab_run(
            scenario,
            ab_question(scenario, machine, flags_in(config, AbFlags)),
            settings,
            run_id=config.run_id,
            notify=notifier(context.log),
            environments=checked.environments if checked else {},
            wait_s=parse_duration(config.wait, "wait"),
        )
    )


def _summary(found: "ComparedRun") -> str:
    comparison = found.comparison
    arms = f"{comparison.candidate.target} against {comparison.baseline.target}"
    return f"{comparison.verdict.replace('_', ' ')}: {arms}"


def _metadata(found: "ComparedRun") -> dict[str, str | dg.MetadataValue]:
    from assets.shown.compared import comparison_metadata
    from perf_pipeline.ab_run import ORDER
    from perf_pipeline.analysis.comparison.interleaved import metrics_of_arm

    a, b = (metrics_of_arm(found.metrics, name) for name in ORDER[0])
    return {
        "answer": _summary(found),
        "run_id": found.metrics.run_id,
        **comparison_metadata(found.comparison, found.page, [a], [b]),
        "comparison": dg.MetadataValue.path(str(found.file)),
        "summary": dg.MetadataValue.md(found.page.with_suffix(".md").read_text(encoding="utf-8")),
    }


@dg.multi_asset_check(
    name="ab_verdict",
    specs=[
        dg.AssetCheckSpec(
            "verdict",
            asset=ab_comparison,
            description="Arm B is not worse than arm A; otherwise, or where that is not decided, "
            "the Dagster run fails, after everything was stored and reported.",
        )
    ],
)
def ab_verdict(
    context: dg.AssetCheckExecutionContext, ab_comparison: str
) -> Iterator[dg.AssetCheckResult]:
    """Tag the run with the verdict of the comparison, and fail it unless arm B may ship."""
    yield from judged(context, Path(ab_comparison), dg.AssetKey("ab_comparison"))
