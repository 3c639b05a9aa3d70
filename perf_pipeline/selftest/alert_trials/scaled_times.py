"""The configuration in ``infra/`` with all of its times multiplied by one factor.

Times are written as Prometheus writes them (``5m``) in four places: ranges in brackets, after
``offset``, as values of keys (``for: 1m``) and as scrape intervals. In a fifth they are a number of
seconds: the limit of what begins with ``time() -``. Other limits, and texts, have none.
"""

from __future__ import annotations

import re

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
_TIME = re.compile(
    r"(?P<before>\[|\boffset |\b(?:for|keep_firing_for|\w+_(?:interval|timeout|wait)): )"
    r"(?P<number>\d+)(?P<unit>ms|s|m|h)\b"
)
_AGE = re.compile(r"(?P<before>^ *time\(\) - .* > )(?P<seconds>[\d.]+)$", re.MULTILINE)


def scaled_times(text: str, factor: float) -> str:
    """Return a configuration with all times multiplied; by 1 it is the same text.

    Args:
        text: Configuration or rules, of Prometheus or Alertmanager.
        factor: What times are multiplied by; > 0.
    """
    if factor == 1:
        return text
    text = _TIME.sub(lambda found: _scaled(found, factor), text)
    return _AGE.sub(lambda one: f"{one['before']}{float(one['seconds']) * factor:g}", text)


def _scaled(found: re.Match[str], factor: float) -> str:
    milliseconds = int(found["number"]) * _UNITS_MS[found["unit"]] * factor
    return f"{found['before']}{max(1, round(milliseconds))}ms"
