"""A campaign of short hours on functions without a runtime."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox import Sandbox

SOAK = """
target = "control"
[[workload]]
family = "transformation"
complexity = "simple"
[phases]
drain_s = 2
deadline_s = 5
[endurance]
hours = {hours}
hour_seconds = {hour_seconds}
rate = 40
slots = 20
twin = false
"""


def soak_scenario(sandbox: Sandbox, hours: int, hour_seconds: float) -> Path:
    """Write the scenario; returns its file."""
    path = sandbox.folder / "soak.toml"
    path.write_text(SOAK.format(hours=hours, hour_seconds=hour_seconds), encoding="utf-8")
    return path
