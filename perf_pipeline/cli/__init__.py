"""The command ``perf-pipeline``.

Exit codes everywhere: 0 complete and every gate held; 1 a gate or verdict failed; 2 usage or bad
input, nothing was started; 3 not a measurement; 130 interrupted, partial results kept.
"""

from __future__ import annotations

import re
import sys

import typer

from perf_pipeline.cli import doctor, inspect, run, servers

_NUMBER = re.compile(r"[+-]?(\d[\w.+-]*|nan|inf\w*)", re.IGNORECASE)

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
    app(args=spread_levels(sys.argv[1:]))


def spread_levels(arguments: list[str]) -> list[str]:
    """Let one ``--concurrency`` take several numbers, as in ``--concurrency 100 500 1000``.

    Every number after it becomes a ``--concurrency`` of its own, which is what the parser knows.
    """
    spread: list[str] = []
    taking = False
    for argument in arguments:
        if taking and spread[-1] != "--concurrency":
            if not _NUMBER.fullmatch(argument):
                taking = False
            else:
                spread.append("--concurrency")
        spread.append(argument)
        taking = taking or argument == "--concurrency"
    return spread
