"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest

from perf_pipeline.report.text import quantity


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.000_123_4, "0.123 ms"),
        (0.012_345, "12.3 ms"),
        (0.999_4, "999 ms"),
        (0.999_6, "1.00 s"),
        (1.0, "1.00 s"),
        (12.345, "12.3 s"),
        (1234.5, "1,230 s"),
        (0.0, "0 s"),
        (-0.000_02, "−20.0 us"),  # noqa: RUF001
    ],
)
def test_a_duration_has_three_digits_and_its_unit(value: float, shown: str) -> None:
    assert quantity.seconds(value) == shown


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_called_so(value: float) -> None:
    assert quantity.seconds(value) == "not a number s"
    assert quantity.rate(value) == "not a number/s"


def test_a_median_just_below_the_wanted_number_is_not_rounded_up_to_it() -> None:
    assert quantity.count(999.5) == "999.5"
    assert quantity.count(1000.0) == "1,000"


def test_a_value_just_beside_its_limit_does_not_read_as_the_limit() -> None:
    """9.9996/s misses a limit of 10/s; three digits would print "10.0/s, missed"."""
    assert quantity.beside(9.9996, 10.0, "/s") == "9.9996/s"
    assert quantity.beside(331.4, 10.0, "/s") == "331/s"
    assert quantity.beside(10.0, 10.0, "/s") == "10.0/s"


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(10.0, "/s", "10/s"), (1000.0, "MB", "1,000 MB"), (2.5, "%", "2.5 %"), (1.0, "s", "1 s")],
)
def test_a_limit_has_the_digits_that_it_was_chosen_with(
    value: float, unit: str, shown: str
) -> None:
    assert quantity.limit(value, unit) == shown


@pytest.mark.parametrize(("p", "needed"), [(0.5, 20), (0.9, 100), (0.99, 1000)])
def test_ten_samples_beyond_a_percentile_need_so_many_in_all(p: float, needed: int) -> None:
    assert quantity.samples_needed(p) == needed


@pytest.mark.parametrize(
    ("stamp", "shown"),
    [
        ("2026-11-24T06:19:39.639086+00:00", "2026-11-24 06:19:39 UTC"),
        ("2026-11-24T06:19:39+02:00", "2026-11-24 06:19:39 +0200"),
        ("2026-11-24T06:19:39", "2026-11-24 06:19:39"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_moment_names_its_zone_only_when_it_has_one(stamp: str, shown: str) -> None:
    assert quantity.moment(stamp) == shown
