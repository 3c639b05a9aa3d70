"""The outcome of a run, for people, for programs and as the exit code."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from perf_pipeline.analysis.slo.judge import run_slos
from perf_pipeline.analysis.stored_metrics import metrics_of
from perf_pipeline.ci.measured import note_measured
from perf_pipeline.cli.child_end import end_of
from perf_pipeline.cli.interruptions import EndAtOnceError
from perf_pipeline.cli.lines.terminal import show, show_report
from perf_pipeline.cli.output import answer
from perf_pipeline.cli.summary import show_summary
from perf_pipeline.config.slo.shipped import GATES
from perf_pipeline.errors import RunFolderError
from perf_pipeline.exit_code import Exit
from perf_pipeline.metrics.performance import performance_metrics
from perf_pipeline.program.dagster_home import VARIABLE
from perf_pipeline.report.level.noise import judged_noise
from perf_pipeline.report.recovery.answer import deciding_verdicts, injected
from perf_pipeline.report.run.files import report_of
from perf_pipeline.report.run.result_file import level_file
from perf_pipeline.report.run.run_verdict import (
    fault_failures,
    faults_not_possible,
    gate_failures,
    gate_rows,
)
from perf_pipeline.report.text.labels import level_name
from perf_pipeline.samples.run_record import COMPLETE, INTERRUPTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perf_pipeline.cli.child_end import ChildEnd
    from perf_pipeline.cli.dagster_child import DagsterChild
    from perf_pipeline.cli.interruptions import Interruptions
    from perf_pipeline.config.slo.verdict import Verdict
    from perf_pipeline.metrics.types.fault.recovery import FaultRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.metrics.types.slo_verdict import SloVerdict
    from perf_pipeline.samples.run_folder import RunFolder


@contextmanager
def reported(
    folder: RunFolder, child: DagsterChild, noted: Interruptions, *, as_json: bool
) -> Iterator[None]:
    """Report, in the block, a run whose process has ended: unless it gave up, or is to end at once.

    Interruptions are not polled while results are written.

    Raises:
        typer.Exit: It gave up waiting, or whoever started it asked twice that it end.
    """
    if child.gave_up and not noted:
        give_up(child.gave_up, folder.run_id, as_json=as_json)
    try:
        noted.raise_at_once()
        yield
    except EndAtOnceError as error:
        _end_at_once(folder, as_json=as_json)
        raise typer.Exit(noted.code or Exit.INTERRUPTED) from error


def _end_at_once(folder: RunFolder, *, as_json: bool) -> None:
    """Report what remains of a run that was ended without waiting for anything."""
    lines = [f"ended at once; what was committed to the journals is kept in {folder.root}"]
    if folder.status_file.exists():
        lines.append(f"`perf-pipeline report {folder.run_id}` writes its report")
        lines.append("what it left on your own servers, `make clear` removes")
    else:
        lines = ["ended at once, before anything was measured"]
    for line in lines:
        show(line, as_json=as_json)
    answer(
        {
            "run_id": folder.run_id,
            "folder": str(folder.root),
            "error": "EndedAtOnce",
            "problems": lines,
            "levels": [],
        },
        as_json=as_json,
    )


def finish(
    folder: RunFolder,
    child: DagsterChild,
    gate: str | None,
    accept_verdicts: bool,  # noqa: FBT001
    *,
    interrupted: Exit | None,
    as_json: bool,
    explain: bool = False,
) -> None:
    """Report the outcome of the run, and exit with its code.

    Args:
        folder: The run.
        child: The process that ran it; it has ended.
        gate: Table of targets that must be met; None for none.
        accept_verdicts: Exit 0 once everything was measured to its end.
        interrupted: The exit code of what asked the run to end; None if nothing did.
        as_json: Print one JSON object at the end, and everything else on standard error.
        explain: Print the intervals, the remarks on levels and the legend as well.

    Raises:
        typer.Exit: With the exit code, unless that is 0.
    """
    # Stopped by us, it ends as we wanted.
    failed = None if interrupted else end_of(child, os.environ.get(VARIABLE, ""))
    try:
        metrics = metrics_of(folder)
    except RunFolderError as error:
        if interrupted and not folder.status_file.exists():
            _end_before_levels(folder, interrupted, as_json=as_json)
        text = failed.text if failed else str(error)
        show(f"nothing was measured: {text}", as_json=as_json)
        kind = child.failure.kind if child.failure else type(error).__name__
        answer(
            {"run_id": folder.run_id, "error": kind, "problems": [text], "levels": []},
            as_json=as_json,
        )
        raise typer.Exit(
            interrupted or (failed.code if failed else Exit.NOT_A_MEASUREMENT)
        ) from error
    if failed:
        show(failed.text, as_json=as_json)
    if metrics.status != COMPLETE:
        show(f"the run is {metrics.status}; what was measured is kept", as_json=as_json)
    files = report_of(folder, metrics)
    note_measured(metrics, files.html, gate=gate, table=GATES.get(gate or "", ""))
    slos = run_slos(metrics)
    failed_gate = gate_failures(metrics, gate)
    first = [
        *(line for line in slo_lines(slos) if not line.startswith("SLO met")),
        *(f"gate {gate}: {line}" for line in failed_gate),
        *fault_failures(metrics),
        *faults_not_possible(metrics),
        *judged_noise(metrics),
        *noise_lines(metrics),
        *(repeated.summary for repeated in metrics.repeats),
    ]
    show_summary(metrics, as_json=as_json, explain=explain, first=first)
    show_report(files.html, as_json=as_json)
    show(next_line(metrics), as_json=as_json)
    answer(
        {
            "run_id": metrics.run_id,
            "folder": str(folder.root),
            "report": str(files.html),
            "status": metrics.status,
            "dagster": "interrupted" if interrupted else _end_in_dagster(child, failed),
            "validity": metrics.validity,
            "reasons": list(metrics.reasons),
            "gate_failures": failed_gate,
            "slos": [slo_entry(slo) for slo in slos],
            "faults": [fault_entry(*found) for found in injected(metrics)],
            "protections": [asdict(one) for one in metrics.protections],
            "levels": level_entries(folder, metrics),
            "repeats": [asdict(repeated) for repeated in metrics.repeats],
        },
        as_json=as_json,
    )
    code = exit_code(
        metrics,
        failed_gate,
        [slo.verdict for slo in slos],
        gate_missed=any(row.verdict == "missed" for row in gate_rows(metrics, gate)),
        accept_verdicts=accept_verdicts,
        interrupted=interrupted is not None,
    )
    if interrupted and code == Exit.INTERRUPTED:
        code = interrupted
    elif failed and (code == Exit.COMPLETE or failed.code == Exit.DEFECT):
        code = failed.code
    if code:
        raise typer.Exit(code)


def _end_in_dagster(child: DagsterChild, failed: ChildEnd | None) -> str:
    """Return how the Dagster run ended: it fails as well when its verdict is that it failed."""
    if failed:
        return failed.text
    return f"failed: {child.failure.text}" if child.failure else "succeeded"


def give_up(why: str, run_id: str, *, as_json: bool) -> NoReturn:
    """Report that another load run went on for longer than this one was to wait.

    Raises:
        typer.Exit: Always.
    """
    show(why, as_json=as_json)
    answer(
        {"run_id": run_id, "error": "GaveUpWaitingError", "problems": [why], "levels": []},
        as_json=as_json,
    )
    raise typer.Exit(Exit.GAVE_UP_WAITING)


def _end_before_levels(folder: RunFolder, code: Exit, *, as_json: bool) -> NoReturn:
    """Report that the run was ended before its first level; the log of its stop is not shown.

    Raises:
        typer.Exit: Always.
    """
    text = "interrupted before anything was measured"
    show(text, as_json=as_json)
    answer(
        {"run_id": folder.run_id, "error": "Interrupted", "problems": [text], "levels": []},
        as_json=as_json,
    )
    raise typer.Exit(code)


def exit_code(
    metrics: RunMetrics,
    failed_gate: list[str],
    slos: Sequence[Verdict] = (),
    *,
    gate_missed: bool = False,
    accept_verdicts: bool,
    interrupted: bool,
) -> Exit:
    """Return what the run's exit code is.

    A target that failed, or did not come back from a failure, is a result, and no lack of one. A
    missed objective or target of the gate comes before an invalid level: it is missed only where
    that is sure (``analysis/slo/judge.py``).
    One that is unclear or without data is neither missed nor met. A failure that this machine
    cannot have decides nothing beside others.
    """
    if interrupted or metrics.status == INTERRUPTED:
        return Exit.INTERRUPTED
    if metrics.validity == "incomplete":
        return Exit.NOT_A_MEASUREMENT
    faults = deciding_verdicts(metrics)
    failed = metrics.validity == "target_failed" or "metastable" in faults
    if "missed" in slos or gate_missed or failed:
        return Exit.GATE_FAILED
    if metrics.validity != "valid" and not accept_verdicts:
        return Exit.NOT_A_MEASUREMENT
    if failed_gate:
        return Exit.GATE_FAILED
    is_unknown = bool({"invalid", "not_possible"} & faults)
    undecided = is_unknown or any(verdict != "met" for verdict in slos)
    return Exit.NOT_A_MEASUREMENT if undecided and not accept_verdicts else Exit.COMPLETE


def next_line(metrics: RunMetrics) -> str:
    """Return the command to try next: the errors, or what the numbers mean."""
    if any(level.outcomes.get("error") for level in metrics.levels):
        return f"next: perf-pipeline records {metrics.run_id} (error classes and texts)"
    return f"next: perf-pipeline report {metrics.run_id} --explain (intervals, legend)"


def slo_lines(verdicts: Sequence[SloVerdict]) -> list[str]:
    """Return a line for each verdict, those that are met last."""
    order = ("missed", "unclear", "no_data", "met")
    return [
        f"SLO {one.verdict.replace('_', ' ')} at {one.level} ({one.validity}): {one.slo.text}: "
        f"{one.why}"
        for one in sorted(verdicts, key=lambda one: order.index(one.verdict))
    ]


def slo_entry(verdict: SloVerdict) -> dict[str, Any]:
    """Return a verdict for ``--json``: all of it, and the objective as a text."""
    return {**asdict(verdict), "slo": verdict.slo.text, "objective": asdict(verdict.slo)}


def fault_entry(level: LevelMetrics, fault: FaultRecovery) -> dict[str, Any]:
    """Return a failure for ``--json``: all of it but the single observations."""
    return {"level": level.label, **asdict(replace(fault, signs=()))}


def noise_lines(metrics: RunMetrics) -> list[str]:
    """Return a line for each sign of other programs on a machine declared as shared."""
    return [
        f"level {level_name(level)}: {cause}; shown and not judged (PERF_PIPELINE_NOISE=tell)"
        for level in metrics.levels
        if level.noise is not None and not level.noise.judged
        for cause in level.noise.causes
    ]


def level_entries(folder: RunFolder, metrics: RunMetrics) -> list[dict[str, Any]]:
    """Return the ``--json`` entry of each level and arm."""
    scenario = metrics.manifest.scenario
    return [
        {
            "label": level.label,
            "role": level.role,
            "noise": level.noise and level.noise.verdict,
            "result_file": str(level_file(folder.root.parent, metrics, level.label)),
            **performance_metrics(level, metrics.run_id, scenario).to_dict(),
        }
        for level in metrics.levels
    ]
