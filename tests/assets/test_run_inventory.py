"""A step that fails after the load says that the records are whole, and how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg

from assets.definitions import defs
from assets.run_inventory import report_run_inventory
from assets.tags import FOLDER_TAG
from tests.simulated_run import write_run

if TYPE_CHECKING:
    from pathlib import Path


@dg.asset(hooks={report_run_inventory})
def broken() -> None:
    """Stands for metrics or a report that could not be made."""
    raise RuntimeError("no space left on device")


def test_a_step_that_fails_after_the_load_reports_what_is_stored(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "r-1", measured=False).root
    with dg.DagsterInstance.ephemeral() as instance:
        tags = {FOLDER_TAG: str(folder)}
        ran = dg.materialize([broken], instance=instance, tags=tags, raise_on_error=False)
        logged = [entry.user_message for entry in instance.all_logs(ran.run_id)]
    assert not ran.success
    expected = (
        f"The load of run r-1 is complete. Kept: 1,010 records, levels begun: 1, in {folder}."
    )
    assert [line for line in logged if line.startswith(expected)]


def test_every_step_after_the_load_has_that_hook() -> None:
    hooked = {
        key.to_user_string()
        for asset in defs.assets or ()
        if isinstance(asset, dg.AssetsDefinition) and report_run_inventory in asset.hook_defs
        for key in asset.keys
    }
    assert hooked == {
        *("run_metrics", "kpi_verdicts", "metric_history", "run_report"),
        *("fault_timeline", "fault_evidence", "recovery_table"),
    }
