"""The right output of every node of a workflow, computed before the load starts.

A workflow counts as ok only when each of its nodes gave exactly this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from perf_pipeline.workload import analytics, data_processing, database, transformation
from perf_pipeline.workload.dataset import BUCKETS, bucket_rows
from perf_pipeline.workload.input_file import COLUMNS, file_rows
from perf_pipeline.workload.task import data_seed_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from perf_pipeline.workload.task import Task


class Answers(Protocol):
    """The right outputs of one kind of workflow."""

    def of(self, task: Task) -> Mapping[str, Any]:
        """Return node name to its right output, in the order in which the nodes run."""


class TransformationAnswers:
    """The outputs of the transformation family: they depend on the bucket alone."""

    def __init__(self, complexity: str, seed: int) -> None:
        self._by_bucket = [
            transformation.run_stages(complexity, data_seed_of(seed, bucket))
            for bucket in range(BUCKETS)
        ]

    def of(self, task: Task) -> Mapping[str, Any]:
        """Return node name to its right output."""
        return self._by_bucket[task.bucket]


class AnalyticsAnswers:
    """The outputs of the analytics family.

    They are worked out from the seeded rows, not read from the server, so that a server that
    gives other rows than it was given is noticed.
    """

    def __init__(self, complexity: str, seed: int, without: Collection[str]) -> None:
        self._stages = analytics.stages(complexity, without)
        self._rows = bucket_rows(seed)
        self._summaries = [analytics.statistics(rows) for rows in self._rows]
        self._payloads = [
            analytics.report(summary, "", 0, 0)["payload"] for summary in self._summaries
        ]

    def of(self, task: Task) -> Mapping[str, Any]:
        """Return node name to its right output."""
        bucket = task.bucket
        answers: dict[str, Any] = {
            "query": self._rows[bucket],
            "statistics": self._summaries[bucket],
        }
        if "report" in self._stages:
            payload = self._payloads[bucket]
            row = {
                "run_id": task.run_id,
                "level": task.level,
                "number": task.number,
                "payload": payload,
            }
            answers["report"] = {"payload": payload, "row": row}
            answers["cache"] = True
        if "store" in self._stages:
            answers["store"] = 1
        if "document" in self._stages:
            answers["document"] = True
        return answers


class DataProcessingAnswers:
    """The outputs of the data-processing family.

    They are worked out from the rows that the files were made of, not read from the files, so
    that a file that was damaged is noticed.
    """

    def __init__(self, complexity: str, seed: int, without: Collection[str]) -> None:
        self._stages = data_processing.stages(complexity, without)
        self._fixed = [_file_outputs(data_seed_of(seed, bucket)) for bucket in range(BUCKETS)]
        self._payloads = [
            data_processing.report(
                outputs["transform"], outputs["statistics"], outputs["validate"]["bad"], "", 0, 0
            )["payload"]
            for outputs in self._fixed
        ]

    def of(self, task: Task) -> Mapping[str, Any]:
        """Return node name to its right output."""
        answers = dict(self._fixed[task.bucket])
        answers["report"] = {
            "run_id": task.run_id,
            "level": task.level,
            "number": task.number,
            "payload": self._payloads[task.bucket],
        }
        answers["store_postgres"] = answers["store_mysql"] = 1
        return {name: answers[name] for name in self._stages}


def _file_outputs(data_seed: int) -> dict[str, Any]:
    """Work out what the nodes give that see the file alone."""
    read = [dict(zip(COLUMNS, fields, strict=False)) for fields in file_rows(data_seed)]
    validated = data_processing.validate(read)
    rows = data_processing.transform(validated["rows"])
    return {
        "read": read,
        "validate": validated,
        "transform": rows,
        "statistics": analytics.statistics(rows),
    }


class DatabaseAnswers:
    """The outputs of the database family."""

    def __init__(self, complexity: str, seed: int, without: Collection[str]) -> None:
        self._said = {name: database.RIGHT[name] for name in database.servers(complexity, without)}
        self._payloads = [database.payload(data_seed_of(seed, at)) for at in range(BUCKETS)]

    def of(self, task: Task) -> Mapping[str, Any]:
        """Return node name to its right output."""
        row = {**task.signature(), "payload": self._payloads[task.bucket]}
        return {"order": {"row": row, "key": task.redis_key}, "transact": self._said}


def answers_of(family: str, complexity: str, seed: int, without: Collection[str] = ()) -> Answers:
    """Work out the right outputs of a kind of workflow for every input of a run.

    Args:
        family: ``transformation``, ``analytics``, ``data_processing`` or ``database``.
        complexity: ``simple``, ``medium`` or ``complex``.
        seed: Seed of the run.
        without: Servers that are not there, so that the nodes that write to them are not either.

    Returns:
        The outputs, ready to be compared; safe to share between threads.

    Raises:
        ValueError: There is no such family.
    """
    if family == "transformation":
        return TransformationAnswers(complexity, seed)
    if family == "analytics":
        return AnalyticsAnswers(complexity, seed, without)
    if family == "data_processing":
        return DataProcessingAnswers(complexity, seed, without)
    if family == "database":
        return DatabaseAnswers(complexity, seed, without)
    raise ValueError(
        f"no family named {family!r}; there are: transformation, analytics, data_processing, "
        "database"
    )
