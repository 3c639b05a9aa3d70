"""Lengths of time as people write them."""

from __future__ import annotations

import pytest

from perf_pipeline.config.duration import (
    DEFAULT_WAIT,
    DEFAULT_WAIT_S,
    duration_text,
    parse_duration,
)
from perf_pipeline.errors import ScenarioError


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("10", 10),
        ("1.5", 1.5),
        ("250ms", 0.25),
        ("30s", 30),
        ("1.5m", 90),
        ("2h", 7200),
        ("90d", 7_776_000),
    ],
)
def test_a_number_with_its_unit_is_a_length_of_time(text: str, seconds: float) -> None:
    assert parse_duration(text, "--wait") == seconds


@pytest.mark.parametrize(
    "text",
    ["", "-10", "-1m", "m", "1 m", "1M", "nan", "inf", "1e3s", "1" * 20 + "s", "1m\n", "\u0661m"],
)
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(
        ScenarioError, match=r"--wait is .*; it must be .* such as 10m; without a unit in seconds\."
    ) as no:
        parse_duration(text, "--wait")
    assert str(no.value).isprintable()


@pytest.mark.parametrize("text", ["90", "0.5"])
def test_what_removes_runs_takes_no_number_without_a_unit(text: str) -> None:
    """``prune --keep 90`` is meant in days, and would remove all but the last minutes."""
    with pytest.raises(ScenarioError, match=r"--keep is .*; without a unit only 0\."):
        parse_duration(text, "--keep", needs_unit=True)
    assert parse_duration("0", "--keep", needs_unit=True) == 0


def test_the_default_is_one_value_in_two_forms() -> None:
    assert parse_duration(DEFAULT_WAIT, "--wait") == DEFAULT_WAIT_S
    assert duration_text(DEFAULT_WAIT_S) == DEFAULT_WAIT
