"""The commands of ``perf-pipeline``, their help, and how their arguments are read.

What a command needs (polars, numpy, drivers) takes half a second to import, so only the command
that is called is imported; the list of all commands reads their docstrings from compiled modules.
"""

from __future__ import annotations

import inspect
import os
import re
from importlib import import_module
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.lines.refused_value import explain_refused_value
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import answer
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.defects import explain_defect
from perf_pipeline.program.ending import interrupted_code, is_request_to_end
from perf_pipeline.redaction.redact import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from perf_pipeline.errors import PerfPipelineError

_NUMBER = re.compile(r"[+-]?(\d[\w.+-]*|nan|inf\w*)", re.IGNORECASE)
_LEVELS = ("--concurrency", "--rate")
_HOSTS = "--hosts"
_CI_FILES = {"--junit", "--summary"}

COMPLETING = "_PERF_PIPELINE_COMPLETE"
"""The variable with which a shell asks what may follow; then every command is needed."""

COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("run", "run"),
    "capacity": ("capacity", "capacity"),
    "cut": ("shards.cut", "cut"),
    "shard": ("shards.shard", "shard"),
    "merge": ("shards.merge", "merge"),
    "host": ("shards.host", "host"),
    "compare": ("regression.compare", "compare"),
    "ab": ("regression.ab", "ab"),
    "init": ("files.init", "init"),
    "check": ("inspect", "check"),
    "scenarios": ("inspect", "scenarios"),
    "records": ("inspect", "records"),
    "report": ("inspect", "report"),
    "histograms": ("histograms", "histograms"),
    "detect": ("regression.detect", "detect"),
    "leaks": ("endurance.leaks", "leaks"),
    "allocations": ("regression.allocations", "allocations"),
    "bisect": ("releases.bisect", "bisect"),
    "releases": ("releases.releases", "releases"),
    "prune": ("files.prune", "prune"),
    "export-metrics": ("files.export_metrics", "export_metrics"),
    "catalogue": ("files.catalogue", "catalogue"),
    "baseline": ("files.baseline", "baseline"),
    "start": ("servers", "start"),
    "stop": ("servers", "stop"),
    "status": ("servers", "status"),
    "logs": ("files.logs", "logs"),
    "ship-logs": ("files.ship_logs", "ship_logs"),
    "doctor": ("doctor", "doctor"),
    "dashboard": ("dashboard", "dashboard"),
    "history": ("history.trends", "history"),
    "alerts": ("regression.alerts", "alerts"),
    "selftest": ("selftest", "selftest"),
}
"""Command to its module in ``perf_pipeline.cli`` and its function there."""

