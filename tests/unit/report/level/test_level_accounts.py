"""Errors, connections, writes, resources and workers of one level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.metrics.types.records import WorkerEnd, Writes
from perf_pipeline.metrics.types.resource_use import Gap, Resources, RoleUse
from perf_pipeline.report.level import level_accounts
from perf_pipeline.report.level.resources import cores_fact, resource_tables

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.report.text.table import Cell


def _row(level: LevelMetrics, title: str, position: int = 0) -> tuple[Cell, ...]:
    tables = {
        table.title: table
        for table in (
            *level_accounts.server_accounts(level),
            *resource_tables(level),
            level_accounts.workers(level),
        )
    }
    return tables[title].rows[position]


@pytest.mark.parametrize(("gap_s", "tone"), [(1.0, "number"), (1.001, "warn")])
def test_a_gap_between_commits_above_one_second_is_flagged(
    baseline: RunMetrics, gap_s: float, tone: str
) -> None:
    ends = (WorkerEnd(0, "done", 0.5, 0), WorkerEnd(1, "done", gap_s, 0))
    row = _row(replace(baseline.levels[0], workers=ends), "Worker processes")
    assert (row[3].text, row[3].tone) == ("1.00 s", tone)


def test_worker_processes_are_counted_by_how_they_ended(baseline: RunMetrics) -> None:
    ends = (
        WorkerEnd(0, "done", 0.5, 0),
        WorkerEnd(1, "killed by SIGKILL", None, 7, {"sleep": 2}),
        WorkerEnd(2, "done", 0.6, 0),
    )
    level = replace(baseline.levels[0], workers=ends)
    texts = [[cell.text for cell in _row(level, "Worker processes", at)] for at in (0, 1)]
    assert texts == [
        ["done", "2", "0", "600 ms", "none"],
        ["killed by SIGKILL", "1", "7", "not measured", "2 x sleep"],
    ]


@pytest.mark.parametrize(
    ("write", "word", "tone"),
    [
        (Writes("redis", 10, 12, 0, 2), "agrees", "good"),
        (Writes("redis", 10, 9, 1, 0), "does not agree", "bad"),
        (Writes("redis", 10, None, None, None, "connection refused"), "not counted", "bad"),
    ],
)
def test_writes_agree_only_when_none_is_missing(
    baseline: RunMetrics, write: Writes, word: str, tone: str
) -> None:
    row = _row(replace(baseline.levels[0], writes=(write,)), "Writes, counted on the server")
    assert (row[-1].text, row[-1].tone) == (word, tone)
    if write.problem:
        assert row[2].text == "not measured"
        assert row[2].note == write.problem


def test_a_level_says_whose_cores_were_used(baseline: RunMetrics) -> None:
    """Processes outside of the run used 0.1 cores, the figure that noise is judged by."""
    fact = cores_fact(baseline.levels[0])
    assert fact.cell.text == "target 1.92, harness 0.0310, servers 0.215, of 2"
    assert fact.cell.note == "everything else on the machine 0.100"
    bare = replace(baseline.levels[0], resources=Resources(*(None,) * 5, 0, 0))
    assert (cores_fact(bare).cell.text, cores_fact(bare).cell.note) == (
        "not measured",
        "no sample was taken",
    )


def test_what_a_server_does_not_count_is_not_measured_with_its_reason(
    baseline: RunMetrics,
) -> None:
    postgres, redis = (_row(baseline.levels[0], "What the servers counted", at) for at in (0, 1))
    assert [cell.text for cell in postgres[1:5]] == [
        "812/s",
        "2.10 ms",
        "not measured",
        "not measured",
    ]
    assert postgres[3].note == "it does not count"
    assert [cell.text for cell in redis[1:5]] == ["400/s", "4.00 us", "0.100 MB/s", "0.200 MB/s"]
    assert "others may use it" in redis[0].note


def test_a_failed_probe_is_listed_before_what_is_never_counted(
    baseline: RunMetrics,
) -> None:
    uncounted = baseline.levels[0].resources.gaps
    gaps = (*uncounted, Gap("connections redis", "refused", 3, failed=True))
    level = replace(baseline.levels[0], resources=replace(baseline.levels[0].resources, gaps=gaps))
    rows = [_row(level, "What the monitor could not read", at) for at in (0, 1)]
    assert [[cell.text for cell in row] for row in rows] == [
        ["connections redis", "failed", "3", "refused"],
        ["io_delay_s", "not counted at all", "20", "the kernel does not count it"],
    ]


def test_more_connections_than_the_limit_are_flagged(baseline: RunMetrics) -> None:
    use = replace(baseline.levels[0].connections[0], limit=50, peak=51)
    row = _row(replace(baseline.levels[0], connections=(use,)), "Connections")
    assert (row[2].text, row[2].tone, row[2].note) == ("51", "bad", "above the limit")


def test_workers_harness_and_servers_have_separate_rows(baseline: RunMetrics) -> None:
    title = "Resources in the steady phase"
    memory = [_row(baseline.levels[0], title, at)[1].text for at in (0, 1, 2)]
    assert memory == ["413 MB", "88.2 MB", "143 MB"]


def test_a_resource_that_was_not_sampled_is_not_zero(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    bare = replace(
        level,
        resources=replace(level.resources, roles=(RoleUse("workers", 2, 412.6),)),
        not_measured={"disk_io_read_mb": "/proc/PID/io is not ours to read"},
    )
    cell = _row(bare, "Resources in the steady phase")[5]
    assert (cell.text, cell.note) == ("not measured", "/proc/PID/io is not ours to read")


def test_errors_come_by_class_the_most_frequent_first_with_examples(baseline: RunMetrics) -> None:
    level = replace(
        baseline.levels[0],
        error_classes={"timeout": 2, "wrong_result": 5, "connection": 0},
        steady_error_classes={"wrong_result": 4},
        error_examples={"wrong_result": ("node filter", "y" * 1000)},
    )
    (table,) = level_accounts.errors(level)
    texts = [[cell.text for cell in row] for row in table.rows]
    assert texts[0] == ["wrong result", "5", "4", "node filter"]
    assert texts[1][3] == "y" * 300 + "… (700 more characters)"
    assert texts[2] == ["timeout", "2", "0", "no message was recorded"]
    assert len(texts) == 3


def test_traffic_is_shown_by_server_with_bounds_and_reasons(baseline: RunMetrics) -> None:
    """12 MB and 48 MB in 8 s; a lower bound has its sign and its reason, a gap its reason."""
    rows = [_row(baseline.levels[0], "Network of the target", at) for at in range(3)]
    texts = [[cell.text for cell in row] for row in rows]
    assert texts[0] == ["postgres", "12.0 MB", "48.0 MB", "1.50 MB/s", "6.00 MB/s", "25", "0"]
    assert texts[1][1:] == [
        "≥ 0.400 MB",
        "≥ 0.800 MB",
        "≥ 0.0500 MB/s",
        "≥ 0.100 MB/s",
        "412",
        "387",
    ]
    assert "3 connections" in rows[1][0].note
    assert "no TCP address" in rows[2][1].note


def test_a_reason_that_applies_everywhere_is_given_once(baseline: RunMetrics) -> None:
    rows = [[cell.text for cell in row] for row in level_accounts.not_measured(baseline).rows]
    why = "mongodb: no TCP address of it is known"
    assert rows == [["network_io_sent_mb, network_io_recv_mb", why, "all"]]


def test_a_reason_that_holds_for_some_levels_names_them(baseline: RunMetrics) -> None:
    levels = list(baseline.levels)
    levels[1] = replace(levels[1], not_measured={"peak_memory_mb": "no smaps"})
    rows = level_accounts.not_measured(replace(baseline, levels=tuple(levels))).rows
    texts = [[cell.text for cell in row] for row in rows]
    assert texts[1] == ["peak_memory_mb", "no smaps", "500"]
    assert texts[0][2] == "100, 1000, lean (arm), control (arm)"


def test_a_target_that_prints_much_is_said_with_what_its_log_lacks(baseline: RunMetrics) -> None:
    level = baseline.levels[0]
    quiet = WorkerEnd(0, "done", 0.5, 0, printed_bytes=900_000)
    assert level_accounts.printed_sentence(replace(level, workers=(quiet,))) == ""
    loud = replace(quiet, printed_bytes=3_200_000_000, log_dropped_bytes=3_191_800_000)
    found = replace(level, workers=(quiet, loud))
    sentence = level_accounts.printed_sentence(found)
    assert sentence.startswith("The target printed 3,200 MB, of which the logs lack 3,190 MB:")
    assert sentence in level_accounts.workers(found).note
