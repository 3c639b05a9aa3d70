"""The same failure in every repeat of a level: the median recovery, and the worst."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.report.recovery.fault_cells import NO_FAILURE, fault_name, window_text
from perf_pipeline.report.text import escape, quantity
from perf_pipeline.report.text.table import Cell, Table, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.run_metrics import RunMetrics

NOTE = (
    "Median over the repeats, with the least and the greatest: of five repeats, they enclose the "
    "true median 15 times in 16. Times are those of the repeats that recovered. no failure: how "
    "often service seems to get worse in the same windows although nothing is injected."
)


def repeated_recovery(metrics: RunMetrics) -> Table:
    """Return a row for each failure that was played in several repeats; none without any."""
    found: dict[tuple[str, str, str], list[FaultRecovery]] = {}
    for level in metrics.levels:
        if level.recovery is not None:
            for fault in level.recovery.faults:
                name = NO_FAILURE if level.recovery.is_control else fault_name(fault)
                key = name, window_text(fault), escape.name(level.shown)
                found.setdefault(key, []).append(fault)
    rows = tuple(_row(*key, faults) for key, faults in found.items() if len(faults) > 1)
    columns = ("Failure", "Level", "Repeats", "As before again", "Time to recover", "Lost service")
    return Table("Recovery over the repeats", columns, rows, note=NOTE if rows else "")


def _row(name: str, window: str, level: str, faults: Sequence[FaultRecovery]) -> tuple[Cell, ...]:
    back = sum(fault.verdict == "recovered" for fault in faults)
    never = sum(fault.verdict == "metastable" for fault in faults)
    missing = sum(fault.verdict == "not_possible" for fault in faults)
    unknown = len(faults) - back - never - missing
    parts = (("never", never), ("unknown", unknown), ("not possible here", missing))
    return (
        Cell(name, note=window),
        Cell(level),
        number(quantity.count(len(faults))),
        Cell(
            f"{back} of {len(faults)}",
            "good" if back == len(faults) else "bad" if never else "warn",
            ", ".join(f"{word} {count}" for word, count in parts if count),
        ),
        _median([fault.time_to_recover_s.value for fault in faults if fault.time_to_recover_s]),
        _median([fault.lost_service_s.value for fault in faults if fault.lost_service_s]),
    )


def _median(values_s: Sequence[float]) -> Cell:
    if not values_s:
        return Cell(quantity.NOT_MEASURED, "quiet", "no repeat has it")
    spread = quantity.between(min(values_s), max(values_s), "s")
    return number(quantity.seconds(median(values_s)), spread)
