from __future__ import annotations

from collections import Counter

import pytest

from perf_pipeline.servers.redis.data import storage_name
from perf_pipeline.workload.dataset import BUCKETS
from perf_pipeline.workload.task import bucket_of, data_seed_of, task_of


@pytest.mark.parametrize("stride", [1, 2, 3, 4, 6, 8, 16, 64, 128])
def test_a_worker_that_takes_every_nth_workflow_still_meets_every_input_equally(
    stride: int,
) -> None:
    """``number % 64`` gives a worker of 2 one half of the inputs, and one of 64 a single one."""
    seen = Counter(bucket_of(number) for number in range(5, 5 + 6400 * stride, stride))
    assert sorted(seen) == list(range(BUCKETS))
    assert max(seen.values()) <= 1.25 * 100
    assert min(seen.values()) >= 0.75 * 100


def test_data_of_different_runs_differs_in_every_input() -> None:
    seeds = {data_seed_of(seed, bucket) for seed in range(100) for bucket in range(BUCKETS)}
    assert len(seeds) == 100 * BUCKETS


def test_a_task_names_its_key_by_run_level_and_number() -> None:
    """The prefix is the run's own."""
    prefix = storage_name("r1")
    task = task_of(4_000_000_000, seed=3, run_id="r1", level=2, redis_prefix=prefix)
    assert task.redis_key == "perf_pipeline:r1:2:4000000000"
    assert task.signature() == {"run_id": "r1", "level": 2, "number": 4_000_000_000}
    assert task.data_seed == 3 * 64 + task.bucket


def test_workflows_with_the_same_input_read_the_same_file() -> None:
    tasks = [
        task_of(number, seed=3, run_id="r", level=0, redis_prefix="", files_dir="/x/run 1")
        for number in range(-10, 1000)
    ]
    files = {task.bucket: task.file_path for task in tasks}
    assert all(task.file_path == files[task.bucket] for task in tasks)
    assert files[5] == f"/x/run 1/input_{data_seed_of(3, 5)}.csv"
    assert len(set(files.values())) == BUCKETS
