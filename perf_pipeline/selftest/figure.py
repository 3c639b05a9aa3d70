"""One measured figure of a selftest, with its limit."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Size(StrEnum):
    """How much a selftest does: ratios and exact claims for every commit, or everything."""

    CI = "ci"
    FULL = "full"


@dataclass(frozen=True)
class Figure:
    """A figure that proves or refutes a claim.

    Attributes:
        what: What was measured, for people; unique in its selftest.
        value: The measured value; None where it could not be measured, which proves nothing.
        unit: Its unit; empty for a pure number.
        limit: Limit of ``value``; None where the figure is only shown.
        at_most: True when ``value`` must not exceed ``limit``, False when it must reach it.
        note: Why there is no value, or what the reader must know.
    """

    what: str
    value: float | None
    unit: str
    limit: float | None
    at_most: bool = True
    note: str = ""

    @property
    def passed(self) -> bool:
        """True when the value is within its limit; a claim without a value is not proven."""
        if self.limit is None:
            return True
        if self.value is None or math.isnan(self.value):
            return False
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def as_json(self) -> dict[str, Any]:
        """Return the figure as ``--json`` shows it; a value that is no number is null."""
        shown = self.value if self.value is not None and math.isfinite(self.value) else None
        note = self.note or ("" if shown == self.value else f"the value was {self.value}")
        return {**asdict(self), "value": shown, "note": note, "pass": self.passed}
