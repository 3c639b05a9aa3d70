"""One level's resources: what processes and machine used, and what the servers say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.analysis.targets import sends_requests
from perf_pipeline.metrics.types.resource_use import CHILD
from perf_pipeline.report.level.network import counters_table, interfaces_table, traffic_table
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Fact, Table, measured, number, say_once

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.resource_use import EndedChildren, Gap, Resources, RoleUse

GAPS_MAX = 20
_ROLES = {
    "workers": "workers (the target)",
    "harness": "harness",
    "servers": "servers of this run",
}
_SENDERS = "workers (they send the requests)"
_NOT_COUNTED = "Not counted at all"


def cores_fact(level: LevelMetrics) -> Fact:
    """Return how many cores target, harness and servers used, each by itself."""
    used = level.resources
    named = (("target", "workers"), ("harness", "harness"), ("servers", "servers"))
    known = {word: used.of(role).cores_mean for word, role in named}
    if used.workers_cpu_mean_percent is not None:  # with what the workers have started
        known["target"] = used.workers_cpu_mean_percent / 100
    if all(cores is None for cores in known.values()):
        return Fact("Cores used", Cell(quantity.NOT_MEASURED, "quiet", _why(used)))
    parts = [f"{word} {_cores(cores)}" for word, cores in known.items()]
    if used.host is None:
        return Fact("Cores used", Cell(", ".join(parts)))
    note = ""
    if used.others.cores is not None:
        note = f"everything else on the machine {_cores(used.others.cores)}"
    shown = f"{', '.join(parts)}, of {used.host.usable:.3g}"
    return Fact("Cores used", Cell(shown, note=note))


def resource_tables(level: LevelMetrics, *, brief: bool = False) -> tuple[Table, ...]:
    """Return what processes, machine and network did, what the servers say, and the gaps.

    Args:
        level: The level.
        brief: Memory and disk alone.
    """
    if brief:
        return (_memory(level),)
    return (
        _memory(level),
        _cores_table(level),
        *traffic_table(level),
        *counters_table(level),
        *interfaces_table(level),
        *_gaps(level),
    )


def connection_table(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the connections to each server; nothing without servers."""
    rows = []
    for use in level.connections:
        failed = f"the server could not be asked ({use.failed_probes} probes failed)"
        why = failed if use.failed_probes else "no sample of the steady phase has it"
        unavailable = why if use.mean is None else "the server does not count it"
        peak = measured(use.peak, quantity.count, why)
        if use.peak is not None and use.peak > use.limit:
            peak = Cell(quantity.count(use.peak), "bad", "above the limit")
        row = (
            Cell(escape.name(use.server)),
            number(quantity.count(use.limit)),
            peak,
            measured(use.utilisation_percent, quantity.percent, why),
            measured(use.mean, quantity.significant, why),
            measured(use.active_mean, quantity.significant, unavailable),
            measured(use.idle_mean, quantity.significant, unavailable),
            measured(use.waiting_mean, quantity.significant, unavailable),
            number(quantity.count(use.failed_probes)),
            Cell(escape.visible(use.pool), note=escape.visible(use.how)),
        )
        rows.append(say_once(row))
    if not rows:
        return ()
    columns = ("Server", "Limit", "Peak", "Pool used", "Mean", "Active", "Idle", "Waiting")
    note = (
        "Of all workers together, as the server counted them: the peak over all of the level, "
        "means over the steady phase. Waiting: for a lock. Pool used: peak / limit."
    )
    heads = (*columns, "Failed probes", "Bounded by")
    return (Table("Connections", heads, tuple(rows), level.validity, note=note),)


def _memory(level: LevelMetrics) -> Table:
    used = level.resources
    why = _why(used)

    def cell(value: float | None, field: str = "") -> Cell:
        return measured(
            value, quantity.megabytes, escape.visible(level.not_measured.get(field, why))
        )

    rows = []
    for use in _uses(used):
        of_workers = use.role == "workers"
        row = (
            _name(use, level),
            cell(use.pss_peak_mb, "peak_memory_mb" if of_workers else ""),
            cell(use.pss_mean_mb),
            cell(use.uss_peak_mb),
            cell(use.rss_peak_mb),
            cell(use.read_mb, "disk_io_read_mb" if of_workers else ""),
            cell(use.write_mb, "disk_io_write_mb" if of_workers else ""),
        )
        rows.append(say_once(row))
    columns = ("Processes", "Peak memory", "Mean memory", "Peak USS", "Peak RSS")
    note = (
        "Memory is the sum of PSS, in which what processes share counts once; USS leaves it out, "
        "RSS counts it in each."
    )
    if used.host is not None and used.host.memory_available_mb is not None:
        left = quantity.megabytes(used.host.memory_available_mb)
        note += f" At the worst moment the machine had {left} left."
    heads = (*columns, "Disk read", "Disk written")
    title = "Resources in the steady phase"
    return Table(title, heads, tuple(rows), level.validity, _basis(used), note)


