"""What processes cost that no sample shows, or not to their end."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.metrics.resources.ended_children import ended_children_of

SECOND = 1_000_000_000


def _sample(at_s: int, tree_s: float, own_s: float, **children: float) -> dict[str, Any]:
    worker = {"pid": 1, "cpu_s": own_s, "tree_cpu_s": tree_s}
    rows = [{"pid": int(pid[1:]), "cpu_s": used, "name": "x"} for pid, used in children.items()]
    return {"at_ns": at_s * SECOND, "workers": [worker], "children": rows, "problems": {}}


def test_what_neither_the_worker_nor_a_living_child_used_is_theirs() -> None:
    """2 s of processes that no sample shows, and 0.5 s of one after its last sample, over 4 s."""
    samples = [
        _sample(0, 10.0, 5.0, p7=3.0),
        _sample(2, 14.0, 6.0, p7=4.0, p8=0.5),  # 1 of the worker, 1 of 7, 0.5 of 8: 1.5 is left
        _sample(4, 17.0, 7.0, p7=5.0),  # 1 of the worker, 1 of 7: 1 is left, 8 has ended
    ]
    found = ended_children_of(samples)
    assert found is not None
    assert found.cores == pytest.approx(2.5 / 4)
    assert found.seen == 1


def test_without_such_processes_there_is_nothing() -> None:
    """A sample reads the same process twice, some ticks apart: that is no process."""
    samples = [_sample(0, 10.0, 5.0, p7=3.0), _sample(1, 11.52, 6.0, p7=3.5)]
    assert ended_children_of(samples) is None
    assert ended_children_of([]) is None
