"""What a check says of a scenario's failures."""

from __future__ import annotations

from perf_pipeline.cli.lines.check_lines import fault_lines
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.scenario.scenario import Scenario


def test_a_check_says_what_fails_where_and_when() -> None:
    faults = (
        FaultWindow("server_freeze", "redis", 20, 5, level="calm"),
        FaultWindow("network_latency", "postgres", 3, 1.5, {"latency_ms": 100.0}),
    )
    frozen, slow = fault_lines(Scenario("shop", faults=faults))
    assert frozen == "server_freeze on redis from 20 to 25 s of the steady phase of level calm"
    assert slow.startswith("network_latency on postgres from 3 to 4.5 s of the steady phase of ")
    assert slow.endswith("every level, latency_ms 100.0")
