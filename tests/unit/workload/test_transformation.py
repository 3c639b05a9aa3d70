from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

from perf_pipeline.workload.transformation import STAGES, WEIGHTS, generate, run_stages

Row = dict[str, Any]
SEEDS = range(200)


def scored(rows: list[Row]) -> list[tuple[str, int, int]]:
    """Category, number of rows and score of each category that has rows, by category."""
    groups = []
    for category in sorted(WEIGHTS):
        values = [row["value"] for row in rows if row["category"] == category]
        if values:
            groups.append((category, len(values), sum(values) * WEIGHTS[category]))
    return groups


def test_workflows_have_three_five_and_nine_nodes() -> None:
    assert [len(STAGES[name]) for name in ("simple", "medium", "complex")] == [3, 5, 9]
    assert list(run_stages("complex", 1)) == [name for name, _ in STAGES["complex"]]


def test_the_simple_workflow_totals_the_values_of_250_and_more() -> None:
    for seed in SEEDS:
        values = sorted(row["value"] for row in generate(seed) if row["value"] > 249)
        total = run_stages("simple", seed)["total"]
        assert (total["count"], total["sum"]) == (len(values), sum(values))
        assert (total["minimum"], total["maximum"]) == (values[0], values[-1])


def test_the_medium_workflow_ranks_categories_by_weighted_value() -> None:
    for seed in SEEDS:
        groups = scored([row for row in generate(seed) if row["value"] > 249])
        ranked = sorted(groups, key=lambda group: (-group[2], group[0]))
        assert run_stages("medium", seed)["rank"] == [
            {"category": category, "count": count, "score": score}
            for category, count, score in ranked
        ]


def test_the_complex_workflow_adds_shares_and_a_summary() -> None:
    for seed in SEEDS:
        outputs = run_stages("complex", seed)
        rows = [row for row in generate(seed) if row["value"] > 249]
        groups = scored(rows)
        whole = sum(score for _, _, score in groups)
        assert outputs["clean"] == [row for row in generate(seed) if row["value"] > -1]
        assert sorted(row["id"] for row in outputs["order"]) == [row["id"] for row in rows]
        assert all(one["score"] >= next_["score"] for one, next_ in pairwise(outputs["order"]))
        assert [group["permille"] for group in outputs["share"]] == [
            Fraction(score, whole) * 1000 // 1 for _, _, score in groups
        ]
        assert outputs["summary"] == {
            "groups": len(groups),
            "count": len(rows),
            "score": whole,
            "first": max(groups, key=lambda group: group[2])[0],
        }


def test_data_differ_between_seeds_and_hold_invalid_values_to_clean() -> None:
    data = [generate(seed) for seed in SEEDS]
    assert all(one != other for one, other in pairwise(data))
    negative = sum(row["value"] < 0 for rows in data for row in rows)
    assert 0.07 < negative / (50 * len(data)) < 0.11  # 100 of 1100 values


def test_empty_rows_pass_through_every_stage() -> None:
    for complexity in ("simple", "medium", "complex"):
        value: Any = []
        for _, stage in STAGES[complexity][1:]:
            value = stage(value)
        assert value in ([], {"count": 0, "sum": 0, "minimum": 0, "maximum": 0}) or value == {
            "groups": 0,
            "count": 0,
            "score": 0,
            "first": "",
        }
