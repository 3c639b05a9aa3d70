"""What one workflow is given: its data, and the names under which it stores its result.

Only 64 distinct inputs exist in a run, so that the exact result of every node can be computed
before the load starts and comparing costs microseconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from perf_pipeline.workload.dataset import BUCKETS
from perf_pipeline.workload.input_file import file_path

_GOLDEN_RATIO_32 = 0x9E3779B1  # 2**32 / golden ratio, odd: Knuth's multiplicative hash
_BUCKET_SHIFT = 32 - (BUCKETS.bit_length() - 1)


class Task(NamedTuple):
    """The inputs of one workflow.

    Attributes:
        bucket: Which of the 64 inputs of the run; the bucket that an analytics workflow reads.
        data_seed: Seed of the data that a transformation workflow generates, and of the file
            that a data-processing workflow reads.
        run_id: Identifier of the run.
        level: Index of the level.
        number: Number of the workflow in the level.
        redis_key: The key that an analytics workflow writes.
        file_path: The file that a data-processing workflow reads.
    """

    bucket: int
    data_seed: int
    run_id: str
    level: int
    number: int
    redis_key: str
    file_path: str

    def signature(self) -> dict[str, Any]:
        """Return what everything that the workflow writes carries."""
        return {"run_id": self.run_id, "level": self.level, "number": self.number}


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


def redis_key(prefix: str, level: int, number: int) -> str:
    """Return the key under which workflow ``number`` of a run caches its result.

    Args:
        prefix: Of all keys of the run.
        level: Index of the load level.
        number: Negative for a cold start.
    """
    return f"{prefix}{level}:{number}"


def task_of(
    number: int, *, seed: int, run_id: str, level: int, redis_prefix: str, files_dir: str = ""
) -> Task:
    """Return the inputs of workflow ``number`` of a level of a run."""
    bucket = bucket_of(number)
    data_seed = data_seed_of(seed, bucket)
    return Task(
        bucket=bucket,
        data_seed=data_seed,
        run_id=run_id,
        level=level,
        number=number,
        redis_key=redis_key(redis_prefix, level, number),
        file_path=file_path(files_dir, data_seed),
    )
