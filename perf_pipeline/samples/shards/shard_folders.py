"""Where the shards of a run are: folders of runs of their own, in the folder of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SHARDS = "shards"
ORDER = f"{SHARDS}/order.json"
"""Where the order is that all shards are given, below the folder of a run."""


def is_unmerged(run: Path) -> bool:
    """Return whether a folder is that of a run whose shards are not merged yet."""
    return is_in_shards(run) and not (run / "run.json").exists()


def is_in_shards(run: Path) -> bool:
    """Return whether a folder is that of a run that is played in shards."""
    return (run / ORDER).exists()


def is_shard(folder: Path) -> bool:
    """Return whether a folder is that of one shard of a run."""
    shards = folder.absolute().parent.parent
    return shards.name == SHARDS and is_in_shards(shards.parent)


def unmerged_sentence(run: Path) -> str:
    """Return the sentence about the folder of a run for which ``is_unmerged`` holds."""
    return (
        f"{run} is played in shards, which are not merged yet: `perf-pipeline merge {run.name}` "
        "does that when all have ended"
    )


def unmerged_runs(results: Path) -> list[Path]:
    """Return the folders of a results folder that are those of runs with shards to be merged."""
    return sorted(
        run for order in results.glob(f"*/{ORDER}") if is_unmerged(run := order.parents[1])
    )


def is_of_merged_shard(path: Path, results: Path) -> bool:
    """Return whether a file is of a shard whose run has the same by now: the shards were merged.

    Args:
        path: A file.
        results: The results folder that it is in.
    """
    run, *inner = path.relative_to(results).parts
    return inner[:1] == [SHARDS] and (results / run / "run.json").exists()
