"""Formats numbers for people: three significant digits, always with the unit."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES

NOT_MEASURED = "not measured"
NOT_RECORDED = "not recorded"


def significant(value: float, digits: int = 3) -> str:
    """Return ``value`` with ``digits`` significant digits and thousands separators, no exponent."""
    if not math.isfinite(value):
        return "not a number"
    if value == 0:
        return "0"
    rounded = round_to(value, digits)
    decimals = digits - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(0, decimals)}f}".replace("-", "−")  # noqa: RUF001 - a minus sign


def round_to(value: float, digits: int) -> float:
    """Round to a number of significant digits; ``value`` is finite and not 0."""
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def rounded(value: float, digits: int = 3) -> float:
    """Round to a number of significant digits, as ``round_to``; 0 and what is not finite too."""
    return round_to(value, digits) if value and math.isfinite(value) else value


def seconds(value: float, digits: int = 3) -> str:
    """Return a duration in s from 1 s on, in ms from 0.1 ms on, and in us below."""
    if math.isfinite(value) and value != 0:
        rounded = abs(round_to(value, digits))
        if rounded < 1e-4:  # noqa: PLR2004 - 0.1 ms
            return f"{significant(value * 1e6, digits)} us"
        if rounded < 1:
            return f"{significant(value * 1e3, digits)} ms"
    return f"{significant(value, digits)} s"


def rate(value: float, digits: int = 3) -> str:
    """Return workflows per second."""
    return f"{significant(value, digits)}/s"


def percent(value: float, digits: int = 3) -> str:
    """Return a percentage; ``value`` is 0 to 100."""
    return f"{significant(value, digits)} %"


def megabytes(value: float, digits: int = 3) -> str:
    """Return an amount of memory or storage; 1 MB = 1e6 bytes."""
    return f"{significant(value, digits)} MB"


def count(value: float) -> str:
    """Return a count, exactly; a fraction (such as a median) is shown with one decimal."""
    return f"{value:,.1f}".removesuffix(".0")


def counted(found: int, what: str) -> str:
    """Return a count with its noun, in the plural unless the count is one."""
    return f"{count(found)} {what}{'' if found == 1 else 's'}"


def moment(stamp: str) -> str:
    """Return an ISO time stamp to the second; text that is no time stamp is returned unchanged."""
    try:
        time = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    zone = " UTC" if time.utcoffset() == timedelta(0) else time.strftime(" %z").rstrip()
    return f"{time:%Y-%m-%d %H:%M:%S}{zone}"


def of_unit(value: float, unit: str, digits: int = 3) -> str:
    """Return ``value`` in ``unit``: ``/s``, ``s``, ``%``, ``MB``, or any other, appended as is."""
    known = {"/s": rate, "s": seconds, "%": percent, "MB": megabytes}
    if unit in known:
        return known[unit](value, digits)
    return f"{significant(value, digits)} {unit}".rstrip()


def between(low: float, high: float, unit: str) -> str:
    """Return an interval, with the unit once where both ends have the same."""
    first, last = of_unit(low, unit), of_unit(high, unit)
    for ending in (" us", " ms", " s", " %", " MB", "/s"):
        if first.endswith(ending) and last.endswith(ending):
            return f"{first.removesuffix(ending)} to {last}"
    return f"{first} to {last}"


def limit(value: float, unit: str) -> str:
    """Return a limit with all its digits, unrounded: somebody chose it."""
    return f"{value:,.10g}{'' if unit.startswith('/') else ' '}{unit}".rstrip()


def beside(value: float, other: float, unit: str) -> str:
    """Return ``value`` with as many digits as it takes to tell it from a different ``other``."""
    for digits in range(3, 10):
        shown = of_unit(value, unit, digits)
        if value == other or shown != of_unit(other, unit, digits):
            return shown
    return f"{value!r} {unit}"


def samples_needed(p: float) -> int:
    """Return the number of samples with ``MIN_TAIL_SAMPLES`` beyond percentile ``p``."""
    return round(MIN_TAIL_SAMPLES / (1 - p))
