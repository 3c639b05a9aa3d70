"""Result files: what an interrupted run leaves."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.run.result_file import write_result_files
from tests.old_names import PERFORMANCE_METRICS

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.metrics.types.run_metrics import RunMetrics


def test_only_an_interrupted_run_leaves_partial_results(
    tmp_path: Path, baseline: RunMetrics
) -> None:
    stamp = baseline.run_id[:15]
    complete = write_result_files(tmp_path, replace(baseline, status="complete"))
    assert not list(tmp_path.glob("partial_*"))
    partial = write_result_files(tmp_path, replace(baseline, status="interrupted"))
    assert [path.name for path in partial[len(complete) :]] == [f"partial_results_{stamp}.json"]
    stored = json.loads(partial[-1].read_text(encoding="utf-8"))
    assert [level["concurrency"] for level in stored] == [
        one.concurrency for one in baseline.levels
    ]


def test_every_object_has_every_key_that_users_know(tmp_path: Path, baseline: RunMetrics) -> None:
    for path in write_result_files(tmp_path, baseline):
        for entry in json.loads(path.read_text(encoding="utf-8")):
            assert set(PERFORMANCE_METRICS) <= set(entry), path.name
            assert {"validity", "samples", "run_id"} <= set(entry)
