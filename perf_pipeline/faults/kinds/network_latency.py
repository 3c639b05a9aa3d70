"""Each answer of a server comes later: a latency of the proxy before it, with jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.network.toxic_fault import (
    VISIBLE_S,
    PlannedToxic,
    ToxicFault,
    delay_sign,
    undo_left_behind,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import SettingValue
    from perf_pipeline.faults.fault import Fault, Place, Sign

__all__ = ["make", "undo_left_behind"]


class NetworkLatency(ToxicFault):
    """Delays what comes from the server; evidence is how late answers are, beside the direct path.

    Half of the latency is asked for: as far from none of it as from all of it.
    """

    def __init__(self, place: Place, latency_ms: int, jitter_ms: int) -> None:
        """Prepare.

        Args:
            place: Where it happens.
            latency_ms: Added to each answer.
            jitter_ms: More or less by up to this.
        """
        attributes = {"latency": latency_ms, "jitter": jitter_ms}
        super().__init__(
            place, "network_latency", [PlannedToxic("latency", "downstream", attributes)]
        )
        needed_s = (0.5 * latency_ms - 0.15 * jitter_ms) / 1e3
        self._needed_s = min(needed_s, VISIBLE_S)

    def sign(self) -> Sign:
        """Compare answers through the proxy with answers past it."""
        return delay_sign(self.server.trips(self._needed_s), self._needed_s)


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure; times are rounded to whole ms, as Toxiproxy takes them."""
    latency_ms = max(1, round(float(settings["latency_ms"])))
    jitter_ms = round(float(settings["jitter_ms"]))
    return NetworkLatency(place, latency_ms, jitter_ms)
