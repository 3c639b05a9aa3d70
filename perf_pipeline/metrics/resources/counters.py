"""How fast the counters of processes grew between the resource monitor's samples.

The kernel counts CPU time, waits and bytes of a process since its start, so every rate is a
difference of two samples. One rule says which differences count:

- A *step* is two samples in a row. It counts only if both have read the counter of every process
  of the role, and at least one process is in both. A step that does not count is left out of the
  growth and of the time, so a gap never looks like a zero.
- A process that began during a step counts with everything that it had used by its first sample.
- A process that ended during a step counts with nothing: what it used last is not known.
- A mean rate is the growth over all steps that count / the seconds of those steps.
- A total is given only if every step of the window counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from perf_pipeline.host.target_processes import CPU as TARGET_CPU
from perf_pipeline.metrics.resources.resource_samples import everyone, processes, unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from perf_pipeline.metrics.resources.resource_samples import Sample


@dataclass(frozen=True)
class Step:
    """How much a counter grew between two samples in a row.

    Attributes:
        at_ns: Time of the second sample, CLOCK_MONOTONIC.
        elapsed_s: Seconds between the two; > 0.
        by_process: Process id to growth, in the counter's unit.
    """

    at_ns: int
    elapsed_s: float
    by_process: dict[int, float]

    @property
    def growth(self) -> float:
        """Growth of all processes together."""
        return sum(self.by_process.values())

    @property
    def per_s(self) -> float:
        """Growth a second."""
        return self.growth / self.elapsed_s


def steps(
    samples: Sequence[Sample],
    role: str,
    counter: str,
    keep: Callable[[Sample], bool] = everyone,
) -> Iterator[Step]:
    """Yield the steps that count.

    Args:
        samples: The monitor's lines, by time.
        role: ``workers``, ``children``, ``harness`` or ``servers``.
        counter: Name of the counter in a process of a line.
        keep: Which processes of the role are meant.
    """
    for before, after in pairwise(samples):
        step = _step(before, after, role, counter, keep)
        if step is not None:
            yield step


def rate_of(
    samples: Sequence[Sample],
    role: str,
    counter: str,
    keep: Callable[[Sample], bool] = everyone,
) -> float | None:
    """Return the mean growth a second of all processes of a role; None if no step counts."""
    rates = rates_by_process(samples, role, counter, keep)
    return None if rates is None else sum(rates.values())


def rates_by_process(
    samples: Sequence[Sample],
    role: str,
    counter: str,
    keep: Callable[[Sample], bool] = everyone,
) -> dict[int, float] | None:
    """Return process id to its mean growth a second; None if no step counts."""
    grown: dict[int, float] = {}
    elapsed_s = 0.0
    for step in steps(samples, role, counter, keep):
        elapsed_s += step.elapsed_s
        for pid, growth in step.by_process.items():
            grown[pid] = grown.get(pid, 0.0) + growth
    return {pid: growth / elapsed_s for pid, growth in grown.items()} if grown else None


def total_of(
    samples: Sequence[Sample],
    role: str,
    counter: str,
    keep: Callable[[Sample], bool] = everyone,
) -> float | None:
    """Return the growth between the first and the last sample; None unless every step counts."""
    counted = list(steps(samples, role, counter, keep))
    if not counted or len(counted) < len(samples) - 1:
        return None
    return sum(step.growth for step in counted)


def _step(
    before: Sample, after: Sample, role: str, counter: str, keep: Callable[[Sample], bool]
) -> Step | None:
    then, now = (
        {p["pid"]: _value(p, counter) for p in processes(one, role, keep)}
        for one in (before, after)
    )
    elapsed_s = (after["at_ns"] - before["at_ns"]) / 1e9
    missing = None in then.values() or None in now.values()
    if missing or unread(before, role) or unread(after, role):
        return None
    if elapsed_s <= 0 or not then.keys() & now.keys():
        return None
    growth = {pid: value - then.get(pid, 0) for pid, value in now.items()}
    return Step(after["at_ns"], elapsed_s, growth)


def _value(process: Sample, counter: str) -> Any:
    """Return a counter; of a worker of which nothing else was read, its own CPU time."""
    return process.get("cpu_s" if counter == TARGET_CPU and counter not in process else counter)
