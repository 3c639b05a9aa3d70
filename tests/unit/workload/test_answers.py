from __future__ import annotations

import pytest

from perf_pipeline.workload import analytics, transformation
from perf_pipeline.workload.answers import answers_of
from perf_pipeline.workload.dataset import bucket_rows
from perf_pipeline.workload.task import task_of

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
        }
        assert found == {name: wanted[name] for name in analytics.STAGES[complexity]}
        assert tuple(found) == analytics.STAGES[complexity]


def test_answers_of_different_seeds_differ_in_every_input() -> None:
    task = task_of(1, seed=1, run_id="r", level=0, redis_prefix="")
    for family in ("transformation", "analytics"):
        one, other = answers_of(family, "simple", 1), answers_of(family, "simple", 2)
        for bucket in range(64):
            asked = task._replace(bucket=bucket)
            assert all(one.of(asked)[node] != other.of(asked)[node] for node in one.of(asked))


def test_an_unknown_family_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'analytic'.*transformation, analytics"):
        answers_of("analytic", "simple", 1)
