"""Commands about servers: start, stop, status."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.command_log import logged_command
from perf_pipeline.cli.lines.lines import show_wrapped
from perf_pipeline.cli.lines.run_lines import open_lines, open_runs, open_shards
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    NoResults,
    Results,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.config.services import SERVICES
from perf_pipeline.errors import ScenarioError
from perf_pipeline.exit_code import Exit
from perf_pipeline.samples.run_list import read_runs
from perf_pipeline.servers.lifecycle.persistent_servers import stop_servers
from perf_pipeline.servers.lifecycle.services import start_servers
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.servers.monitors.monitor import PRODUCTS
from perf_pipeline.servers.monitors.start import (
    monitoring_status,
    start_monitoring,
    stop_monitoring,
)
from perf_pipeline.servers.stack.stack import stack_status, start_stack, stop_stack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.servers.lifecycle.status import ServiceStatus
    from perf_pipeline.servers.stack.service_state import ServiceState
    from perf_pipeline.servers.stack.stack import StackStatus

_MARGIN = " " * 23

Monitoring = Annotated[
    bool,
    typer.Option(
        "--monitoring",
        help="Start Prometheus, Alertmanager and exporters as well; runs are scraped from then on.",
    ),
]

Gate = Annotated[
    bool,
    typer.Option(
        "--gate",
        help="Exit 1 unless a server runs, and every one that the settings name or `start` left "
        "answers.",
    ),
]


Stack = Annotated[
    bool,
    typer.Option(
        "--stack",
        help="Start the Compose stack (infra/compose.yaml, needs Docker) in place of servers of "
        "this machine, and wait until each service is healthy.",
    ),
]
Profile = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Only this part of the stack: databases, monitoring, logs, dagster; several are "
        "possible. Default: all.",
    ),
]
Volumes = Annotated[
    bool, typer.Option("--volumes", help="Remove the data of the Compose stack as well.")
]


def start(
    stack: Stack = False,  # noqa: FBT002
    profile: Profile = None,
    monitoring: Monitoring = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
    results: NoResults = None,  # noqa: ARG001
) -> None:
    """Start every available server, for several runs; they stay until `perf-pipeline stop`.

    An unavailable server is left out, with a sentence that says how to get it.
    """
    if stack or profile:
        _start_stack(profile or [], monitoring=monitoring, as_json=as_json)
        return
    left_out: list[str] = []
    with bad_input_explained(as_json=as_json):
        settings = settings_with(None)
        with logged_command("start", settings.state_dir) as log:
            started = start_servers(settings, SERVICES, left_out.append)
            if monitoring:
                started += start_monitoring(settings, started, left_out.append)
            running = [
                f"{server.facts.product} {server.facts.version} at {server.redacted_url}"
                for server in started
            ]
            for line in running:
                log.write("info", "server-runs", line)
            for sentence in left_out:
                log.write("warning", "server-left-out", sentence)
    for line in (*running, *left_out):
        show(line, as_json=as_json)
    servers = [asdict(server.record()) for server in started]
    answer({"servers": servers, "left_out": left_out}, as_json=as_json)


def _start_stack(profiles: Sequence[str], *, monitoring: bool, as_json: bool) -> None:
    with bad_input_explained(as_json=as_json):
        if monitoring:
            text = "--monitoring is of servers of this machine; of the stack: --profile monitoring."
            raise ScenarioError([text])
        settings = settings_with(None)
        with logged_command("start", settings.state_dir) as log:

            def notify(line: str) -> None:
                log.write("info", "notice", line)
                show(line, as_json=as_json)

            services = start_stack(settings, profiles, notify)
    for service in services:
        show(_service_line(service), as_json=as_json)
    stack = {"name": settings.stack.name, "services": [asdict(one) for one in services]}
    answer({"stack": stack}, as_json=as_json)


def stop(
    volumes: Volumes = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
    results: NoResults = None,  # noqa: ARG001
) -> None:
    """Stop what `perf-pipeline start` left running, and remove its data.

    Of the Compose stack, containers and network are removed; its data stay without --volumes.
    """
    with bad_input_explained(as_json=as_json):
        settings = settings_with(None)
        with logged_command("stop", settings.state_dir) as log:
            stopped = [*stop_servers(settings, SERVICES), *stop_monitoring(settings)]
            if stop_stack(settings, volumes=volumes):
                stopped.append(f"the stack {settings.stack.name}")
            for line in stopped:
                log.write("info", "server-stopped", f"{line} was stopped")
    for line in stopped or ["nothing was running"]:
        show(line, as_json=as_json)
    answer({"stopped": stopped}, as_json=as_json)


def status(
    results: Results = None,
    gate: Gate = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show each server's source and answer, and the runs that go on or were killed."""
    with bad_input_explained(as_json=as_json):
        settings = settings_with(results)
        servers = [*server_status(settings, SERVICES), *monitoring_status(settings)]
        stack = stack_status(settings)
        runs = read_runs(settings.results_dir)
    width = max(9, *(len(server.service) for server in servers))
    for server in servers:
        about = f"{server.service:{width}} {server.health.replace('_', ' '):12} {describe(server)}"
        details = [f"{_MARGIN}{line}" for line in server.detail.splitlines()]
        show_wrapped([about, *details], as_json=as_json, indent=_MARGIN)
    show_wrapped(_stack_lines(stack), as_json=as_json, indent=_MARGIN)
    going, shards = open_runs(runs), open_shards(settings.results_dir)
    lines = open_lines(going, shards, settings.results_dir)
    lines += [f"passed over: {line}" for line in runs.passed_over]
    show_wrapped(lines, as_json=as_json)
    answer(
        {
            "servers": [asdict(server) for server in servers],
            "stack": asdict(stack),
            "runs": going,
            "shards": shards,
            "passed_over": list(runs.passed_over),
        },
        as_json=as_json,
    )
    if gate and not is_healthy(servers, stack):
        show(f"not healthy: {_why_not(servers, stack)}", as_json=as_json)
        raise typer.Exit(Exit.GATE_FAILED)


