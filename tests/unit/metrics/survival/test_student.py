"""Student's t against the printed tables."""

from __future__ import annotations

import pytest
from scipy.special import stdtrit

from perf_pipeline.metrics.survival.student import t_quantile


@pytest.mark.parametrize(
    ("p", "degrees", "table"),
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 3, 3.182),
        (0.975, 4, 2.776),
        (0.975, 9, 2.262),
        (0.95, 10, 1.812),
        (0.995, 7, 3.499),
        (0.995, 30, 2.750),
    ],
)
def test_quantiles_are_those_of_the_tables(p: float, degrees: int, table: float) -> None:
    assert t_quantile(p, degrees) == pytest.approx(table, abs=0.0006)


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 24, 143, 999, 1000, 1001, 50_000])
def test_quantiles_are_those_of_scipy_far_out_too(degrees: int) -> None:
    for p in (0.51, 0.75, 0.95, 0.995, 0.9999, 1 - 1e-6):
        assert t_quantile(p, degrees) == pytest.approx(float(stdtrit(degrees, p)), rel=1e-7)


def test_with_many_degrees_it_is_the_normal_distribution() -> None:
    assert t_quantile(0.975, 100_000) == pytest.approx(1.96, abs=0.001)


@pytest.mark.parametrize(("p", "degrees"), [(0.5, 3), (1.0, 3), (0.2, 3), (0.9, 0)])
def test_what_has_no_quantile_above_the_middle_is_refused(p: float, degrees: int) -> None:
    with pytest.raises(ValueError, match="at least 1 degree"):
        t_quantile(p, degrees)
