"""Verdicts by the tables of targets, and grades of the key performance indicators (KPIs)."""

from dataclasses import dataclass
from typing import Literal

from perf_pipeline.config.slo.verdict import Verdict

Grade = Literal["good", "acceptable", "marginal", "poor", "no_data"]


@dataclass(frozen=True)
class KpiGrade:
    """The grade of one key performance indicator at one level.

    Attributes:
        level: Label of the level.
        what: Name of the indicator.
        value: What was measured, in ``unit``.
        unit: ``/s``, ``s``, ``%`` or ``MB``.
        grade: ``good``, ``acceptable``, ``marginal`` (between acceptable and poor), ``poor`` or
            ``no_data``.
        why: The reason for ``no_data``; empty for every other grade.
    """

    level: str
    what: str
    value: float | None
    unit: str
    grade: Grade
    why: str = ""


@dataclass(frozen=True)
class TargetRow:
    """One line of a table of targets: a limit, and whether it was met.

    Attributes:
        table: ``expected``, ``minimum`` or ``goal``.
        level: Label of the level.
        what: ``throughput``, ``average latency``, ``error ratio``, ``P99 latency``, ``memory``.
        value: The measured value, in ``unit``; None if it was not measured.
        limit: The limit, in the same unit.
        unit: ``/s``, ``s``, ``%`` or ``MB``.
        higher_is_better: True for throughput.
        implied_rate_per_s: For an average latency: the rate N / limit that it implies in a
            closed loop (Little's law); else None.
        verdict: ``met``, ``missed``, ``unclear`` (the 95 % interval of the value contains the
            limit) or ``no_data``.
        at_least: True when the true value is ``value`` or more.
    """

    table: str
    level: str
    what: str
    value: float | None
    limit: float
    unit: str
    higher_is_better: bool
    implied_rate_per_s: float | None
    verdict: Verdict
    at_least: bool = False