def describe(server: ServiceStatus) -> str:
    """Return one line on a server: where from, product, version, address, connections."""
    if server.state == "unavailable":
        return "unavailable"
    if server.state == "can_start":
        return f"a run would start {server.product} ({server.source})"
    if server.service in PRODUCTS:
        return f"{server.product} {server.version} at {server.url}"
    count = "not known" if server.connections is None else str(server.connections)
    limit = "" if server.max_connections is None else f" of {server.max_connections}"
    answered = "" if server.answer_s is None else f", answered in {server.answer_s * 1000:.0f} ms"
    return (
        f"{server.product} {server.version} at {server.url} ({server.source}), "
        f"connections {count}{limit}{answered}"
    )


def is_healthy(servers: Sequence[ServiceStatus], stack: StackStatus) -> bool:
    """Return whether a server runs and none that should run fails."""
    healths = {server.health for server in servers}
    runs = "good" in healths or bool(stack.services)
    return runs and "failing" not in healths and stack.is_good


def _why_not(servers: Sequence[ServiceStatus], stack: StackStatus) -> str:
    """Return which servers are not well; all that is said of them stands above."""
    names = [one.service for one in servers if one.health == "failing"]
    names += [f"{one.service} of the stack" for one in stack.services if not one.is_good]
    if stack.why_not:
        names.append(f"the stack {stack.name}")
    return ", ".join(names) or "no server runs; `perf-pipeline start` starts those of this machine"


def _stack_lines(stack: StackStatus) -> list[str]:
    """Return a line for each service of the stack; none if it was not started."""
    lines = [_service_line(service) for service in stack.services]
    lines += [stack.why_not] if stack.why_not else []
    return [f"stack {stack.name}:", *lines] if lines else []


def _service_line(service: ServiceState) -> str:
    return f"{service.service:20} {service.state:10} {service.detail}".rstrip()
