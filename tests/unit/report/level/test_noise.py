"""Whether the machine was the run's own is shown with the figures that it rests on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.metrics.types.noise import Noise, NoiseFigure
from perf_pipeline.report.level import noise

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

FIGURES = (
    NoiseFigure("cores that others used", 7.5, "%", 5.0, True, "2 of 2 cores were busy"),
    NoiseFigure("steal", None, "%", 2.0, None, "the counters were not read"),
    NoiseFigure("stalled for memory", 1.0, "%", None, None),
)


def test_a_noisy_machine_is_called_so_with_its_cause(baseline: RunMetrics) -> None:
    found = Noise("noisy", ("cores that others used: 7.5 %",), True, FIGURES)
    level = replace(baseline.levels[0], noise=found)
    (fact,) = noise.noise_facts(level)
    assert (fact.cell.text, fact.cell.tone) == ("noisy", "warn")
    assert fact.cell.note == "cores that others used: 7.5 %"
    (table,) = noise.noise_tables(level)
    assert [[cell.text for cell in row[1:]] for row in table.rows] == [
        ["7.50 %", "5 %", "noisy"],
        ["not measured", "2 %", "not known"],
        ["1.00 %", "none", ""],
    ]
    assert table.rows[1][1].note == "the counters were not read"


def test_noise_on_a_shared_machine_is_reported_and_not_judged(baseline: RunMetrics) -> None:
    judged, shown = (
        noise.noise_tables(replace(baseline.levels[0], noise=Noise("quiet", (), each, FIGURES)))
        for each in (True, False)
    )
    assert noise.SHARED not in judged[0].note
    assert noise.SHARED in shown[0].note


def test_a_changed_calibration_is_a_warning_on_a_machine_that_stays_quiet(
    baseline: RunMetrics,
) -> None:
    changed = NoiseFigure("speed of a core", 20.0, "%", 15.0, True, is_evidence=False)
    found = Noise("quiet", (), True, (changed,), ("speed of a core: 20 %, limit 15 %",))
    level = replace(baseline.levels[0], noise=found)
    (fact,) = noise.noise_facts(level)
    assert (fact.cell.text, fact.cell.tone) == ("quiet", "warn")
    assert fact.cell.note == ("warning, the calibration changed: speed of a core: 20 %, limit 15 %")
    assert noise.noise_tables(level)[0].rows[0][-1].text == "warning"
    (sentence,) = noise.noise_of_run(replace(baseline, levels=(level,)))
    assert sentence == (
        "Warning: the calibration of the machine changed at 100; no counter shows that another "
        "program did it."
    )


def test_what_was_not_looked_at_is_not_called_quiet(baseline: RunMetrics) -> None:
    assert noise.noise_facts(baseline.levels[0]) == ()
    assert noise.noise_tables(baseline.levels[0]) == ()
