"""How a shard ended: a file beside its run, for whoever merges the shards."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.typed_file import read_typed
from perf_pipeline.shards.barrier import Met

SCHEMA_VERSION = 1
_FILE = "shard.json"


@dataclass(frozen=True)
class ShardEnd:
    """One shard, at its end.

    Attributes:
        index: Which shard.
        count: Of how many.
        host: Name of its host in the order.
        clock_id: Of the CLOCK_MONOTONIC that its records have; shards of one id share one clock.
        met: Name of each level's folder to its meeting; empty where there is one shard.
        why: What ended it early; empty for nothing.
    """

    index: int
    count: int
    host: str
    clock_id: str
    met: Mapping[str, Met]
    why: str = ""


def write_shard_end(folder: Path, end: ShardEnd) -> None:
    """Write the end of a shard into the folder of its run."""
    text = json.dumps({"schema_version": SCHEMA_VERSION, **asdict(end)})
    write_atomically(folder / _FILE, text.encode())


def read_shard_end(folder: Path) -> ShardEnd | None:
    """Read the end of a shard; None where it was killed before it wrote any.

    Raises:
        RunFolderError: The file is no such end.
    """
    path = folder / _FILE
    return read_typed(path, ShardEnd, SCHEMA_VERSION) if path.exists() else None
