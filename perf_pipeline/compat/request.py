"""What a user asks for by the options of the old command line: ``python -m perf_pipeline``."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

SCENARIOS = ("baseline", "stress", "endurance", "regression", "database", "full")
DEFAULT_MAX_CONCURRENCY = "2000"
_TAKES = {
    "concurrency": ("baseline", "stress", "full"),
    "max_concurrency": ("stress", "full"),
    "duration": ("endurance",),
    "baseline": ("regression",),
}
_EPILOG = """exit codes: 0 measured, and valid; 1 failed, or not a valid measurement, or it is not
ruled out that it got worse; 2 wrong options or not built, nothing was started; 130 Ctrl-C: what
was measured is kept, and results/partial_results_<timestamp>.json is written.
example: python -m perf_pipeline --scenario baseline --concurrency 100 500 1000 2000"""


@dataclass(frozen=True)
class Request:
    """The options.

    Attributes:
        scenario: A word of ``SCENARIOS``.
        concurrency: Levels, workflows in flight, as the user wrote them; empty: the scenario's.
        max_concurrency: Greatest level of a stress test; None where ``concurrency`` says all.
        baseline: Result file that a regression is looked for against.
        results_dir: Folder of the runs; None for what the settings say.
        verify_only: Check scenario, servers and target; run nothing.
        verbose: Say what was checked before a run, and which files it wrote.
        accept_verdicts: Exit 0 once everything was measured to its end, valid or not.
    """

    scenario: str
    concurrency: tuple[str, ...]
    max_concurrency: str | None
    baseline: Path | None
    results_dir: Path | None
    verify_only: bool
    verbose: bool
    accept_verdicts: bool


def parse_request(arguments: Sequence[str]) -> Request:
    """Read the options.

    Raises:
        SystemExit: 2, with the reason on standard error: an option is wrong, does not belong to
            the scenario, or the scenario is not built. 0 after ``--help``.
    """
    parser = _parser()
    given = parser.parse_args(arguments)
    for name, scenarios in _TAKES.items():
        if getattr(given, name) is not None and given.scenario not in scenarios:
            flag = f"--{name.replace('_', '-')}"
            parser.error(
                f"{flag} means nothing for {given.scenario}; it is for {', '.join(scenarios)}"
            )
    if given.scenario == "endurance":
        parser.error(
            "endurance is not built yet: nothing was started. A longer level is to be had by "
            "`perf-pipeline run baseline --duration SECONDS`; it looks for no leak."
        )
    if given.scenario == "regression" and given.baseline is None:
        parser.error("regression needs --baseline FILE, such as results/baseline_<timestamp>.json")
    return Request(
        scenario=given.scenario,
        concurrency=tuple(given.concurrency or ()),
        max_concurrency=_most(given),
        baseline=given.baseline,
        results_dir=given.results_dir,
        verify_only=given.verify_only,
        verbose=given.verbose,
        accept_verdicts=given.accept_verdicts,
    )


def _most(given: argparse.Namespace) -> str | None:
    if given.max_concurrency is not None:
        return str(given.max_concurrency)
    if given.scenario == "full" or (given.scenario == "stress" and given.concurrency is None):
        return DEFAULT_MAX_CONCURRENCY
    return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m perf_pipeline",
        description="The old command line, on the engine of `perf-pipeline run`.",
        epilog=_EPILOG,
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--scenario", required=True, choices=SCENARIOS, help="full: baseline, stress, database")
    add("--concurrency", nargs="+", metavar="N", help="levels (baseline: 100 500 1000)")
    add("--max-concurrency", metavar="N", help="greatest level of stress (2000)")
    add("--duration", metavar="HOURS", help="of endurance, which is not built yet")
    add("--baseline", metavar="FILE", type=Path, help="result file to compare with (regression)")
    add("--results-dir", metavar="DIR", type=Path, help="folder of the runs (results)")
    add("--verify-only", action="store_true", help="check scenario, servers, target; exit 0 or 1")
    add("--verbose", action="store_true", help="say what was checked, and which files were written")
    add("--accept-verdicts", action="store_true", help="exit 0 if it ran to its end, valid or not")
    return parser
