"""How a shard ended: a file beside its run, for whoever merges the shards."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from perf_pipeline.samples.run_file import write_atomically
from perf_pipeline.samples.typed_file import read_typed

SCHEMA_VERSION = 1
_FILE = "shard.json"


@dataclass(frozen=True)
class Met:
    """What a shard knows of the meeting before a level.

    Attributes:
        go_ns: The agreed start, CLOCK_MONOTONIC of this host.
        offset_ns: What CLOCK_MONOTONIC of this host lacks of the time of the Redis server, ns.
        error_ns: Limit of the error of that offset: half of the quickest round trip.
        waited_s: How long it waited for the others.
        hosts: Index of each shard to the host that arrived for it.
        boot_ids: Likewise, to the boot of that host: the shards of one boot share a clock.
    """

    go_ns: int
    offset_ns: int
    error_ns: int
    waited_s: float
    hosts: Mapping[int, str]
    boot_ids: Mapping[int, str]


@dataclass(frozen=True)
class ShardEnd:
    """One shard, at its end.

    Attributes:
        index: Which shard.
        count: Of how many.
        host: Name of its host in the order.
        boot_id: Of the boot whose CLOCK_MONOTONIC its records have.
        met: Name of each level's folder to its meeting; empty where there is one shard.
        why: What ended it early; empty for nothing.
    """

    index: int
    count: int
    host: str
    boot_id: str
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
