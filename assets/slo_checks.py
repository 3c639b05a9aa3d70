"""Asset checks of the scenario's service level objectives."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from assets.metrics import run_metrics as run_metrics_asset
from perf_pipeline.metrics.measure import measure_run
from perf_pipeline.metrics.slo import run_slos
from perf_pipeline.samples.run_folder import RunFolder

MISSED, UNDECIDED = "slos_kept", "slos_decided"


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            MISSED,
            asset=run_metrics_asset,
            description="No objective of the scenario is missed at any level.",
        ),
        dg.AssetCheckSpec(
            UNDECIDED,
            asset=run_metrics_asset,
            description="Every objective was decided: none is unclear or without data.",
        ),
    ]
)
def slo_checks(run_metrics: str) -> Iterator[dg.AssetCheckResult]:
    """Check the objectives of the run that ``run_metrics`` was made from.

    Specs are fixed when code is loaded and objectives are a run's own, so there is one check for
    what was missed (ERROR) and one for what was not decided (WARN), with a line an objective.
    """
    verdicts = run_slos(measure_run(RunFolder(Path(run_metrics).parent)))
    missed = [one for one in verdicts if one.verdict == "missed"]
    undecided = [one for one in verdicts if one.verdict in {"unclear", "no_data"}]
    for name, found, severity in (
        (MISSED, missed, dg.AssetCheckSeverity.ERROR),
        (UNDECIDED, undecided, dg.AssetCheckSeverity.WARN),
    ):
        lines = {
            f"{one.slo.text}, level {one.level}" + (f", {one.family}" if one.family else ""): (
                f"{one.verdict} ({one.validity}): {one.why}"
            )
            for one in (found or verdicts)
        }
        yield dg.AssetCheckResult(
            check_name=name,
            asset_key=run_metrics_asset.key,
            passed=not found,
            severity=severity,
            description=f"{len(found)} of {len(verdicts)} objectives"
            if verdicts
            else "The scenario has no objectives.",
            metadata=lines,
        )
