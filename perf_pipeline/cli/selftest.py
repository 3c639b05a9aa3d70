"""The command selftest: prove a claim of perf_pipeline on something whose truth is known."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, bad_input_explained
from perf_pipeline.exit_code import Exit
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.registry import run_selftest, selftests

if TYPE_CHECKING:
    from perf_pipeline.selftest.registry import SelftestResult

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="What to prove; without one, the list of them is shown.",
        autocompletion=lambda: list(selftests()),
    ),
]


def selftest(
    name: Name = "",
    size: Annotated[
        Size, typer.Option("--size", help="ci: ratios and exact claims, seconds; full: everything.")
    ] = Size.FULL,
    seed: Annotated[int, typer.Option("--seed", help="Source of every random choice.")] = 1,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Prove a claim of perf_pipeline itself on a target or series whose truth is known.

    Exits 1 when a figure misses its limit, or could not be measured.
    """
    if not name:
        for known, claim in selftests().items():
            show(f"{known:12} {claim}", as_json=as_json)
        if as_json:
            print(json.dumps({"selftests": selftests()}))  # noqa: T201
        return
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with bad_input_explained(as_json=as_json):
        outcome = run_selftest(name, size, seed)
    _show(outcome, as_json=as_json)
    if as_json:
        print(json.dumps(outcome.as_json()))  # noqa: T201
    if not outcome.passed:
        raise typer.Exit(Exit.GATE_FAILED)


def _show(outcome: SelftestResult, *, as_json: bool) -> None:
    """Print a line a figure, and the verdict."""
    for figure in outcome.figures:
        show(f"{'pass' if figure.passed else 'FAIL'}  {figure_line(figure)}", as_json=as_json)
    verdict = "proven" if outcome.passed else "not proven"
    show(
        f"{outcome.name}: {verdict} in {outcome.seconds:.1f} s "
        f"(size {outcome.size}, seed {outcome.seed})",
        as_json=as_json,
    )


def figure_line(figure: Figure) -> str:
    """Return what was measured, the value, the limit and the note, in one line."""
    value = "not measured" if figure.value is None else f"{figure.value:.6g}"
    unit = f" {figure.unit}" if figure.unit else ""
    limit = ""
    if figure.limit is not None:
        bound = "at most" if figure.at_most else "at least"
        limit = f" ({bound} {figure.limit:.6g}{unit})"
    note = f"; {figure.note}" if figure.note else ""
    return f"{figure.what}: {value}{unit}{limit}{note}"
