"""A real run, dealt out to hosts and merged again, has the figures of the run itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.metrics.records.level_histograms import FILE as HISTOGRAMS
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.shards.merge import merge_shards
from tests.dealt_shards import Host, deal
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SCENARIO = Scenario(
    "dealt",
    target="callable",
    concurrency=(8,),
    processes=4,
    workloads=(Workload("perf_pipeline.selftest.known.freezing:short", ""),),
    phases=Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=1.5, drain_s=0.5),
    arrivals=(Arrivals("open", "poisson", 200.0, 1.5, 8, 5.0),),
    sample_every_s=0.2,
)
OF_MACHINES = ("host", "others", "interfaces", "gaps")
"""Figures of a whole machine, which two machines have twice."""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    ended = run_scenario(SCENARIO, settings_in(tmp_path_factory.mktemp("whole")))
    return RunFolder(ended.folder)


def figures(metrics: RunMetrics, without: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Return all figures of the levels."""
    levels = [asdict(level) for level in metrics.levels]
    for level in levels:
        for name in without:
            level["resources"].pop(name)
        if without:
            del level["noise"], level["bottleneck"], level["machines"]
    return levels


@pytest.mark.parametrize("count", [1, 2, 4])
def test_shards_merged_have_every_figure_of_the_run_that_one_host_played(
    run: RunFolder, tmp_path: Path, count: int
) -> None:
    dealt = deal(run, tmp_path, [Host(f"gen-{index}") for index in range(count)])
    merged = merge_shards(dealt)
    metrics, original = measure(merged), measure(run)
    assert figures(metrics) == figures(original)
    assert replace(metrics, manifest=original.manifest, levels=original.levels) == original
    same_files(merged, run)


def test_a_clock_that_is_1000_s_ahead_changes_no_figure(run: RunFolder, tmp_path: Path) -> None:
    hosts = [Host("gen-a"), Host("gen-b", "another boot", 10**12)]
    merged = merge_shards(deal(run, tmp_path, hosts))
    metrics, original = measure(merged), measure(run)
    assert figures(metrics, OF_MACHINES) == figures(original, OF_MACHINES)
    same_files(merged, run)


def same_files(merged: RunFolder, run: RunFolder) -> None:
    """Check that histograms and records are equal."""
    for one, other in zip(merged.level_folders(), run.level_folders(), strict=True):
        assert one.name == other.name
        assert (one / HISTOGRAMS).read_bytes() == (other / HISTOGRAMS).read_bytes()
    records, wanted = (
        pl.read_parquet(one.records).sort("level", "worker", maintain_order=True)
        for one in (merged, run)
    )
    assert records.equals(wanted)
