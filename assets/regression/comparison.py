"""Group analysis: two sides of runs compared."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from assets.failure import refused_in_a_sentence
from assets.launchpad.flag_form import RESULTS_DIR, settings_with
from assets.owners import OWNERS
from assets.run_inventory import note_first_failure
from perf_pipeline.redaction.redact import redacted_errors
from perf_pipeline.samples.run_folder import new_run_id

if TYPE_CHECKING:
    from perf_pipeline.comparison_run import StoredComparison


class ComparisonConfig(dg.Config):
    """The two sides: what ``perf-pipeline compare`` takes."""

    baseline: str = Field(
        default="",
        description="The older side: run ids or folders, result files, archives, pinned:NAME, "
        "rolling:N or branch:NAME; several joined by commas.",
    )
    candidate: str = Field(default="latest", description="The newer side, likewise.")
    despite: list[str] = Field(
        default=[], description="What may differ all the same (packages, machine, ...); recorded."
    )
    matters_percent: float = Field(
        default=0.0,
        ge=0.0,
        description="The smallest change that must not be missed; at least 5 (P95 and P99: 10).",
    )
    results_dir: str | None = RESULTS_DIR


@dg.asset(group_name="analysis", kinds={"json", "html"}, owners=OWNERS, output_required=False)
def comparison(
    context: dg.AssetExecutionContext, config: ComparisonConfig
) -> Iterator[dg.Output[str]]:
    """How a candidate differs from its baseline, metric by metric, with verdict and intervals.

    Without a baseline in its configuration, as where all assets are selected, it is skipped. The
    value is the file of the comparison.
    """
    if not config.baseline:
        context.log.info("No baseline is given, so nothing is compared.")
        return
    from perf_pipeline.comparison_run import compare_named

    with redacted_errors(), refused_in_a_sentence():
        settings = settings_with(config.results_dir)
        found = compare_named(
            config.baseline,
            config.candidate,
            replace(settings, results_dir=settings.results_dir.resolve()),
            comparison_id=new_run_id(datetime.now(UTC)),
            despite=config.despite,
            matters=config.matters_percent / 100,
            notify=context.log.warning,
        )
    yield dg.Output(str(found.file), metadata=_metadata(found))


def _metadata(stored: "StoredComparison") -> dict[str, str | dg.MetadataValue]:
    from assets.shown.compared import comparison_metadata

    found = stored.comparison
    return {
        "baseline": found.baseline.name,
        "candidate": found.candidate.name,
        **comparison_metadata(found, stored.page, stored.baseline, stored.candidate),
        "summary": dg.MetadataValue.md(stored.page.with_suffix(".md").read_text(encoding="utf-8")),
    }


compare_runs = dg.define_asset_job(
    "compare",
    selection=dg.AssetSelection.assets("comparison"),
    config=dg.RunConfig(ops={"comparison": ComparisonConfig()}),
    description="Compare runs with a baseline; both are set in the config. It starts no load.",
    hooks=frozenset({note_first_failure}),
)
