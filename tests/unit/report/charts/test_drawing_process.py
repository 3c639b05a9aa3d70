"""Charts drawn by a process that was started ahead are those drawn in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psutil

from perf_pipeline.report.charts import drawing_process, svg, vega
from perf_pipeline.report.charts.drawing_process import DrawingProcess, drawing_ahead, drawn_ahead

if TYPE_CHECKING:
    import pytest

_LINE = vega.Chart([{"x": 0, "y": 1}]).marked("line")
_CHART = vega.layered(
    [_LINE.encoded(x=vega.channel("x:Q"), y=vega.channel("y:Q"))], width=300, height=200
)


def _drawn() -> str:
    return svg.inline_svg(_CHART, name="one", description="d")


def test_a_chart_drawn_ahead_is_the_same_and_the_process_ends_with_the_block() -> None:
    here = _drawn()
    others = set(psutil.Process().children())  # of tests before this one

    with drawing_ahead():
        (child,) = set(psutil.Process().children()) - others
        assert drawn_ahead(svg.styled(_CHART)) is not None
        ahead = _drawn()

    assert ahead == here
    assert not child.is_running()
    assert drawn_ahead(svg.styled(_CHART)) is None


def test_a_drawing_process_that_ends_is_replaced_by_this_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One that dies at once, and one that dies while it draws, half of its answer written."""
    here = _drawn()
    half = "import sys; sys.stdin.readline(); print('\"half', end='', flush=True)"
    for program in ("", half):
        with monkeypatch.context() as patched:
            patched.setattr(drawing_process, "DrawingProcess", lambda p=program: DrawingProcess(p))
            with drawing_ahead():
                assert _drawn() == here
