"""Which servers get a proxy."""

from __future__ import annotations

from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.loadgen.proxied_servers import busy_sentence, proxied_services
from perf_pipeline.samples.manifest import ProxyRecord


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


def test_a_level_that_waited_for_its_proxies_says_so() -> None:
    """Near a whole core messages wait for each other in the proxy, and no failure is to blame."""
    busy = {"00-100": 0.42, "01-500": 0.93}
    record = ProxyRecord(("mysql", "redis"), "perf_pipeline-1", 6e-5, 8e-5, 4e-4, None, 300, busy)
    assert busy_sentence(record, "00-100") == ""
    assert "before mysql, redis were busy for 93 % of the time" in busy_sentence(record, "01-500")
    assert busy_sentence(record, "02-1000") == ""
