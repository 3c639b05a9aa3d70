"""The names of keys that people write, where the field has another: one name for one thing.

How long a level is measured is ``duration`` in a file, a flag, the launchpad and Python; what
arrives a second is ``rate``. The fields of a scenario have their unit last. Files with the names of
the fields, which were those of the keys before, mean the same.
"""

from __future__ import annotations

FIELDS: dict[str, dict[str, str]] = {
    "phases": {"duration": "steady_s"},
    "arm": {"duration": "steady_s"},
    "level": {"duration": "steady_s"},
    "stage": {"duration": "steady_s", "ramp": "ramp_s"},
    "arrivals": {"duration": "steady_s", "rate": "rate_per_s", "end_rate": "end_rate_per_s"},
    "endurance": {"rate": "rate_per_s"},
    "fault": {"type": "kind", "at": "at_s", "duration": "duration_s"},
}
"""Table to the name of a key, to the field that holds its value."""


def key_name(table: str, field: str) -> str:
    """Return the name that people write for a field of a table; empty for the top of the file."""
    names = FIELDS.get(table, {})
    return next((name for name, other in names.items() if other == field), field)
