"""The writes of all shards, as the first one counted them, against the records of all."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from perf_pipeline.metrics.records.counted_writes import (
    CountedWrites,
    read_counted,
    writing_kinds,
)
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.shards.level_part import LevelPart
    from perf_pipeline.shards.shard_part import ShardPart
    from perf_pipeline.targets.target import Kind

WRITES = "writes.json"


def merged_writes(
    shards: Sequence[ShardPart], parts: Sequence[LevelPart], folder: Path, kinds: Sequence[Kind]
) -> list[dict[str, Any]]:
    """Reconcile a level whose records are merged with its servers.

    Args:
        shards: All of the run.
        parts: Those of the level.
        folder: The level's, with the files of all workers.
        kinds: Every kind of workflow.

    Returns:
        What ``writes.json`` of a level has.

    Raises:
        RunFolderError: The records, or what was counted, cannot be read.
    """
    whole = parts[0].folder / WRITES
    if len(shards) == 1 and whole.exists():
        found: list[dict[str, Any]] = read_json(whole)
        return found
    servers = writing_kinds(kinds)
    if not servers:
        return []
    from perf_pipeline.metrics.records.reconcile import (  # noqa: PLC0415 - polars
        reconcile_levels,
    )

    first = shards[0]
    stored = read_counted(first.folder.root / "levels" / folder.name)
    why = first.why or f"{first.name} stored no count"
    unknown = CountedWrites(frozenset(), f"not reconciled: {why}")
    counted = {server: stored.get(server, unknown) for server in servers}
    return [asdict(one) for one in reconcile_levels([folder], kinds, counted)]
