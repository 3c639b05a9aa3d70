"""Writes the signals of an hour as they are sampled, and what its samples lack."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from perf_pipeline.metrics.signals.process_signals import Arm
from perf_pipeline.metrics.signals.signal_sampler import SignalSampler
from perf_pipeline.samples.campaign.campaign_folder import SIGNALS, SIGNALS_MISSING
from perf_pipeline.samples.campaign.missing_signals import write_missing
from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample
from perf_pipeline.samples.slots import (
    HEAP_BLOCKS,
    MALLOC_BYTES,
    MALLOC_FREE_BYTES,
    WORKFLOWS,
    SlotFile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from perf_pipeline.samples.campaign.campaign_clock import CampaignClock
    from perf_pipeline.servers.probe import WatchedServer

TARGET = "target"

MEMORY_WORDS = {
    "heap_blocks": HEAP_BLOCKS,
    "malloc_bytes": MALLOC_BYTES,
    "malloc_free_bytes": MALLOC_FREE_BYTES,
}
"""Signal to where a worker process writes it in its slot file."""


@dataclass(frozen=True)
class Boot:
    """The worker processes of one arm in one life of the target.

    Attributes:
        pids: Their process ids.
        slots: Their slot files, in which each says how much memory it has allocated, and how many
            workflows have ended.
        homes: Their scratch folders.
    """

    pids: Sequence[int]
    slots: Sequence[Path]
    homes: Sequence[Path]


class SignalRecorder:
    """Appends a line a sample to ``signals.jsonl``; a context manager.

    At its end it writes ``signals_missing.json``, if a signal was missing.
    """

    def __init__(
        self,
        folder: Path,
        clock: CampaignClock,
        boots: Mapping[str, Boot],
        servers: Mapping[str, WatchedServer],
        keeper_pid: int,
    ) -> None:
        """Open the files; nothing is sampled.

        Args:
            folder: The hour's folder.
            clock: The campaign's.
            boots: ``target``, and ``twin`` where there is one, to its processes.
            servers: Service to what is watched of it.
            keeper_pid: The process that keeps the target.
        """
        self._clock = clock
        self._missing = folder / SIGNALS_MISSING
        self._stack = ExitStack()
        self._file = self._stack.enter_context((folder / SIGNALS).open("a", encoding="utf-8"))
        slots = {who: [self._mapped(path) for path in boot.slots] for who, boot in boots.items()}
        self._slots = slots[TARGET]
        arms = {who: _arm(boot, slots[who]) for who, boot in boots.items()}
        self._sampler = self._stack.enter_context(
            SignalSampler(arms, servers, keeper_pid=keeper_pid)
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what was missing, and close everything."""
        with self._stack:
            found = self._sampler.missing()
            if found.missing:
                write_missing(self._missing, found)

    def sample(self, at_ns: int) -> None:
        """Take one sample and append it; ``at_ns`` is CLOCK_MONOTONIC."""
        workflows = sum(one.words[WORKFLOWS] for one in self._slots)
        values = self._sampler.sample()
        append_sample(self._file, SignalSample(self._clock.seconds(at_ns), workflows, values))

    def _mapped(self, path: Path) -> SlotFile:
        slots = SlotFile(path, writable=False)
        self._stack.callback(slots.close)
        return slots


def _arm(boot: Boot, slots: Sequence[SlotFile]) -> Arm:
    def memory() -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for signal, word in MEMORY_WORDS.items():
            values = [one.words[word] for one in slots]
            found[signal] = sum(values) if all(values) else None
        return found

    return Arm(boot.pids, boot.homes, memory)
