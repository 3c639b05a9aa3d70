"""Writes the signals of an hour as they are sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample
from perf_pipeline.samples.slots import HEAP_BLOCKS, WORKFLOWS, SlotFile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from perf_pipeline.samples.campaign.campaign_clock import CampaignClock


class SignalRecorder:
    """Appends a line a sample to ``signals.jsonl``.

    What the interpreter of a worker says about itself is read from the slot files of its boot; what
    the kernel and the servers say comes from ``sources``.
    """

    def __init__(
        self,
        path: Path,
        clock: CampaignClock,
        boots: Mapping[str, Sequence[Path]],
        sources: Sequence[Callable[[], Mapping[str, float]]] = (),
    ) -> None:
        """Write to ``path``.

        Args:
            path: The file, JSON lines.
            clock: The campaign's.
            boots: ``target``, and ``twin`` where there is one, to the slot files of its workers'
                boot.
            sources: Each returns the values of a sample, by name; what it cannot measure is absent.
        """
        self._file = path.open("a", encoding="utf-8")
        self._clock = clock
        self._slots = {
            who: [SlotFile(one, writable=False) for one in paths] for who, paths in boots.items()
        }
        self._sources = sources

    def sample(self, at_ns: int) -> None:
        """Take one sample and append it; ``at_ns`` is CLOCK_MONOTONIC."""
        values = {
            f"{who}.heap_blocks": float(sum(one.words[HEAP_BLOCKS] for one in slots))
            for who, slots in self._slots.items()
            if slots and all(one.words[HEAP_BLOCKS] for one in slots)
        }
        for source in self._sources:
            values |= source()
        workflows = sum(one.words[WORKFLOWS] for one in self._slots["target"])
        append_sample(self._file, SignalSample(self._clock.seconds(at_ns), workflows, values))

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        for slots in self._slots.values():
            for one in slots:
                one.close()
