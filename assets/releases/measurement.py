"""The measurement of one release, and the history over all that were measured."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.failure import VerdictFailedError
from assets.launchpad.flag_form import RESULTS_DIR, WAIT, settings_with
from assets.owners import OWNERS
from assets.releases.partitions import PACKAGE, TARGET_RELEASE
from assets.resources import hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled, note_first_failure, reporting_run_inventory
from assets.shown.charts import drawn
from assets.shown.links import report_links
from assets.shown.progress import ProgressLog
from assets.tags import FOLDER_TAG, OF_RELEASES, VERDICT_TAG, run_tags
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.history_defaults import RELEASE_SCENARIO
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.report.text import escape
from perf_pipeline.run import Run


class ReleaseConfig(dg.Config):
    """How a release is measured."""

    scenario: str = Field(
        default=RELEASE_SCENARIO,
        description="What each release plays: a scenario's name, or its file.",
    )
    results_dir: str | None = RESULTS_DIR
    wait: str = WAIT


class ReleaseHistoryConfig(dg.Config):
    """Which measurements the history is made of."""

    scenario: str = Field(
        default=RELEASE_SCENARIO, description="Name of the scenario that measured them."
    )
    results_dir: str | None = RESULTS_DIR


@dg.asset(
    group_name="scenarios",
    kinds={"python", "sqlite"},
    owners=OWNERS,
    tags=dict([OF_RELEASES]),
    partitions_def=TARGET_RELEASE,
    check_specs=[
        dg.AssetCheckSpec(
            "release_validity",
            asset="release_measurement",
            description="The numbers of the release are a measurement; otherwise the Dagster run "
            "fails, after everything was stored.",
        )
    ],
)
def release_measurement(
    context: dg.AssetExecutionContext, config: ReleaseConfig
) -> Iterator[dg.MaterializeResult[None]]:
    """One release of the target, as published, measured in an environment of its own.

    A backfill measures one release after the other: the load lock of the host admits one.
    """
    from assets.shown.headline import headline_metadata
    from perf_pipeline.analysis.measure import measure
    from perf_pipeline.catalogue.filing import file_measured_run
    from perf_pipeline.report.run.files import write_files

    with ending_as_canceled(context):
        settings = settings_with(config.results_dir)
        overrides = Overrides(target=f"{PACKAGE}=={context.partition_key}")
        scenario = open_scenario(config.scenario, overrides=overrides)
        context.instance.add_run_tags(context.run.run_id, run_tags(scenario))
        wait_s = parse_duration(config.wait, "wait")
        run = Run(scenario, settings, notify=notifier(context.log), wait_s=wait_s)
    hang_up_as_terminate()
    with run:
        root = str(run.folder.root.resolve())
        context.instance.add_run_tags(context.run.run_id, {FOLDER_TAG: root})
        with reporting_run_inventory(context, run.folder):
            metrics = measure(run.load(on_progress=ProgressLog(context)))
            page = write_files(run.folder, metrics).html
            notify = notifier(context.log)
            file_measured_run(metrics, run.folder.root, settings.catalogue_url, notify)
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: metrics.validity})
    is_valid = metrics.validity == "valid"
    yield dg.MaterializeResult(
        metadata={
            "run_id": metrics.run_id,
            "packages": len(metrics.manifest.target.packages),
            **report_links(page),
            **headline_metadata(metrics),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name="release_validity",
                passed=is_valid,
                metadata={"validity": metrics.validity},
            )
        ],
    )
    if not is_valid:
        raise VerdictFailedError("\n".join((metrics.validity, *metrics.reasons)))


@dg.asset(
    group_name="analysis",
    kinds={"json"},
    owners=OWNERS,
    tags=dict([OF_RELEASES]),
    deps=[dg.AssetDep(release_measurement, partition_mapping=dg.AllPartitionMapping())],
)
def release_history(config: ReleaseHistoryConfig) -> dg.MaterializeResult[None]:
    """CPU time per workflow, median and throughput over the measured releases, by version."""
    from perf_pipeline.analysis.history import read_history
    from perf_pipeline.analysis.release_history import RUNS_MAX, release_histories
    from perf_pipeline.report.charts.release_chart import (
        change_lines,
        release_chart,
        release_rows,
    )

    settings = settings_with(config.results_dir)
    history = read_history(settings.results_dir, RUNS_MAX, settings.catalogue_url)
    metadata: dict[str, dg.MetadataValue] = {
        "catalogue": dg.MetadataValue.text(history.catalogue),
        "not read": dg.MetadataValue.text("; ".join(history.unread) or "none"),
    }
    for one in release_histories(history, PACKAGE, Path(config.scenario).stem):
        level = escape.name(one.key.level)
        rows = [dg.TableRecord(row) for row in release_rows(one)]
        metadata[f"releases at {level}"] = dg.MetadataValue.table(rows)
        changes = "; ".join(change_lines(one)) or "none"
        metadata[f"change points at {level}"] = dg.MetadataValue.text(changes)
        if chart := release_chart(one):
            metadata[f"history at {level}"] = drawn([chart])
    return dg.MaterializeResult(metadata=metadata)


measured_release = dg.define_asset_job(
    "release",
    selection=dg.AssetSelection.assets("release_measurement", "release_history"),
    description="One release of the target, and the history over all that were measured. A "
    "backfill of it measures several, one after the other.",
    hooks=frozenset({note_first_failure}),
)
