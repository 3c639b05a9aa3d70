"""What the servers hold of a level: the numbers of the workflows whose write is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_folder import read_json, write_json
from perf_pipeline.workload.servers import servers_written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.targets.target import Kind

_FILE = "counted_writes.json"


@dataclass(frozen=True)
class CountedWrites:
    """The writes of a level on one server.

    Attributes:
        numbers: The workflows whose write it has.
        problem: Why it could not be counted; empty where it was.
    """

    numbers: frozenset[int]
    problem: str = ""


def writing_kinds(kinds: Sequence[Kind]) -> dict[str, list[int]]:
    """Return each server to which a kind writes, with the indices of the kinds that do."""
    found: dict[str, list[int]] = {}
    for index, kind in enumerate(kinds):
        for server in sorted(servers_written(kind.family, kind.complexity, kind.without)):
            found.setdefault(server, []).append(index)
    return found


def count_writes(
    kinds: Sequence[Kind], found_on: Mapping[str, Callable[[], set[int]]]
) -> dict[str, CountedWrites]:
    """Count the writes on each server to which a kind writes; the others are not asked.

    Args:
        kinds: Every kind of workflow.
        found_on: Server to a function that returns the numbers of the workflows whose write it
            has.
    """
    written = writing_kinds(kinds)
    return {server: _counted(count) for server, count in found_on.items() if server in written}


def _counted(count: Callable[[], set[int]]) -> CountedWrites:
    try:
        return CountedWrites(frozenset(count()))
    except Exception as error:  # noqa: BLE001 whatever the driver raises: it is shown, not hidden
        return CountedWrites(frozenset(), f"{type(error).__name__}: {error}")


def write_counted(folder: Path, counted: Mapping[str, CountedWrites]) -> None:
    """Write what was counted into the folder of its level, for whoever merges the shards."""
    stored = {
        server: {"numbers": sorted(one.numbers), "problem": one.problem}
        for server, one in counted.items()
    }
    write_json(folder / _FILE, stored)


def read_counted(folder: Path) -> dict[str, CountedWrites]:
    """Read what was counted; nothing where it never was.

    Raises:
        RunFolderError: The file is damaged.
    """
    path = folder / _FILE
    stored = read_json(path) if path.exists() else {}
    return {
        server: CountedWrites(frozenset(one["numbers"]), one["problem"])
        for server, one in stored.items()
    }
