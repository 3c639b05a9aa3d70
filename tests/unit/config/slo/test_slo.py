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
        ("p95 < 100ms", Slo("p95_s", 0.1)),
        ("p99.9 <= 2s", Slo("p99.9_s", 2)),
        ("p99.90_s < 2 s", Slo("p99.9_s", 2)),
        ("p1 < 35ms", Slo("p1_s", 0.035)),
        ("p99.99 < 1m", Slo("p99.99_s", 60)),
        ("service_p97.5 < 250us", Slo("service_p97.5_s", 0.00025)),
        ("avg < 1.5s", Slo("avg_s", 1.5)),
        ("error_ratio < 1%", Slo("error_ratio", 0.01)),
        ("throughput > 50/s", Slo("throughput_per_s", 50, at_most=False)),
        ("memory < 1.5GB", Slo("memory_mb", 1500)),
        ("cpu < 150 %", Slo("cpu_percent", 150)),
    ],
)
def test_a_text_is_a_metric_a_side_and_a_limit(text: str, slo: Slo) -> None:
    assert parse_slo(text) == slo


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("p99_s", "is not like"),
        ("p99_s < nan", "no number"),
        ("p99_s < 1..2", "no number"),
        ("q98_s < 1", 'did you mean "p'),
        ("p0.5 < 1", "no metric"),
        ("p99.999 < 1", "no metric"),
        ("p100 < 1", "no metric"),
        ("latency < 1", "known are p1 to p99.99"),
        ("p99 < 5%", "the units of p99_s are us, ms, s, m, min or h, or a number in s, like"),
        ("error_ratio < 5ms", "the units of error_ratio are %, or a number from 0 to 1"),
        ("p99", '"p95 < 100ms", "p99.9 <= 2s", "error_ratio < 1%" or "throughput > 50/s"'),
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


def test_a_percentile_knows_its_share_and_its_name() -> None:
    for text, p, label in (
        ("p99.9", 0.999, "P99.9"),
        ("p95", 0.95, "P95"),
        ("p7.25", 0.0725, "P7"),
    ):
        about = parse_slo(f"{text} < 1").about
        assert about.p == p
        assert about.label.startswith(label)


def test_an_objective_of_no_level_applies_to_every_level_and_of_no_arm() -> None:
    anywhere, of_lean = Slo("p99_s", 1), Slo("p99_s", 1, level="lean")

    assert [anywhere.applies_to(*of) for of in (("level", "100"), ("arm", "lean"))] == [True, False]
    assert [of_lean.applies_to(*of) for of in (("level", "100"), ("arm", "lean"))] == [False, True]
