"""The job that promotes a run to a baseline, with its form."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.failure import refused_in_a_sentence
from assets.launchpad.flag_form import RESULTS_DIR, settings_with
from assets.run_inventory import note_first_failure
from perf_pipeline.redaction.redact import redacted_errors
from perf_pipeline.samples.run_list import find_run


class PromoteConfig(dg.Config):
    """The runs to promote, and the name that stands for them from now on."""

    name: str = Field(
        default="stable",
        description="Name of the baseline; comparisons call it pinned:NAME. It has runs of its own "
        "for each scenario and machine; those that it has are replaced.",
    )
    runs: list[str] = Field(
        default=["latest"],
        description="Ids of the runs, all of one scenario and machine; latest for the newest.",
    )
    note: str = Field(default="", description="Why, for whoever looks at it later.")
    results_dir: str | None = RESULTS_DIR


@dg.op
def promote_runs(context: dg.OpExecutionContext, config: PromoteConfig) -> None:
    """Let a name stand for runs, and show it on the page of the history."""
    from perf_pipeline.analysis.stored_metrics import metrics_of
    from perf_pipeline.catalogue.baselines import pin_baseline
    from perf_pipeline.catalogue.filing import file_run
    from perf_pipeline.catalogue.store import open_catalogue
    from perf_pipeline.samples.damage import damage_named

    with redacted_errors(), refused_in_a_sentence():
        settings = settings_with(config.results_dir)
        settings = replace(settings, results_dir=settings.results_dir.resolve())
        catalogue = open_catalogue(settings.results_dir, settings.catalogue_url)
        folders = [find_run(settings.results_dir, run, context.log.warning) for run in config.runs]
        for folder in folders:
            with damage_named(folder):
                file_run(catalogue, metrics_of(folder), Path(folder.root).absolute())
        ids = [folder.run_id for folder in folders]
        pinned = pin_baseline(catalogue, config.name, ids, config.note, datetime.now(UTC))
    said = f"pinned:{pinned.name} is {', '.join(pinned.runs)}"
    context.log.info(f"{said}; {pinned.scenario} on {pinned.machine}")
    context.log_event(
        dg.AssetObservation(
            asset_key="metric_history",
            description=said,
            metadata={
                "baseline": pinned.name,
                "runs": ", ".join(pinned.runs),
                "scenario": pinned.scenario,
                "machine": pinned.machine,
                "note": pinned.note or "none",
            },
        )
    )


@dg.job(
    description="Make runs a baseline under a name: set both in the config.",
    config=dg.RunConfig(ops={"promote_runs": PromoteConfig()}),
    hooks={note_first_failure},
)
def promote_baseline() -> None:
    """Promote runs."""
    promote_runs()
