"""The resource monitor's samples, and sums over the processes of a role.

A missing value makes a gap and never a zero.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

Sample = dict[str, Any]

NOT_COUNTED = "not told: "
"""Prefix of a problem that is no failure: a value that the kernel or server does not count."""

CHILDREN_S = 0.1
TOO_MANY_CHILDREN = f"the target has more processes than can be read in {CHILDREN_S:g} s"
"""Why there are processes of the target that a sample has not read."""

MEGABYTE = 1e6
_PARTS_OF_A_PROCESS = 2


def read_samples(path: Path, start_ns: int, end_ns: int) -> list[Sample]:
    """Read the monitor's lines of a window; a last line cut off by a kill is left out."""
    if not path.exists():
        return []
    samples = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            sample = json.loads(line)
        except ValueError:
            continue
        if start_ns <= sample["at_ns"] <= end_ns:
            samples.append(sample)
    return samples


def everyone(_process: Sample) -> bool:
    """Keep every process."""
    return True


def processes(sample: Sample, role: str, keep: Callable[[Sample], bool] = everyone) -> list[Sample]:
    """Return the processes of a role that were read."""
    return [process for process in sample.get(role, ()) if keep(process)]


def of_child(name: str) -> Callable[[Sample], bool]:
    """Return what keeps the processes of a name that the target has started."""

    def keep(process: Sample) -> bool:
        return bool(process.get("name") == name)

    return keep


def unread(sample: Sample, role: str) -> set[str]:
    """Return the ids of processes of a role that could not be read at all."""
    probes = [probe.split() for probe in sample["problems"]]
    return {parts[1] for parts in probes if parts[0] == role and len(parts) == _PARTS_OF_A_PROCESS}


def summed(
    samples: Sequence[Sample],
    role: str,
    what: str,
    keep: Callable[[Sample], bool] = everyone,
) -> list[float]:
    """Return a value summed over a role's processes, for each sample that has it of all of them."""
    sums: list[float] = []
    for sample in samples:
        values: list[Any] = [process.get(what) for process in processes(sample, role, keep)]
        if values and None not in values and not unread(sample, role):
            sums.append(sum(values))
    return sums


def target_bytes(samples: Sequence[Sample], what: str) -> list[float]:
    """Return a value summed over workers and what they started, of each sample that has all."""
    sums = []
    for sample in samples:
        workers, children = (summed([sample], role, what) for role in ("workers", "children"))
        alone = not sample.get("children") and not unread(sample, "children")
        if workers and (children or alone):
            sums.append(workers[0] + sum(children))
    return sums


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return sum(values) / len(values) if values else None


def of_server(name: str) -> Callable[[Sample], bool]:
    """Return what keeps the processes of one server."""

    def keep(process: Sample) -> bool:
        return bool(process.get("service") == name)

    return keep
