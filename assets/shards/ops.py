"""The steps of a load run in shards: the same on this machine, in containers and on other hosts."""

import json
import multiprocessing
import os
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.failure import VerdictFailedError, refused_in_a_sentence
from assets.launchpad.flag_form import RESULTS_DIR, WAIT, flags_in, settings_with, with_flags
from assets.resources import GateChoice, checked_run, hang_up_as_terminate, notifier
from assets.run_inventory import ending_as_canceled
from assets.shown.end_summary import EndSummary
from assets.shown.progress import ProgressLog
from assets.tags import FOLDER_TAG, GATE_TAG, PROCESS_TAG, VERDICT_TAG, run_tags
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.lifeline import stamp
from perf_pipeline.redaction.redact import redacted_errors
from perf_pipeline.shards.shard_order import ShardOrder

PLAN = "plan_shards"
"""The step whose configuration names the hosts; a shard's queue is looked up there."""


@with_flags(Overrides)
class ShardedConfig(dg.Config):
    """The run: the flags of ``perf-pipeline run --shards``."""

    scenario: str = Field(
        default="baseline", description="Name of a scenario, or path of a scenario file."
    )
    hosts: list[str] = Field(
        description="A name for each shard. Where hosts have queues, that of its queue."
    )
    run_id: str | None = Field(default=None, description="Id of the run; normally left empty.")
    gate: GateChoice | None = Field(
        default=None, description="The run fails unless the targets of this table are met."
    )
    results_dir: str | None = RESULTS_DIR


class ShardConfig(dg.Config):
    """What every shard is told."""

    wait: str = WAIT


@dg.op(name=PLAN, out=dg.DynamicOut(str))
def plan_shards(
    context: dg.OpExecutionContext, config: ShardedConfig
) -> Iterator[dg.DynamicOutput[str]]:
    """Cut the run into shards, and write the order that all of them follow."""
    from perf_pipeline.shards.shard_order import write_order

    with ending_as_canceled(context):
        settings = settings_with(config.results_dir)
        order = _cut(config)
        run = settings.results_dir.absolute() / order.run_id
        path = write_order(run, order)
    gate = {GATE_TAG: config.gate.value} if config.gate else {}
    tags = {**run_tags(order.scenario), PROCESS_TAG: json.dumps(_dagster_run_stamp()), **gate}
    context.instance.add_run_tags(context.run.run_id, {**tags, FOLDER_TAG: str(run)})
    for index, host in enumerate(order.hosts):
        yield dg.DynamicOutput(
            str(path), mapping_key=f"{index:03d}", metadata={"host": dg.MetadataValue.text(host)}
        )


def _cut(config: ShardedConfig) -> ShardOrder:
    from datetime import UTC, datetime

    from perf_pipeline.samples.run_folder import new_run_id
    from perf_pipeline.shards.cut import cut

    settings, machine = settings_with(config.results_dir), read_machine_limits()
    checked = checked_run(settings, config.run_id)
    overrides: Overrides = flags_in(config, Overrides)
    scenario = checked.scenario if checked else open_scenario(config.scenario, machine, overrides)
    run_id = config.run_id or new_run_id(datetime.now(UTC))
    return cut(scenario, settings, config.hosts, run_id=run_id, machine=machine)


def _dagster_run_stamp() -> object:
    """Return the process of the Dagster run: of steps in processes of their own, their parent."""
    parent = multiprocessing.parent_process()
    return stamp(parent.pid if parent and parent.pid else os.getpid())


@dg.op
def generate_load_shard(context: dg.OpExecutionContext, config: ShardConfig, order: str) -> str:
    """Play one shard of the load; the value is the folder of the run."""
    from perf_pipeline.shards.play_shard import play_shard

    hang_up_as_terminate()
    # A shard that is asked to end is not the run: its worker may have died.
    with redacted_errors(), refused_in_a_sentence():
        play_shard(
            Path(order),
            int(context.get_mapping_key() or 0),
            current_settings(),
            notify=notifier(context.log),
            on_progress=ProgressLog(context),
            wait_s=parse_duration(config.wait, "wait"),
        )
    return str(Path(order).parents[1])


@dg.op
def merge_shards(
    context: dg.OpExecutionContext,
    runs: list[str],
    end_summary: dg.ResourceParam[EndSummary],
) -> dg.Output[str]:
    """Merge the shards, measure, report and record the run; fail it unless everything holds."""
    from assets.shown.headline import verdict_metadata
    from perf_pipeline.report.run.run_verdict import run_verdict
    from perf_pipeline.shards.finish_shards import finish_shards

    with ending_as_canceled(context):
        finished = finish_shards(Path(runs[0]), current_settings(), notifier(context.log))
    end_summary.show(finished.metrics, finished.report.html)
    run = context.instance.get_run_by_id(context.run.run_id)
    verdict = run_verdict(finished.metrics, run.tags.get(GATE_TAG) if run else None)
    context.instance.add_run_tags(context.run.run_id, {VERDICT_TAG: verdict.word})
    context.add_output_metadata(verdict_metadata(finished.metrics))
    if verdict.failures:
        raise VerdictFailedError("\n".join(verdict.failures))
    return dg.Output(str(finished.folder))
