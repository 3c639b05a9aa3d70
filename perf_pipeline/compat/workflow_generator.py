"""``WorkflowGenerator``: the workflows of load runs, as objects for your own LocalRuntime.

Apart from kailash it needs nothing outside of the standard library, so that it works in the
target's environment too.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.scenario.keys import COMPLEXITY, FAMILY
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from perf_pipeline.workload.servers import servers_used

if TYPE_CHECKING:
    from kailash.workflow.graph import Workflow

    from perf_pipeline.config.scenario.keys import Key
    from perf_pipeline.targets.kailash.workflows import Workflows

NO_SERVERS = ServerAccess({}, connections=1, connection_timeout_s=30.0)

_RUN_ID = "generated"


class WorkflowGenerator:
    """Builds the workflows of the kailash target, of nodes as users of kailash write them.

    A workflow is executed with ``parameters`` of its type:
    ``LocalRuntime().execute(workflow, parameters=generator.parameters("transformation"))``.
    """

    def __init__(
        self, complexity: str = "medium", *, servers: ServerAccess | None = None, seed: int = 1
    ) -> None:
        """Prepare; kailash is imported when the first workflow is generated.

        Args:
            complexity: simple, medium or complex: how many nodes a workflow has.
            servers: For the types that use one: the URL of each server, and the name of the data
                there, such as the schema whose table ``measurements`` analytics reads. None for
                types that use none.
            seed: Source of the data.

        Raises:
            ValueError: There is no such complexity.
        """
        _refuse("complexity", COMPLEXITY, complexity)
        self.complexity = complexity
        self._seed = seed
        self._servers = servers or NO_SERVERS
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._built: dict[str, Workflows] = {}  # each has the pools of its workflow's nodes

    def generate_data_processing_workflow(self) -> Workflow:
        """Read a CSV file, validate, transform; analyse at medium; store at complex."""
        return self.generate_workflow("data_processing")

    def generate_analytics_workflow(self) -> Workflow:
        """Query a database and compute statistics; cache at medium; store at complex."""
        return self.generate_workflow("analytics")

    def generate_transformation_workflow(self) -> Workflow:
        """Generate, filter, sort and group rows."""
        return self.generate_workflow("transformation")

    def generate_workflow(self, workflow_type: str) -> Workflow:
        """Build a workflow.

        Args:
            workflow_type: data_processing, analytics or transformation.

        Raises:
            ValueError: There is no such type.
            PerfPipelineError: kailash cannot be imported here, or the type uses a server that
                ``servers`` does not have.
        """
        _refuse("workflow_type", FAMILY, workflow_type)
        self._built[workflow_type] = self._build(workflow_type)
        return self._built[workflow_type].written[0].workflow

    def parameters(self, workflow_type: str, number: int = 0) -> dict[str, dict[str, Any]]:
        """Return the inputs of the workflow that was generated last, for ``LocalRuntime.execute``.

        Args:
            workflow_type: Its type.
            number: Number of the execution: selects one of 64 inputs, and marks what it writes.

        Raises:
            ValueError: None of that type was generated.
        """
        if workflow_type not in self._built:
            raise ValueError(f"no {workflow_type!r} workflow was generated yet: generate one first")
        built = self._built[workflow_type]
        return built.written[0].inputs(built.tasks.task(number))

    def _build(self, family: str) -> Workflows:
        self._find_missing(family)
        # Imported here, as nothing else in this package needs kailash.
        from perf_pipeline.targets.kailash.workflows import Workflows  # noqa: PLC0415

        kind = Kind(family, self.complexity)
        servers = self._servers
        if family == "data_processing" and not servers.files_dir:
            self._folder = self._folder or tempfile.TemporaryDirectory(prefix="perf_pipeline-csv-")
            servers = replace(servers, files_dir=self._folder.name)
        return Workflows(Job((kind,), "code", self._seed, _RUN_ID, 0, servers))

    def _find_missing(self, family: str) -> None:
        missing = sorted(
            server
            for server in servers_used(family, self.complexity)
            if not self._servers.url(server)
        )
        if missing:
            raise PerfPipelineError(
                f"{family}/{self.complexity} uses {', '.join(missing)}: give WorkflowGenerator "
                "servers=ServerAccess(...) (perf_pipeline.targets.target) with the "
                f"{'address' if len(missing) == 1 else 'addresses'} of {', '.join(missing)}."
            )
        if find_spec("kailash") is None:
            raise PerfPipelineError(
                f"kailash cannot be imported by {sys.executable}: workflow objects need it "
                "here, besides in the target's environment.\n"
                f"Install it: uv pip install --python {sys.executable} kailash"
            )


def _refuse(name: str, key: Key, value: object) -> None:
    for _, text in key.problems_of(value):
        raise ValueError(f"{name} {text}")
