"""Commands about servers: start, stop, status."""

from __future__ import annotations

from dataclasses import asdict

from perf_pipeline.cli.output import (
    AsJson,
    Results,
    answer,
    bad_input_explained,
    settings_with,
    tell,
)
from perf_pipeline.infrastructure.resolution import BACK_ENDS
from perf_pipeline.infrastructure.services import server_status, start_servers, stop_servers
from perf_pipeline.samples.run_folder import KILLED, RUNNING, list_runs


def start(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Start PostgreSQL and Redis for several runs; they stay until `perf-pipeline stop`."""
    with bad_input_explained(as_json=as_json):
        started = start_servers(settings_with(None), BACK_ENDS)
    for server in started:
        tell(
            f"{server.facts.product} {server.facts.version} at {server.redacted_url}",
            as_json=as_json,
        )
    answer({"servers": [server.to_manifest() for server in started]}, as_json=as_json)


def stop(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Stop what `perf-pipeline start` left running, and remove its data."""
    with bad_input_explained(as_json=as_json):
        stopped = stop_servers(settings_with(None), BACK_ENDS)
    for line in stopped or ["nothing was running"]:
        tell(line, as_json=as_json)
    answer({"stopped": stopped}, as_json=as_json)


def status(results: Results = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say where each server would come from, and which runs go on or were killed."""
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        servers = server_status(settings, BACK_ENDS)
        runs = [folder.read_status() for folder in list_runs(settings.results_dir)]
    for server in servers:
        place = " ".join(filter(None, [server.product, server.url and f"at {server.url}"]))
        tell(f"{server.service:10} {server.state:12} {place or server.detail}", as_json=as_json)
    open_runs = [run for run in runs if run["status"] in (RUNNING, KILLED)]
    for run in open_runs:
        tell(f"run {run['run_id']}: {run['status']} {run.get('why', '')}".rstrip(), as_json=as_json)
    answer({"servers": [asdict(server) for server in servers], "runs": open_runs}, as_json=as_json)
