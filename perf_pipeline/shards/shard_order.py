"""What every shard of a run is given: one file in the folder of the run, the same for all hosts."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.config.scenario.scenario import Scenario
from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.shards.shard_folders import ORDER, SHARDS
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1
GONE_AFTER_S = 30.0
"""A host that is busy, or a Redis that hangs, for some seconds is not lost."""


@dataclass(frozen=True)
class ShardOrder:
    """A run that is played in shards.

    Attributes:
        run_id: The run.
        hosts: Name of the host of each shard, by index: its queue, and its name in messages.
        scenario: Checked; its number of worker processes is given, so that it is no host's own.
        left_out: Servers that workflows do without.
        plan_sha256: Name of each level's folder to the hash of its plan: a shard that plans
            anything else has another version of the project or of a file, and refuses.
        arrive_within_s: How long the shards wait for each other before a level.
        gone_after_s: A shard that was here and is silent for so long is not waited for.
    """

    run_id: str
    hosts: tuple[str, ...]
    scenario: Scenario
    left_out: tuple[str, ...]
    plan_sha256: Mapping[str, str]
    arrive_within_s: float
    gone_after_s: float = GONE_AFTER_S

    @property
    def count(self) -> int:
        """Number of shards."""
        return len(self.hosts)


def order_file(run: Path) -> Path:
    """Return where the order is, in the folder of a run."""
    return run / ORDER


def shard_results(run: Path, index: int) -> Path:
    """Return the results folder of one shard; the run's own id names its only run."""
    return run / SHARDS / f"{index:03d}"


def shard_folder(run: Path, index: int) -> Path:
    """Return the folder of a shard: that of a run that plays a share of the workers."""
    return shard_results(run, index) / run.name


def write_order(run: Path, order: ShardOrder) -> Path:
    """Write the order into the folder of its run, which is made.

    Raises:
        FileExistsError: The folder exists: a run never writes over another.
    """
    path = order_file(run)
    run.mkdir(parents=True)
    path.parent.mkdir()
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(order)}, default=str)
    write_atomically(path, text.encode())
    return path


def read_order(path: Path) -> ShardOrder:
    """Read an order, equal to the one that was written.

    Raises:
        RunFolderError: The file is missing, or is no order.
    """
    return read_typed(path, ShardOrder, SCHEMA_VERSION)
