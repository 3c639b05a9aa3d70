"""A workflow as it was written for kailash, and how to give it its inputs and read its outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kailash.workflow.graph import Workflow

    from perf_pipeline.workload.task import Task


@dataclass(frozen=True)
class WrittenWorkflow:
    """One kind of workflow, ready for ``LocalRuntime.execute``.

    Its nodes have no state of an execution, so that threads can share it.

    Attributes:
        workflow: What the runtime executes.
        ports: Node name to the key of its output that is checked.
        inputs: Makes the run-time parameters, ``{node: {parameter: value}}``, of one workflow.
    """

    workflow: Workflow
    ports: Mapping[str, str]
    inputs: Callable[[Task], dict[str, dict[str, Any]]]
