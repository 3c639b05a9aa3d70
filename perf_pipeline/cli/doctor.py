"""The command doctor: the limits of this machine, and how to raise those that are low."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from perf_pipeline.cli.lines.doctor_lines import doctor_lines
from perf_pipeline.cli.lines.lines import line_width
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import (
    AsJson,
    ExplainMore,
    Results,
    answer,
    bad_input_explained,
    settings_with,
)
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.services import SERVICES
from perf_pipeline.exit_code import Exit
from perf_pipeline.host.doctor import diagnose, disk_free_bytes
from perf_pipeline.host.finding import Finding, ServiceFinding
from perf_pipeline.host.pressure import read_pressure
from perf_pipeline.host.scheduling import read_scheduling
from perf_pipeline.loadgen.environment.environment import find_uv
from perf_pipeline.servers.lifecycle.status import server_status
from perf_pipeline.workload.servers import OPTIONAL_SERVERS

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings


def doctor(
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
    explain: ExplainMore = False,  # noqa: FBT002
) -> None:
    """Check limits, memory, disk, cores, pressure and servers, and what each means for a run.

    Exits 1 when there is a problem.
    """
    with bad_input_explained(as_json=as_json):
        findings = examine(settings_with(results))
    for line in doctor_lines(findings, line_width(as_json=as_json), explain=explain):
        show(line, as_json=as_json)
    answer({"findings": [asdict(finding) for finding in findings]}, as_json=as_json)
    if any(finding.severity == "problem" for finding in findings):
        raise typer.Exit(Exit.GATE_FAILED)


def examine(settings: Settings) -> list[Finding]:
    """Gather the facts of this machine and judge them."""
    limits, uv = read_machine_limits(), find_uv(os.environ)
    services = [
        ServiceFinding(
            s.service,
            s.source,
            s.detail or " ".join(filter(None, (s.product, s.version, s.url))),
            optional=s.service in OPTIONAL_SERVERS,
        )
        for s in server_status(settings, SERVICES)
    ]
    return diagnose(
        limits,
        processes=limits.cores_usable,
        disk_free_bytes=disk_free_bytes(settings.results_dir),
        pressure=read_pressure(),
        scheduling=read_scheduling(),
        python_version=sys.version_info[:3],
        uv=str(uv) if uv else None,
        services=services,
    )
