"""Fewer bytes a second pass between workers and a server, on each connection and in each way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.faults.network.toxic_fault import (
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

EXCHANGE_S = 0.12
"""How long the exchanges of evidence are to take at the limit."""

_MIN_BYTES, _MAX_BYTES = 64, 1_000_000


class BandwidthLimit(ToxicFault):
    """Limits the rate; evidence is how long an exchange of known size takes, on both paths.

    The limit is that of each connection, as in Toxiproxy.
    """

    def __init__(self, place: Place, rate_kb_per_s: int) -> None:
        """Prepare.

        Args:
            place: Where it happens.
            rate_kb_per_s: The limit, of 1000 bytes a second.
        """
        toxics = [
            PlannedToxic("bandwidth", stream, {"rate": rate_kb_per_s})
            for stream in ("upstream", "downstream")
        ]
        super().__init__(place, "bandwidth_limit", toxics)
        rate = 1e3 * rate_kb_per_s
        self._size_bytes = round(min(max(rate * EXCHANGE_S, _MIN_BYTES), _MAX_BYTES))
        self._needed_s = self._size_bytes / rate / 2

    def sign(self) -> Sign:
        """Compare an exchange through the proxy with one past it."""
        trips = self.server.trips(self._needed_s, self._size_bytes)
        return delay_sign(trips, self._needed_s)


def make(place: Place, settings: Mapping[str, SettingValue]) -> Fault:
    """Return the failure; the rate is rounded to whole KB/s, as Toxiproxy takes it."""
    return BandwidthLimit(place, max(1, round(float(settings["rate_kb_per_s"]))))
