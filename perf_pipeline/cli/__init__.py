"""The command ``perf-pipeline``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from perf_pipeline.program.program import run_program

if TYPE_CHECKING:
    from collections.abc import Sequence

PRINT_ALONE = ("check", "scenarios", "records", "histograms", "status", "doctor")
"""Commands that start nothing and write nothing: their output is all there is of them."""
LIGHT = ("check", "scenarios", "status", "doctor", "init", "stop")
"""Commands that neither measure nor read what was measured: they need little memory."""

_EXPLAIN = {"--help", "-h", "--version"}


def main() -> NoReturn:
    """Run the command line."""
    run_program(_main, only_prints=_only_prints, is_light=_is_light)


def _only_prints(arguments: Sequence[str]) -> bool:
    return not arguments or arguments[0] in PRINT_ALONE or not _EXPLAIN.isdisjoint(arguments)


def _is_light(arguments: Sequence[str]) -> bool:
    return not arguments or arguments[0] in LIGHT or not _EXPLAIN.isdisjoint(arguments)


def _main(arguments: Sequence[str]) -> int:
    # Most of what may fail is imported here.
    if arguments[:1] in (["run"], ["capacity"]) and _EXPLAIN.isdisjoint(arguments):
        from perf_pipeline.cli.waiting_dagster import prepared_dagster  # noqa: PLC0415

        with prepared_dagster(is_measured=arguments[0] == "run"):
            return _call(arguments)
    return _call(arguments)


def _call(arguments: Sequence[str]) -> int:
    from perf_pipeline.cli.app import call  # noqa: PLC0415

    return call(list(arguments))