WITH_CI_FILES = ("run", "capacity", "ab", "compare", "alerts")
"""Commands that take ``--junit`` and ``--summary``."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "perf-pipeline run baseline",
        "perf-pipeline run baseline --concurrency 10 50 --duration 5",
        "perf-pipeline run my.toml --target control --seed 7 --json",
        "perf-pipeline run baseline --gate production",
        "perf-pipeline run baseline --target kailash==2.19.0 --setting enable_monitoring=true",
        "perf-pipeline run my.toml --shards 2",
        "perf-pipeline run my.toml --hosts gen-a gen-b",
    ),
    "cut": ("perf-pipeline cut my.toml --hosts gen-a gen-b --results /shared/results",),
    "shard": (
        "perf-pipeline shard /shared/results/20241201_120000-4f2c/shards/order.json --index 1",
    ),
    "merge": ("perf-pipeline merge 20241201_120000-4f2c --results /shared/results --json",),
    "host": (
        "PERF_PIPELINE_SHARDS_URL=redis://:secret@front:6379/1 perf-pipeline host gen-b",
        "perf-pipeline host gen-b --redis redis://front:6379/1",
    ),
    "capacity": (
        "perf-pipeline capacity baseline --slo 'p99 < 5s'",
        "perf-pipeline capacity my.toml --slo 'p95 < 500ms' --of rate --duration 20s --json",
        "perf-pipeline capacity baseline --target control --nodes lean --slo 'avg_s<1' --max 2000",
    ),
    "compare": (
        "perf-pipeline compare 20241201_120000-4f2c latest",
        "perf-pipeline compare results/baseline_20241201_120000.json latest --json",
        "perf-pipeline compare RUN1,RUN2,RUN3,RUN4 RUN5,RUN6,RUN7,RUN8 --despite packages",
    ),
    "ab": (
        "perf-pipeline ab baseline --a kailash==2.17.0 --b kailash==2.18.0 --concurrency 10",
        "perf-pipeline ab my.toml --a-rev main --width 3 --budget 20m --json",
        "perf-pipeline ab baseline --b kailash+pandas --duration 10 --nodes code",
    ),
    "init": ("perf-pipeline init shop:order", "perf-pipeline init shop:order --output load.toml"),
    "check": ("perf-pipeline check my.toml", "perf-pipeline check baseline --json"),
    "scenarios": ("perf-pipeline scenarios", "perf-pipeline scenarios --json"),
    "records": (
        "perf-pipeline records",
        "perf-pipeline records latest --results elsewhere --json",
    ),
    "histograms": (
        "perf-pipeline histograms",
        "perf-pipeline histograms results/run-1 /other/host/results/run-2 --json",
        "perf-pipeline histograms RUN1 RUN2 --all-levels --phase steady",
    ),
    "bisect": (
        "perf-pipeline bisect kailash --good 2.17.0 --bad 2.65.0",
        "perf-pipeline bisect kailash --good 2.60.0 --bad 2.65.0 --limit 5 --budget 1h --json",
    ),
    "releases": ("perf-pipeline releases", "perf-pipeline releases --since 2.17.0 --json"),
    "report": ("perf-pipeline report", "perf-pipeline report results/20241201_120000-4f2c"),
    "detect": ("perf-pipeline detect history.jsonl --json", "perf-pipeline detect history.csv"),
    "leaks": (
        "perf-pipeline leaks signals.jsonl --json",
        "perf-pipeline leaks endurance-20241201_120000-4f2c",
    ),
    "allocations": (
        "perf-pipeline allocations baseline --nodes lean",
        "perf-pipeline allocations my.toml --warm-up 500 --workflows 200 --json",
    ),
    "prune": ("perf-pipeline prune --keep 90d --dry-run", "perf-pipeline prune --keep 90d --json"),
    "export-metrics": (
        "perf-pipeline export-metrics --openmetrics latest.om",
        "perf-pipeline export-metrics RUN1 RUN2 --openmetrics runs.om --every 1 --json",
    ),
    "catalogue": (
        "perf-pipeline catalogue show",
        "perf-pipeline catalogue add results /other/host/results performance_results.tar.gz",
    ),
    "baseline": (
        "perf-pipeline baseline pin stable latest --note 'release 2.19'",
        "perf-pipeline baseline list; perf-pipeline baseline remove stable",
    ),
    "start": ("perf-pipeline start; perf-pipeline run baseline; perf-pipeline stop",),
    "stop": ("perf-pipeline stop",),
    "status": ("perf-pipeline status", "perf-pipeline status --gate --json"),
    "logs": (
        "perf-pipeline logs",
        "perf-pipeline logs latest --level warning --process worker-0",
        "perf-pipeline logs --follow --grep timeout",
    ),
    "ship-logs": ("perf-pipeline ship-logs --once", "perf-pipeline ship-logs --setup"),
    "doctor": ("perf-pipeline doctor", "perf-pipeline doctor --json"),
    "dashboard": (
        "perf-pipeline dashboard",
        "perf-pipeline dashboard --port 8082 --results elsewhere",
    ),
    "history": ("perf-pipeline history", "perf-pipeline history --runs 50 --explain"),
    "alerts": (
        "perf-pipeline alerts",
        "perf-pipeline alerts check --junit alerts.xml",
        "perf-pipeline alerts ack 20241201_120000-4f2c --note 'pandas left; mended in 2.66'",
    ),
    "selftest": ("perf-pipeline selftest", "perf-pipeline selftest merge --size ci --json"),
}


def epilog(command: str) -> str:
    """Return the end of a command's help; the mark (of click) keeps its lines as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {one}" for one in EXAMPLES[command])])


def app_with(called: Collection[str]) -> typer.Typer:
    """Return the command line in which some commands can be called, and all are listed.

    Args:
        called: Names of the commands whose modules are imported.
    """
    app = typer.Typer(
        name="perf-pipeline",
        no_args_is_help=True,
        rich_markup_mode=None,  # boxes take 0.1 s to import
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog="perf-pipeline COMMAND --help shows examples.")(options)
    for command, (module, name) in COMMANDS.items():
        function = _function(module, name) if command in called else _listed(module, name)
        first_line = (function.__doc__ or "").partition("\n")[0]
        app.command(command, short_help=first_line, epilog=epilog(command))(function)
    return app


