"""Ten million records, from Parquet to summaries, windows, percentiles and their intervals.

It is everything that ``summarise_level`` computes from the records of a closed level.
Run it alone on an idle machine: ``python -m tests.benchmarks.large_data [RECORDS]``. It prints the
time, the processor time and the memory of a fresh process that does nothing else, the bytes of the
file mapped into it included.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from perf_pipeline.metrics.records.record_figures import (
    TIMED,
    RecordFigures,
    record_figures,
)
from perf_pipeline.metrics.steady.steady_state import steady_state_of
from perf_pipeline.samples.level_records import SCHEMA
from perf_pipeline.samples.record import ErrorClass, Outcome
from tests.simulated_level import GO_NS, SECOND

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.service_times import ServiceTimes
    from perf_pipeline.metrics.types.steady_state import SteadyState

RECORDS = 10_000_000
SLOTS = 1_000
WORKERS = 2
KINDS = 3
LENGTH_S = 60
STEADY_S = (5, 55)


@dataclass(frozen=True)
class Cost:
    """What one pass over the records took.

    Attributes:
        records: How many there were.
        wall_s: Time on the clock.
        cpu_s: Processor time of all threads; on an idle machine with two cores the clock shows
            little more than half of it.
        peak_mb: Most resident memory of the process, interpreter and libraries included.
    """

    records: int
    wall_s: float
    cpu_s: float
    peak_mb: float


def large_level(records: int, seed: int = 1) -> pl.DataFrame:
    """Return a closed loop of ``SLOTS`` slots, worker after worker, each in order of the ends."""
    rng = np.random.default_rng(seed)
    each = records // SLOTS
    lasted = (rng.exponential(LENGTH_S / each, (SLOTS, each)) * SECOND).astype(np.int64) + 1_000
    ends = np.cumsum(lasted, axis=1)
    slot = np.repeat(np.arange(SLOTS, dtype=np.int64), each)
    end_ns, start_ns = ends.ravel() + GO_NS, (ends - lasted).ravel() + GO_NS
    number = np.empty(len(slot), dtype=np.int64)
    number[np.argsort(start_ns, kind="stable")] = np.arange(len(slot))
    order = np.lexsort((end_ns, slot % WORKERS))
    ok, error, timeout = (int(outcome) for outcome in list(Outcome)[:3])
    outcome = rng.choice([ok, error, timeout], len(slot), p=[0.97, 0.02, 0.01])
    columns = {
        "level": np.zeros(len(slot)),
        "worker": (slot % WORKERS)[order],
        "number": number[order],
        "intended_start_ns": start_ns[order],
        "start_ns": start_ns[order],
        "end_ns": end_ns[order],
        "slot": (slot // WORKERS)[order],
        "kind": rng.integers(0, KINDS, len(slot)),
        "outcome": outcome,
        "error_class": np.where(outcome == error, int(ErrorClass.WORKFLOW_ERROR), 0),
        "flags": np.zeros(len(slot)),
    }
    return pl.DataFrame(
        {name: pl.Series(columns[name]).cast(kind) for name, kind in SCHEMA.items()}
    )


@dataclass(frozen=True)
class Pass:
    """All that a level's metrics take from its records.

    Attributes:
        steady_state: Judged first: it may move the start of the window.
        figures: Counts, percentiles, windows, the curve in flight, the distribution.
        times: Of all kinds, with intervals.
        kinds: Of each.
    """

    steady_state: SteadyState
    figures: RecordFigures
    times: ServiceTimes
    kinds: tuple[ServiceTimes, ...]


def pass_over(path: Path) -> Pass:
    """Measure the level in a ``records.parquet`` as ``summarise_level`` measures it."""
    records = pl.scan_parquet(path)
    timed = records.filter(TIMED).collect()
    start_ns, end_ns = (GO_NS + at_s * SECOND for at_s in STEADY_S)
    steady_state = steady_state_of(
        timed, go_ns=GO_NS, began_ns=GO_NS, window=(start_ns, end_ns), slots=SLOTS
    )
    figures = record_figures(
        records,
        timed,
        window_ns=(start_ns, end_ns),
        level_ns=(GO_NS, GO_NS + LENGTH_S * SECOND),
        kinds=KINDS,
        slots=SLOTS,
    )
    return Pass(
        steady_state,
        figures,
        figures.service_times,
        figures.kinds,
    )


def measure(records: int = RECORDS) -> Cost:
    """Make a file of records and measure a pass over it in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-large-") as folder:
        path = Path(folder) / "records.parquet"
        make = [sys.executable, "-m", "tests.benchmarks.large_data", "--make", str(records)]
        subprocess.run([*make, str(path)], check=True)
        told = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.large_data", "--pass", str(path)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    return Cost(**json.loads(told))


def _pass(path: Path) -> Cost:
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    found = pass_over(path)
    return Cost(
        records=sum(found.figures.outcomes.values()),
        wall_s=time.perf_counter() - wall_s,
        cpu_s=time.process_time() - cpu_s,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    )


def main(arguments: list[str]) -> None:
    """Print what a pass costs; ``--make`` and ``--pass`` are its two halves."""
    match arguments:
        case ["--make", records, path]:
            large_level(int(records)).write_parquet(path)
        case ["--pass", path]:
            print(json.dumps(asdict(_pass(Path(path)))))
        case _:
            cost = measure(int(arguments[0]) if arguments else RECORDS)
            print(f"{cost.records} records: {cost.wall_s:.2f} s on the clock, {cost.cpu_s:.2f} s")
            print(f"of processor time, at most {cost.peak_mb:.0f} MB resident")


if __name__ == "__main__":
    main(sys.argv[1:])
