"""Charts under a limit on the address space, in which their engine would end the process."""

from __future__ import annotations

import subprocess
import sys

import pytest

from perf_pipeline.report.charts.address_space import why_not_drawn

DRAW = """
import resource
from perf_pipeline.report.charts import svg, vega
resource.setrlimit(resource.RLIMIT_AS, ({limit_bytes}, -1))
line = vega.Chart([{{"x": 0}}]).marked("line").encoded(x=vega.channel("x:Q"))
chart = vega.layered([line], width=300, height=200)
print(svg.inline_svg(chart, name="one", description="d"))
"""


@pytest.mark.parametrize("limit_bytes", [2_000_000_000, 20_000_000_000])
def test_a_limited_process_says_why_charts_are_missing_and_lives_on(limit_bytes: int) -> None:
    """The engine reserves about 70 GB; without the trial the process ends with SIGTRAP."""
    drawn = subprocess.run(
        [sys.executable, "-c", DRAW.format(limit_bytes=limit_bytes)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stdout.startswith("<p>charts are not drawn: this process may use ")
    assert f"{limit_bytes / 1e9:.3g} GB" in drawn.stdout
    assert "ulimit -v" in drawn.stdout


def test_without_a_limit_nothing_is_tried() -> None:
    assert why_not_drawn() == ""
