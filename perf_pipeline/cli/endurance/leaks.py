"""The command leaks: whether the signals in a file leak."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path  # noqa: TC003 typer reads the annotation
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.analysis.endurance.leak import HOUR_SECONDS, judge_leak
from perf_pipeline.analysis.endurance.signal_file import read_signals
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import NoResults, bad_input_explained
from perf_pipeline.redaction.redact import redacted_values
from perf_pipeline.report.text.quantity import significant

if TYPE_CHECKING:
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict


def leaks(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="JSON lines with name, seconds and value (lists of numbers, or one sample a line),"
            " perhaps workflows and limit; or CSV with the same columns.",
        ),
    ],
    hour_seconds: Annotated[
        float,
        typer.Option("--hour-seconds", min=0.001, help="Length of an hour of a scaled run."),
    ] = HOUR_SECONDS,
    results: NoResults = None,  # noqa: ARG001 refused when given
    as_json: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--json", help="Print one JSON object a line for each signal instead.")
    ] = False,
) -> None:
    """Judge whether the signals in a file leak: leak, clean or inconclusive.

    Each with its growth an hour, the interval of it, and the smallest leak that could be seen.
    """
    with bad_input_explained(as_json=as_json):
        for series in read_signals(file):
            verdict = judge_leak(series, hour_seconds=hour_seconds)
            if as_json:
                print(json.dumps(redacted_values(asdict(verdict))))  # noqa: T201
            else:
                for line in lines(verdict):
                    show(line, as_json=False)


def lines(verdict: LeakVerdict) -> list[str]:
    """Return a verdict as lines for people."""
    text = [f"{verdict.name}: {verdict.verdict}: {verdict.reason}"]
    growth, visible = verdict.growth_per_hour, verdict.smallest_visible
    a_day = verdict.growth_percent_per_day
    if growth is None or verdict.interval is None or visible is None or a_day is None:
        return text
    low, high = (significant(end) for end in verdict.interval)
    text.append(
        f"  grows by {significant(growth)} an hour (95 % interval {low} to {high}), "
        f"{significant(a_day)} % of its level in 24 h; smallest visible leak "
        f"{significant(visible)} an hour"
    )
    per_1000, interval = verdict.growth_per_1000_workflows, verdict.interval_per_1000_workflows
    if per_1000 is not None and interval is not None:
        low, high = (significant(end) for end in interval)
        text.append(f"  {significant(per_1000)} per 1000 workflows ({low} to {high})")
    if verdict.warm_up_hours is not None:
        workflows = verdict.warm_up_workflows
        count = "" if workflows is None else f", {significant(workflows)} workflows"
        text.append(f"  warm-up of {significant(verdict.warm_up_hours)} h{count}")
    if verdict.step is not None and verdict.step_hour is not None:
        text.append(
            f"  step of {significant(verdict.step)} at hour {significant(verdict.step_hour)}"
        )
    if verdict.hours_to_limit is not None and verdict.limit is not None:
        text.append(
            f"  reaches its limit of {significant(verdict.limit)} in "
            f"{significant(verdict.hours_to_limit)} h"
        )
    return text
