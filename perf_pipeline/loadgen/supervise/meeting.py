"""Where the shares of a run meet, and agree on when a level starts."""

from __future__ import annotations

from typing import Protocol


class Meeting(Protocol):
    """Waits for the other shares: before each level starts, and where servers are settled."""

    def meet(self, level: str) -> int:
        """Wait for every share, and agree on the start.

        Args:
            level: Name of the level's folder, the same for all shares, or of another occasion.

        Returns:
            The go, CLOCK_MONOTONIC of this host, ns; it lies ahead.

        Raises:
            PerfPipelineError: A share did not arrive; with its name.
        """
