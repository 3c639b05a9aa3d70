"""The transformation family: rows are generated, filtered, grouped and ranked.

A workflow is a chain: every stage is one plain function of what the stage before it gave, and
the first is given the data's seed. Integers only, so that results compare exactly. No servers.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from perf_pipeline.workload.dataset import CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Row = dict[str, Any]

ROWS = 50
MIN_VALUE = 250
WEIGHTS = {"east": 2, "north": 3, "south": 5, "west": 7}


def generate(seed: int) -> list[Row]:
    """Draw ``ROWS`` rows with ``id``, ``category`` and ``value`` (-100 to 999; < 0 is invalid)."""
    rng = random.Random(seed)
    rows = []
    for number in range(ROWS):
        category = CATEGORIES[int(rng.random() * len(CATEGORIES))]
        value = int(rng.random() * 1100) - 100
        rows.append({"id": number, "category": category, "value": value})
    return rows


def clean(rows: list[Row]) -> list[Row]:
    """Drop the rows with an invalid value."""
    return [row for row in rows if row["value"] >= 0]


def keep(rows: list[Row]) -> list[Row]:
    """Keep the rows whose value is at least ``MIN_VALUE``."""
    return [row for row in rows if row["value"] >= MIN_VALUE]


def total(rows: list[Row]) -> Row:
    """Count the rows, and give the sum and the extremes of their values."""
    values = [row["value"] for row in rows]
    return {
        "count": len(values),
        "sum": sum(values),
        "minimum": min(values, default=0),
        "maximum": max(values, default=0),
    }


def score(rows: list[Row]) -> list[Row]:
    """Add each row's ``score``: its value times the weight of its category."""
    return [{**row, "score": row["value"] * WEIGHTS[row["category"]]} for row in rows]


def order(rows: list[Row]) -> list[Row]:
    """Sort the rows by score, highest first; equal ones keep their order."""
    return sorted(rows, key=lambda row: row["score"], reverse=True)


def group(rows: list[Row]) -> list[Row]:
    """Count the rows of each category and sum their scores; in alphabetical order."""
    groups: dict[str, Row] = {}
    for row in rows:
        category = row["category"]
        if category not in groups:
            groups[category] = {"category": category, "count": 0, "score": 0}
        groups[category]["count"] += 1
        groups[category]["score"] += row["score"]
    return [groups[category] for category in sorted(groups)]


def share(groups: list[Row]) -> list[Row]:
    """Add each group's ``permille`` of the whole score, rounded down."""
    whole = sum(one["score"] for one in groups)
    return [{**one, "permille": one["score"] * 1000 // max(whole, 1)} for one in groups]


def rank(groups: list[Row]) -> list[Row]:
    """Sort the groups by score, highest first; equal ones keep their order."""
    return sorted(groups, key=lambda one: one["score"], reverse=True)


def summary(groups: list[Row]) -> Row:
    """Return how many rows and groups there are, their score, and which group leads."""
    return {
        "groups": len(groups),
        "count": sum(one["count"] for one in groups),
        "score": sum(one["score"] for one in groups),
        "first": groups[0]["category"] if groups else "",
    }


Stages = tuple[tuple[str, "Callable[[Any], Any]"], ...]

STAGES: Mapping[str, Stages] = {
    "simple": (("generate", generate), ("keep", keep), ("total", total)),
    "medium": (
        ("generate", generate),
        ("keep", keep),
        ("score", score),
        ("group", group),
        ("rank", rank),
    ),
    "complex": (
        ("generate", generate),
        ("clean", clean),
        ("keep", keep),
        ("score", score),
        ("order", order),
        ("group", group),
        ("share", share),
        ("rank", rank),
        ("summary", summary),
    ),
}
"""Complexity to the chain of stages: node name and function, in the order in which they run."""


def run_stages(complexity: str, data_seed: int) -> dict[str, Any]:
    """Call the stages one after the other.

    Args:
        complexity: ``simple``, ``medium`` or ``complex``.
        data_seed: What the first stage is given.

    Returns:
        Node name to its output, in the order in which they ran.
    """
    outputs: dict[str, Any] = {}
    value: Any = data_seed
    for name, stage in STAGES[complexity]:
        value = stage(value)
        outputs[name] = value
    return outputs
