"""Windows of a level's steady phase: one that was sampled beside one that was not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.samples.stacks.raw_stacks import Stack


@dataclass(frozen=True)
class Window:
    """A window of time.

    Attributes:
        length_s: Its length.
        cpu_s: CPU time of the worker process in it, without the processes that it started.
        workflows: Workflows that ended ok in it.
        core_wait_s: How long threads of the process were ready to run and had no core.
    """

    length_s: float
    cpu_s: float
    workflows: int
    core_wait_s: float


@dataclass(frozen=True)
class WindowPair:
    """Two neighbouring windows of one level; in every second pair the sampled one came first.

    Attributes:
        sampled: The window in which stacks were sampled, with the start and end of the sampler.
        unsampled: The window without.
        stacks: The sampled stacks, each with its number of samples; waiting threads included.
    """

    sampled: Window
    unsampled: Window
    stacks: Mapping[Stack, int]
