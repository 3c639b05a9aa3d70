"""``python -m perf_pipeline``: the command line that users know, on the engine of ``run``.

Baseline and stress are Dagster runs, as ``perf-pipeline run`` makes them; database is runs of
``LoadTestFramework``, as each of its loads has connections of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perf_pipeline import cli
from perf_pipeline.analysis.measure import metrics_of
from perf_pipeline.cli.output import Exit, settings_with
from perf_pipeline.cli.run import check_everything, make_results_folder, number
from perf_pipeline.cli.servers import described
from perf_pipeline.compat.framework import LoadTestFramework
from perf_pipeline.compat.named_load import DATABASE_LOADS
from perf_pipeline.compat.regression_file import compare_levels, read_levels, write_regression_file
from perf_pipeline.compat.request import parse_request
from perf_pipeline.compat.suites import suite_config
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.errors import PerfPipelineError, RunFolderError
from perf_pipeline.loadgen.environment.environment import find_uv, make_environment
from perf_pipeline.loadgen.left_out import servers_left_out, servers_needed
from perf_pipeline.run import report
from perf_pipeline.samples.run_folder import INTERRUPTED, RunFolder, list_runs
from perf_pipeline.servers.lifecycle.services import server_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from perf_pipeline.compat.request import Request
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings

_PARTS = {"full": ("baseline", "stress", "database")}


def main(arguments: Sequence[str]) -> int:
    """Do what the options say.

    Returns:
        The exit code: 0, 1, 2 or 130, as ``--help`` says.

    Raises:
        SystemExit: 2: wrong options, or what is not built; 0: ``--help``.
    """
    request = parse_request(arguments)
    settings = settings_with(request.results_dir)
    try:
        plan = _plan(request)
        if request.verify_only or request.verbose:
            _verify(plan, settings)
        if request.verify_only:
            return 0
        before = {path.name for path in settings.results_dir.glob("*")}
        code = _run(plan, request, settings)
    except KeyboardInterrupt:
        _notify("interrupted")
        return Exit.INTERRUPTED
    except PerfPipelineError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1 if request.verify_only else Exit.BAD_INPUT
    if request.verbose:
        for path in sorted(settings.results_dir.glob("*")):
            if path.name not in before:
                _notify(f"written: {path}")
    return code


def _notify(text: str) -> None:
    print(text, flush=True)  # noqa: T201


Plan = dict[str, tuple[str, ...]]
"""Scenario to the flags that it is run with; database has none."""


def _plan(request: Request) -> Plan:
    levels = ("--concurrency", *request.concurrency) if request.concurrency else ()
    most = ("--max-concurrency", request.max_concurrency) if request.max_concurrency else ()
    if request.baseline is not None:
        return {"baseline": ("--concurrency", *map(str, read_levels(request.baseline)))}
    parts = _PARTS.get(request.scenario, (request.scenario,))
    flags: Plan = {"baseline": levels, "stress": most, "database": ()}
    if request.scenario == "stress":
        flags["stress"] = (*levels, *most)
    return {part: flags[part] for part in parts}


def _verify(plan: Plan, settings: Settings) -> None:
    """Check scenarios, servers and targets, and say what was found.

    Raises:
        PerfPipelineError: With what is wrong.
    """
    make_results_folder(settings.results_dir)
    for part, flags in plan.items():
        scenario = (
            _database_scenario()
            if part == "database"
            else check_everything(part, _overrides(flags), None, settings)
        )
        left_out = servers_left_out(scenario, settings)
        _notify(f"{part}: good; levels {', '.join(map(str, scenario.concurrency))}")
        for server in server_status(settings, sorted(servers_needed(scenario, left_out))):
            _notify(f"  {server.service:10}{described(server)}")
        for service in left_out:
            _notify(f"  {service:10}left out: it cannot be had")
        environment = make_environment(
            parse_target(scenario.target),
            cache_dir=settings.cache_dir,
            environ=os.environ,
            uv=find_uv(os.environ),
            interpreter=Path(scenario.interpreter) if scenario.interpreter else None,
        )
        _notify(f"  {scenario.target:10}{environment.python}")


def _database_scenario() -> Scenario:
    """Return all loads of the database test as levels, to be checked."""
    levels = tuple(load.changed["concurrent_workflows"] for load in DATABASE_LOADS)
    config = replace(suite_config(), concurrent_workflows=max(levels))
    return replace(config.to_scenario("database"), concurrency=levels)


def _overrides(flags: Sequence[str]) -> Overrides:
    match flags:
        case ("--concurrency", *levels, "--max-concurrency", most):
            return Overrides(tuple(map(number, levels)), number(most))
        case ("--concurrency", *levels):
            return Overrides(tuple(map(number, levels)))
        case ("--max-concurrency", most):
            return Overrides(max_concurrency=number(most))
    return Overrides()


def _run(plan: Plan, request: Request, settings: Settings) -> int:
    worst = 0
    for part, flags in plan.items():
        if part == "database":
            code = _run_database(settings, accept=request.accept_verdicts)
        elif request.baseline is not None:
            code = _run_regression(request.baseline, flags, settings)
        else:
            accept = ("--accept-verdicts",) if request.accept_verdicts else ()
            code = _known(cli.call([*_command(part, flags, settings), *accept]))
        if code in (Exit.BAD_INPUT, Exit.INTERRUPTED):
            return code
        worst = max(worst, code)
    return worst


def _command(part: str, flags: Sequence[str], settings: Settings) -> list[str]:
    return ["run", part, *flags, "--results", str(settings.results_dir)]


def _known(code: int) -> int:
    """Return the exit code that users know: whatever is not a measurement has failed."""
    return 1 if code == Exit.NOT_A_MEASUREMENT else code


def _run_database(settings: Settings, *, accept: bool) -> int:
    make_results_folder(settings.results_dir)
    framework = LoadTestFramework(suite_config(), settings=settings, notify=_notify)
    known = {run.run_id for run in list_runs(settings.results_dir)}
    try:
        measured = framework.run_database_stress_test()
    except KeyboardInterrupt:
        for run in list_runs(settings.results_dir):
            if run.run_id not in known and run.read_status()["status"] == INTERRUPTED:
                _keep(run)
        return Exit.INTERRUPTED
    for name, level in measured.items():
        _notify(
            f"{name}: {level.throughput} workflows/s, {level.avg_latency} s on average, "
            f"{level.error_rate} % errors, {level.samples} samples, {level.validity}"
        )
    _notify(f"report: {framework.generate_performance_report()}")
    validities = {level.validity for level in measured.values()}
    allowed = validities - {"incomplete"} if accept else {"valid"}
    return 0 if validities <= allowed else 1


def _keep(run: RunFolder) -> None:
    try:
        report(run, metrics_of(run))
    except RunFolderError as error:
        _notify(f"nothing was measured: {error}")
    else:
        _notify(f"what was measured is kept: {run.root}")


def _run_regression(file: Path, flags: Sequence[str], settings: Settings) -> int:
    baseline = read_levels(file)
    answer = io.StringIO()
    with contextlib.redirect_stdout(answer):  # people are told on standard error
        code = cli.call([*_command("baseline", flags, settings), "--json"])
    if code in (Exit.BAD_INPUT, Exit.INTERRUPTED):
        return code
    told: dict[str, Any] = json.loads(answer.getvalue().splitlines()[-1])
    current: dict[int, list[dict[str, Any]]] = {}
    for level in told["levels"]:
        if level["role"] == "level":
            current.setdefault(level["concurrency"], []).append(level)
    compared = compare_levels(baseline, current)
    for level in compared:
        _notify(f"{level['concurrency']} in flight: {level['verdict']}")
        for sentence in level["recommendations"]:
            _notify(f"  {sentence}")
    _notify(f"comparison: {write_regression_file(settings.results_dir, told['run_id'], compared)}")
    ruled_out = all(level["verdict"] in {"no_change", "improvement"} for level in compared)
    return 0 if ruled_out else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
