"""Labels and explanations of verdicts, phases, tables of targets, levels and services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.services import service_label
from perf_pipeline.report.text import escape
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.targets import Grade
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.report.text.table import Tone

VALIDITY: dict[Validity, str] = {
    "valid": "The measurement is complete, has enough samples, and no check failed.",
    "target_failed": "The target did not work: no workflow succeeded, or more failed than the "
    "scenario tolerates. Its times and throughput are those of failing.",
    "generator_limited": "The load generator was the bottleneck, so these times describe the "
    "generator, not the target.",
    "not_steady": "No steady state was reached; a longer run may give different numbers.",
    "too_few_samples": "Too few workflows ended for reproducible numbers.",
    "noisy_host": "Other programs used this machine during the measurement, so the target may be "
    "faster than these numbers say.",
    "incomplete": "Part of the measurement is missing, or disagrees with the counts on the "
    "servers.",
}

STATUS: dict[str, str] = {
    "complete": "It ran to its end.",
    "interrupted": "It was interrupted; everything measured until then is in this report.",
    "failed": "It failed; everything measured until then is in this report.",
    "killed": "It was killed; this report is recovered from its journal.",
}

PHASES: dict[str, str] = {
    "cold": "cold start",
    "ramp_up": "ramp-up",
    "warm_up": "warm-up",
    "steady": "steady",
    "drain": "drain",
}

TARGET_TABLES: dict[str, str] = {
    "expected": "Expected",
    "minimum": "Minimum for production",
    "goal": "Goal",
}

UNTESTED = "drift not tested"
"""Added to ``valid`` where the steady phase was too short to test for warm-up and drift."""

_GRADE_TONES: dict[Grade, Tone] = {
    "good": "good",
    "acceptable": "good",
    "marginal": "warn",
    "poor": "bad",
    "no_data": "quiet",
}
_VERDICT_TONES: dict[str, Tone] = {
    "met": "good",
    "missed": "bad",
    "unclear": "warn",
    "no_data": "quiet",
}


def validity_cell(validity: Validity) -> Cell:
    """Return a validity, with the tone that fits it."""
    if validity == "valid":
        return Cell(validity, "good")
    return Cell(validity, "bad" if validity in ("incomplete", "target_failed") else "warn")


def is_untested(level: LevelMetrics) -> bool:
    """Return whether a level is valid but was too short for the test of its steady state."""
    found = level.steady_state
    return level.validity == "valid" and found is not None and found.verdict == "too_short"


def validity_of(level: LevelMetrics) -> Cell:
    """Return a level's validity, with a remark if it was too short for the test for drift."""
    cell = validity_cell(level.validity)
    return replace(cell, text=f"{cell.text}, {UNTESTED}") if is_untested(level) else cell


def grade_tone(grade: Grade) -> Tone:
    """Return the tone of a KPI grade."""
    return _GRADE_TONES[grade]


def verdict_cell(verdict: str, note: str = "") -> Cell:
    """Return the verdict on a target or objective: met, missed, unclear or no data."""
    return Cell(verdict.replace("_", " "), _VERDICT_TONES[verdict], note)


def level_name(level: LevelMetrics) -> str:
    """Return the name of a level in the report: its label and title, ``(arm)``, the repeat."""
    name = escape.name(level.shown)
    if level.role == "arm":
        name = f"{name} (arm)"
    return f"{name}, repeat {level.repeat + 1}" if level.repeat else name


def service_time(level: LevelMetrics) -> str:
    """Return the name of the times from start to end, which says the kind of loop."""
    return f"Service time ({level.loop} loop)"


def service_name(service: str) -> str:
    """Return the name of a service for people; of an unknown service its key."""
    return escape.name(service_label(service))


def executor(level: LevelMetrics) -> str:
    """Return the target that executed a level's workflows, and the kind of their nodes."""
    target = escape.name(level.target)
    if target.startswith("control"):
        return f"no runtime ({target})"
    if target.startswith(("callable", "http")):
        return target
    return f"{target}, {escape.name(level.nodes)} nodes"
