"""The repeats of a level, with what lies between them and within one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.repeats import LevelRepeats, RepeatedValue
from perf_pipeline.report.run.repeats import repeats_table

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

RATES = RepeatedValue(
    *("throughput_per_s", "/s", (100.0, 120.0), 2, 110.0, 90.5, 129.5, 20.0, 18.2),
    *(97.0, 103.0, 0.002),
)
ERRORS = RepeatedValue(
    *("error_ratio", "ratio", (0.02, None), 1, 0.02, None, None, 0.0, None),
    *(None, None, None),
)


def test_repeats_that_differ_by_more_than_chance_are_called_so(baseline: RunMetrics) -> None:
    found = LevelRepeats("100", (0, 1), ("valid", "valid"), (RATES,))
    (row,) = repeats_table(replace(baseline, repeats=(found,))).rows
    assert [cell.text for cell in row] == [
        *("100", "2", "throughput", "110/s", "90.5 to 130/s", "97.0 to 103/s", "18.2 %"),
    ]
    assert (row[-1].tone, row[-1].note) == ("warn", "more than chance explains")


def test_one_usable_repeat_has_no_interval_and_says_how_few_it_is(baseline: RunMetrics) -> None:
    found = LevelRepeats("100", (0, 1), ("valid", "incomplete"), (ERRORS,))
    (row,) = repeats_table(replace(baseline, repeats=(found,))).rows
    assert row[1].note == "excluded: repeat 2: incomplete"
    assert (row[3].text, row[4].text, row[4].note) == ("2.00 %", "unavailable", "1 repeat used")


def test_a_run_that_played_each_level_once_has_no_such_table(baseline: RunMetrics) -> None:
    assert repeats_table(baseline).rows == ()
