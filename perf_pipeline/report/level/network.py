"""One level's network: what target and servers exchanged, what these counted, and the machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, measured, number, say_once

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.server_use import ServerCounters, ServerTraffic


def traffic_table(level: LevelMetrics) -> tuple[Table, ...]:
    """Return what went between the target and each server; nothing without servers."""
    rows = tuple(say_once(_traffic_row(one)) for one in level.resources.traffic)
    if not rows:
        return ()
    columns = ("Server", "Sent", "Received", "Sent a second", "Received a second")
    note = (
        "Between the workers with what they have started and each server, over the steady phase: "
        "payload of TCP by the kernel's count of each connection, with the server's protocol and "
        "TLS."
    )
    heads = (*columns, "Connections", "Ended")
    return (Table("Network of the target", heads, rows, level.validity, note=note),)


def _traffic_row(one: ServerTraffic) -> tuple[Cell, ...]:
    why = escape.visible(one.why_not)
    bound = "≥ " if one.at_least else ""

    def cell(value_mb: float | None, per: float | None = 1.0, unit: str = "") -> Cell:
        if value_mb is None or not per:
            return measured(None, quantity.megabytes, why or "no time passed")
        return number(f"{bound}{quantity.megabytes(value_mb / per)}{unit}")

    return (
        Cell(escape.name(one.server), note=escape.visible(one.at_least)),
        cell(one.sent_mb),
        cell(one.recv_mb),
        cell(one.sent_mb, one.seconds, "/s"),
        cell(one.recv_mb, one.seconds, "/s"),
        measured(one.connections, quantity.count, why),
        measured(one.ended, quantity.count, why),
    )


def counters_table(level: LevelMetrics) -> tuple[Table, ...]:
    """Return queries and bytes as the servers counted them; nothing without servers."""
    rows = tuple(say_once(_counters_row(counters)) for counters in level.resources.server_counters)
    if not rows:
        return ()
    columns = ("Server", "Queries", "Mean time of one", "Sent", "Received", "Read from files")
    note = (
        "Counted by the servers since their start, over the steady phase; the monitor's own "
        "questions, a few each sample, are among it."
    )
    title = "What the servers counted"
    return (Table(title, (*columns, "Counted by"), rows, level.validity, note=note),)


def _counters_row(counters: ServerCounters) -> tuple[Cell, ...]:
    def cell(value: float | None, form: Callable[[float], str], name: str) -> Cell:
        return measured(
            value, form, escape.visible(counters.unavailable.get(name, "there was no query"))
        )

    def per_s(value: float) -> str:
        return f"{quantity.megabytes(value)}/s"

    shared = "others may use it as well: their share is among it" if counters.shared else ""
    return (
        Cell(escape.name(counters.server), note=shared),
        cell(counters.queries_per_s, quantity.rate, "queries"),
        cell(counters.query_time_mean_s, quantity.seconds, "query_time_s"),
        cell(counters.sent_mb_per_s, per_s, "sent_bytes"),
        cell(counters.recv_mb_per_s, per_s, "recv_bytes"),
        cell(counters.storage_read_mb, quantity.megabytes, "storage_read_bytes"),
        Cell(escape.visible(counters.source)),
    )


def interfaces_table(level: LevelMetrics) -> tuple[Table, ...]:
    """Return the traffic of the whole machine; nothing where it is not known."""
    rows = tuple(
        (
            Cell(escape.visible(one.name)),
            number(quantity.megabytes(one.sent_mb)),
            number(quantity.megabytes(one.recv_mb)),
        )
        for one in level.resources.interfaces
    )
    if not rows:
        return ()
    note = "Totals of the machine, of all programs, with headers."
    columns = ("Interface", "Sent", "Received")
    return (Table("Network interfaces", columns, rows, level.validity, note=note),)
