"""What tasks wait for: by the count of the target and the threads of executors."""

from __future__ import annotations

from concurrent.futures import thread
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.worker.task_waits import TaskSampler
from perf_pipeline.worker.waits import sample_every_ns
from tests.unit.worker.test_waits import _SITE, _stack

if TYPE_CHECKING:
    from types import FrameType

_WORKER = thread.__file__
_AT_POSTGRES = _stack(f"{_SITE}/psycopg2/__init__.py", _WORKER, name="_worker")
_COMPUTING = _stack("/x.py", _WORKER, name="_worker")
_IDLE = _stack(_WORKER, name="_worker")
_NO_POOL = _stack(f"{_SITE}/redis/connection.py")


@pytest.mark.parametrize(
    ("in_flight", "executing", "stacks", "counts"),
    [
        (100, 3, [_AT_POSTGRES, _COMPUTING, _IDLE, _NO_POOL],
         {"postgres": 1, "runtime": 2, "queued": 97}),
        (100, 0, [_IDLE], {"queued": 100}),
        (2, 2, [_AT_POSTGRES] * 5, {"postgres": 2}),
        (1, 4, [_COMPUTING], {"runtime": 1}),
        (100, None, [_AT_POSTGRES, _COMPUTING], {"postgres": 1, "runtime": 1, "unknown": 98}),
        (0, 0, [_IDLE], {}),
    ],
)  # fmt: skip
def test_tasks_are_queued_or_where_the_thread_is_that_has_them(
    in_flight: int, executing: int | None, stacks: list[FrameType], counts: dict[str, int]
) -> None:
    """A stack outside any executor is no workflow's; what a target cannot count is unknown."""
    sampler = TaskSampler(lambda: in_flight, lambda: executing, lambda: dict(enumerate(stacks)))

    assert sampler(10) == counts
    assert sum(counts.values()) == in_flight
    assert sampler(9 + sample_every_ns(in_flight)) == {}
    assert sampler(10 + sample_every_ns(in_flight)) == counts
