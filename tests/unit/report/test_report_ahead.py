"""A report that a thread begins to write is the one that its asker would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.report import report_ahead
from perf_pipeline.report.report_ahead import begin_files, finish_files
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path

RUN = "20260114_093012-4f2c"


def test_a_report_is_written_once_whether_it_was_begun_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "results", RUN)
    metrics, written = metrics_of(folder), []
    write = report_ahead.write_files
    monkeypatch.setattr(
        report_ahead, "write_files", lambda *given: (written.append(given), write(*given))[1]
    )
    begin_files(folder, metrics)
    begun = finish_files(folder, metrics)
    html = begun.html.read_text(encoding="utf-8")
    assert len(written) == 1

    assert finish_files(folder, metrics) == begun
    assert len(written) == 2
    assert begun.html.read_text(encoding="utf-8") == html


def test_what_prevents_the_report_is_raised_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "results", RUN)

    def full(*_given: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(report_ahead, "write_files", full)
    begin_files(folder, metrics_of(folder))
    with pytest.raises(OSError, match="no space left"):
        finish_files(folder, metrics_of(folder))