def _cores_table(level: LevelMetrics) -> Table:
    used = level.resources
    why = _why(used)
    no_delay = _reason(used, "run_delay_s") or why
    no_io = _reason(used, "io_delay_s") or why
    rows: list[tuple[Cell, ...]] = []
    for use in _uses(used):
        row = (
            _name(use, level),
            measured(use.cores_mean, quantity.significant, why),
            measured(use.cores_peak, quantity.significant, why),
            measured(use.processes_peak, quantity.count, why),
            measured(use.threads_peak, quantity.count, why),
            measured(use.descriptors_peak, quantity.count, why),
            measured(use.run_delay, quantity.significant, no_delay),
            measured(use.io_delay, quantity.significant, "" if rows else no_io),
        )
        rows.append(say_once(row))
    if used.ended_children is not None:
        rows.append(_ended_row(used.ended_children))
    columns = ("Processes", "Cores", "Peak cores", "How many", "Threads", "Descriptors")
    note = (
        "Cores: CPU seconds a second. Waiting: threads that were ready and waited for a core, or "
        "waited for storage, on average."
    )
    host = used.host
    if host is not None:
        note += (
            f" Of the machine's cores {_cores(host.busy)} were busy with anybody's work, "
            f"{_cores(host.iowait)} waited for storage, {_cores(host.steal)} were taken by the "
            f"machine below; {host.usable:.3g} may be used."
        )
    heads = (*columns, "Waiting for a core", "Waiting for storage")
    title = "Cores, threads and descriptors"
    return Table(title, heads, tuple(rows), level.validity, _basis(used), note)


def _ended_row(ended: EndedChildren) -> tuple[Cell, ...]:
    """Return the row of what the workers had started and no sample shows, or not to its end."""
    note = f"{quantity.count(ended.seen)} seen while alive; how many were not is not known"
    unknown = [measured(None, quantity.count, "only their CPU time is known") for _ in range(6)]
    name = Cell("– children that ended between two samples", note=note)  # noqa: RUF001 - a dash
    return say_once((name, number(quantity.significant(ended.cores)), *unknown))


def _gaps(level: LevelMetrics) -> tuple[Table, ...]:
    gaps = sorted(level.resources.gaps, key=lambda gap: (not gap.failed, -gap.samples))
    if not gaps:
        return ()
    rows = [
        (
            Cell(escape.visible(gap.what), "warn" if gap.failed else "plain"),
            Cell("failed" if gap.failed else _NOT_COUNTED.lower()),
            number(quantity.count(gap.samples)),
            Cell(escape.visible(gap.reason, length_max=300), "code"),
        )
        for gap in gaps[:GAPS_MAX]
    ]
    left = len(gaps) - GAPS_MAX
    note = f"{quantity.counted(left, 'more gap')} not shown." if left > 0 else ""
    columns = ("Probe", "", "Samples", "Why")
    title = "What the monitor could not read"
    return (Table(title, columns, tuple(rows), level.validity, _basis(level.resources), note),)


def _uses(used: Resources) -> tuple[RoleUse, ...]:
    others = [use for use in used.roles if use.role not in _ROLES]
    children = [use for use in others if use.role.startswith(CHILD)]
    workers, *rest = (used.of(role) for role in _ROLES)
    return (workers, *children, *rest, *(use for use in others if use not in children))


def _name(use: RoleUse, level: LevelMetrics) -> Cell:
    if use.role == "workers" and sends_requests(level):
        return Cell(_SENDERS)
    return Cell(_ROLES.get(use.role) or f"– {escape.name(use.role)}")  # noqa: RUF001 - a dash


def _reason(used: Resources, what: str) -> str:
    """Return why a value is missing everywhere: the monitor's gap of that name, if there is one."""
    found: list[Gap] = [gap for gap in used.gaps if gap.what.endswith(what)]
    return escape.visible(found[0].reason) if found else ""


def _why(used: Resources) -> str:
    if used.failed_probes:
        return f"{used.samples} samples, {used.failed_probes} probes failed"
    return "no sample was taken" if not used.samples else "not read, or not on this machine"


def _basis(used: Resources) -> str:
    failed = quantity.counted(used.failed_probes, "probe")
    basis = f"{quantity.counted(used.samples, 'sample')}, {failed} failed"
    if used.monitor is not None:
        cost = used.monitor
        mean, longest = map(quantity.significant, (cost.took_mean_ms, cost.took_max_ms))
        basis += f"; taking one took {mean} ms, the longest {longest} ms"
        if used.monitor.core_percent is not None:
            basis += f", all {quantity.percent(used.monitor.core_percent)} of a core"
    return basis


def _cores(value: float | None) -> str:
    return quantity.NOT_MEASURED if value is None else quantity.significant(value)
