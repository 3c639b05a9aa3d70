"""Think time: how long a user of a closed loop waits between two workflows.

With think time a slot is a user, who is in flight or thinking. Then throughput X = N / (R + Z): N
users, response time R, mean think time Z (Denning, Buzen, "The Operational Analysis of Queueing
Network Models", ACM Computing Surveys 10(3), 1978).

Imported in the target's process as well: standard library only.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterator

Distribution = Literal["constant", "uniform", "exponential"]
DISTRIBUTIONS: tuple[Distribution, ...] = get_args(Distribution)


@dataclass(frozen=True)
class ThinkTime:
    """How long a user waits between the end of a workflow and the start of the next one.

    Attributes:
        mean_s: On average; 0 for no think time.
        distribution: ``constant``; ``uniform`` from 0 to twice the mean; ``exponential``, as of
            users who do not know of each other.
    """

    mean_s: float = 0.0
    distribution: Distribution = "exponential"

    @property
    def shown(self) -> str:
        """For people: ``think time 2 s (exponential)``."""
        return f"think time {self.mean_s:g} s ({self.distribution})"

    def draws_s(self, seed: str) -> Iterator[float]:
        """Yield the think times of one user, s; the same seed gives the same ones."""
        rng = random.Random(seed)
        while True:
            match self.distribution:
                case "constant":
                    yield self.mean_s
                case "uniform":
                    yield rng.uniform(0.0, 2 * self.mean_s)
                case "exponential":
                    yield rng.expovariate(1 / self.mean_s)
