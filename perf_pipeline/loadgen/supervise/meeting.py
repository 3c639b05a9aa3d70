"""Where the shares of a level agree on when it starts."""

from __future__ import annotations

from typing import Protocol


class Meeting(Protocol):
    """Waits for the other shares; called once a level, when all workers of this share are ready."""

    def meet(self, level: str) -> int:
        """Wait for every share, and agree on the start.

        Args:
            level: Name of the level's folder, the same for all shares.

        Returns:
            The go, CLOCK_MONOTONIC of this host, ns; it lies ahead.

        Raises:
            PerfPipelineError: A share did not arrive; with its name.
        """
