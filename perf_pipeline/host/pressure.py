"""How busy this machine is: load, and how long threads waited for cores, memory and disks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
            resource: _some_avg10(_text(proc / "pressure" / resource))
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
    return {
        resource: _some_total_s(_text(proc / "pressure" / resource))
        for resource in ("cpu", "memory", "io")
    }


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


def _some_total_s(text: str | None) -> float | None:
    """Read ``some avg10=1.17 ... total=1234``, microseconds; None without a file."""
    for line in (text or "").splitlines():
        fields = line.split()
        if fields[:1] == ["some"]:
            return int(fields[-1].removeprefix("total=")) / 1e6
    return None


def _some_avg10(text: str | None) -> float | None:
    """Read ``some avg10=1.17 avg60=...``; None without a file."""
    for line in (text or "").splitlines():
        fields = line.split()
        if fields[:1] == ["some"]:
            return float(fields[1].removeprefix("avg10="))
    return None


def _text(path: Path) -> str | None:
    """Return a kernel file's text; None where this kernel has none or does not let us read it."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return None
