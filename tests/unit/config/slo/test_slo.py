"""A text is an objective, or it is refused with what is wrong and what is allowed."""

from __future__ import annotations

import pytest

from perf_pipeline.config.slo.slo import METRICS, Slo, parse_slo


@pytest.mark.parametrize(
    ("text", "slo"),
    [
        ("p99_s < 0.5", Slo("p99_s", 0.5)),
        ("p99_s<=5e-1", Slo("p99_s", 0.5)),
        (" throughput_per_s >= 100 ", Slo("throughput_per_s", 100, at_most=False)),
        ("throughput_per_s>100", Slo("throughput_per_s", 100, at_most=False)),
        ("error_ratio <= 0", Slo("error_ratio", 0)),
        ("response_p50_s < 2", Slo("response_p50_s", 2)),
    ],
)
def test_a_text_is_a_metric_a_side_and_a_limit(text: str, slo: Slo) -> None:
    assert parse_slo(text) == slo


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("p99_s", "is not like"),
        ("p99_s < nan", "is not like"),
        ("p99_s < 1..2", "no number"),
        ("p98_s < 1", 'did you mean "p'),
        ("p99_s > 1", "needs an upper limit"),
        ("throughput_per_s < 1", "needs a lower limit"),
        ("error_ratio < 5", "allowed is 0 to 1"),
        ("p99_s < -1", "has the limit -1; allowed is 0 to 86400 s"),
        ("p99_s < 1e999", "has the limit inf"),
        ("p99_s < 0", "nothing keeps or breaks"),
    ],
)
def test_what_is_none_is_refused_with_the_reason(text: str, reported: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        parse_slo(text)
    assert reported in str(refused.value)


def test_the_shown_text_is_read_back_as_the_same() -> None:
    for metric in METRICS.values():
        slo = Slo(metric.name, 0.25, at_most=metric.at_most)
        assert parse_slo(slo.text) == slo


def test_an_objective_of_no_level_applies_to_every_level_and_of_no_arm() -> None:
    anywhere, of_lean = Slo("p99_s", 1), Slo("p99_s", 1, level="lean")

    assert [anywhere.applies_to(*of) for of in (("level", "100"), ("arm", "lean"))] == [True, False]
    assert [of_lean.applies_to(*of) for of in (("level", "100"), ("arm", "lean"))] == [False, True]
