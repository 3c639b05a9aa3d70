from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.workload import analytics, data_processing, transformation
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.dataset import bucket_rows
from perf_pipeline.workload.input_file import write_file
from perf_pipeline.workload.task import data_seed_of, task_of

if TYPE_CHECKING:
    from pathlib import Path

COMPLEXITIES = ["simple", "medium", "complex"]


@pytest.mark.parametrize("complexity", COMPLEXITIES)
def test_transformation_answers_are_what_the_stages_give_for_the_workflows_seed(
    complexity: str,
) -> None:
    answers = answers_of("transformation", complexity, 11)
    for number in range(300):
        task = task_of(number, seed=11, run_id="r", level=0, redis_prefix="")
        assert answers.of(task) == transformation.run_stages(complexity, task.data_seed)


@pytest.mark.parametrize("complexity", COMPLEXITIES)
def test_analytics_answers_follow_from_the_seeded_rows_and_the_workflows_number(
    complexity: str,
) -> None:
    answers = answers_of("analytics", complexity, 11)
    rows = bucket_rows(11)
    for number in range(300):
        task = task_of(number, seed=11, run_id="r", level=3, redis_prefix="")
        found = answers.of(task)
        summary = analytics.statistics(rows[task.bucket])
        wanted = {
            "query": rows[task.bucket],
            "statistics": summary,
            "report": analytics.report(summary, "r", 3, number),
            "cache": True,
            "store": 1,
            "document": True,
        }
        assert found == {name: wanted[name] for name in analytics.STAGES[complexity]}
        assert tuple(found) == analytics.STAGES[complexity]


@pytest.mark.parametrize("complexity", COMPLEXITIES)
def test_data_processing_answers_are_what_the_stages_give_for_the_workflows_file(
    complexity: str, tmp_path: Path
) -> None:
    class Servers:
        def store(self, _: object) -> int:
            return 1

        def store_mysql(self, _: object) -> int:
            return 1

    for bucket in range(64):
        write_file(str(tmp_path), data_seed_of(11, bucket))
    answers = answers_of("data_processing", complexity, 11)
    for number in range(300):
        task = task_of(
            number, seed=11, run_id="r", level=3, redis_prefix="", files_dir=str(tmp_path)
        )
        found = answers.of(task)
        assert found == data_processing.run_stages(complexity, task, Servers())
        assert tuple(found) == data_processing.STAGES[complexity]


def test_a_write_that_was_left_out_has_no_answer() -> None:
    task = task_of(1, seed=1, run_id="r", level=0, redis_prefix="")
    for family, server, node in (
        ("analytics", "mongodb", "document"),
        ("data_processing", "mysql", "store_mysql"),
    ):
        whole = answers_of(family, "complex", 1).of(task)
        less = answers_of(family, "complex", 1, (server,)).of(task)
        assert {**less, node: whole[node]} == whole
        assert node not in less


def test_answers_of_different_seeds_differ_in_every_input() -> None:
    task = task_of(1, seed=1, run_id="r", level=0, redis_prefix="")
    for family in ("transformation", "analytics", "data_processing"):
        one, other = answers_of(family, "simple", 1), answers_of(family, "simple", 2)
        for bucket in range(64):
            asked = task._replace(bucket=bucket)
            assert all(one.of(asked)[node] != other.of(asked)[node] for node in one.of(asked))


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'analytic'.*transformation, analytics, data_"):
        answers_of("analytic", "simple", 1)
