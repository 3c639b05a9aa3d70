"""The command cut: writes the order of a run in shards, for whoever plays them without Dagster."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from perf_pipeline.cli.completion import offer_scenarios
from perf_pipeline.cli.flag_options import takes_flags
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, settings_with
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.samples.run_folder import new_run_id
from perf_pipeline.shards import cut as cutting
from perf_pipeline.shards.shard_order import write_order


@takes_flags("overrides", Overrides)
def cut(
    scenario: Annotated[
        str,
        typer.Argument(
            metavar="SCENARIO|FILE.toml",
            help="A scenario, by name or file.",
            autocompletion=offer_scenarios,
        ),
    ],
    overrides: Overrides,
    hosts: Annotated[
        list[str],
        typer.Option("--hosts", metavar="HOST...", help="A name for each shard, in their order."),
    ],
    run_id: Annotated[
        str | None, typer.Option("--run-id", help="Id of the run; default: a new one.")
    ] = None,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Cut a run into a shard a host, and print the order that `perf-pipeline shard` plays."""
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        checked = open_scenario(scenario, read_machine_limits(), overrides)
        run_id = run_id or new_run_id(datetime.now(UTC))
        order = cutting.cut(checked, settings, hosts, run_id=run_id)
        path = write_order(settings.results_dir / run_id, order)
    show(str(path), as_json=as_json)
    answer({"run_id": run_id, "order": str(path), "hosts": list(hosts)}, as_json=as_json)
