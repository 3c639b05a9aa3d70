"""Memory stays flat over a feed of 100 million records, from the recorder to the histograms.

The feed plays days in minutes: virtual times, the real recorder with a durable journal an hour,
and the real builder of histograms, which reads each journal back block by block. Every tenth hour
is recorded as worker threads do, the others as the asynchronous loop does, at a third of the cost.
The resident memory is read from the kernel after every hour. The first tenth fills caches and is
not in the trend.
"""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perf_pipeline.metrics.survival.histogram_builder import BOUND_MB, HistogramBuilder
from perf_pipeline.samples.journal import JournalWriter
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.worker.recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from perf_pipeline.metrics.survival.survival_curve import Ints

    _Feed = Callable[[Recorder, Ints, Ints, Ints], None]

_LOG = logging.getLogger(__name__)
_RECORDS = {Size.CI: 1_000_000, Size.FULL: 100_000_000}
_HOURS = {Size.CI: 20, Size.FULL: 100}
_GO_NS = 1_000_000_000_000
_EVERY_NS = 50_000  # 20,000 records a second
_SLOTS = 64
_KINDS = 8
_DRAWN = 1 << 14
_CHUNK = 1 << 12
_THREADS_EVERY = 10
_RECORDER_MB = 20
"""Memory of the recorder: half a second of records, SQLite's cache, one block being written."""
_TREND_MB = {Size.CI: 30, Size.FULL: 10}
"""Growth over the whole feed that may be noise of the allocator; a short feed ends while the
allocator still fills its arenas (3 to 5 MB, sometimes more than 10)."""


def run(size: Size, seed: int) -> list[Figure]:
    """Feed the recorder and the builder.

    Args:
        size: 1 million records in 20 hours, or 100 million in 100.
        seed: Source of the times.
    """
    rng = np.random.default_rng(seed)
    lasted_ns = np.exp(rng.normal(np.log(5e6), 1.5, _DRAWN)).astype(np.int64)
    records, hours = _RECORDS[size], _HOURS[size]
    phases_ns = {"steady": (_GO_NS, 1 << 62)}
    builder = HistogramBuilder(_GO_NS, phases_ns, is_open=False)
    counted = file_bytes = blocks = 0
    resident_mb = []
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-soak-") as scratch:
        for hour in range(hours):
            numbers = range(hour * records // hours, (hour + 1) * records // hours)
            feed = _as_one_loop if hour % _THREADS_EVERY else _as_threads
            for payload in _hour(Path(scratch) / f"hour-{hour}", numbers, lasted_ns, feed):
                for block in builder.add_payload(payload):
                    counted, blocks = counted + block.total, blocks + 1
                    file_bytes += len(block.to_bytes())
            resident_mb.append(_resident_mb())
            if hour % max(1, hours // 10) == 0:
                _LOG.info("%d of %d records: %.0f MB", numbers.stop, records, resident_mb[-1])
    counted += sum(block.total for block in builder.finish())
    warm = np.array(resident_mb[hours // 10 :])
    return [
        Figure("records that were not counted once", abs(records - counted), "", 0),
        Figure("memory that grew over the feed, by its trend", _trend(warm), "MB", _TREND_MB[size]),
        Figure(
            "maximum memory beyond that of the first hour",
            max(resident_mb) - resident_mb[0],
            "MB",
            BOUND_MB + _RECORDER_MB,
        ),
        Figure("records that were fed", records, "", records, at_most=False),
        Figure("histograms on disk, a record", file_bytes / records, "bytes", None),
    ]


def _hour(path: Path, numbers: range, lasted_ns: Ints, feed: _Feed) -> Iterator[bytes]:
    """Record an hour's workflows in a journal, and yield its blocks as they were committed."""
    slots = SlotFile.create(path.with_suffix(".slots"), _SLOTS, 0)
    journal = JournalWriter(path.with_suffix(".sqlite"))
    now_ns = _GO_NS + numbers.start * _EVERY_NS

    def clock_ns() -> int:
        return now_ns

    recorder = Recorder(journal, slots, clock_ns)
    for first in range(numbers.start, numbers.stop, _CHUNK):
        number = np.arange(first, min(first + _CHUNK, numbers.stop))
        end_ns = _GO_NS + number * _EVERY_NS
        start_ns = end_ns - lasted_ns[number % _DRAWN]
        feed(recorder, number, start_ns, end_ns)
        now_ns = int(end_ns[-1])
        recorder.commit_if_due(now_ns)
    recorder.finish(lambda _slot, _now: (0, 0, 0, 0))
    yield from journal.payloads()
    journal.close()
    slots.close()
    for left in path.parent.glob(f"{path.name}*"):
        left.unlink()


def _as_threads(recorder: Recorder, number: Ints, start_ns: Ints, end_ns: Ints) -> None:
    """Record each workflow as a worker thread does."""
    record = recorder.record
    for each, start, end in zip(number.tolist(), start_ns.tolist(), end_ns.tolist(), strict=True):
        record(each, each % _KINDS, each % _SLOTS, start, end, 0)


def _as_one_loop(recorder: Recorder, number: Ints, start_ns: Ints, end_ns: Ints) -> None:
    """Record each workflow as the asynchronous loop does."""
    keep, words = recorder.keep, number % _SLOTS | number % _KINDS << 32
    columns = (column.tolist() for column in (number, start_ns, end_ns, words))
    for each, start, end, word in zip(*columns, strict=True):
        keep((each, start, start, end, word))


def _resident_mb() -> float:
    """Return this process's resident memory, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _trend(values: npt.NDArray[np.float64]) -> float:
    """Return the rise from the first to the last value along the median slope of all pairs.

    Source:
        Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", JASA 63, 1968.
    """
    first, second = np.triu_indices(len(values), 1)
    slope = np.median((values[second] - values[first]) / (second - first))
    return float(slope) * (len(values) - 1)
