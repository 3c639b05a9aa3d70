"""What is stored of a run, in sentences, with the commands that read it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from perf_pipeline.samples.run_inventory import NOT_BEGUN
from perf_pipeline.samples.run_record import COMPLETE

if TYPE_CHECKING:
    from perf_pipeline.samples.run_inventory import RunInventory


def inventory_commands(inventory: RunInventory) -> tuple[str, ...]:
    """Return shell commands that read a run; none when nothing was begun."""
    if inventory.status == NOT_BEGUN:
        return ()
    run = shlex.quote(str(inventory.folder))
    return (f"perf-pipeline records {run}", f"perf-pipeline report {run}")


def inventory_summary(inventory: RunInventory) -> str:
    """Return a summary of what is stored of a run, and how to read it."""
    name = inventory.folder.name
    if inventory.status == NOT_BEGUN:
        return f"Nothing was measured: {name} ended before its first level began."
    if inventory.status == COMPLETE:
        first = f"The load of run {name} is complete."
    else:
        first = f"Run {name} is {inventory.status}."
    counted = (
        f"Kept: {inventory.records:,} records, levels begun: {inventory.levels}, "
        f"in {inventory.folder}."
    )
    if inventory.may_be_missing:
        counted += f" Of {inventory.may_be_missing:,} more workflows only the start is known."
    if inventory.problem:
        counted += f" Not everything could be counted: {inventory.problem}."
    count, report = inventory_commands(inventory)
    return f"{first} {counted} `{count}` counts them, `{report}` writes their report."
