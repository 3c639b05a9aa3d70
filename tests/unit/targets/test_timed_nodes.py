"""Which workflows are sampled, and whose steps a timed node records."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from perf_pipeline import steps
from perf_pipeline.steps import COLD, FAILED, STEP_WORDS, StepBuffer
from perf_pipeline.targets.kailash.timed_nodes import MAX_COPIES, SampledWorkflows, TimedWorkflow


class Node:
    def execute(self, **inputs: Any) -> Any:
        if not inputs:
            raise ValueError("no inputs")
        return inputs


class Workflow:
    def __init__(self) -> None:
        self.nodes = {"read": Node(), "store": Node()}
        self.graph = SimpleNamespace(nodes=list(self.nodes))

    def get_node(self, name: str) -> Node:
        return self.nodes[name]


def sampled(every: int, buffer: StepBuffer | None) -> SampledWorkflows:
    def write(_kind: int) -> Any:
        return SimpleNamespace(workflow=Workflow())

    return SampledWorkflows(every, 2, write, buffer)


@pytest.fixture
def buffer() -> StepBuffer:
    return StepBuffer(iter(range(1, 10**6)).__next__)


def test_every_third_workflow_of_each_kind_is_sampled_from_the_first_on(
    buffer: StepBuffer,
) -> None:
    workflows = sampled(3, buffer)
    for kind in (0, 1):
        taken = [workflows.take(kind, number) is not None for number in range(7)]
        assert taken == [True, False, False, True, False, False, True]


def test_nothing_is_sampled_where_it_is_off_or_nothing_records(
    buffer: StepBuffer,
) -> None:
    for workflows in (sampled(0, buffer), sampled(3, None)):
        assert workflows.every == 0
        assert [workflows.take(0, number) for number in range(5)] == [None] * 5


def test_workflows_in_flight_at_the_same_time_have_copies_of_their_own(buffer: StepBuffer) -> None:
    """Their nodes run in any order and thread, and record the right workflow."""
    workflows = sampled(1, buffer)
    first, second = workflows.take(0, -1), workflows.take(1, 8)
    assert first is not None
    assert second is not None
    second.written.workflow.get_node("store").execute(value=1)
    assert first.written.workflow.get_node("read").execute(value=2) == {"value": 2}
    with pytest.raises(ValueError, match="no inputs"):
        first.written.workflow.get_node("store").execute()
    words = [buffer.pending[at : at + STEP_WORDS] for at in range(0, 12, STEP_WORDS)]
    assert [(number, buffer.names[word & 0xFFFF]) for number, _, _, word in words] == [
        (8, "store"), (-1, "read"), (-1, "store"),
    ]  # fmt: skip
    flags = [word >> 40 << 40 for *_, word in words]
    assert flags == [0, COLD, COLD | FAILED]


def test_what_a_node_records_itself_belongs_to_the_same_workflow(
    buffer: StepBuffer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is recorded after the node does not."""
    monkeypatch.setattr(steps, "_buffer", buffer)
    steps.set_workflow(steps.NO_WORKFLOW)
    workflow = Workflow()
    workflow.nodes["store"].execute = lambda: steps.count("rows", 3)  # type: ignore[method-assign]
    timed = TimedWorkflow(SimpleNamespace(workflow=workflow), 2, buffer)  # type: ignore[arg-type]
    timed.begin(41)
    workflow.nodes["store"].execute()
    assert buffer.pending[0::STEP_WORDS] == [41, 41]
    assert buffer.names == ["rows", "store"]
    assert not steps.in_workflow()


def test_copies_are_bounded_and_a_discarded_one_is_replaced(buffer: StepBuffer) -> None:
    workflows = sampled(1, buffer)
    taken = [workflows.take(0, number) for number in range(MAX_COPIES + 2)]
    assert taken[MAX_COPIES:] == [None, None]
    first, second = taken[:2]
    assert first is not None
    assert second is not None
    workflows.give_back(first)
    assert workflows.take(0, 100) is first
    workflows.discard(second)
    assert workflows.take(0, 101) not in {None, *taken}
