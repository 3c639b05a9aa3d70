"""The schedules by which workflows of an open level may arrive, and the keys that each has."""

from __future__ import annotations

from typing import Literal

Schedule = Literal["constant", "poisson", "ramp", "steps", "burst", "trace"]

SCHEDULES: tuple[Schedule, ...] = ("constant", "poisson", "ramp", "steps", "burst", "trace")

SCHEDULE_KEYS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "constant": (("rate_per_s", "duration_s"), ()),
    "poisson": (("rate_per_s", "duration_s"), ()),
    "ramp": (("rate_per_s", "end_rate_per_s", "duration_s"), ()),
    "steps": (("rate_per_s", "end_rate_per_s", "steps", "duration_s"), ()),
    "burst": (("burst_size", "burst_every_s", "duration_s"), ("rate_per_s",)),
    "trace": (("trace",), ("duration_s",)),
}
"""Schedule to the keys that it must have, and those that it may have."""
