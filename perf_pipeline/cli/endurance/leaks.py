"""The command leaks: whether the signals in a file, or of a campaign, leak."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perf_pipeline.analysis.endurance.leak import HOUR_SECONDS, judge_leak
from perf_pipeline.analysis.endurance.signal_file import read_signals
from perf_pipeline.campaign.campaign_judging import judge_signals
from perf_pipeline.cli.lines.terminal import show
from perf_pipeline.cli.output import Results, bad_input_explained, settings_with
from perf_pipeline.errors import ScenarioError
from perf_pipeline.redaction.redact import redacted_values
from perf_pipeline.report.text.quantity import significant
from perf_pipeline.samples.campaign.campaign_folder import campaign_named

if TYPE_CHECKING:
    from collections.abc import Iterable

    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict


def leaks(
    signals: Annotated[
        str,
        typer.Argument(
            metavar="FILE|CAMPAIGN",
            help="JSON lines with name, seconds and value (lists of numbers, or one sample a line),"
            " perhaps workflows and limit; or CSV with the same columns; or signals.jsonl of an"
            " hour; or a campaign, by its id or folder.",
        ),
    ],
    hour_seconds: Annotated[
        float | None,
        typer.Option(
            "--hour-seconds",
            min=0.001,
            help="Length of an hour of a scaled run; default: 3600, of a campaign its own.",
        ),
    ] = None,
    results: Results = None,
    as_json: Annotated[  # noqa: FBT002 typer's way of a flag
        bool, typer.Option("--json", help="Print one JSON object a line for each signal instead.")
    ] = False,
) -> None:
    """Judge whether the signals in a file, or of a campaign, leak: leak, clean or inconclusive.

    Each with its growth an hour, the interval of it, and the smallest leak that could be seen.
    """
    with bad_input_explained(as_json=as_json):
        for verdict in _judged(signals, hour_seconds, settings_with(results).results_dir):
            if as_json:
                print(json.dumps(redacted_values(asdict(verdict))))  # noqa: T201
            else:
                for line in lines(verdict):
                    show(line, as_json=False)


def _judged(signals: str, hour_seconds: float | None, results: Path) -> Iterable[LeakVerdict]:
    """Return the verdict of each signal; of a campaign those that it was judged by.

    Raises:
        ScenarioError: The length of an hour is given for a campaign, which has its own.
        PerfPipelineError: The file, or one of the campaign, cannot be read.
    """
    campaign = campaign_named(signals, results)
    if campaign is None:
        length_s = HOUR_SECONDS if hour_seconds is None else hour_seconds
        return (judge_leak(one, hour_seconds=length_s) for one in read_signals(Path(signals)))
    if hour_seconds is not None:
        hours = f"the hours of {campaign.root.name} have a length of their own"
        raise ScenarioError([f"--hour-seconds is given, but {hours}: leave it out."])
    return judge_signals(campaign).leaks


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
