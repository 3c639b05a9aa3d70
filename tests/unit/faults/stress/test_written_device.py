"""Which block device takes what is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from perf_pipeline.faults.stress.device import Device
from perf_pipeline.faults.stress.written_device import proven

MB = 1_000_000
PIECE_BYTES, PIECE_S = 2 * MB, 0.02


class Kernel:
    """Devices that are written to at constant rates, and by us.

    Args:
        rates: Device to what other programs write to it, bytes a second.
        reached: Device to the share of our writes that reaches it.
    """

    def __init__(self, rates: dict[str, float], reached: dict[str, float]) -> None:
        self.now_s = 0.0
        self.ours_bytes = 0
        self._rates, self._reached = rates, reached

    def devices(self) -> list[Device]:
        kernel = self

        class Counted(Device):
            def use(self) -> tuple[int, float]:
                of_others = kernel._rates.get(self.name, 0.0) * kernel.now_s
                of_ours = kernel._reached.get(self.name, 0.0) * kernel.ours_bytes
                return int(of_others + of_ours), 0.0

        return [Counted(name, Path(name)) for name in {**self._rates, **self._reached}]

    def write(self) -> int:
        self.sleep(PIECE_S)
        self.ours_bytes += PIECE_BYTES
        return PIECE_BYTES

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.mark.parametrize(
    ("rates", "reached", "name"),
    [
        ({"sda": 0.0, "sdb": 0.0}, {"sdb": 1.0}, "sdb"),
        ({"sda": 500 * MB, "sdb": 20 * MB}, {"sdb": 1.0}, "sdb"),
        ({"sda": 30 * MB, "dm-0": 0.0}, {"sda": 1.0, "dm-0": 1.0}, "dm-0"),
        ({"sda": 500 * MB, "sdb": 0.0}, {}, None),
        ({"sda": 0.0}, {"sda": 0.1}, None),
        ({}, {}, None),
    ],
)
def test_the_device_that_grows_by_what_we_write_is_found_whatever_others_write(
    rates: dict[str, float], reached: dict[str, float], name: str | None
) -> None:
    """A busy disk that is not ours grows while we wait as well; of a stack the quietest is taken.

    A tenth of our writes is no proof.
    """
    kernel = Kernel(rates, reached)
    found = proven(kernel.devices(), kernel.write, kernel.sleep, lambda: kernel.now_s)
    assert (found.name if found is not None else None) == name
