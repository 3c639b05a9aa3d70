"""The report of a run in shards says what each host was, did, and how well they met."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.metrics.types.cpu_use import NO_SAMPLE
from perf_pipeline.metrics.types.noise import MachineUse, Noise
from perf_pipeline.report.run.files import render_json
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.page import render_html
from perf_pipeline.report.shards.hosts import host_sentences, hosts_table
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.samples.shards.sharded_run import ShardedRun, ShardRecord
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import shard_folder
from tests.dealt_shards import Host, deal
from tests.simulated_level import SimulatedWorker, closed_loop
from tests.simulated_run import SLOTS, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.noise import NoiseVerdict
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

HOSTS = [Host("gen-a"), Host("gen-b<i>", "another boot", 10**12)]
WORKERS = 4


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Worker k has workflows of 100 + 100 k ms, so the hosts have unequal shares."""
    workers = [
        SimulatedWorker(
            [
                row._replace(number=row.number * WORKERS + worker)
                for row in closed_loop(SLOTS, lambda _slot, w=worker: 0.1 * (w + 1), 10.0)
            ]
        )
        for worker in range(WORKERS)
    ]
    folder = write_run(tmp_path_factory.mktemp("whole"), "r-1", workers=workers, processes=WORKERS)
    for worker in range(WORKERS):
        (folder.root / "levels" / "00-10" / f"worker-{worker}.ramp").write_bytes(bytes(8 * SLOTS))
    return folder


def test_the_table_has_a_row_for_each_host(run: RunFolder, tmp_path: Path) -> None:
    """1010, 510, 340 and 250 records: the workers 0 and 2 have 1350 of 2110."""
    metrics = measure(merge_shards(deal(run, tmp_path, HOSTS)))
    table = hosts_table(metrics)
    rows = [[cell.text for cell in row] for row in table.rows]
    assert rows[0][:3] == ["gen-a", "0", "2"]
    assert rows[0][3] == "a processor, 2 usable cores"
    assert rows[0][4:7] == ["0 s", "0 s", "64.0 %"]
    assert rows[1][1:3] == ["1", "2"]
    assert rows[1][4:7] == ["0.200 ms", "0 s", "36.0 %"]
    assert table.rows[0][2].note == "0, 2"
    assert host_sentences(metrics) == ("Start skew over 1 level: median 0 s, maximum 0 s.",)


def a_shard(index: int, host: str, records: int, **more: Any) -> ShardRecord:
    return ShardRecord(index, host, f"boot of {host}", None, None, records, **more)


def with_shards(metrics: RunMetrics, *shards: ShardRecord, **manifest: Any) -> RunMetrics:
    return replace(
        metrics, manifest=replace(metrics.manifest, sharded=ShardedRun(shards), **manifest)
    )


def test_a_host_has_the_worst_of_its_shards_and_levels(run: RunFolder) -> None:
    """The skews of three levels are 7, 3 and 0 ms; the second host has two of the shards."""
    ms = 1_000_000
    early = a_shard(
        0, "gen-a", 30, clock_error_ns=0, start_late_ns={"l0": ms, "l1": 5 * ms, "l2": 9 * ms}
    )
    middle = a_shard(
        1,
        "gen-b",
        10,
        clock_error_ns=5 * ms,
        start_late_ns={"l0": 3 * ms, "l1": 2 * ms, "l2": 9 * ms},
    )
    last = a_shard(2, "gen-b", 60, clock_error_ns=3 * ms, start_late_ns={"l0": 8 * ms})
    metrics = with_shards(read_metrics(run), early, middle, last, processes=7)
    first, second = ([cell.text for cell in row] for row in hosts_table(metrics).rows)
    assert first[:3] + first[4:7] == ["gen-a", "0", "3", "0 s", "3.00 ms", "30.0 %"]
    assert second[:3] + second[4:7] == ["gen-b", "1, 2", "4", "5.00 ms", "7.00 ms", "70.0 %"]
    assert hosts_table(metrics).rows[1][2].note == "1, 2, 4, 5"
    assert host_sentences(metrics) == (
        "Start skew over 3 levels: median 3.00 ms, maximum 7.00 ms.",
    )
    died = replace(last, clock_error_ns=None, start_late_ns={}, why="as planted")
    metrics = with_shards(read_metrics(run), early, middle, died, processes=7)
    row = hosts_table(metrics).rows[1]
    assert (row[0].tone, row[0].note) == ("bad", "as planted")
    assert (row[4].text, row[5].text) == ("not measured", "2.00 ms")
    alone = with_shards(metrics, early)
    assert host_sentences(alone) == ()


def test_a_host_is_as_noisy_as_its_own_machine_was_at_its_worst_level(run: RunFolder) -> None:
    """What is not known of one level is not called quiet, and a neighbour elsewhere is no cause."""
    metrics = read_metrics(run)

    def table(*verdicts: tuple[NoiseVerdict, NoiseVerdict]) -> list[str]:
        levels = tuple(
            replace(
                metrics.levels[0],
                machines=tuple(
                    MachineUse(name, None, NO_SAMPLE, Noise(verdict, (), judged=True, figures=()))
                    for name, verdict in zip(("gen-a", "gen-b"), level, strict=True)
                ),
            )
            for level in verdicts
        )
        shards = (
            a_shard(0, "gen-a", 1, clock_error_ns=0),
            a_shard(1, "gen-b", 1, clock_error_ns=0),
        )
        played = with_shards(replace(metrics, levels=levels), *shards, processes=2)
        return [row[7].text for row in hosts_table(played).rows]

    assert table(("quiet", "quiet"), ("quiet", "noisy")) == ["quiet", "noisy"]
    assert table(("quiet", "noisy"), ("unknown", "quiet")) == ["not known", "noisy"]


def test_html_markdown_and_json_have_the_hosts(run: RunFolder, tmp_path: Path) -> None:
    metrics = measure(merge_shards(deal(run, tmp_path, HOSTS)))
    page, text = render_html(metrics), render_markdown(metrics)
    assert '<section id="hosts"><h2>Hosts</h2>' in page
    assert "gen-b<i>" not in page
    assert "## Hosts" in text
    shards = json.loads(render_json(metrics))["manifest"]["sharded"]["shards"]
    assert [shard["host"] for shard in shards] == ["gen-a", "gen-b<i>"]


def test_a_run_of_one_host_has_no_section_of_hosts(run: RunFolder) -> None:
    metrics = read_metrics(run)
    assert "Hosts" not in render_html(metrics)
    assert "Hosts" not in render_markdown(metrics)


def test_what_is_missing_and_what_differs_is_said(run: RunFolder, tmp_path: Path) -> None:
    root = deal(run, tmp_path, [*HOSTS, Host("gen-c", "a third boot")])
    path = shard_folder(root, 1) / "manifest.json"
    manifest = read_json(path)
    manifest["target"]["packages"] = {"pandas": "3.0.0"}
    write_json(path, manifest)
    shutil.rmtree(shard_folder(root, 2))
    metrics = measure(merge_shards(root))
    sentences = host_sentences(metrics)
    assert sentences[0].startswith("shard 2 (host gen-c) did not begin")
    differing = next(one for one in sentences if one.startswith("Hosts differ."))
    assert "pandas beside the target: not there on shard 0 (host gen-a); 3.0.0 on" in differing
    row = hosts_table(metrics).rows[2]
    assert (row[0].tone, row[3].text) == ("bad", "not measured")
