"""Lengths of time as people write them: ``250ms``, ``30s``, ``10m``, ``2h``, ``90d``; or seconds.

One rule for flags, scenario files and the launchpad: a number without a unit is in seconds. The
one exception is how long an endurance scenario lasts: in hours.
"""

from __future__ import annotations

import re

from perf_pipeline.config.wording import shown
from perf_pipeline.errors import ScenarioError

_TEXT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|[smhd]|)")
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}

DEFAULT_WAIT = "1h"
"""How long a run waits for another load run on the same host to end."""

DEFAULT_WAIT_S = 3600.0


class WithUnit(float):
    """A length of time in seconds that was written with its unit."""


def seconds_in(text: str) -> float | None:
    """Return a length of time in seconds; None if the text is none."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    seconds = float(found[1]) * _SECONDS[found[2]]
    return WithUnit(seconds) if found[2] else seconds


def parse_duration(text: str, option: str, *, needs_unit: bool = False) -> float:
    """Return a length of time in seconds.

    Args:
        text: A number with its unit, or of seconds.
        option: What the message calls it, such as ``--wait``.
        needs_unit: Refuse a number without a unit, except 0: where taking days for seconds would
            remove what was to be kept.

    Raises:
        ScenarioError: It is none.
    """
    found = seconds_in(text)
    if found is None or (needs_unit and found and text[-1].isdigit()):
        bare = "without a unit only 0" if needs_unit else "without a unit in seconds"
        problem = f"it must be a number with ms, s, m, h or d, such as 10m; {bare}."
        raise ScenarioError([f"{option} is {shown(text)}; {problem}"])
    return found


def duration_text(seconds: float) -> str:
    """Return a length of time as people write it, in the greatest unit that it is whole in."""
    for unit in ("d", "h", "m"):
        whole = seconds / _SECONDS[unit]
        if whole >= 1 and whole.is_integer():
            return f"{whole:.0f}{unit}"
    return f"{seconds:g}s" if seconds else "0"
