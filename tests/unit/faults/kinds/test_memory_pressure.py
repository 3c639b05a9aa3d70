"""Whose memory it is: what other programs take is no part of the failure."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.faults.fault import FaultRefusedError, NotPossibleHereError, Place
from perf_pipeline.faults.kinds import memory_pressure
from perf_pipeline.faults.kinds.memory_pressure import MemoryPressure
from perf_pipeline.faults.stress.programs import Programs

if TYPE_CHECKING:
    from pathlib import Path

MB = 1_000_000
TOTAL_BYTES, FREE_BYTES = 16_000 * MB, 3_000 * MB


def pressure(folder: Path, available_mb: int, total_bytes: int = TOTAL_BYTES) -> MemoryPressure:
    """Return the failure on a machine with so much memory; 3000 MB are to stay available."""
    place = Place(None, folder, random.Random(0), time.monotonic_ns, time.sleep)
    return MemoryPressure(place, FREE_BYTES, memory=lambda: (available_mb * MB, total_bytes))


@pytest.mark.parametrize(
    ("available_mb", "taken_mb", "is_in_effect", "is_of_others"),
    [(3005, 4000, True, False), (3005, 49, False, True), (3500, 4000, False, False)],
)
def test_pressure_of_other_programs_alone_is_not_the_failure_and_is_said(
    available_mb: int,
    taken_mb: int,
    is_in_effect: bool,  # noqa: FBT001
    is_of_others: bool,  # noqa: FBT001
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """49 MB of 700 were taken beside other tests, when another program had taken the rest."""
    monkeypatch.setattr(Programs, "own", lambda _: [1])
    monkeypatch.setattr(memory_pressure, "_resident_bytes", lambda _: taken_mb * MB)
    sign = pressure(tmp_path, available_mb).sign()
    assert sign.in_effect == is_in_effect
    assert ("other programs have taken the memory" in sign.text) == is_of_others
    assert f"{taken_mb} MB are taken by this failure" in sign.text


def test_little_memory_now_is_refused_and_too_small_a_machine_is_not_possible(
    tmp_path: Path,
) -> None:
    """Other programs may give memory back; a machine does not grow."""
    with pytest.raises(FaultRefusedError) as now:
        pressure(tmp_path, 3_050).preflight()
    assert not isinstance(now.value, NotPossibleHereError)
    with pytest.raises(NotPossibleHereError, match="and it has 3100 MB"):
        pressure(tmp_path, 3_000, total_bytes=3_100 * MB).preflight()
