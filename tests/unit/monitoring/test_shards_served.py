"""What the exporters of the shards of a run serve adds up to what its report says."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.monitoring.exporter import reader_of
from perf_pipeline.monitoring.level_counts import Buckets
from perf_pipeline.monitoring.over_shards import OVER_SHARDS
from perf_pipeline.monitoring.scrape_target import register
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.shards.merge import merge_shards
from perf_pipeline.shards.shard_order import shard_folder
from tests.dealt_shards import Host, deal
from tests.simulated_level import SimulatedWorker, closed_loop
from tests.simulated_run import SLOTS, write_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.monitoring.exporter import Reader
    from perf_pipeline.samples.run_folder import RunFolder

HOSTS = [Host("gen-a"), Host("gen-b", "another boot", 10**12), Host("gen-c")]
WORKERS = 4
Counts = Counter[tuple[str, ...]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Four workers, of which each takes another time; every tenth workflow fails."""
    workers = []
    for worker in range(WORKERS):
        rows = closed_loop(SLOTS, lambda slot, w=worker: 0.1 + w / 10 + slot / 1000, 10.0)
        numbered = [
            row._replace(
                number=row.number * WORKERS + worker,
                outcome=Outcome.ERROR if row.number % 10 == 0 else Outcome.OK,
                error_class=ErrorClass.OTHER if row.number % 10 == 0 else ErrorClass.NONE,
            )
            for row in rows
        ]
        workers.append(SimulatedWorker(numbered))
    results = tmp_path_factory.mktemp("whole")
    folder = write_run(results, "r-1", workers=workers, processes=WORKERS)
    for worker in range(WORKERS):
        ramp = folder.root / "levels" / "00-10" / f"worker-{worker}.ramp"
        ramp.write_bytes(bytes(8 * SLOTS))
    return folder


def served(folder: Path) -> tuple[Reader, Counts, dict[tuple[str, ...], Buckets]]:
    """Return what an exporter would read, and its values: numbers, and histograms."""
    reader = reader_of(folder)
    reader.read()
    numbers: Counts = Counter()
    times: dict[tuple[str, ...], Buckets] = {}
    for name, labels, value in reader.samples():
        if isinstance(value, Buckets):
            times[name, *labels] = value
        else:
            numbers[name, *labels] = value  # type: ignore[assignment]  # gauges are floats
    return reader, numbers, times


def test_values_of_shards_add_up_to_those_of_one_run_and_of_its_report(
    whole: RunFolder, tmp_path: Path
) -> None:
    """Counts and buckets exactly, of real journals; hosts with clocks of their own."""
    run = deal(whole, tmp_path, HOSTS)
    shards = [served(shard_folder(run, index)) for index in range(len(HOSTS))]
    _, numbers, times = served(whole.root)
    added = {name for name, how in OVER_SHARDS.items() if how == "sum"} - {
        "loadtest_exporter_cpu_seconds_total"
    }
    for key in (key for key in numbers if key[0] in added):
        assert sum(own[key] for _, own, _ in shards) == numbers[key], key
    assert times
    for key, buckets in times.items():
        total = np.sum([own[key].counts for _, _, own in shards], axis=0)
        assert total.tolist() == buckets.counts.tolist(), key
        assert sum(own[key].sum_s for _, _, own in shards) == pytest.approx(buckets.sum_s)
    metrics = measure(merge_shards(run))
    ended = {
        key[-1]: sum(own[key] for _, own, _ in shards)
        for key in numbers
        if key[0] == "loadtest_workflows_completed_total"
    }
    assert ended == {name: n for name, n in metrics.levels[0].outcomes.items() if n}
    assert all(own[key] < numbers[key] for _, own, _ in shards for key in own if key[-1] == "ok")


def test_what_is_of_the_run_is_served_once_and_counts_are_not_served_again(
    whole: RunFolder, tmp_path: Path
) -> None:
    """Validity, figures and success are of the merged run; a shard that is complete is over."""
    run = deal(whole, tmp_path, HOSTS)
    shards = [served(shard_folder(run, index)) for index in range(len(HOSTS))]
    assert all(reader.is_over for reader, _, _ in shards)
    merged = merge_shards(run)
    assert not served(run)[0].is_over  # it is not measured yet
    measure(merged)
    reader, numbers, times = served(run)
    assert reader.is_over
    assert not times
    names = {key[0] for key in numbers}
    assert not names & {f"loadtest_workflow{end}" for end in ("s_completed_total", "_errors_total")}
    once = {name for name, how in OVER_SHARDS.items() if how == "run"}
    assert {"loadtest_level_validity", "loadtest_last_success_timestamp_seconds"} <= names & once
    for _, own, _ in shards:
        assert not {key[0] for key in own} & once
    of_one = {key: n for key, n in served(whole.root)[1].items() if key[0] in once}
    assert {key: n for key, n in numbers.items() if key[0] in once} == of_one


def test_exporters_of_shards_and_of_the_run_register_beside_each_other(tmp_path: Path) -> None:
    labels = {"scenario": "s"}
    paths = [register(tmp_path, "r-1", "127.0.0.1:9", labels)]
    for index in range(2):
        own = {**labels, "shard": str(index), "host": f"gen-{index}"}
        paths.append(register(tmp_path, "r-1", f"127.0.0.1:{index}", own))
    assert sorted(tmp_path.glob("*.json")) == sorted(paths)
    (last,) = json.loads(paths[2].read_text())
    expected = {"run_id": "r-1", "scenario": "s", "shard": "1", "host": "gen-1"}
    assert (last["targets"], last["labels"]) == (["127.0.0.1:1"], expected)
