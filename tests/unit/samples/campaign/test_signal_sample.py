"""Samples of signals, as a killed writer leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.errors import RunFolderError
from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample, read_samples

if TYPE_CHECKING:
    from pathlib import Path

SAMPLES = [SignalSample(n / 2, 10 * n, {"target.heap_blocks": 1000.0 + n}) for n in range(3)]


def _written(path: Path) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for sample in SAMPLES:
            append_sample(file, sample)
    return path


def test_samples_are_read_back_equal_without_the_line_that_a_kill_tore(tmp_path: Path) -> None:
    path = _written(tmp_path / "signals.jsonl")
    with path.open("a", encoding="utf-8") as file:
        file.write('{"seconds": 2.0, "workfl')
    assert list(read_samples(path)) == SAMPLES
    assert list(read_samples(tmp_path / "none.jsonl")) == []


def test_a_wrong_line_in_the_middle_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = _written(tmp_path / "signals.jsonl")
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(RunFolderError, match=r"signals.jsonl, line 1, is no sample"):
        list(read_samples(path))
