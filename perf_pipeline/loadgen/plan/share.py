"""The part of a level's workers that one host supervises: the plan is cut, never copied."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """Every ``count``-th worker process of a plan, beginning with ``index``.

    Workers take their workflows by stride, so every share has its part of each phase, and the
    shares together are the workers of the plan, whatever their number.

    Attributes:
        index: Which share, from 0.
        count: How many shares there are.
        host: Name of its host in the order of a run in shards; empty where there is no order.
    """

    index: int = 0
    count: int = 1
    host: str = ""

    @property
    def is_whole(self) -> bool:
        """True when one host plays all."""
        return self.count == 1

    def workers(self, processes: int) -> range:
        """Return the indices of its worker processes.

        Args:
            processes: Worker processes of the level, of all shares together.
        """
        return range(self.index, processes, self.count)


WHOLE = Share()
