"""What each type of toxic does to one direction of one connection.

A stage takes pieces of data in their order, and None once the sender has sent everything; it passes
on the same, later, in other pieces, or never.
"""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    import random
    from collections.abc import Callable, Iterator

    from perf_pipeline.faults.proxy.toxics import Toxic

Piece = bytes | None

_SLICE_MS = 100
"""What a bandwidth lets through at once, in time."""


class StageOwner(Protocol):
    """The direction of a connection that a stage works for."""

    def close_connection(self) -> None:
        """Close both sides of the connection."""

    def reset_connection(self) -> None:
        """Reset both sides of the connection."""

    def note(self, toxic: Toxic, **choice: float) -> None:
        """Write down a random choice."""


class Stage:
    """Passes everything on at once, which is what ``noop`` does.

    Attributes:
        pass_on: Takes the next piece; set by the owner.
        buffered_bytes: What it has taken and not passed on yet.
    """

    pass_on: Callable[[Piece], None]
    buffered_bytes = 0

    def __init__(
        self,
        toxic: Toxic,
        owner: StageOwner,
        rng: random.Random,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Begin to act.

        Args:
            toxic: What to do.
            owner: Whose data it acts on.
            rng: Source of its random choices.
            loop: Keeps the time.
        """
        self._toxic = toxic
        self._owner = owner
        self._rng = rng
        self._loop = loop
        self._begin()

    def take(self, piece: Piece) -> None:
        """Take the next piece."""
        self.pass_on(piece)

    def end(self, *, toxic_is_removed: bool) -> None:
        """Stop acting: what is held is passed on at once."""

    def _begin(self) -> None:
        """Prepare what the type needs."""

    def _value(self, name: str) -> int:
        return self._toxic.attributes[name]


class DelayStage(Stage):
    """Passes pieces on in their order, each when it is due."""

    def _begin(self) -> None:
        self._waiting: deque[tuple[float, Piece]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_due_s = -math.inf

    def take(self, piece: Piece) -> None:
        """Pass it on when it is due."""
        now_s = self._loop.time()
        for due_s, part in self._parts(piece, now_s):
            self._last_due_s = max(self._last_due_s, due_s)
            self._waiting.append((self._last_due_s, part))
            self.buffered_bytes += len(part or b"")
        self._pass_due(now_s)

    def end(self, *, toxic_is_removed: bool) -> None:  # noqa: ARG002
        """Pass on at once what is held."""
        self._pass_due(math.inf)

    def _parts(self, piece: Piece, now_s: float) -> Iterator[tuple[float, Piece]]:
        """Yield the parts of a piece, each with the time at which it is due."""
        yield now_s, piece

    def _pass_due(self, now_s: float) -> None:
        while self._waiting and self._waiting[0][0] <= now_s:
            _, piece = self._waiting.popleft()
            self.buffered_bytes -= len(piece or b"")
            self.pass_on(piece)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waiting:
            due_s = self._waiting[0][0]
            # The loop may call a timer its clock's resolution early.
            self._timer = self._loop.call_at(due_s, self._pass_due, due_s)


class LatencyStage(DelayStage):
    """``latency`` ms, more or less by up to ``jitter``; pieces do not overtake each other."""

    def _parts(self, piece: Piece, now_s: float) -> Iterator[tuple[float, Piece]]:
        delay_ms = float(self._value("latency"))
        jitter_ms = self._value("jitter")
        if jitter_ms and piece is not None:
            delay_ms = max(0.0, delay_ms + self._rng.uniform(-jitter_ms, jitter_ms))
            self._owner.note(self._toxic, delay_ms=round(delay_ms, 3))
        yield now_s + delay_ms / 1e3, piece


class BandwidthStage(DelayStage):
    """At most ``rate`` bytes a ms; 0 lets nothing through."""

    def _parts(self, piece: Piece, now_s: float) -> Iterator[tuple[float, Piece]]:
        due_s = max(now_s, self._last_due_s)
        rate = self._value("rate")
        if piece is None or not rate:
            yield (due_s if piece is None and rate else math.inf), piece
            return
        for at in range(0, len(piece), rate * _SLICE_MS):
            part = piece[at : at + rate * _SLICE_MS]
            due_s += len(part) / (1e3 * rate)
            yield due_s, part


class SlicerStage(DelayStage):
    """In parts of ``average_size`` bytes, more or less, with ``delay`` us between them."""

    def _parts(self, piece: Piece, now_s: float) -> Iterator[tuple[float, Piece]]:
        due_s, size = max(now_s, self._last_due_s), self._value("average_size")
        if piece is None or not size:
            yield due_s, piece
            return
        at, variation = 0, self._value("size_variation")
        while at < len(piece):
            part_size = size
            if variation:
                part_size = self._rng.randint(size - variation, size + variation)
                self._owner.note(self._toxic, part_bytes=part_size)
            yield due_s, piece[at : at + part_size]
            at += part_size
            due_s += self._value("delay") / 1e6


class SlowCloseStage(DelayStage):
    """The end of the data arrives ``delay`` ms late."""

    def _parts(self, piece: Piece, now_s: float) -> Iterator[tuple[float, Piece]]:
        yield (now_s + self._value("delay") / 1e3 if piece is None else now_s), piece


class TimeoutStage(Stage):
    """Drops all data, and closes the connection after ``timeout`` ms, or when it is removed."""

    def _begin(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        if timeout_ms := self._value("timeout"):
            self._timer = self._loop.call_later(timeout_ms / 1e3, self._owner.close_connection)

    def take(self, piece: Piece) -> None:
        """Drop it."""

    def end(self, *, toxic_is_removed: bool) -> None:
        """Close the connection if the toxic is removed: what was dropped will not come."""
        if self._timer is not None:
            self._timer.cancel()
        if toxic_is_removed:
            self._owner.close_connection()


class ResetStage(Stage):
    """Drops all data, and resets the connection ``timeout`` ms after the first of it."""

    def _begin(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def take(self, piece: Piece) -> None:  # noqa: ARG002
        """Drop it; the first one counts down to the reset."""
        if self._timer is None:
            delay_s = self._value("timeout") / 1e3
            self._timer = self._loop.call_later(delay_s, self._owner.reset_connection)


class LimitStage(Stage):
    """Passes ``bytes`` bytes on and closes the connection."""

    def _begin(self) -> None:
        self._left_bytes = self._value("bytes")

    def take(self, piece: Piece) -> None:
        """Pass on what is left of the limit."""
        if piece is None:
            self.pass_on(None)
            return
        if part := piece[: self._left_bytes]:
            self._left_bytes -= len(part)
            self.pass_on(part)
        if not self._left_bytes:
            self._owner.close_connection()


STAGES: dict[str, type[Stage]] = {
    "latency": LatencyStage,
    "bandwidth": BandwidthStage,
    "slow_close": SlowCloseStage,
    "timeout": TimeoutStage,
    "reset_peer": ResetStage,
    "slicer": SlicerStage,
    "limit_data": LimitStage,
    "noop": Stage,
}
"""Type of a toxic to its stage."""
