"""The grade of one key performance indicator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["good", "acceptable", "marginal", "poor", "no_data"]


@dataclass(frozen=True)
class KpiGrade:
    """The grade of one key performance indicator at one level.

    Attributes:
        level: Label of the level.
        what: Name of the indicator.
        value: What was measured, in ``unit``.
        unit: ``/s``, ``s``, ``%`` or ``MB``.
        grade: Good, acceptable, marginal (between acceptable and poor), poor, or no data.
        why: Why there is no data; empty otherwise.
    """

    level: str
    what: str
    value: float | None
    unit: str
    grade: Grade
    why: str = ""
