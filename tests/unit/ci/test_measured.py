"""A search for capacity is one test case: its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from perf_pipeline.analysis.capacity import find_capacity
from perf_pipeline.analysis.capacity_search import Answer, search
from perf_pipeline.ci.measured import note_capacity
from perf_pipeline.ci.notes import taking_notes
from perf_pipeline.config.scenario.capacity_question import Space
from perf_pipeline.metrics.metrics_file import read_metrics
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("shows", "outcome"),
    [
        (lambda load: "met" if load <= 30 else "missed", "passed"),
        (lambda _load: "met", "passed"),
        (lambda _load: "missed", "failed"),
        (lambda load: "met" if load <= 30 else "unclear", "skipped"),
    ],
)
def test_an_answer_passes_no_answer_fails_and_an_open_one_is_skipped(
    tmp_path: Path, shows: Any, outcome: str
) -> None:
    """Steps that miss are part of every search, and are no failed tests."""
    state = search(Space(10, 1, 400, whole=True), lambda ask: Answer(shows(ask.load), "because"))
    finding = find_capacity(state, "in_flight", ["avg_s <= 0.4"], [])
    metrics = read_metrics(write_run(tmp_path, "20260114_093012-4f2c"))
    with taking_notes() as notes:
        note_capacity(metrics, finding, tmp_path / "capacity.html")
    (run,) = notes.runs
    (case,) = run.cases
    assert case.name == "capacity: avg_s <= 0.4"
    assert case.outcome == outcome
    assert (case.text == "") == (outcome == "passed")
