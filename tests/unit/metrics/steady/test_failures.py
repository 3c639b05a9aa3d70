"""What is judged before the first failure, and which failures look like a neighbour."""

from __future__ import annotations

import pytest

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.metrics.steady.failures import first_failure_ns, lost_by, takes_cores
from perf_pipeline.samples.fault_log import FaultRecord

SECOND = 1_000_000_000


def log(*windows: tuple[str, str, float]) -> dict[str, object]:
    """Return a level's log with failures (kind, server, at), steady from 5 s on."""
    faults = [{"kind": kind, "server": server, "at_s": at_s} for kind, server, at_s in windows]
    return {"plan": {"faults": faults}, "phases_ns": {"steady": (5 * SECOND, 60 * SECOND)}}


def test_the_first_failure_counts_from_the_begin_of_the_steady_phase() -> None:
    found = first_failure_ns(log(("server_crash", "redis", 30.0), ("server_freeze", "redis", 20.5)))
    assert found == 25.5 * SECOND


def test_without_a_failure_or_a_steady_phase_nothing_is_left_out() -> None:
    assert first_failure_ns(log()) > 2**62
    assert first_failure_ns({"plan": {"faults": [{"at_s": 1.0}]}, "phases_ns": {}}) > 2**62
    assert first_failure_ns({"plan": {}, "phases_ns": {"steady": (0, 1)}}) > 2**62


@pytest.mark.parametrize(
    ("window", "takes"),
    [
        (("resource_exhaustion", "", 5.0), True),
        (("memory_pressure", "", 5.0), True),
        (("io_saturation", "postgres", 5.0), True),
        (("server_freeze", "redis", 5.0), False),
    ],
)
def test_a_failure_of_the_machine_takes_its_cores(
    window: tuple[str, str, float], *, takes: bool
) -> None:
    assert takes_cores(log(window)["plan"]) is takes  # type: ignore[arg-type]


def test_a_level_without_failures_takes_none() -> None:
    assert not takes_cores({})


@pytest.mark.parametrize(
    ("kind", "server", "injecting_ns", "found"),
    [
        ("server_crash", "redis", 5, "server_crash"),
        ("server_crash", "redis", None, ""),
        ("server_crash", "postgres", 5, ""),
        ("server_freeze", "redis", 5, ""),
    ],
)
def test_a_crash_that_was_injected_loses_what_a_server_has_in_memory(
    kind: str, server: str, injecting_ns: int | None, found: str
) -> None:
    record = FaultRecord(0, FaultWindow(kind, server, 1.0, 2.0), injecting_ns=injecting_ns)
    assert lost_by([record], server) == found
    assert not lost_by([record], "mysql")
