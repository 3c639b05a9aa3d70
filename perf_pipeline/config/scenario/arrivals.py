"""An open level: workflows arrive by a schedule, whether or not earlier ones have ended.

Each schedule has its own keys beside those that all have (``SCHEDULE_KEYS``). A file gives the
length of the measured part (``duration``; without it, that of ``[phases]``), which comes after the
warm-up, or that of the whole schedule (``duration_s``), whose first ``phases.warm_up_s`` are the
warm-up. Here ``duration_s`` is always that of the whole schedule.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping  # noqa: TC003 - a checked run is read back by annotations
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.wording import listed, shown

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.problems import Problems

Schedule = Literal["constant", "poisson", "ramp", "steps", "burst", "trace", "streams"]

SCHEDULES: tuple[Schedule, ...] = ("constant", "poisson", "ramp", "steps", "burst", "trace")

SCHEDULE_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "constant": (("rate_per_s", "duration_s"), ()),
    "poisson": (("rate_per_s", "duration_s"), ()),
    "ramp": (("rate_per_s", "end_rate_per_s", "duration_s"), ()),
    "steps": (("rate_per_s", "end_rate_per_s", "steps", "duration_s"), ()),
    "burst": (("burst_size", "burst_every_s", "duration_s"), ("rate_per_s",)),
    "trace": (("trace",), ("duration_s",)),
}
"""Schedule to the keys that it must have, and those that it may have."""

MAX_ARRIVALS = 10_000_000
"""Every worker has the schedule in memory, 8 bytes an arrival."""

_LONGEST_TRACE_S = 86_400


@dataclass(frozen=True)
class Arrivals:
    """When the workflows of an open level arrive, and how long one waits for a free slot.

    Attributes:
        label: Name in the report and of a folder; unique in the scenario.
        schedule: ``constant`` evenly spaced; ``poisson`` independent users; ``ramp`` evenly spaced
            at a rate that grows or falls linearly; ``steps`` the same in ``steps`` equal parts of
            constant rate; ``burst`` many at one moment, repeatedly; ``trace`` at the times of
            a file.
        rate_per_s: Arrivals a second; of a ramp or steps, at the beginning; of a burst, those
            that arrive evenly between the bursts.
        duration_s: Length of the schedule; 0 for the whole trace.
        slots: Maximum number of workflows in flight; one more waits for a free slot.
        start_timeout_s: A workflow that waits this long for a slot is dropped.
        end_rate_per_s: Arrivals a second at the end of a ramp or of steps.
        steps: Number of steps.
        burst_size: Arrivals at one moment.
        burst_every_s: From one burst to the next; the first is at 0.
        trace: Absolute path of a file with an arrival a line: seconds, not decreasing.
        title: Its name for people.
        level: Streams of the same level run together; empty for a level of its own.
        workloads: ``Workload.name`` of what arrives in a stream; empty for the whole mix.
        streams: Of a level with several streams, schedule ``streams``; else empty.
        settings: Settings of the target that this level has of its own, beside the scenario's.
    """

    label: str
    schedule: Schedule = "poisson"
    rate_per_s: float = 0.0
    duration_s: float = 0.0
    slots: int = 1000
    start_timeout_s: float = 30.0
    end_rate_per_s: float = 0.0
    steps: int = 0
    burst_size: int = 0
    burst_every_s: float = 0.0
    trace: str = ""
    title: str = ""
    level: str = ""
    workloads: tuple[str, ...] = ()
    streams: tuple[Arrivals, ...] = ()
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)

    @property
    def offered(self) -> str:
        """The offered load as text: ``500/s (poisson)``."""
        match self.schedule:
            case "ramp" | "steps":
                rate = f"{self.rate_per_s:g} to {self.end_rate_per_s:g}/s"
            case "burst":
                rate = f"{self.burst_size} every {self.burst_every_s:g} s"
                rate += f" and {self.rate_per_s:g}/s" if self.rate_per_s else ""
            case "streams":
                return ", ".join(f"{one.label} {one.offered}" for one in self.streams)
            case "trace":
                rate = Path(self.trace).name
            case _:
                rate = f"{self.rate_per_s:g}/s"
        return f"{rate} ({self.schedule})"


def schedule_length_s(arrivals: Arrivals) -> float:
    """Return how long a schedule lasts, s; of a whole trace, until its last arrival."""
    if arrivals.schedule == "trace" and not arrivals.duration_s:
        return read_trace(arrivals.trace)[-1] / 1e9
    return arrivals.duration_s


def with_length(
    table: dict[str, Any], warm_up_s: float, steady_s: float, index: int, problems: Problems
) -> dict[str, Any]:
    """Return the values of an ``[[arrivals]]`` table with the length of the whole schedule.

    Args:
        table: Keys and values.
        warm_up_s: Of ``[phases]``, which comes before what is measured.
        steady_s: Likewise: length of the measured part of a table that gives none.
        index: Which of the tables.
        problems: Receives a length that is given twice.
    """
    given = dict(table)
    own_s = given.pop("steady_s", None)
    if "duration_s" in given:
        if own_s is not None and problems.is_good(("arrivals", index)):
            text = "is given, and duration, the measured part of it; keep one."
            problems.at(("arrivals", index, "duration_s"), text)
    elif own_s is not None or given.get("schedule") != "trace":
        given["duration_s"] = warm_up_s + (steady_s if own_s is None else own_s)
    return given


def arrivals_of(table: dict[str, Any], index: int, folder: Path, problems: Problems) -> Arrivals:
    """Make the arrivals of one ``[[arrivals]]`` table, whose values fit their keys already.

    Args:
        table: Keys and values.
        index: Which of the tables.
        folder: Where a relative path of a trace begins.
        problems: Receives keys that the schedule lacks or does not take, and a wrong trace.
    """
    here = ("arrivals", index)
    if not problems.is_good(here, (*here, "schedule")):
        return Arrivals(**table)
    schedule = table.get("schedule", Arrivals.schedule)
    needed, may = SCHEDULE_KEYS[schedule]
    for name in needed:
        if name not in table:
            problems.at((*here, name), f'is missing; schedule "{schedule}" needs it.')
    own = {name for pair in SCHEDULE_KEYS.values() for names in pair for name in names}
    for name in table:
        if name in own and name not in (*needed, *may):
            known = listed([key_name("arrivals", one) for one in (*needed, *may)])
            problems.at(
                (*here, name), f'is given, but schedule "{schedule}" does not have it ({known}).'
            )
    if "trace" in table:
        table = {**table, "trace": str(folder / table["trace"])}
    arrivals = Arrivals(**table)
    _find_too_many(arrivals, index, problems)
    return arrivals


def _find_too_many(arrivals: Arrivals, index: int, problems: Problems) -> None:
    here = ("arrivals", index)
    if arrivals.schedule == "trace":
        try:
            read_trace(arrivals.trace, arrivals.duration_s)
        except (OSError, ValueError) as error:
            problems.at((*here, "trace"), f"is {shown(arrivals.trace)}: {error}.")
        return
    maximum = max(arrivals.rate_per_s, arrivals.end_rate_per_s) * arrivals.duration_s
    if arrivals.burst_every_s:
        maximum += (arrivals.duration_s / arrivals.burst_every_s + 1) * arrivals.burst_size
    if maximum > MAX_ARRIVALS:
        problems.at(
            (*here, "duration_s"),
            f"is {arrivals.duration_s:g} s, in which up to {maximum:.3g} workflows arrive; allowed "
            f"are {MAX_ARRIVALS:,}: lower the rate or the duration.",
        )


def read_trace(path: str, duration_s: float = 0.0) -> array[int]:
    """Read the arrivals of a trace.

    Args:
        path: Text file, an arrival a line: seconds since the beginning, not decreasing; what
            follows a ``#`` and empty lines mean nothing.
        duration_s: Arrivals from then on are left out; 0 for none.

    Returns:
        int64[n], ns, non-decreasing, >= 0.

    Raises:
        OSError: It cannot be read.
        ValueError: A line is no time, or is before the one above it, or there is none at all.
    """
    times, end_ns = array("q"), int(duration_s * 1e9)
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        try:  # decimal: the same nanosecond on every machine
            at_ns = int(Decimal(text) * 1_000_000_000)
        except (InvalidOperation, ValueError, OverflowError) as error:
            raise ValueError(f"line {number} is {shown(text)}; a line is seconds") from error
        if not 0 <= at_ns <= _LONGEST_TRACE_S * 1_000_000_000:
            raise ValueError(f"line {number} is {shown(text)}; allowed is 0 to {_LONGEST_TRACE_S}")
        if times and at_ns < times[-1]:
            raise ValueError(f"line {number} is {shown(text)}, before the line above it")
        if end_ns and at_ns >= end_ns:
            break
        times.append(at_ns)
        if len(times) > MAX_ARRIVALS:
            raise ValueError(f"it has more than {MAX_ARRIVALS:,} arrivals")
    if not times:
        raise ValueError("it has no arrivals")
    return times
