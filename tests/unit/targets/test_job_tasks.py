from __future__ import annotations

import pytest

from perf_pipeline.targets.job_tasks import check_outputs
from perf_pipeline.targets.target import WrongResultError

ANSWERS = {"keep": [{"value": 7}], "total": {"sum": 7}}


def test_outputs_equal_to_the_answers_pass_regardless_of_other_outputs() -> None:
    check_outputs({"keep": [{"value": 7}], "total": {"sum": 7}, "other": 1}, ANSWERS)


def test_a_node_that_did_not_run_is_named() -> None:
    with pytest.raises(WrongResultError, match=r"^node total: no result$"):
        check_outputs({"keep": [{"value": 7}]}, ANSWERS)


def test_the_first_wrong_node_is_named_with_both_values() -> None:
    """The nodes after it are wrong too, being made from its output."""
    with pytest.raises(WrongResultError, match=r"^node keep: got \[\], expected \[\{'value': 7\}"):
        check_outputs({"keep": [], "total": {"sum": 0}}, ANSWERS)


def test_a_large_wrong_value_is_shown_by_its_beginning_and_size() -> None:
    with pytest.raises(WrongResultError) as caught:
        check_outputs({"keep": "x" * 100_000, "total": {"sum": 7}}, ANSWERS)
    assert "(100002 characters)" in str(caught.value)
    assert len(str(caught.value)) < 400
