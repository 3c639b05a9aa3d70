"""The outcome of an endurance campaign, for people, for programs and as the exit code."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from perf_pipeline.campaign.campaign_judging import judge_campaign
from perf_pipeline.cli.child_end import end_of
from perf_pipeline.cli.lines.lines import line_width, show_wrapped, wrapped
from perf_pipeline.cli.lines.terminal import show, show_report
from perf_pipeline.cli.output import answer
from perf_pipeline.errors import RunFolderError
from perf_pipeline.exit_code import Exit
from perf_pipeline.program.dagster_home import VARIABLE
from perf_pipeline.report.endurance.answers import answers
from perf_pipeline.report.endurance.checks import findings
from perf_pipeline.report.endurance.files import write_campaign_report
from perf_pipeline.report.endurance.growth import growth_lines
from perf_pipeline.report.endurance.stored_campaign import stored_campaign

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.cli.dagster_child import DagsterChild
    from perf_pipeline.report.endurance.stored_campaign import StoredCampaign
    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder


def finish_campaign(
    folder: CampaignFolder, child: DagsterChild, interrupted: Exit | None, *, as_json: bool
) -> None:
    """Report what was proven, or what was measured before it was interrupted or failed.

    Args:
        folder: The campaign.
        child: The process that played it; it has ended.
        interrupted: The exit code of what asked it to end; None if nothing did.
        as_json: Print one JSON object at the end, and everything else on standard error.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    failed = None if interrupted else end_of(child, os.environ.get(VARIABLE, ""))
    why = "interrupted" if interrupted else failed.text if failed else ""
    if why:
        show(why, as_json=as_json)
    code = interrupted or (failed.code if failed else None)
    try:
        if why:
            judge_campaign(folder)
        stored = stored_campaign(folder.root)
        page = write_campaign_report(folder.root)
    except RunFolderError as error:
        show(f"nothing was measured: {error}", as_json=as_json)
        answer(
            {"run_id": folder.campaign_id, "error": why, "problems": [str(error)]}, as_json=as_json
        )
        raise typer.Exit(code or Exit.NOT_A_MEASUREMENT) from error
    _show(stored, folder, page, as_json=as_json, error=why)
    code = code or exit_code(stored)
    if code:
        raise typer.Exit(code)


def report_campaign(folder: CampaignFolder, *, as_json: bool) -> None:
    """Judge a stored campaign again, write its page, and print what was proven.

    Raises:
        RunFolderError: A file of the campaign is damaged.
    """
    judge_campaign(folder)
    page = write_campaign_report(folder.root)
    _show(stored_campaign(folder.root), folder, page, as_json=as_json)


def exit_code(stored: StoredCampaign) -> Exit:
    """Return 1 for what is proven against it, 3 for doubt, and 0 where every check passes."""
    failed = [one for one in findings(stored).values() if not one.passed]
    if any(one.severity == "ERROR" for one in failed):
        return Exit.GATE_FAILED
    return Exit.NOT_A_MEASUREMENT if failed else Exit.COMPLETE


def _show(
    stored: StoredCampaign,
    folder: CampaignFolder,
    page: Path,
    *,
    as_json: bool,
    error: str = "",
) -> None:
    for one in answers(stored):
        line = " ".join((one.question, f"{one.answer.text}.", *one.sentences[:2]))
        for text in wrapped(line, line_width(as_json=as_json)):
            show(text, as_json=as_json)
    show_wrapped(growth_lines(stored), as_json=as_json)
    show_report(page, as_json=as_json)
    found = stored.verdicts
    answer(
        {
            "run_id": folder.campaign_id,
            "folder": str(folder.root),
            "report": str(page),
            **({"error": error} if error else {}),
            "evidence": stored.campaign.evidence,
            "hour_seconds": stored.campaign.hour_seconds,
            "planned_hours": stored.campaign.hours,
            "missing_hours": list(stored.missing),
            "gaps": [one.hour for one in stored.gaps],
            "breaks": [one.hour for one in stored.breaks],
            "checks": {name: one.passed for name, one in findings(stored).items()},
            "hours": [asdict(one) for one in stored.hours],
            "verdicts": None if found is None else asdict(found),
            "growth": None if stored.growth is None else asdict(stored.growth),
        },
        as_json=as_json,
    )
