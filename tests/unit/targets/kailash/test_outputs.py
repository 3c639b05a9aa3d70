"""What is read of the results of kailash's LocalRuntime, and what is not taken for a success."""

from __future__ import annotations

from typing import Any

import pytest

from perf_pipeline.targets.kailash.outputs import read_outputs
from perf_pipeline.targets.target import WrongResultError

PORTS = {"query": "data", "report": "result"}


def test_each_node_gives_the_value_at_its_port() -> None:
    results = {"report": {"result": 0, "success": True}, "query": {"data": [], "result": 7}}
    assert read_outputs(results, PORTS) == {"query": [], "report": 0}


@pytest.mark.parametrize("results", [{"query": {"data": 1}}, {"query": {"data": 1}, "report": {}}])
def test_a_node_that_did_not_run_or_gave_nothing_is_absent_not_none(
    results: dict[str, dict[str, Any]],
) -> None:
    assert read_outputs(results, PORTS) == {"query": 1}


def test_the_error_in_the_results_of_a_failed_last_node_is_raised() -> None:
    failed = {"error": "refused", "failed": True, "_exception": ConnectionRefusedError("refused")}
    with pytest.raises(ConnectionRefusedError, match="refused"):
        read_outputs({"query": {"data": 1}, "report": failed}, PORTS)


@pytest.mark.parametrize(
    ("result", "complaint"),
    [
        ({"failed": True, "error": "lost"}, "node report: failed: lost"),
        ({"success": False, "error": "404", "result": 1}, "node report: no success: 404"),
    ],
)
def test_a_node_that_failed_without_an_exception_is_a_wrong_result(
    result: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(WrongResultError, match=f"^{complaint}$"):
        read_outputs({"report": result}, PORTS)
