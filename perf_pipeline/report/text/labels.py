"""The closed lists of verdicts in plain words."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.report.text import escape
from perf_pipeline.report.text.table import Cell

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.targets import Grade
    from perf_pipeline.metrics.types.validity import Validity
    from perf_pipeline.report.text.table import Tone

VALIDITY: dict[Validity, str] = {
    "valid": "A measurement: it ran to its end, there are samples enough, and nothing speaks "
    "against it.",
    "generator_limited": "The load generator was the bottleneck, so these times are its own "
    "rather than the target's.",
    "not_steady": "The load had not settled; a longer run may well give other numbers.",
    "too_few_samples": "Too few workflows ended for numbers that would come out again.",
    "noisy_host": "Other programs used this machine during the measurement, so the target may be "
    "faster than these numbers say.",
    "incomplete": "Part of what should have been measured is missing, or does not agree with "
    "the servers.",
}

STATUS: dict[str, str] = {
    "complete": "It ran to its end.",
    "interrupted": "It was stopped before its end; what had been measured until then was kept.",
    "failed": "It failed before its end; what had been measured until then was kept.",
    "killed": "It was killed from outside; this is what its journal held.",
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
"""Stands beside ``valid`` where the steady phase was too short to look for warm-up and drift."""

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
    """Return a validity as the closed list calls it."""
    if validity == "valid":
        return Cell(validity, "good")
    return Cell(validity, "bad" if validity == "incomplete" else "warn")


def is_untested(level: LevelMetrics) -> bool:
    """Return whether a level is valid though nobody could see whether it had settled."""
    found = level.steady_state
    return level.validity == "valid" and found is not None and found.verdict == "too_short"


def validity_of(level: LevelMetrics) -> Cell:
    """Return a level's validity, and whether it was too short to be tested for drift."""
    cell = validity_cell(level.validity)
    return replace(cell, text=f"{cell.text}, {UNTESTED}") if is_untested(level) else cell


def grade_tone(grade: Grade) -> Tone:
    """Return the tone of a KPI grade."""
    return _GRADE_TONES[grade]


def verdict_cell(verdict: str, note: str = "") -> Cell:
    """Return the verdict of a target: met, missed, unclear, or no data."""
    return Cell(verdict.replace("_", " "), _VERDICT_TONES[verdict], note)


def level_name(level: LevelMetrics) -> str:
    """Return what a level is called in the report: its label and title, ``arm``, the repeat."""
    name = escape.name(level.shown)
    if level.role == "arm":
        name = f"{name} (arm)"
    return f"{name}, repeat {level.repeat + 1}" if level.repeat else name


def service_time(level: LevelMetrics) -> str:
    """Return what the times from start to end are called: which loop they are of is in it."""
    return f"Service time ({level.loop} loop)"


def executor(level: LevelMetrics) -> str:
    """Return what executed a level's workflows, and how they were written."""
    target = escape.name(level.target)
    if target.startswith("control"):
        return f"no runtime ({target})"
    if target.startswith("callable"):
        return target
    return f"{target}, {escape.name(level.nodes)} nodes"
