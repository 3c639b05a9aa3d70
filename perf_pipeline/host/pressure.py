"""How busy this machine is: load, and how long threads waited for cores, memory and disks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perf_pipeline.host.finding import Finding

LOAD_BUSY_RATIO = 0.5
PRESSURE_BUSY_PERCENT = 10.0


@dataclass(frozen=True)
class Pressure:
    """How busy the machine is with other things.

    Attributes:
        load_1m: Mean number of runnable threads over the last minute; None if not measured.
        stalled_percent: ``cpu``, ``memory`` and ``io`` to the share of the last 10 s in which
            some thread waited for it; None where the kernel does not count it.
    """

    load_1m: float | None
    stalled_percent: dict[str, float | None]


def read_pressure(proc: Path = Path("/proc")) -> Pressure:
    """Read load and pressure stall information (Linux 4.20 and later) from the kernel."""
    load = _text(proc / "loadavg")
    return Pressure(
        load_1m=None if load is None else float(load.split()[0]),
        stalled_percent={
            resource: _some(_text(proc / "pressure" / resource)).get("avg10")
            for resource in ("cpu", "memory", "io")
        },
    )


def read_stalled(proc: Path = Path("/proc")) -> dict[str, float | None]:
    """Read how long some thread of the machine has waited since boot.

    Returns:
        ``cpu``, ``memory`` and ``io`` to seconds; None where the kernel does not count it.

    Source:
        Documentation/accounting/psi.rst of the kernel: ``total`` is in microseconds.
    """
    totals_us = {
        resource: _some(_text(proc / "pressure" / resource)).get("total")
        for resource in ("cpu", "memory", "io")
    }
    return {name: None if us is None else us / 1e6 for name, us in totals_us.items()}


def stalled_percent(
    before: dict[str, float | None], after: dict[str, float | None], elapsed_s: float
) -> dict[str, float | None]:
    """Return the share of the time between two readings in which some thread waited, 0 to 100.

    Returns:
        As ``before``; None where a reading lacks it, or when no time passed.
    """
    shares: dict[str, float | None] = {}
    for resource, then in before.items():
        now = after.get(resource)
        known = then is not None and now is not None and elapsed_s > 0
        shares[resource] = 100.0 * (now - then) / elapsed_s if known else None  # type: ignore[operator]
    return shares


def pressure_findings(pressure: Pressure, cores: int) -> list[Finding]:
    """Judge how busy the machine is: a finding for its load and for each resource."""
    stalls = [_stalls(name, percent) for name, percent in pressure.stalled_percent.items()]
    return [_load(pressure.load_1m, cores), *stalls]


def _load(load_1m: float | None, cores: int) -> Finding:
    limit = f"{LOAD_BUSY_RATIO:g} a core"
    if load_1m is None:
        meaning = "whether other programs are at work is unknown"
        return Finding("load", "not measured", limit, meaning, "", "warning")
    busy = load_1m / cores > LOAD_BUSY_RATIO
    return Finding(
        what="load",
        value=f"{load_1m:.2f} in the last minute, {load_1m / cores:.2f} a core",
        limit=limit,
        meaning="other programs are at work: figures would be noisy" if busy else "quiet",
        todo="wait, or stop what else is running (uptime, top)" if busy else "",
        severity="warning" if busy else "ok",
    )


def _stalls(resource: str, percent: float | None) -> Finding:
    what, limit = f"{resource} pressure", f"{PRESSURE_BUSY_PERCENT:g} % of the last 10 s"
    if percent is None:
        meaning = f"this kernel does not count how long threads wait for {resource}"
        return Finding(what, "not measured", limit, meaning, "", "warning")
    busy = percent > PRESSURE_BUSY_PERCENT
    waited = f"some thread waited for {resource} that long"
    return Finding(
        what=what,
        value=f"{percent:.1f} %",
        limit=limit,
        meaning=f"{waited}: figures would be noisy" if busy else waited,
        todo="wait, or stop what else is running" if busy else "",
        severity="warning" if busy else "ok",
    )


def _some(text: str | None) -> dict[str, float]:
    """Read the line ``some avg10=1.17 ... total=1234``: name to value; empty without one."""
    for line in (text or "").splitlines():
        if line.startswith("some "):
            pairs = (field.split("=") for field in line.split()[1:])
            return {name: float(value) for name, value in pairs}
    return {}


def _text(path: Path) -> str | None:
    """Return a kernel file's text; None where this kernel has none or does not let us read it."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
