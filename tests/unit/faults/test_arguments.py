"""What a failure is given."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from perf_pipeline.faults.arguments import not_on, number, server_of
from perf_pipeline.faults.fault import FaultRefusedError, Place


def test_a_setting_that_a_scenario_does_not_name_has_the_default_of_its_kind() -> None:
    assert number("slow_client", {}, "clients") == 8
    assert number("slow_client", {"clients": 3}, "clients") == 3


def test_a_failure_of_a_server_needs_one() -> None:
    place = Place(None, Path("/"), random.Random(1), lambda: 0, lambda _: None)
    with pytest.raises(FaultRefusedError, match="name one"):
        server_of(place)


def test_a_service_without_the_failure_is_told_why() -> None:
    assert "without persistence" in str(not_on("disk_full", "redis"))
