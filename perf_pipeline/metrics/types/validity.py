"""Whether a load level or a run is a measurement: the closed list."""

from typing import Literal

Validity = Literal[
    "valid",
    "target_failed",
    "generator_limited",
    "not_steady",
    "too_few_samples",
    "noisy_host",
    "incomplete",
]
"""``target_failed``: the target did not work, so its numbers are those of failing."""
