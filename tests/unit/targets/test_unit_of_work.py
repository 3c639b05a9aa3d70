"""The waits for connections that a unit of work records."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline import steps
from perf_pipeline.steps import set_workflow, workflow_of
from perf_pipeline.targets.unit_of_work import UnitsOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from perf_pipeline.steps import StepBuffer


class Engine:
    """Has a connection for everyone, or for nobody."""

    def __init__(self, *, is_empty: bool = False) -> None:
        self.is_empty = is_empty

    @contextmanager
    def begin(self) -> Iterator[Any]:
        if self.is_empty:
            raise TimeoutError("QueuePool limit of size 50 overflow 0 reached")
        yield SimpleNamespace(execute=lambda _insert, _row: SimpleNamespace(rowcount=1))


def _units(**engines: Engine) -> UnitsOfWork:
    units = UnitsOfWork(0.0, lambda _seconds: None)
    for server, engine in engines.items():
        units.add_sql(server, engine, "INSERT")  # type: ignore[arg-type]
    return units


def test_the_wait_for_each_connection_is_a_step_of_the_workflow(buffer: StepBuffer) -> None:
    set_workflow(workflow_of(0, 7))
    _units(postgres=Engine(), mysql=Engine()).transact(("postgres", "mysql"), {"row": {}})
    assert buffer.names == ["connection to postgres", "connection to mysql"]
    assert buffer.pending[0::4] == [7, 7]


def test_a_wait_in_vain_is_a_failed_step(buffer: StepBuffer) -> None:
    set_workflow(workflow_of(0, 7))
    with pytest.raises(TimeoutError):
        _units(postgres=Engine(is_empty=True)).transact(("postgres",), {"row": {}})
    assert buffer.pending[3] & steps.FAILED


def test_workflows_whose_steps_are_not_recorded_record_no_wait(buffer: StepBuffer) -> None:
    """Those that a target does not sample: outside of a workflow it would be noise."""
    _units(postgres=Engine()).transact(("postgres",), {"row": {}})
    assert buffer.pending == []
