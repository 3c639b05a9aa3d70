"""One direction of a connection through the proxy: from its source, through toxics, to its sink."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from perf_pipeline.faults.proxy.stages import STAGES

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterable

    from perf_pipeline.faults.proxy.decisions import Decisions
    from perf_pipeline.faults.proxy.stages import Piece, Stage
    from perf_pipeline.faults.proxy.toxics import Stream, Toxic

MAX_BUFFERED_BYTES = 1 << 20
"""With more than this held by toxics nothing more is read, so that the sender feels it."""


class LinkOwner(Protocol):
    """The connection that a link belongs to."""

    proxy: str
    number: int

    def close(self) -> None:
        """Close both sides."""

    def reset(self) -> None:
        """Reset both sides."""

    def link_ended(self) -> None:
        """Note that a link has passed on the end of its data."""


class Link:
    """Carries what one side sends to the other side.

    Attributes:
        has_ended: The end of the data has been passed on.
    """

    def __init__(
        self,
        owner: LinkOwner,
        stream: Stream,
        source: asyncio.Transport,
        sink: asyncio.Transport,
        *,
        decisions: Decisions,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Carry data without toxics.

        Args:
            owner: The connection.
            stream: The direction.
            source: What is read.
            sink: What is written.
            decisions: Source of random choices.
            loop: Keeps the time.
        """
        self.has_ended = False
        self._owner = owner
        self._stream = stream
        self._source = source
        self._sink = sink
        self._decisions = decisions
        self._loop = loop
        self._stages: dict[str, Stage] = {}
        self._is_full = False
        self._sink_is_full = False

    def take(self, piece: Piece) -> None:
        """Take what the source sent; None for its end."""
        if not self._stages:
            self._deliver(piece)
            return
        next(iter(self._stages.values())).take(piece)
        self._apply_back_pressure()

    def add(self, toxics: Iterable[Toxic]) -> None:
        """Put those toxics of this direction at the end that act on this connection."""
        for toxic in toxics:
            if toxic.stream == self._stream and (stage := self._stage_of(toxic)):
                self._stages[toxic.name] = stage
        self._join()

    def change(self, toxic: Toxic) -> None:
        """Have a toxic of this direction act as it is now; what it holds is passed on."""
        if toxic.stream != self._stream:
            return
        if (before := self._stages.get(toxic.name)) is not None:
            before.end(toxic_is_removed=False)
        if (stage := self._stage_of(toxic)) is not None:
            self._stages[toxic.name] = stage
        else:
            self._stages.pop(toxic.name, None)
        self._join()
        self._apply_back_pressure()

    def remove(self, name: str) -> None:
        """Remove a toxic, if it acts on this connection; what it holds is passed on."""
        stage = self._stages.pop(name, None)
        if stage is not None:
            stage.end(toxic_is_removed=True)
            self._join()
            self._apply_back_pressure()

    def stop(self) -> None:
        """End all stages: the connection is gone."""
        for stage in self._stages.values():
            stage.pass_on = _drop
            stage.end(toxic_is_removed=False)
        self._stages.clear()

    def sink_is_full(self, *, is_full: bool) -> None:
        """Note whether the sink takes more; while it does not, the source is not read."""
        self._sink_is_full = is_full
        self._read_or_wait()

    def close_connection(self) -> None:
        """Close both sides of the connection."""
        self._owner.close()

    def reset_connection(self) -> None:
        """Reset both sides of the connection."""
        self._owner.reset()

    def note(self, toxic: Toxic, **choice: float) -> None:
        """Write down a random choice."""
        self._decisions.note(
            self._owner.proxy, self._owner.number, toxic=toxic.type, number=toxic.number, **choice
        )

    def _stage_of(self, toxic: Toxic) -> Stage | None:
        """Return the stage of a toxic; None if it is drawn not to act on this connection."""
        rng = self._decisions.stream(self._owner.proxy, toxic.number, self._owner.number)
        if toxic.toxicity < 1:
            acts = rng.random() < toxic.toxicity
            self.note(toxic, acts=acts)
            if not acts:
                return None
        return STAGES[toxic.type](toxic, self, rng, self._loop)

    def _join(self) -> None:
        stages = list(self._stages.values())
        for stage, after in pairwise(stages):
            stage.pass_on = after.take
        if stages:
            stages[-1].pass_on = self._pass_on

    def _pass_on(self, piece: Piece) -> None:
        self._deliver(piece)
        self._apply_back_pressure()

    def _deliver(self, piece: Piece) -> None:
        if self._sink.is_closing():
            return
        if piece is not None:
            self._sink.write(piece)
            return
        self.has_ended = True
        try:
            self._sink.write_eof()
        except OSError:  # it was reset, which is not seen once nothing more is read from it
            self._owner.reset()
        else:
            self._owner.link_ended()

    def _apply_back_pressure(self) -> None:
        buffered_bytes = sum(stage.buffered_bytes for stage in self._stages.values())
        if self._is_full != (buffered_bytes > MAX_BUFFERED_BYTES):
            self._is_full = not self._is_full
            self._read_or_wait()

    def _read_or_wait(self) -> None:
        if self._source.is_closing():
            return
        if self._is_full or self._sink_is_full:
            self._source.pause_reading()
        else:
            self._source.resume_reading()


def _drop(piece: Piece) -> None:
    """Drop what a stage of a connection that is gone still held."""
