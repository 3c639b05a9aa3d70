"""What others did on a shared machine is said, though it decides nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from perf_pipeline.cli.outcome import noise_lines
from perf_pipeline.metrics.types.noise import Noise

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOISY = Noise("noisy", ("steal: 9 %, limit 2 %",), judged=False, figures=())


@dataclass
class Level:
    """The part of a level that is looked at."""

    noise: Noise | None
    label: str = "100"
    shown: str = "100"
    role: str = "level"
    title: str = ""
    repeat: int = 1


@dataclass
class Levels:
    """The part of a run that is looked at."""

    levels: tuple[Level, ...]


def lines(*noises: Noise | None) -> list[str]:
    """Return the lines of a run of such levels."""
    return noise_lines(cast("RunMetrics", Levels(tuple(map(Level, noises)))))


def test_noise_that_is_not_judged_is_shown_with_the_reason() -> None:
    assert lines(None, NOISY, replace(NOISY, verdict="quiet", causes=())) == [
        (
            "level 100, repeat 2: steal: 9 %, limit 2 %; shown and not judged "
            "(PERF_PIPELINE_NOISE=tell)"
        )
    ]


def test_noise_that_is_judged_is_among_the_reasons_alone() -> None:
    assert lines(replace(NOISY, judged=True)) == []
