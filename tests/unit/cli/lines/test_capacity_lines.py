"""What a search found fits a terminal: the answer in a few lines, each step where it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.cli.lines.capacity_lines import capacity_lines
from perf_pipeline.report.run.capacity_page import NOTE
from tests.unit.report.run.test_capacity_page import finding

if TYPE_CHECKING:
    from perf_pipeline.analysis.capacity import CapacityFinding

__all__ = ["finding"]


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("explain", [False, True])
def test_no_line_is_wider_than_the_terminal(
    finding: CapacityFinding, width: int, *, explain: bool
) -> None:
    lines = capacity_lines(finding, width, explain=explain)
    assert max(map(len, lines)) <= width
    assert all(line.isprintable() for line in lines)


def test_the_answer_is_two_lines_and_the_knee(finding: CapacityFinding) -> None:
    answer, knee = capacity_lines(finding, 100)
    assert answer == "79 in flight meets avg_s <= 0.4, 80 in flight misses it"
    assert knee.startswith("knee at 44.01 in flight: ")


def test_neighbours_are_named_below_the_answer(finding: CapacityFinding) -> None:
    first, *others = finding.points
    noisy = replace(finding, points=(replace(first, validity="noisy_host"), *others))
    assert "other programs used the machine at 1 of " in capacity_lines(noisy, 100)[1]


def test_every_step_and_what_its_columns_mean_is_shown_where_it_is_asked(
    finding: CapacityFinding,
) -> None:
    lines = capacity_lines(finding, 100, explain=True)
    (head,) = [at for at, line in enumerate(lines) if line.startswith("Load ")]
    assert "Verdict" in lines[head]
    assert "Throughput" in lines[head]
    rows = lines[head + 1 : head + 1 + len(finding.points)]
    for row, point in zip(rows, finding.points, strict=True):
        assert row.startswith(f"{point.load:g} in flight")
        assert point.verdict in row
    assert NOTE.partition(". ")[0] in " ".join(" ".join(lines).split())
    assert NOTE.partition(". ")[0] not in " ".join(" ".join(capacity_lines(finding, 100)).split())