def whole_app() -> typer.Typer:
    """Return the command line in which every command can be called."""
    return app_with(COMMANDS)


def _function(module: str, name: str) -> Callable[..., None]:
    function: Callable[..., None] = getattr(import_module(f"perf_pipeline.cli.{module}"), name)
    return function


def _listed(module: str, name: str) -> Callable[..., None]:
    """Return a function that does nothing, with the docstring of a command."""
    path = Path(__file__).parent.joinpath(*module.split(".")).with_suffix(".py")
    body = SourceFileLoader(module, str(path)).get_code(module)
    constants = () if body is None else body.co_consts
    found = {one.co_name: one for one in constants if isinstance(one, CodeType)}

    def listed() -> None:
        """Stand in the list of commands."""

    listed.__doc__ = inspect.cleandoc(found[name].co_consts[0])  # a docstring is the first one
    return listed


def _show_version(asked: bool) -> None:  # noqa: FBT001 - typer's way of a flag
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - it parses mail: 0.04 s

        show(f"perf-pipeline {version('perf-pipeline')}", as_json=False)
        raise typer.Exit


def options(
    *,
    shown: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Load tests and benchmarks of Python workflow runtimes."""


def call(arguments: list[str]) -> int:
    """Run one command; a program that reads our output gets its object in every case.

    So does one that reads the files of ``--junit`` and ``--summary``.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    asked = {argument.partition("=")[0] for argument in arguments}
    if "".join(arguments[:1]) not in WITH_CI_FILES or asked.isdisjoint(_CI_FILES):
        return _call(arguments)

    def refuse(error: PerfPipelineError) -> int:
        show(str(error), as_json=True)
        problems = {"error": type(error).__name__, "problems": [str(error)]}
        answer(problems, as_json="--json" in arguments)
        return Exit.BAD_INPUT

    from perf_pipeline.ci.ci_files import with_ci_files  # noqa: PLC0415 - it draws: 0.2 s

    command = f"perf-pipeline {arguments[0]}"
    return with_ci_files(command, arguments, lambda: _call(arguments), refuse, os.environ)


def _call(arguments: list[str]) -> int:
    as_json = "--json" in arguments
    try:
        app = whole_app() if COMPLETING in os.environ else app_with(arguments)
        code = app(spread_levels(arguments), prog_name=app.info.name, standalone_mode=False) or 0
    except typer.TyperException as error:
        from typer import rich_utils  # noqa: PLC0415 - it draws: 0.1 s

        explain_refused_value(error)
        error.message = redacted(error.message)
        rich_utils.rich_format_error(error)  # type: ignore[arg-type]
        answer({"error": "UsageError", "problems": [error.format_message()]}, as_json=as_json)
        return Exit.BAD_INPUT
    except SystemExit as end:
        if not isinstance(end.__context__, OSError):
            raise
        return _defect(end.__context__, as_json=as_json)  # typer takes any EPIPE for its output's
    except BaseException as error:
        if is_request_to_end(error):
            raise
        return _defect(error, as_json=as_json)
    return interrupted_code() if code == Exit.INTERRUPTED else code


def _defect(error: BaseException, *, as_json: bool) -> int:
    """Explain a defect of ours, without a verdict."""
    text = explain_defect(error)
    show(text, as_json=True)
    answer({"error": type(error).__name__, "problems": [text]}, as_json=as_json)
    return Exit.DEFECT


def spread_levels(arguments: list[str]) -> list[str]:
    """Let one ``--concurrency`` take several values, as in ``--concurrency 100 500 1000``.

    Every further value becomes a ``--concurrency`` option, as the parser expects; ``--rate``
    likewise, and ``--hosts`` takes several names. After the scenario has been named, text is taken
    as a value too, so that the check of the levels reports it together with every other problem.
    """
    named = arguments[:1] in (["run"], ["cut"]) and not "".join(arguments[1:2]).startswith("-")
    spread: list[str] = []
    taking = ""
    for argument in arguments:
        if taking and spread[-1] != taking:
            if _is_level(argument, or_text=named or taking == _HOSTS):
                spread.append(taking)
            else:
                taking = ""
        spread.append(argument)
        flag = argument.partition("=")[0]
        taking = flag if flag in (*_LEVELS, _HOSTS) else taking
    return spread


def _is_level(argument: str, *, or_text: bool) -> bool:
    """Return whether an argument is meant as a level, right or wrong."""
    if _NUMBER.fullmatch(argument):
        return True
    return or_text and not argument.startswith("-")
