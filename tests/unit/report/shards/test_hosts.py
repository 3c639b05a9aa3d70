"""The report of a run in shards says what each host was, did, and how well they met."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.metrics.metrics_file import read_metrics
from perf_pipeline.report.run.files import render_json
from perf_pipeline.report.run.markdown import render_markdown
from perf_pipeline.report.run.page import render_html
from perf_pipeline.report.shards.hosts import host_sentences, hosts_table
from perf_pipeline.samples.run_folder import RunFolder, read_json, write_json
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import shard_folder
from tests.dealt_shards import Host, deal
from tests.simulated_level import SimulatedWorker, closed_loop
from tests.simulated_run import SLOTS, write_run

if TYPE_CHECKING:
    from pathlib import Path

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
