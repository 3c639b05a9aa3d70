"""The options of ``python -m perf_pipeline``, translated to flags of ``perf-pipeline run``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from perf_pipeline.ci.notes import note_error
from perf_pipeline.cli.flag_options import flag_value
from perf_pipeline.config.duration import DEFAULT_WAIT
from perf_pipeline.config.flags.flag import flags_of
from perf_pipeline.config.flags.overrides import Overrides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SCENARIOS = ("baseline", "stress", "endurance", "regression", "database", "full")
DEFAULT_MAX_CONCURRENCY = 2000
DEFAULT_HOURS = 1.0
"""Of endurance."""
_FLAGS = {flag.field: flag for flag in flags_of(Overrides)}
_TAKES = {
    "concurrency": ("baseline", "stress", "full"),
    "max_concurrency": ("stress", "full"),
    "duration": ("endurance",),
    "baseline": ("regression",),
}
_EPILOG = """exit codes: 0 measured, and valid; 1 failed, not a valid measurement, or a regression
is found; 2 wrong options, nothing was started; 3 of a regression test: doubt, it is
neither found nor ruled out; 70 a defect of ours; 75 another load run went on for longer than
--wait; 130 Ctrl-C, 143 SIGTERM, 129 SIGHUP: what was measured is kept, and
results/partial_results_<timestamp>.json is written.
example: python -m perf_pipeline --scenario baseline --concurrency 100 500 1000 2000"""


@dataclass(frozen=True)
class Request:
    """The options.

    Attributes:
        loads: Scenario to the flags that it is run with, in the order in which they run; of a
            regression, which measures what its baseline did, nothing.
        baseline: Result file with which a regression test compares; None for no such test.
        results_dir: Folder of the runs; None for that of the settings.
        is_check_only: Check scenario, servers and target; run nothing.
        is_verbose: Print what was checked before a run, and which files it wrote.
        accept_verdicts: Exit 0 once everything was measured to its end, valid or not.
        wait: How long each run waits for another load run on this host to end.
    """

    loads: Mapping[str, Overrides]
    baseline: Path | None
    results_dir: Path | None
    is_check_only: bool
    is_verbose: bool
    accept_verdicts: bool
    wait: str


def parse_request(arguments: Sequence[str]) -> Request:
    """Read the options.

    Raises:
        SystemExit: 2, with the reason on standard error: an option is wrong, does not belong to
            the scenario. 0 after ``--help``.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    for name, scenarios in _TAKES.items():
        if getattr(given, name) is not None and given.scenario not in scenarios:
            flag = f"--{name.replace('_', '-')}"
            parser.error(
                f"{flag} means nothing for {given.scenario}; it is for {', '.join(scenarios)}"
            )
    if given.scenario == "regression" and given.baseline is None:
        parser.error("regression needs --baseline FILE, such as results/baseline_<timestamp>.json")
    return Request(
        loads=_loads(given),
        baseline=given.baseline,
        results_dir=given.results_dir,
        is_check_only=given.verify_only,
        is_verbose=given.verbose,
        accept_verdicts=given.accept_verdicts,
        wait=given.wait,
    )


def _loads(given: argparse.Namespace) -> dict[str, Overrides]:
    """Translate the options to the scenarios of ``perf-pipeline run`` and their flags."""
    levels = flag_value(_FLAGS["concurrency"], given.concurrency)
    greatest = flag_value(_FLAGS["max_concurrency"], given.max_concurrency)
    if given.scenario == "full":
        return {
            "baseline": Overrides(concurrency=levels),
            "stress": Overrides(max_concurrency=greatest or DEFAULT_MAX_CONCURRENCY),
            "database": Overrides(),
        }
    if given.scenario == "stress":
        if levels is None and greatest is None:
            greatest = DEFAULT_MAX_CONCURRENCY
        return {"stress": Overrides(concurrency=levels, max_concurrency=greatest)}
    if given.scenario == "regression":
        return {}
    if given.scenario == "endurance":
        hours = flag_value(_FLAGS["duration"], given.duration)
        return {"endurance": Overrides(duration=DEFAULT_HOURS if hours is None else hours)}
    return {given.scenario: Overrides(concurrency=levels)}


class _Parser(argparse.ArgumentParser):
    """Notes what is wrong with the options for the CI files as well."""

    def error(self, message: str) -> NoReturn:
        note_error("UsageError", [message])
        super().error(message)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m perf_pipeline",
        description="The old command line, on the engine of `perf-pipeline run`.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scenario", required=True, choices=SCENARIOS, help="full: baseline, stress, database")
    levels, greatest = _FLAGS["concurrency"], _FLAGS["max_concurrency"]
    add(levels.option, nargs="+", metavar="N", help=f"{levels.help} Baseline: 100 500 1000.")
    add(greatest.option, metavar=greatest.metavar, help=f"{greatest.help} Stress: 2000.")
    add("--duration", metavar="HOURS", help="of endurance: hours of constant load (1)")
    add("--baseline", metavar="FILE", type=Path, help="result file to compare with (regression)")
    add("--results-dir", metavar="DIR", type=Path, help="folder of the runs (results)")
    add("--verify-only", action="store_true", help="check scenario, servers, target; exit 0 or 1")
    add(
        "--verbose",
        action="store_true",
        help="print what was checked, and which files were written",
    )
    add("--wait", metavar="TIME", default=DEFAULT_WAIT, help="for another load run (%(default)s)")
    add("--junit", metavar="FILE", help="write the verdicts as JUnit XML, whatever the end")
    add("--summary", metavar="FILE", help="write a Markdown summary, whatever the end")
    add("--accept-verdicts", action="store_true", help="exit 0 if it ran to its end, valid or not")
    return parser
