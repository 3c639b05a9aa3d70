"""The command histograms: percentiles of several runs, merged without loss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perf_pipeline.cli.completion import offer_runs
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import AsJson, Results, answer, bad_input_explained, found_run
from perf_pipeline.config.slo.verdict import MIN_TAIL_SAMPLES
from perf_pipeline.metrics.records.level_histograms import HistogramKey, merged, read_histograms
from perf_pipeline.metrics.survival.histogram import Histogram
from perf_pipeline.metrics.survival.histogram_block import Phase
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.manifest import read_manifest
from perf_pipeline.samples.run_folder import read_json

if TYPE_CHECKING:
    from perf_pipeline.samples.run_folder import RunFolder

PERCENTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


@dataclass(frozen=True)
class Merged:
    """What one merged histogram counts.

    Attributes:
        target: What executed the workflows, and how they were written.
        level: Label of the level; ``all`` when levels were merged.
        family: Of the workflows.
        complexity: Of the workflows.
        quantity: ``service_time`` or ``response_time``.
    """

    target: str
    level: str
    family: str
    complexity: str
    quantity: str


def histograms(
    runs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[RUN]...",
            help="Ids or folders of runs, also of other hosts; default: the latest.",
            autocompletion=offer_runs,
        ),
    ] = None,
    phase: Annotated[Phase, typer.Option("--phase", help="Which phase counts.")] = Phase.STEADY,
    all_levels: Annotated[  # noqa: FBT002
        bool, typer.Option("--all-levels", help="Merge the levels of a target as well.")
    ] = False,
    results: Results = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Merge the histograms of runs and show their percentiles, at most 0.4 % off.

    Levels with the same target, label and workflow are merged, regardless of the run.
    """
    with bad_input_explained(as_json=as_json):
        names: list[str | None] = [*runs] if runs else [None]
        found = {run.root: run for run in (found_run(name, results) for name in names)}
        table: dict[Merged, Histogram] = {}
        for run in found.values():
            with damage_named(run):
                _add_run(run, phase, table, all_levels=all_levels)
    rows = [_row(key, histogram) for key, histogram in table.items()]
    for row in rows:
        show(_line(row), as_json=as_json)
    if not rows:
        show(f"nothing was counted in phase {phase}", as_json=as_json)
    run_ids = [run.run_id for run in found.values()]
    answer({"runs": run_ids, "phase": phase, "histograms": rows}, as_json=as_json)


def _add_run(
    run: RunFolder, phase: Phase, table: dict[Merged, Histogram], *, all_levels: bool
) -> None:
    """Add a run's histograms to those in ``table``."""
    kinds = read_manifest(run).kinds
    for path in run.level_folders():
        plan = read_json(path / "level.json")["plan"]
        target = f"{plan['target']} ({plan['nodes']})"
        label = "all" if all_levels else str(plan["label"])
        into: dict[HistogramKey, Histogram] = {}
        merged(read_histograms(path, len(kinds)), phase, into)
        for key, histogram in into.items():
            of = Merged(target, label, *kinds[key.kind], key.quantity)
            table.setdefault(of, Histogram(key.quantity)).merge(histogram)


def _row(key: Merged, histogram: Histogram) -> dict[str, Any]:
    min_ns, max_ns = histogram.min_ns, histogram.max_ns
    return {
        **asdict(key),
        "count": histogram.count,
        "not_ended": histogram.count_censored,
        "min_s": None if min_ns is None else min_ns / 1e9,
        "max_s": None if max_ns is None else max_ns / 1e9,
        "percentiles": [asdict(histogram.percentile(p)) for p in PERCENTILES],
    }


def _line(row: dict[str, Any]) -> str:
    shown = []
    for percentile in row["percentiles"]:
        sign = "≥ " if percentile["at_least"] else ""
        star = "*" if percentile["samples_beyond"] < MIN_TAIL_SAMPLES else ""
        value = percentile["value_s"]
        text = "no data" if value is None else f"{sign}{value:.4g} s{star}"
        shown.append(f"p{percentile['p'] * 100:g} {text}")
    what = row["quantity"].replace("_", " ")
    return (
        f"{row['target']}, {row['level']}, {row['family']} {row['complexity']}, {what} of "
        f"{row['count']} ({row['not_ended']} not ended): {', '.join(shown)}"
    )
