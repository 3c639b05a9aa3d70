"""The resource monitor's lines, and what can be computed from any of them.

A value that is missing, in lines of before it was read too, makes a gap and never a zero.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

Sample = dict[str, Any]

NOT_TOLD = "not told: "
"""Begins the name of a problem that is none: what the kernel or a server does not count at all."""

MEGABYTE = 1e6
_WORDS_OF_A_PROCESS = 2


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
    return [process for process in sample[role] if keep(process)]


def unread(sample: Sample, role: str) -> set[str]:
    """Return the ids of processes of a role that could not be read at all."""
    probes = [probe.split() for probe in sample["problems"]]
    return {words[1] for words in probes if words[0] == role and len(words) == _WORDS_OF_A_PROCESS}


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


def steps(
    samples: Sequence[Sample],
    role: str,
    what: str,
    keep: Callable[[Sample], bool] = everyone,
) -> Iterator[tuple[int, float, float]]:
    """Yield how much a role's counter grew between each two samples that have it.

    A process that began between them counts with all that it had used; one that ended, with
    nothing: what it used last is not known.

    Yields:
        Time of the second sample (ns), seconds between them, growth.
    """
    for before, after in pairwise(samples):
        then: dict[int, Any] = {p["pid"]: p.get(what) for p in processes(before, role, keep)}
        now: dict[int, Any] = {p["pid"]: p.get(what) for p in processes(after, role, keep)}
        elapsed_s = (after["at_ns"] - before["at_ns"]) / 1e9
        gap = None in then.values() or None in now.values()
        gap = gap or bool(unread(before, role) or unread(after, role))
        if gap or not (set(then) & set(now)) or elapsed_s <= 0:
            continue
        growth = sum(value - then.get(pid, 0) for pid, value in now.items())
        yield after["at_ns"], elapsed_s, growth


def mean(values: Sequence[float]) -> float | None:
    """Return the mean; None of nothing."""
    return sum(values) / len(values) if values else None


def of_server(name: str) -> Callable[[Sample], bool]:
    """Return what keeps the processes of one server."""

    def keep(process: Sample) -> bool:
        return bool(process.get("service") == name)

    return keep


def growth_per_s(
    samples: Sequence[Sample],
    role: str,
    what: str,
    keep: Callable[[Sample], bool] = lambda _process: True,
) -> dict[int, float] | None:
    """Return how fast a counter of each process of a role grew.

    A process that began between two samples counts with all that it had used; what one used
    after the last sample before its end is not known, and is left out. A pair of samples in which
    a value is missing is left out.

    Returns:
        Process id to growth a second; None when no pair of samples has the counter.
    """
    grown: dict[int, float] = {}
    elapsed_s = 0.0
    for before, after in pairwise(samples):
        then = {p["pid"]: p.get(what) for p in before[role] if keep(p)}
        now = {p["pid"]: p.get(what) for p in after[role] if keep(p)}
        unread = {word for probe in before["problems"] for word in probe.split()}
        new = any(str(pid) in unread for pid in now if pid not in then)
        if new or None in then.values() or None in now.values():
            continue
        elapsed_s += (after["at_ns"] - before["at_ns"]) / 1e9
        for pid, value in now.items():
            grown[pid] = grown.get(pid, 0.0) + value - then.get(pid, 0.0)
    return {pid: growth / elapsed_s for pid, growth in grown.items()} if grown else None
