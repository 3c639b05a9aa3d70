"""Load and pressure stall information, as the kernel counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.host.pressure import Pressure, read_pressure, read_stalled, stalled_percent

if TYPE_CHECKING:
    from pathlib import Path


def test_pressure_is_read_from_the_kernels_files(tmp_path: Path) -> None:
    (tmp_path / "pressure").mkdir()
    (tmp_path / "loadavg").write_text("0.75 0.09 0.04 2/86 5643\n")
    (tmp_path / "pressure" / "cpu").write_text(
        "some avg10=12.50 avg60=0.60 avg300=0.59 total=5\nfull avg10=9.00 avg60=0 total=0\n"
    )
    assert read_pressure(tmp_path) == Pressure(0.75, {"cpu": 12.5, "memory": None, "io": None})


def test_the_time_that_threads_waited_is_what_the_kernels_totals_grew_by(tmp_path: Path) -> None:
    """0.5 s of 2 s; what a reading lacks is not known, nor is anything when no time passed."""
    folder = tmp_path / "pressure"
    folder.mkdir()
    (folder / "cpu").write_text("some avg10=1.00 avg60=0 total=1000000\nfull avg10=0 total=7\n")
    before = read_stalled(tmp_path)
    (folder / "cpu").write_text("some avg10=1.00 avg60=0 total=1500000\nfull avg10=0 total=7\n")
    after = read_stalled(tmp_path)

    assert before == {"cpu": 1.0, "memory": None, "io": None}
    assert stalled_percent(before, after, 2.0) == {"cpu": 25.0, "memory": None, "io": None}
    assert stalled_percent(before, after, 0.0) == {"cpu": None, "memory": None, "io": None}
