"""Which servers get a proxy."""

from __future__ import annotations

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.loadgen.proxied_servers import proxied_services


def window(kind: str, server: str) -> FaultWindow:
    return FaultWindow(kind, server, at_s=1, duration_s=1)


def test_only_servers_with_a_failure_of_the_network_get_a_proxy() -> None:
    """A proxy adds its own time: a lock on a table or a killed server needs none."""
    faults = [
        window("network_latency", "redis"),
        window("server_crash", "postgres"),
        window("connection_reset", "mysql"),
        window("bandwidth_limit", "redis"),
        window("memory_pressure", ""),
    ]
    assert proxied_services(faults) == ["mysql", "redis"]
    assert proxied_services([]) == []
