"""The command ``perf-pipeline``.

Exit codes everywhere: 0 complete and every gate held; 1 a gate or verdict failed; 2 usage or bad
input, nothing was started; 3 not a measurement; 130 interrupted, partial results kept.
"""

from __future__ import annotations

import re
import sys
import traceback

import typer
from typer import rich_utils

from perf_pipeline.cli import doctor, inspect, run, servers
from perf_pipeline.cli.output import Exit, answer

_NUMBER = re.compile(r"[+-]?(\d[\w.+-]*|nan|inf\w*)", re.IGNORECASE)
_LEVELS = "--concurrency"

app = typer.Typer(
    name="perf-pipeline",
    help="Load tests and benchmarks of Python workflow runtimes.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("check")(inspect.check)
app.command("scenarios")(inspect.scenarios)
app.command("records")(inspect.records)
app.command("report")(inspect.report)
app.command("start")(servers.start)
app.command("stop")(servers.stop)
app.command("status")(servers.status)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        # A file's name need not be text, nor a terminal able to show what we print.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(call(sys.argv[1:]))


def call(arguments: list[str]) -> int:
    """Run one command; a program that reads our output gets its object whatever happens.

    Args:
        arguments: Without the program's name.

    Returns:
        The exit code.
    """
    as_json = "--json" in arguments
    try:
        return app(spread_levels(arguments), prog_name=app.info.name, standalone_mode=False) or 0
    except typer.TyperException as error:
        rich_utils.rich_format_error(error)  # type: ignore[arg-type]
        answer({"error": "UsageError", "problems": [error.format_message()]}, as_json=as_json)
        return Exit.BAD_INPUT
    except Exception as error:  # noqa: BLE001 - a fault of ours: shown in full, and no verdict
        traceback.print_exc()
        answer({"error": type(error).__name__, "problems": [str(error)]}, as_json=as_json)
        return Exit.NOT_A_MEASUREMENT


def spread_levels(arguments: list[str]) -> list[str]:
    """Let one ``--concurrency`` take several values, as in ``--concurrency 100 500 1000``.

    Every value after it becomes a ``--concurrency`` of its own, which is what the parser knows.
    Once the scenario has been named, which no second word can be, words are values too: they are
    wrong, and the check of the levels says so together with everything else that is wrong.
    """
    named = arguments[:1] == ["run"] and not "".join(arguments[1:2]).startswith("-")
    spread: list[str] = []
    taking = False
    for argument in arguments:
        if taking and spread[-1] != _LEVELS:
            taking = _is_level(argument, words=named)
            if taking:
                spread.append(_LEVELS)
        spread.append(argument)
        taking = taking or argument == _LEVELS or argument.startswith(f"{_LEVELS}=")
    return spread


def _is_level(argument: str, *, words: bool) -> bool:
    """Say whether an argument is meant as a level, right or wrong."""
    if _NUMBER.fullmatch(argument):
        return True
    return words and not argument.startswith("-")
