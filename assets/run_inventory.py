"""Reports what is stored when a run fails or is cancelled: in its log, and on the asset's page."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg

from assets.failure import (
    RunCanceledError,
    RunFailedError,
    VerdictFailedError,
    refused_in_a_sentence,
)
from assets.tags import FOLDER_TAG, NOT_MEASURED, VERDICT_TAG
from perf_pipeline.config.settings import current_settings
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.program.failure_note import note_failure
from perf_pipeline.redaction.redact import redacted_errors
from perf_pipeline.report.run.inventory import inventory_commands, inventory_summary
from perf_pipeline.samples.run_folder import RunFolder
from perf_pipeline.samples.run_inventory import RunInventory, run_inventory_of
from perf_pipeline.samples.run_record import INTERRUPTED


@contextmanager
def reporting_run_inventory(context: dg.AssetExecutionContext, folder: RunFolder) -> Iterator[None]:
    """Report what is stored when the block raises, and raise it again."""
    with ExitStack() as at_end, ending_as_canceled(context):
        at_end.callback(_report_run_inventory, context, folder)
        yield
        at_end.pop_all()


def _report_run_inventory(context: dg.AssetExecutionContext, folder: RunFolder) -> None:
    inventory = run_inventory_of(folder)
    context.log.warning(inventory_summary(inventory))
    context.log_event(inventory_observation(inventory, context.asset_key))


def note_cancellation(context: dg.AssetExecutionContext | dg.OpExecutionContext) -> None:
    """End the run as canceled: Dagster calls an interruption from outside of it a failure."""
    run = context.instance.get_run_by_id(context.run.run_id)
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: INTERRUPTED})
    if run is not None and run.status == dg.DagsterRunStatus.STARTED:
        context.instance.report_run_canceling(run, "The process was asked to end.")


@contextmanager
def ending_as_canceled(
    context: dg.AssetExecutionContext | dg.OpExecutionContext,
) -> Iterator[None]:
    """End the run as canceled when the block is interrupted (Ctrl-C, SIGTERM).

    Where the block says what the user can do, that is all that the run's page shows. Of any other
    error Dagster stores all that caused it, which may be a driver's and repeat a URL.
    """
    with redacted_errors():
        try:
            with refused_in_a_sentence():
                yield
        except (KeyboardInterrupt, dg.DagsterExecutionInterruptedError) as interruption:
            note_cancellation(context)
            raise RunCanceledError from interruption
        except RunFailedError:
            context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: NOT_MEASURED})
            raise


def inventory_observation(inventory: RunInventory, asset: dg.AssetKey) -> dg.AssetObservation:
    """Return what is stored of a run, for the page of an asset."""
    return dg.AssetObservation(
        asset_key=asset,
        description=inventory_summary(inventory),
        metadata={
            "status": inventory.status,
            "folder": dg.MetadataValue.path(str(inventory.folder)),
            "levels": inventory.levels,
            "records": inventory.records,
            "may be missing": inventory.may_be_missing,
            "read it with": "; ".join(inventory_commands(inventory)) or "nothing to read",
        },
    )


@dg.failure_hook
def report_run_inventory(context: dg.HookContext) -> None:
    """Report it when a step after the load fails: its records are complete."""
    run = context.instance.get_run_by_id(context.run_id)
    folder = run.tags.get(FOLDER_TAG) if run else None
    if folder:
        context.log.warning(inventory_summary(run_inventory_of(RunFolder(Path(folder)))))


@dg.failure_hook
def note_first_failure(context: dg.HookContext) -> None:
    """Note why a step failed, for the command line that started this run, if one did."""
    error = context.op_exception
    if error is None:
        return
    refused = error.description or "" if isinstance(error, dg.Failure) else ""
    cause = error.__cause__
    is_wrapped = isinstance(cause, PerfPipelineError) or isinstance(error, RunCanceledError)
    note_failure(
        current_settings().failure_note,
        cause if cause and is_wrapped else error,
        refused=refused,
        is_verdict=isinstance(error, VerdictFailedError),
    )
