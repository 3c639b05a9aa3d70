"""The bottleneck of a level, as a reader who disagrees needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.bottleneck.cores import CPU_LIMIT, CPU_OF_OTHERS
from perf_pipeline.metrics.types.bottleneck import Bottleneck, Evidence
from perf_pipeline.report.level.bottleneck import bottleneck_fact, bottleneck_tables
from perf_pipeline.report.run.cost import cost_of

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Table

POOL = (
    Evidence(
        "connection pool", "workflows waiting for the pool", 87.5, "%", minimum=50, holds=True
    ),
    Evidence("connection pool", "cores used by postgres", 0.03, "cores", maximum=1.0, holds=True),
)
CPU = (
    Evidence("CPU", "busy cores", 95.0, "%", minimum=90, holds=True),
    Evidence("CPU", "threads waiting for a core", 0.01, "threads", minimum=0.5, holds=False),
)
QUEUE = (Evidence("queue", "workflows queued", 60.0, "%", minimum=50, holds=True),)
LOCKS = (Evidence("locks", "sessions waiting", None, "%", minimum=50),)
BESIDE = (Evidence("", "cores used by the harness", 0.05, "cores"),)

FOUND = Bottleneck(
    "connection_pool", "Workflows waited for the pool.", POOL + CPU + QUEUE + LOCKS + BESIDE
)


def _texts(table: Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_the_verdict_is_shown_with_its_sentence() -> None:
    fact = bottleneck_fact(FOUND)

    assert (fact.cell.text, fact.cell.note) == ("connection pool", "Workflows waited for the pool.")


def test_an_unclear_level_says_why_in_the_place_of_the_verdict() -> None:
    fact = bottleneck_fact(Bottleneck("unclear", "No cause holds.", ()))

    assert (fact.cell.text, fact.cell.tone) == ("unclear", "quiet")
    assert fact.cell.note == "No cause holds."


@pytest.mark.parametrize(
    ("cause", "shown"),
    [
        (CPU_LIMIT, "CPU limit of the run"),
        (CPU_OF_OTHERS, "CPU, taken by others"),
        ("CPU: the workers fill the cores", "CPU"),
    ],
)
def test_cpu_that_others_used_is_named_in_the_verdict(
    baseline: RunMetrics, cause: str, shown: str
) -> None:
    rests_on = Evidence(cause, "cores used by all workers", 0.5, "cores", minimum=0.45, holds=True)
    found = Bottleneck("cpu", "Why.", (rests_on, *BESIDE))

    assert bottleneck_fact(found).cell.text == shown
    title = bottleneck_tables(baseline.levels[0], found)[0].title
    assert title == f"What limits this level: {shown}"


def test_every_line_of_the_cause_is_shown_and_of_the_others_the_one_that_decides(
    baseline: RunMetrics,
) -> None:
    table = bottleneck_tables(baseline.levels[0], FOUND)[0]

    assert table.title == "What limits this level: connection pool"
    assert table.validity == baseline.levels[0].validity
    assert table.note.startswith("Workflows waited for the pool. Required: ")
    assert _texts(table) == [
        ["connection pool", "workflows waiting for the pool", "87.5 %", "≥ 50.0 %", "yes"],
        ["", "cores used by postgres", "0.0300 cores", "≤ 1.00 cores", "yes"],
        ["CPU", "threads waiting for a core", "0.0100 threads", "≥ 0.500 threads", "no"],
        ["queue", "workflows queued", "60.0 %", "≥ 50.0 %", "yes"],
        ["locks", "sessions waiting", "not measured", "≥ 50.0 %", "not known"],
    ]
    assert table.rows[3][-1].note == "follows from connection pool"


def test_an_unclear_level_shows_all_lines_of_each_cause_that_nothing_speaks_against(
    baseline: RunMetrics,
) -> None:
    unclear = Bottleneck("unclear", "Both hold.", POOL + LOCKS + CPU)

    texts = _texts(bottleneck_tables(baseline.levels[0], unclear)[0])

    assert [row[0] for row in texts] == ["connection pool", "", "locks", "CPU"]


def test_evidence_that_decides_nothing_has_its_own_table(baseline: RunMetrics) -> None:
    table = bottleneck_tables(baseline.levels[0], FOUND)[1]

    assert _texts(table) == [["cores used by the harness", "0.0500 cores"]]


def test_the_shares_of_runtime_nodes_and_work_are_shown_where_they_were_compared(
    baseline: RunMetrics,
) -> None:
    """331.4/s with code nodes, 3120/s with lean ones, 8410/s without a runtime, at 100."""
    cost = cost_of(baseline)
    at_100, at_500 = baseline.levels[0], baseline.levels[1]

    table = bottleneck_tables(at_100, FOUND, cost)[-1]

    shares = [float(row[1].text.removesuffix(" %")) for row in table.rows]
    assert shares == pytest.approx([3.94, 6.68, 89.4], rel=0.01)
    titles = [each.title for each in bottleneck_tables(at_500, FOUND, cost)]
    assert table.title not in titles
