"""The inputs and the right outputs of every workflow of a job: the same for every target."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline.targets.target import WrongResultError
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.dataset import BUCKETS
from perf_pipeline.workload.input_file import write_file
from perf_pipeline.workload.task import Task, data_seed_of, task_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.targets.target import Job

_SHOWN_CHARACTERS = 160


class JobTasks:
    """The inputs of a job's workflows, and the check of their outputs; threads may share it."""

    def __init__(self, job: Job) -> None:
        """Work out the right outputs, and write the input files that are not there yet.

        Raises:
            ValueError: Workflows read files and the job has no folder for them.
            OSError: The files cannot be written.
        """
        self._job = job
        self._answers = [
            answers_of(kind.family, kind.complexity, job.seed, kind.without) for kind in job.kinds
        ]
        if reads_files(job):
            _write_files(job)

    def task(self, number: int) -> Task:
        """Return the inputs of workflow ``number``."""
        job = self._job
        return task_of(
            number,
            seed=job.seed,
            run_id=job.run_id,
            level=job.level,
            redis_prefix=job.servers.name("redis"),
            files_dir=job.servers.files_dir,
        )

    def check(self, kind: int, task: Task, outputs: Mapping[str, Any]) -> None:
        """Compare what every node of a workflow gave with what its inputs give.

        Raises:
            WrongResultError: A node's output is missing or wrong.
        """
        check_outputs(outputs, self._answers[kind].of(task))


def reads_files(job: Job) -> bool:
    """Return whether a workflow of the job reads files."""
    return any(kind.family == "data_processing" for kind in job.kinds)


def _write_files(job: Job) -> None:
    folder = job.servers.files_dir
    if not Path(folder).is_absolute():
        raise ValueError(
            f"servers.files_dir = {folder!r}: data-processing workflows read files; "
            "name a folder by its full path"
        )
    Path(folder).mkdir(parents=True, exist_ok=True)
    for bucket in range(BUCKETS):
        write_file(folder, data_seed_of(job.seed, bucket))


def check_outputs(outputs: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    """Compare what every node gave with what its inputs give.

    Args:
        outputs: Node name to its output; a node that did not run is absent.
        answers: Node name to the right output, in the order in which the nodes run.

    Raises:
        WrongResultError: A node's output is absent or not equal to the right one; names the
            first such node and shows the beginning of both.
    """
    for node, answer in answers.items():
        if node not in outputs:
            raise WrongResultError(f"node {node}: no result")
        if outputs[node] != answer:
            raise WrongResultError(
                f"node {node}: got {_shown(outputs[node])}, expected {_shown(answer)}"
            )


def _shown(value: object) -> str:
    text = repr(value)
    if len(text) <= _SHOWN_CHARACTERS:
        return text
    return f"{text[:_SHOWN_CHARACTERS]}... ({len(text)} characters)"
