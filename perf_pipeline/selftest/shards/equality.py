"""The difference between a run of one host and the same records merged from shards."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import polars as pl

from perf_pipeline.metrics.records.level_histograms import FILE as HISTOGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder

OF_MACHINES = ("resources", "noise", "bottleneck", "machines")
"""What comes from samples of a machine: a thousand machines have other figures than one."""


def differences(
    merged: tuple[RunFolder, RunMetrics], whole: tuple[RunFolder, RunMetrics], *, one_machine: bool
) -> list[str]:
    """Return what differs, by name; empty for nothing.

    Args:
        merged: The folder and the metrics of the merged run.
        whole: Those of the run that one host played.
        one_machine: The shards shared a machine, so its samples are equal as well.
    """
    (folder, metrics), (other_folder, other) = merged, whole
    records = [_in_order(pl.read_parquet(one.records)) for one in (folder, other_folder)]
    found = [] if records[0].equals(records[1]) else ["records.parquet"]
    for one, two in zip(folder.level_folders(), other_folder.level_folders(), strict=True):
        if (one / HISTOGRAMS).read_bytes() != (two / HISTOGRAMS).read_bytes():
            found.append(HISTOGRAMS)
    for level, wanted in zip(metrics.levels, other.levels, strict=True):
        fields, values = asdict(level), asdict(wanted)
        names = fields if one_machine else fields.keys() - set(OF_MACHINES)
        for name in sorted(names):
            found += _differing(name, fields[name], values[name])
    return found


def _in_order(records: pl.DataFrame) -> pl.DataFrame:
    """Return the rows worker by worker, where each shard has a file; a worker's order is kept."""
    return records.sort("level", "worker", maintain_order=True)


def _differing(name: str, one: Any, other: Any) -> Iterator[str]:
    """Yield the names of the values that differ, those inside of a value with a dot."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for each in one:
            yield from _differing(f"{name}.{each}", one[each], other[each])
    elif one != other:
        yield name
