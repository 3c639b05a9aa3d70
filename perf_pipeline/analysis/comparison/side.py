"""One side of a comparison: what each of its runs measured, and under which conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.analysis.comparison.observation import Observation
    from perf_pipeline.metrics.types.validity import Validity

MetricKey = tuple[str, str]
"""Name of a metric, and the kind of workflow; empty for all together."""

Conditions = Mapping[str, Mapping[str, str]]
"""What must match, by name, to its parts and their values as text."""


@dataclass(frozen=True)
class MeasuredLevel:
    """A level as one run, or one repeat of a run, measured it.

    Attributes:
        run_id: The run.
        label: Of the level.
        validity: Whether it is a measurement.
        is_open: Whether workflows arrived by a schedule.
        observations: What it says about each metric.
        reasons: Why it is not valid.
        bottleneck: What limits it; empty where that is not known.
        neighbours: What other programs took of the machine where that is shown and not judged;
            empty for nothing above its limit.
    """

    run_id: str
    label: str
    validity: Validity
    is_open: bool
    observations: Mapping[MetricKey, Observation]
    reasons: tuple[str, ...] = ()
    bottleneck: str = ""
    neighbours: str = ""


@dataclass(frozen=True)
class Side:
    """One side.

    Attributes:
        name: As it was asked for.
        scenario: Of its runs.
        target: With its version and packages.
        levels: Of all its runs, oldest first; a level that was repeated is there several times.
        conditions: Of each run: what must match (``conditions.py``); empty where a run, such as
            a result file of an earlier version, does not say it.
        spans_versions: Its runs are the last ones, whichever version of the target they had
            (``rolling:N``), and may differ among themselves in what is under test.
    """

    name: str
    scenario: str
    target: str
    levels: tuple[MeasuredLevel, ...]
    conditions: tuple[Conditions, ...] = ()
    spans_versions: bool = False

    @property
    def runs(self) -> tuple[str, ...]:
        """Ids of its runs, oldest first."""
        return tuple(dict.fromkeys(level.run_id for level in self.levels))

    @property
    def validities(self) -> tuple[Validity, ...]:
        """The validities of its levels, without repetition."""
        return tuple(dict.fromkeys(level.validity for level in self.levels))

    def of(self, label: str) -> list[MeasuredLevel]:
        """Return the plays of one level."""
        return [level for level in self.levels if level.label == label]
