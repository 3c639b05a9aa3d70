"""What one workflow is given: its data, and the names under which it stores its result.

Only 64 distinct inputs exist in a run, so that the exact result of every node can be computed
before the load starts and comparing costs microseconds.
"""

from __future__ import annotations

from typing import NamedTuple

from perf_pipeline.workload.dataset import BUCKETS

_GOLDEN_RATIO_32 = 0x9E3779B1  # 2**32 / golden ratio, odd: Knuth's multiplicative hash
_BUCKET_SHIFT = 32 - (BUCKETS.bit_length() - 1)


class Task(NamedTuple):
    """The inputs of one workflow.

    Attributes:
        bucket: Which of the 64 inputs of the run; the bucket that an analytics workflow reads.
        data_seed: Seed of the data that a transformation workflow generates.
        run_id: Identifier of the run.
        level: Index of the level.
        number: Number of the workflow in the level.
        redis_key: The key that an analytics workflow writes.
    """

    bucket: int
    data_seed: int
    run_id: str
    level: int
    number: int
    redis_key: str


def bucket_of(number: int) -> int:
    """Choose the input of workflow ``number``, 0 to 63.

    Workers take their share by stride, and kinds may be dealt by stride too: ``number % 64``
    would give each of them a part of the inputs only. The high bits of a multiplicative hash
    are spread evenly over every stride.

    Source:
        Knuth, The Art of Computer Programming, volume 3, section 6.4.
    """
    return ((number * _GOLDEN_RATIO_32) & 0xFFFF_FFFF) >> _BUCKET_SHIFT


def data_seed_of(seed: int, bucket: int) -> int:
    """Return the seed of generated data: distinct for every run seed and bucket."""
    return seed * BUCKETS + bucket


def redis_key(prefix: str, run_id: str, level: int, number: int) -> str:
    """Return the key under which workflow ``number`` caches its result."""
    return f"{prefix}{run_id}:{level}:{number}"


def task_of(number: int, *, seed: int, run_id: str, level: int, redis_prefix: str) -> Task:
    """Return the inputs of workflow ``number`` of a level of a run."""
    bucket = bucket_of(number)
    return Task(
        bucket=bucket,
        data_seed=data_seed_of(seed, bucket),
        run_id=run_id,
        level=level,
        number=number,
        redis_key=redis_key(redis_prefix, run_id, level, number),
    )
