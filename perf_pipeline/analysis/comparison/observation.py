"""What one run says about one metric of a level."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Observation:
    """One value of one run.

    Attributes:
        value: None where there is none that is a measurement.
        spread: Relative standard error of the value within the run; 0 where it is not known.
        samples: Workflows behind it.
        is_bound: The true value is at least this: a censored percentile.
        why_not: Why there is no value; empty if there is one.
        doubt: Why another program may have moved it unseen; empty if it is known that none did, or
            nothing says so. A value in doubt decides only beside others whose spread is measured.
    """

    value: float | None
    spread: float = 0.0
    samples: int = 0
    is_bound: bool = False
    why_not: str = ""
    doubt: str = ""
