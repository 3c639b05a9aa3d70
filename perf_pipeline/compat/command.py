"""The command line of the earlier framework, on the engine of ``perf-pipeline run``.

Every scenario is a Dagster run, as ``perf-pipeline run`` makes them.
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from perf_pipeline.ci.ci_files import with_ci_files
from perf_pipeline.ci.comparison_cases import note_comparison
from perf_pipeline.ci.notes import note_error
from perf_pipeline.cli.lines.terminal import inert
from perf_pipeline.cli.output import settings_with
from perf_pipeline.cli.regression.compare import CODES as COMPARISON_CODES
from perf_pipeline.cli.run import check_everything, launch_run, make_results_folder
from perf_pipeline.cli.servers import describe
from perf_pipeline.compat.baseline_load import load_of
from perf_pipeline.compat.regression_run import compare_with_run
from perf_pipeline.compat.request import parse_request
from perf_pipeline.config.duration import parse_duration
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.errors import GaveUpWaitingError, PerfPipelineError
from perf_pipeline.exit_code import Exit
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.program.ending import CODES, interrupted_code
from perf_pipeline.samples.run_folder import RunFolder, new_run_id
from perf_pipeline.servers.lifecycle.status import server_status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.compat.request import Request
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings

ENDS_ALL = (Exit.BAD_INPUT, Exit.DEFECT, Exit.GAVE_UP_WAITING, *CODES.values())
"""Exit codes of one scenario after which those that follow are not run."""


def main(arguments: Sequence[str]) -> int:
    """Run the old command line, and write the files of ``--junit`` and ``--summary`` at its end.

    Returns:
        The exit code, as ``--help`` says.

    Raises:
        SystemExit: 2: wrong options; 0: ``--help``.
    """
    command = "python -m perf_pipeline"
    return with_ci_files(command, arguments, lambda: _main(arguments), _refuse, os.environ)


def _refuse(error: PerfPipelineError) -> int:
    note_error(type(error).__name__, [str(error)])
    print(inert(str(error)), file=sys.stderr)  # noqa: T201
    return Exit.BAD_INPUT


def _main(arguments: Sequence[str]) -> int:
    request = parse_request(arguments)
    try:
        settings = settings_with(request.results_dir)
        parse_duration(request.wait, "--wait")
        loads = loads_of(request)
        if request.is_check_only or request.is_verbose:
            _verify(loads, settings)
        if request.is_check_only:
            return 0
        before = {path.name for path in settings.results_dir.glob("*")}
        code = _run(loads, request, settings)
    except KeyboardInterrupt:
        _print("interrupted")
        return interrupted_code()
    except GaveUpWaitingError as error:
        _refuse(error)
        return Exit.GAVE_UP_WAITING
    except PerfPipelineError as error:
        return min(_refuse(error), 1) if request.is_check_only else _refuse(error)
    if request.is_verbose:
        for path in sorted(settings.results_dir.glob("*")):
            if path.name not in before:
                _print(f"written: {path}")
    return code


def _print(text: str) -> None:
    print(inert(text), flush=True)  # noqa: T201


def loads_of(request: Request) -> Mapping[str, Overrides]:
    """Return each scenario of a request and its flags; a regression has those of its baseline.

    Raises:
        PerfPipelineError: The baseline is no result file, or cannot be measured again.
    """
    if request.baseline is None:
        return request.loads
    return dict([load_of(request.baseline)])


def _verify(loads: Mapping[str, Overrides], settings: Settings) -> None:
    """Check scenarios, servers and targets, and print what was found.

    Raises:
        PerfPipelineError: With what is wrong.
    """
    make_results_folder(settings.results_dir)
    for part, overrides in loads.items():
        scenario = check_everything(part, overrides, None, settings)
        left_out = servers_left_out(scenario, settings)
        _print(f"{part}: good; {_load(scenario)}")
        for server in server_status(settings, sorted(servers_needed(scenario, left_out))):
            _print(f"  {server.service:10}{describe(server)}")
        for service in left_out:
            _print(f"  {service:10}left out: it is unavailable")
        environment = make_environment(
            parse_target(scenario.target),
            cache_dir=settings.cache_dir,
            environ=os.environ,
            uv=find_uv(os.environ),
            interpreter=Path(scenario.interpreter) if scenario.interpreter else None,
        )
        _print(f"  {scenario.target:10}{environment.python}")


def _load(scenario: Scenario) -> str:
    if scenario.endurance is not None:
        return scenario.endurance.offered
    levels = (*map(str, scenario.concurrency), *(one.label for one in scenario.levels))
    return f"levels {', '.join(levels)}"


def _run(loads: Mapping[str, Overrides], request: Request, settings: Settings) -> int:
    worst = 0
    for part, overrides in loads.items():
        code = _run_part(part, overrides, request, settings)
        if code in ENDS_ALL:
            return code
        worst = max(worst, code)
    return worst


def _run_part(part: str, overrides: Overrides, request: Request, settings: Settings) -> int:
    run_id = new_run_id(datetime.now(UTC))
    code = 0
    try:
        launch_run(
            part,
            overrides,
            accept_verdicts=request.accept_verdicts,
            wait=request.wait,
            results=settings.results_dir,
            run_id=run_id,
        )
    except typer.Exit as end:
        code = end.exit_code
    if request.baseline is None or code in ENDS_ALL:
        return known_code(code)
    folder = RunFolder(settings.results_dir / run_id)
    stored = compare_with_run(request.baseline, folder, settings, _print)
    note_comparison(stored.comparison, stored.page)
    return COMPARISON_CODES[stored.comparison.verdict]


def known_code(code: int) -> int:
    """Return the exit code that users know: anything but a valid measurement has failed."""
    return 1 if code == Exit.NOT_A_MEASUREMENT else code
