"""The failures that scenarios can ask for, one row each.

A row holds what is known of a failure without doing it: where it makes sense, why not elsewhere,
and its settings. What does it is ``make(place, settings) -> Fault`` in the module
``perf_pipeline.faults.kinds.<name>``; one that outlives its process has
``undo_left_behind(entry)`` there as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.fault.fault_window import FaultWindow, SettingValue

ALL_SERVERS = ("postgres", "mysql", "redis", "mongodb")
ON_A_DISK = ("postgres", "mysql", "mongodb")
NOT_ON_A_DISK = {"redis": "it keeps its data in memory and is started without persistence"}


@dataclass(frozen=True)
class FaultSetting:
    """A number that a failure takes.

    Attributes:
        default: Its value where a scenario gives none; its type is that of the setting.
        minimum: Smallest value; None where ``choices`` are given.
        maximum: Largest value.
        choices: The words that are allowed, for a text.
        not_above: Another setting of the failure, which is this one's maximum as well.
    """

    default: SettingValue
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    not_above: str = ""


@dataclass(frozen=True)
class FaultKind:
    """One failure.

    Attributes:
        name: As scenarios, ``failure_types`` and reports call it.
        title: One line for people.
        servers: Services that it can be done to; empty for a failure of the machine.
        not_on: Other services, and why it makes no sense there.
        settings: Name (unit last) to what it may be.
        persists: It outlives the process that injects it: guardian, fault journal, sweep. So does
            what a proxy does by itself, as that belongs to the step.
        by_proxy: It acts in the proxy that lies before the server.
        by_engine: It acts by the Docker engine alone: on servers of the running stack.
        lead_s: It is made ready so long before its window, so that it acts from its begin: what
            takes thousands of connections or gigabytes takes all but the last of them before.
        takes_ahead: It takes something from others in that time already, so that service is
            compared with what was before it.
        forgotten_by: Servers that lose by it what they had acknowledged, as we start them.
    """

    name: str
    title: str
    servers: tuple[str, ...] = ()
    not_on: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, FaultSetting] = field(default_factory=dict)
    persists: bool = False
    by_proxy: bool = False
    by_engine: bool = False
    lead_s: float = 1.5
    takes_ahead: bool = False
    forgotten_by: tuple[str, ...] = ()

    @property
    def felt_ahead_s(self) -> float:
        """How long before its window others may feel it."""
        return self.lead_s if self.takes_ahead else 0.0


FAULT_KINDS: dict[str, FaultKind] = {
    kind.name: kind
    for kind in (
        FaultKind(
            "database_timeout",
            "what workflows write to is locked by an idle transaction (Redis: writes are paused)",
            servers=ALL_SERVERS,
            persists=True,  # MongoDB keeps it until it is taken back
        ),
        FaultKind(
            "connection_exhaustion",
            "other clients hold every connection that the server accepts",
            servers=ALL_SERVERS,
            lead_s=5.0,
            takes_ahead=True,
        ),
        FaultKind(
            "connection_reset",
            "open connections are reset, some every second",
            servers=ALL_SERVERS,
            settings={"resets_per_s": FaultSetting(2.0, 0.1, 100.0)},
            by_proxy=True,
        ),
        FaultKind(
            "network_latency",
            "each answer comes later",
            servers=ALL_SERVERS,
            settings={
                "latency_ms": FaultSetting(50.0, 1.0, 60_000.0),
                "jitter_ms": FaultSetting(0.0, 0.0, 60_000.0, not_above="latency_ms"),
            },
            persists=True,
            by_proxy=True,
        ),
        FaultKind(
            "bandwidth_limit",
            "fewer bytes a second pass, both ways",
            servers=ALL_SERVERS,
            settings={"rate_kb_per_s": FaultSetting(64.0, 1.0, 1_000_000.0)},
            persists=True,
            by_proxy=True,
        ),
        FaultKind(
            "network_partition",
            "the server cannot be reached",
            servers=ALL_SERVERS,
            settings={
                "way": FaultSetting("silent", choices=("disconnect", "refuse", "reset", "silent"))
            },
            persists=True,
            by_proxy=True,
        ),
        FaultKind(
            "server_freeze",
            "every process of the server is stopped",
            servers=ALL_SERVERS,
            persists=True,
        ),
        FaultKind(
            "server_crash",
            "every process of the server is killed; it is started again at the end",
            servers=ALL_SERVERS,
            persists=True,
            forgotten_by=("redis",),  # it keeps its data in memory
        ),
        FaultKind(
            "cpu_limit",
            "the container of the server has less CPU time",
            servers=ALL_SERVERS,
            settings={"cpus": FaultSetting(0.25, 0.01, 1024.0)},
            persists=True,
            by_engine=True,
        ),
        FaultKind(
            "memory_limit",
            "the container of the server has less memory",
            servers=ALL_SERVERS,
            settings={"memory_mb": FaultSetting(256.0, 8.0, 1_000_000.0)},
            persists=True,
            by_engine=True,
            forgotten_by=("redis",),  # the kernel may kill it
        ),
        FaultKind(
            "memory_pressure",
            "memory is taken until little is free",
            settings={"free_mb": FaultSetting(2000.0, 1000.0, 1_000_000.0)},
            lead_s=10.0,
            takes_ahead=True,
        ),
        FaultKind(
            "resource_exhaustion",
            "other programs use the cores and write to the disk",
            settings={
                "cores": FaultSetting(0.0, 0.0, 1024.0),  # 0: as many as the machine has
                "write_mb_per_s": FaultSetting(0.0, 0.0, 10_000.0),
            },
        ),
        FaultKind(
            "io_saturation",
            "the device of the server's data is written to without pause",
            servers=ON_A_DISK,
            not_on=NOT_ON_A_DISK,
            settings={
                "writers": FaultSetting(4, 1, 64),
                "file_mb": FaultSetting(64.0, 1.0, 1024.0),
            },
        ),
        FaultKind(
            "disk_full",
            "the file system of the server's data has no space",
            servers=ON_A_DISK,
            not_on=NOT_ON_A_DISK,
            persists=True,  # a server that ended for want of space stays so
        ),
        FaultKind(
            "slow_client",
            "other clients ask for much and read slowly",
            servers=ALL_SERVERS,
            settings={
                "clients": FaultSetting(8, 1, 1000),
                "read_kb_per_s": FaultSetting(1.0, 0.1, 1000.0),
            },
            lead_s=3.0,
        ),
    )
}


def needs_proxy(window: FaultWindow) -> bool:
    """Return whether a failure is made in a proxy before its server."""
    return FAULT_KINDS[window.kind].by_proxy and window.settings.get("way") != "disconnect"
