"""Samples the worker process of a level in pairs of windows, while its steady phase lasts."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from perf_pipeline.host.process_cpu import core_wait_s, process_cpu_s
from perf_pipeline.loadgen.profiling.py_spy import SamplingError
from perf_pipeline.samples.slots import SlotFile
from perf_pipeline.samples.stacks.window import Window, WindowPair

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from perf_pipeline.loadgen.profiling.py_spy import PySpy
    from perf_pipeline.samples.stacks.raw_stacks import Stack

WINDOW_S = 1
PAIR_MAX_S = 8.0
"""A pair takes about 2.4 s: py-spy takes some tenths of a second to find the interpreter and to
end. On a machine under load it takes several times as long."""
BLIND_CPU_SHARE = 0.1
"""A process that used a core for this share of a window, and is in no sample of it, was not looked
at: of 100 samples all would miss it in 3 of 100,000 windows. The pair is taken again."""
MAX_BLIND_PAIRS = 3


class WindowSampler:
    """A thread that takes pairs of windows; in every second one the sampled window is first.

    Attributes:
        pairs: The pairs of windows.
        problem: Why it ended early; None if it did not.
    """

    def __init__(
        self, spy: PySpy, slots: Path, folder: Path, *, wanted: int, first: int = 0
    ) -> None:
        """Prepare.

        Args:
            spy: Samples.
            slots: Slot file of the worker process, which counts its workflows.
            folder: For temporary files.
            wanted: How many pairs to take.
            first: Number of the first pair, so that the order alternates over levels too.
        """
        self.pairs: list[WindowPair] = []
        self.problem: Exception | None = None
        self._spy = spy
        self._slots = slots
        self._folder = folder
        self._wanted = wanted
        self._first = first
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def has_ended(self) -> bool:
        """Whether all pairs are taken, or no more can be."""
        return self._thread is not None and not self._thread.is_alive()

    def begin(self, pid: int) -> None:
        """Begin to sample a worker process, once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(pid,), daemon=True)
            self._thread.start()

    def end(self) -> None:
        """Wait for the pair that is taken to end; it does not count, and no other is begun."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, pid: int) -> None:
        try:
            slots = SlotFile(self._slots, writable=False)
            try:
                self._take_pairs(pid, slots)
            finally:
                slots.close()
        except Exception as error:  # noqa: BLE001 - the level goes on; its caller looks here
            self.problem = error

    def _take_pairs(self, pid: int, slots: SlotFile) -> None:
        """Take the pairs; one whose sampler saw nothing of a process that computed is no pair."""
        blind = 0
        while len(self.pairs) < self._wanted and not self._stop.is_set():
            pair = self._take(pid, slots)
            if self._stop.is_set():
                return
            if not is_blind(pair):
                self.pairs.append(pair)
                continue
            blind += 1
            if blind > MAX_BLIND_PAIRS:
                raise SamplingError(
                    f"{self._spy.version} saw no thread in {blind} windows of {WINDOW_S} s, "
                    f"although process {pid} used {pair.sampled.cpu_s:.2f} s of CPU in the last "
                    "one: the machine is overloaded"
                )

    def _take(self, pid: int, slots: SlotFile) -> WindowPair:
        is_sampled_first = (self._first + len(self.pairs)) % 2 == 0
        if not is_sampled_first:
            unsampled = self._wait(pid, slots)
        begin = _counters(pid, slots)
        stacks: Mapping[Stack, int] = self._spy.sample(pid, self._folder, WINDOW_S)
        sampled = _window(begin, _counters(pid, slots))
        if is_sampled_first:
            unsampled = self._wait(pid, slots)
        return WindowPair(sampled, unsampled, stacks)

    def _wait(self, pid: int, slots: SlotFile) -> Window:
        begin = _counters(pid, slots)
        self._stop.wait(WINDOW_S)
        return _window(begin, _counters(pid, slots))


def is_blind(pair: WindowPair) -> bool:
    """Return whether a process computed while it was sampled, and no sample shows it."""
    return not pair.stacks and pair.sampled.cpu_s >= BLIND_CPU_SHARE * pair.sampled.length_s


def _counters(pid: int, slots: SlotFile) -> Window:
    """Return everything as it is since the start of the machine and of the process."""
    totals = slots.totals()
    return Window(
        length_s=time.monotonic(),
        cpu_s=process_cpu_s(pid),
        workflows=totals.ended - totals.failed,
        core_wait_s=core_wait_s(pid),
    )


def _window(begin: Window, end: Window) -> Window:
    return Window(
        length_s=end.length_s - begin.length_s,
        cpu_s=end.cpu_s - begin.cpu_s,
        workflows=end.workflows - begin.workflows,
        core_wait_s=end.core_wait_s - begin.core_wait_s,
    )
